"""A leaderboard and several histories as pictures, and what a notebook shows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from lbsense._format import plural
from lbsense._result import picture
from lbsense._validation import check_kind
from lbsense.analysis import Analysis, BoardAnalysis, Comparison, Missing
from lbsense.plots.history import plot_timeline
from lbsense.plots.scene import (
    Axis,
    Bars,
    Line,
    Mark,
    Points,
    Rule,
    Scene,
    Segments,
    Theme,
    draw_plot,
    pin,
    point_size,
)
from lbsense.plots.svg import SVG_STYLE, draw_svg, palette_css
from lbsense.stats import EstimateResult, PooledResult
from lbsense.words import FIGURES

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_BAND_POINTS = 60
_MEDALS = {"gold": "guess", "silver": "unknown", "bronze": "setback"}
_NOTEBOOK_WIDTH = 760
_MOST_TEAMS = 4_000  # points of one picture


def ranks_scene(found: BoardAnalysis) -> Scene:
    """Return private against public places with the band that noise alone gives."""
    result, draws = found.result, found.result.draws
    public = draws.public_rank
    n = len(public)
    low, high = np.quantile(draws.private_rank, [0.1, 0.9], axis=0)
    far_low, far_high = np.quantile(draws.private_rank, [0.025, 0.975], axis=0)
    at = np.unique(np.linspace(0, n - 1, min(n, _BAND_POINTS)).astype(int))
    marks: list[Mark] = [
        Segments(
            x=(public[at], public[at]),
            y=(_smooth(far_low, at), _smooth(far_high, at)),
            role="soft",
            label="95% by noise alone",
            width=max(2.0, 420 / len(at) / 2),
        ),
        Line(
            x=public[at],
            y=_smooth(low, at),
            role="estimate",
            label="80% by noise alone",
            width=1.2,
        ),
        Line(x=public[at], y=_smooth(high, at), role="estimate", width=1.2),
    ]
    private = _private_ranks(found)
    seen = np.flatnonzero(np.isfinite(private))
    remark = ""
    if seen.size:
        if seen.size > _MOST_TEAMS:
            remark = f"{_MOST_TEAMS:,} of {seen.size:,} teams drawn"
            seen = seen[np.linspace(0, seen.size - 1, _MOST_TEAMS).astype(int)]
        marks.append(
            Points(
                x=public[seen],
                y=private[seen],
                marker="o",
                role="private",
                label="teams",
                size=max(3.0, point_size(len(seen)) / 2),
            )
        )
    middle = result.places.private_median
    marks += _own(found, public, np.where(np.isfinite(private), private, middle))
    last = float(max(n, np.nanmax(private) if seen.size else n)) + 0.5
    return Scene(
        x=Axis(label="public place", limits=(0.5, n + 0.5), kind="count"),
        y=Axis(label="private place", limits=(last, 0.5), kind="count"),
        marks=marks,
        remark=remark,
        title="Private against public places",
        size=(7.4, 6.0),
    )


def ladder_scene(found: BoardAnalysis) -> Scene:
    """Return scores by place in their tie groups, the best first."""
    result = found.result
    scores = found.board.public[result.teams]
    n = len(scores)
    first = np.r_[0, np.flatnonzero(np.diff(result.group)) + 1]
    last = np.r_[first[1:] - 1, n - 1]
    better = bool(found.board.competition.greater_is_better)
    bottom, top = pin(scores, best_is_high=better)
    shown = np.clip(scores, bottom, top)
    place = np.arange(1, n + 1, dtype=np.float64)
    marks: list[Mark] = []
    for role, odd in (("soft", 0), ("grid", 1)):
        of_it = np.arange(len(first)) % 2 == odd
        low = np.minimum(shown[first], shown[last])[of_it]
        high = np.maximum(shown[first], shown[last])[of_it]
        marks.append(
            Bars(
                x=place[first][of_it] - 0.5,
                y=low,
                width=(last - first + 1)[of_it].astype(np.float64),
                height=np.maximum(high - low, 0.002 * (top - bottom)),
                role=role,
                label="cannot be told apart" if not odd else "",
            )
        )
    marks.append(Line(x=place, y=shown, role="public", label="public score", width=1.8))
    medals = result.places.medals
    for name, role in _MEDALS.items():
        end = getattr(medals, name)
        if 0 < end < n:
            marks.append(
                Rule(
                    at=end + 0.5, role=role, label=f"last {name} ({end})", upright=True
                )
            )
    marks += _own(found, place, shown)
    name = found.board.competition.metric or "score"
    better_word = found.board.competition.better
    out = int(((scores < bottom) | (scores > top)).sum())
    return Scene(
        x=Axis(label="public place", limits=(0.5, n + 0.5), kind="count"),
        y=Axis(label=f"public {name} ({better_word})", limits=(bottom, top)),
        marks=marks,
        remark=f"{plural(out, 'score')} beyond the edge" if out else "",
        title=f"The ladder: {plural(len(first), 'step')}",
        columns=3,
    )


def places_scene(found: BoardAnalysis) -> Scene:
    """Return the chance of each place after the reveal: of the team, else of medals."""
    result = found.result
    standing = found.standing
    if standing:
        low = standing.place_low.astype(np.float64)
        width = standing.place_high - low + 1
        height = standing.p_bin / width
        marks: list[Mark] = []
        ends = (0, *(getattr(result.places.medals, m) for m in _MEDALS), result.n_teams)
        labels = (*_MEDALS, "no medal")
        roles = (*_MEDALS.values(), "grid")
        for start, end, label, role in zip(ends, ends[1:], labels, roles, strict=False):
            of_it = (low > start) & (low <= end)
            chance = float(standing.p_bin[of_it].sum())
            if of_it.any():
                marks.append(
                    Bars(
                        x=low[of_it] - 0.5,
                        y=np.zeros(int(of_it.sum())),
                        width=width[of_it],
                        height=height[of_it],
                        role=role,
                        label=f"{label} {chance:.0%}",
                    )
                )
        seen = np.flatnonzero(standing.p_bin > 4e-3)
        ends_at = (
            max(0.5, float(low[seen[0]]) - 1),
            float(standing.place_high[seen[-1]]) + 1,
        )
        return Scene(
            x=Axis(label="place after the reveal", limits=ends_at, kind="count"),
            y=Axis(
                label="chance of each place", limits=(0, 1.08 * float(height.max()))
            ),
            marks=marks,
            title=f"Where {found.team[:40] or 'the team'} may end",
        )
    place = np.arange(1, result.n_teams + 1, dtype=np.float64)
    cut = int(min(result.n_teams, 3 * max(10, result.places.medals.bronze)))
    marks = [
        Line(
            x=place[:cut],
            y=getattr(result.places, f"p_{name}")[:cut],
            role=role,
            label=f"{name} or better (to {getattr(result.places.medals, name)})",
            width=2.0,
        )
        for name, role in _MEDALS.items()
    ]
    return Scene(
        x=Axis(label="public place", limits=(0.5, cut + 0.5), kind="count"),
        y=Axis(label="chance after the reveal", limits=(0, 1.02), kind="share"),
        marks=marks,
        title="Chance of a medal",
    )


def _own(found: BoardAnalysis, x: np.ndarray, y: np.ndarray) -> list[Points]:
    """Return a ring around the team that is asked about, if any."""
    if not found.standing:
        return []
    own, label = [found.standing.position], found.team[:30] or "the team"
    return [
        Points(
            x=x[own], y=y[own], marker="ring", role="setback", label=label, size=120.0
        )
    ]


def _private_ranks(found: BoardAnalysis) -> np.ndarray:
    """Return the private places of the teams with a public score, the best first."""
    scores = found.board.scores("private")[found.result.teams]
    known = np.isfinite(scores)
    ranks = np.full(len(scores), np.nan)
    order = np.argsort(-scores[known], kind="stable")
    own = np.empty(len(order))
    own[order] = np.arange(1, len(order) + 1)
    ranks[known] = own
    return ranks


def _smooth(values: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Return means around positions, which draws leave less ragged."""
    half = max(0, int(np.diff(at).min() if len(at) > 1 else 1) // 2)
    total = np.r_[0.0, np.cumsum(values)]
    low, high = np.maximum(at - half, 0), np.minimum(at + half, len(values) - 1)
    return np.asarray((total[high + 1] - total[low]) / (high - low + 1))


def plot_board_ranks(
    found: BoardAnalysis, *, ax: Axes | None = None, theme: Theme = "light"
) -> Axes:
    """Draw private against public places, with the band that noise alone gives."""
    check_kind(found, BoardAnalysis, name="found")
    return draw_plot(ranks_scene(found), ax, theme)


def plot_board_ladder(
    found: BoardAnalysis, *, ax: Axes | None = None, theme: Theme = "light"
) -> Axes:
    """Draw the public scores by place, in steps that cannot be told apart."""
    check_kind(found, BoardAnalysis, name="found")
    return draw_plot(ladder_scene(found), ax, theme)


def plot_board_places(
    found: BoardAnalysis, *, ax: Axes | None = None, theme: Theme = "light"
) -> Axes:
    """Draw the chance of each place of the team, else of a medal for every place."""
    check_kind(found, BoardAnalysis, name="found")
    return draw_plot(places_scene(found), ax, theme)


#: What each picture of a board is made by, and what it shows.
BOARD_SCENES = {
    "ranks": (
        ranks_scene,
        "Every team by its public and private place. Inside the band a team moved as "
        "noise alone moves teams.",
    ),
    "ladder": (
        ladder_scene,
        "Public scores by place. Teams of one step cannot be told apart from its best.",
    ),
    "places": (places_scene, "Chances of places after the reveal."),
}


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


def notebook_picture(found: Analysis | Comparison) -> str:
    """Return the picture of a result as HTML for a notebook."""
    if isinstance(found, Analysis):
        scene = plot_timeline.scene(found)
    else:
        scene = compare_scene(found)
    style = f".plot{{{palette_css('light')}}}{SVG_STYLE}"
    head, _, body = draw_svg(scene, width=_NOTEBOOK_WIDTH).partition(">")
    return picture(f"{head}><style>{style}</style>{body}", scene.title)
