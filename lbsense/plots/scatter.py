"""One kind of score against another: CV against public, public against private."""

from __future__ import annotations

import numpy as np
from scipy.special import stdtrit

from lbsense._format import shorten
from lbsense._typing import BoolArray, FloatArray
from lbsense.analysis import Analysis
from lbsense.plots.canvas import picture
from lbsense.plots.scene import (
    CV,
    PRIVATE,
    PUBLIC,
    Axis,
    Line,
    Mark,
    Points,
    Scene,
    is_directed,
    pin,
    score_axis,
    verdict_points,
)
from lbsense.stats import DemingResult


@picture("Public against CV scores", size=(7.2, 5.6), columns=3)
def plot_cv_public(analysis: Analysis) -> Scene | str:
    """Draw public against CV scores, with the line through them where one is tested.

    Scores are raw.
    """
    history = analysis.history
    cv, public = history.raw_scores("cv"), history.raw_scores("public")
    if not (np.isfinite(cv) & np.isfinite(public)).any():
        return "No submission has both a CV and a public score."
    found = analysis.agreement
    line = found.line if found and found.testable else None
    if not is_directed(analysis):
        line = None
    signs = (
        (history.competition.cv_direction(), history.competition.direction())
        if line is not None
        else (1, 1)
    )
    remark = ""
    caveat = analysis.caveat("cv")
    if caveat is not None:
        remark = shorten(f"no line: {caveat}", 60)
    elif line is None:
        remark = "no line: whether they agree cannot be tested"
    return _scene(analysis, cv, public, line, signs, (CV, PUBLIC), remark)


@picture("Private against public scores", size=(7.2, 5.6), columns=3)
def plot_public_private(analysis: Analysis) -> Scene | str:
    """Draw private against public scores with the line through them.

    Scores are raw.
    """
    history = analysis.history
    public, private = history.raw_scores("public"), history.raw_scores("private")
    if not (np.isfinite(private) & np.isfinite(public)).any():
        return "No submission has a private score: they come after the close."
    told = analysis.retrospective
    line = told.transfer if told else None
    sign = history.competition.direction() if line is not None else 1
    return _scene(
        analysis, public, private, line, (sign, sign), (PUBLIC, PRIVATE), equal=True
    )


def _scene(
    analysis: Analysis,
    x: FloatArray,
    y: FloatArray,
    line: DemingResult | None,
    signs: tuple[int, int],
    names: tuple[str, str],
    remark: str = "",
    *,
    equal: bool = False,
) -> Scene:
    """Return the points, those that matter ringed, and the line with its band."""
    both = np.isfinite(x) & np.isfinite(y)
    high = analysis.history.competition.greater_is_better is not False
    limits = (
        pin(x[both], best_is_high=signs[0] > 0 and high),
        pin(y[both], best_is_high=high),
    )
    seen = both & (x >= limits[0][0]) & (x <= limits[0][1])
    seen &= (y >= limits[1][0]) & (y <= limits[1][1])
    marks: list[Mark] = []
    if line is not None and np.isfinite(line.slope):
        marks += _line(line, limits[0], signs)
    if equal:
        marks += _equal(*limits)
    marks += verdict_points(
        np.where(seen, x, np.nan), np.where(seen, y, np.nan), analysis.steps
    )
    marks += _rings(analysis, x, y, seen)
    n_outside = int((both & ~seen).sum())
    notes = [remark, f"{n_outside} far off not shown" if n_outside else ""]
    return Scene(
        marks=marks,
        x=Axis(label=score_axis(analysis, names[0]), limits=limits[0]),
        y=Axis(label=score_axis(analysis, names[1]), limits=limits[1]),
        remark="; ".join(note for note in notes if note),
        square=True,
    )


def _equal(x: tuple[float, float], y: tuple[float, float]) -> list[Mark]:
    ends = np.array([max(x[0], y[0]), min(x[1], y[1])])
    if ends[0] >= ends[1]:
        return []
    return [
        Line(
            x=ends,
            y=ends,
            role="muted",
            label="private equals public",
            width=1.0,
            dash=(2, 2),
        )
    ]


def _rings(
    analysis: Analysis, x: FloatArray, y: FloatArray, seen: BoolArray
) -> list[Mark]:
    """Return rings around what was selected, and around what lbsense picks."""
    chosen = [index for index, item in enumerate(analysis.history) if item.selected]
    groups = [("selected", chosen, 190.0, "ink")]
    if analysis.picks:
        pair = list(analysis.picks.best.positions)
        groups.append(("picks of lbsense", pair, 120.0, "estimate"))
    return [
        Points(x=x[known], y=y[known], marker="ring", role=role, label=name, size=size)
        for name, members, size, role in groups
        if (known := [i for i in members if seen[i]])
    ]


def _line(
    line: DemingResult, limits: tuple[float, float], signs: tuple[int, int]
) -> list[Mark]:
    """Return the line, and between which two 95% of new points would lie."""
    shown = np.linspace(*limits, 40)
    x = signs[0] * shown
    middle = line.intercept + line.slope * x
    marks: list[Mark] = [
        Line(x=shown, y=signs[1] * middle, role="public", label="Deming line")
    ]
    if line.n_obs > 2 and line.x_square_sum > 0:
        spread = 1 + 1 / line.n_obs + (x - line.x_mean) ** 2 / line.x_square_sum
        half = stdtrit(line.n_obs - 2, 0.975) * line.residual_se * np.sqrt(spread)
        for name, end in (("95% of new points lie between", -half), ("", half)):
            marks.append(
                Line(
                    x=shown,
                    y=signs[1] * (middle + end),
                    role="public",
                    label=name,
                    width=0.8,
                    dash=(4, 3),
                )
            )
    return marks
