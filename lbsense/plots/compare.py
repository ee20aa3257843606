"""Several histories side by side, as one picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from lbsense._validation import check_kind
from lbsense.analysis import Comparison, Missing
from lbsense.plots.canvas import draw_plot
from lbsense.plots.scene import Axis, Mark, Points, Rule, Scene, Segments, Theme
from lbsense.stats import EstimateResult, PooledResult
from lbsense.words import FIGURES

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_ROLES = ("public", "cv", "private", "progress", "chasing", "unknown")
_MARKERS = ("o", "s", "D", "^", "v", "P")
_MOST_ROWS = 4  # that one number takes
_GAP = 0.25  # of a row, at both ends of what one number takes


def compare_scene(found: Comparison) -> Scene:
    """Return shares and correlations with their intervals, some rows for each number.

    More histories than there are colours are drawn in one; a portfolio has what is
    pooled in each row's last line.
    """
    keys = [
        key
        for key, figure in FIGURES.items()
        if figure.unit != "score" and any(item.figures[key] for item in found.habits)
    ]
    title = "Habits side by side"
    if not keys:
        return Scene(reason="None of these numbers is known.", title=title)
    lines = [(item.short_name, item.figures) for item in found.habits]
    many = len(lines) > len(_ROLES)
    n_lines = len(lines) + found.portfolio
    n_rows = min(n_lines, _MOST_ROWS)
    marks: list[Mark] = [Rule(at=0.0, upright=True)]
    for at, (name, figures) in enumerate(lines):
        marks += _line(
            [figures[key] for key in keys],
            (at + 0.5) / n_lines,
            n_rows,
            role="unknown" if many else _ROLES[at],
            marker="o" if many else _MARKERS[at],
            label=("each history" if not at else "") if many else name,
            size=30.0 if many else 46.0,
        )
    if found.portfolio:
        together = [found.pooled[key] for key in keys]
        marks += _line(
            together, 1 - 0.5 / n_lines, n_rows, role="estimate", marker="D",
            label="all together", size=80.0,
        )  # fmt: skip
    ends = [float(mark.x[0].min()) for mark in marks if isinstance(mark, Segments)]
    lowest = min([0.0, *ends])
    return Scene(
        marks=marks,
        x=Axis(
            label="share, or for the agreement a correlation (lines: 95%)",
            limits=(min(-0.03, 1.05 * lowest), 1.03),
        ),
        y=Axis(
            label="",
            limits=(len(keys) * n_rows - 0.45, -0.55),
            kind="names",
            names=[
                FIGURES[key].title if not row else ""
                for key in keys
                for row in range(n_rows)
            ],
        ),
        title=title,
        size=(9.5, 1.6 + 0.26 * len(keys) * n_rows),
    )


def _line(
    values: Sequence[EstimateResult | PooledResult | Missing],
    share: float,
    n_rows: int,
    *,
    role: str,
    marker: str,
    label: str,
    size: float,
) -> list[Mark]:
    """Return one history's numbers, so far down in the rows of each number."""
    known = [(row, item) for row, item in enumerate(values) if item]
    if not known:
        return []
    down = _GAP + share * (n_rows - 2 * _GAP) - 0.5
    y = np.array([row * n_rows + down for row, _ in known])
    middle, low, high = (
        np.array([getattr(item, end) for _, item in known])
        for end in ("value", "ci_low", "ci_high")
    )
    return [
        Segments(x=(low, high), y=(y, y), role=role, width=1.8),
        Points(x=middle, y=y, marker=marker, role=role, label=label, size=size),
    ]


def plot_comparison(
    found: Comparison, *, ax: Axes | None = None, theme: Theme = "light"
) -> Axes:
    """Draw several histories side by side: shares and correlations with intervals."""
    check_kind(found, Comparison, name="found")
    return draw_plot(compare_scene(found), ax, theme)
