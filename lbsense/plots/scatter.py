"""Scores against each other, and what their noise leaves to be told."""

from __future__ import annotations

import numpy as np
from scipy.special import stdtrit

from lbsense._format import format_number, shorten
from lbsense._typing import BoolArray, FloatArray
from lbsense.analysis import Analysis
from lbsense.plots.scene import (
    CV,
    PRIVATE,
    PUBLIC,
    Axis,
    Bars,
    Cells,
    Line,
    Mark,
    Points,
    Rule,
    Scene,
    is_directed,
    key,
    picture,
    pin,
    score_axis,
    verdict_points,
)
from lbsense.stats import DemingResult
from lbsense.words import why


@picture("Public against CV scores", size=(7.2, 5.6), columns=3)
def plot_cv_public(analysis: Analysis) -> Scene | str:
    """Draw public against CV scores, with the line through them where one is tested.

    Scores are raw, but CV of schemes that ended: that is moved to the scale of the
    latest, as for the line.
    """
    history = analysis.history
    cv, public = history.raw_scores("cv"), history.raw_scores("public")
    found = analysis.agreement
    moved = found and found.breaks and np.isfinite(analysis.cv_scale)
    if moved:
        cv = analysis.cv / analysis.cv_scale * history.competition.cv_direction()
    if not (np.isfinite(cv) & np.isfinite(public)).any():
        return "No submission has both a CV and a public score."
    # A line where no agreement is seen would say what the numbers do not.
    line = found.line if found and found.ci_low * found.ci_high > 0 else None
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
        remark = "no line: no agreement is seen"
    if moved:
        told = "CV of earlier schemes moved to the scale of the latest"
        remark = f"{told}; {remark}" if remark else told
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
    line = None
    if told and told.public_private.ci_low * told.public_private.ci_high > 0:
        line = told.transfer
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


_N_BINS = 24


@picture("Differences chased, and what can be told", size=(9.5, 4.0), columns=3)
def plot_resolution(analysis: Analysis) -> Scene | str:
    """Draw the smallest gain that can be told among the differences chased."""
    found = analysis.resolution
    gains = np.array(
        [abs(step.public_gain) for step in analysis.steps if step.public_gain]
    )
    if not found or not np.isfinite(found.smallest_gain) or not gains.size:
        return why(found, "page", "There is no difference to draw.")
    smallest = found.smallest_gain
    low = min(gains.min(), smallest) / 1.3
    high = max(gains.max(), smallest) * 1.3
    bins = _bins(low, smallest, high)
    counts, _ = np.histogram(gains, bins)
    below = bins[1:] <= smallest * (1 + 1e-9)
    marks: list[Mark] = [
        Bars(
            x=bins[:-1][part], y=np.zeros(part.sum()), width=np.diff(bins)[part],
            height=counts[part], role=role, label=name, faint=role == "unknown",
        )
        for part, role, name in (
            (below & (counts > 0), "unknown", "too small to tell"),
            (~below & (counts > 0), "public", "large enough to tell"),
        )
        if part.any()
    ]  # fmt: skip
    told = f"smallest gain told with 80% power: {format_number(smallest, digits=2)}"
    marks.append(Rule(at=smallest, role="setback", width=2.0, upright=True, label=told))
    n_below = int((gains <= smallest).sum())
    return Scene(
        marks=marks,
        x=Axis(
            label=f"size of the public difference; {n_below} of {len(gains)} below "
            "the line",
            limits=(float(low), float(high)),
            kind="log",
        ),
        y=Axis(
            label="number of steps",
            limits=(0, 1.05 * float(counts.max())),
            kind="count",
        ),
    )


def _bins(low: float, smallest: float, high: float) -> FloatArray:
    """Return edges even on a logarithmic axis, one of them at the smallest gain."""
    share = np.log(smallest / low) / np.log(high / low)
    n_below = min(max(round(_N_BINS * share), 1), _N_BINS - 1)
    below = np.geomspace(low, smallest, n_below + 1)
    above = np.geomspace(smallest, high, _N_BINS - n_below + 1)
    return np.concatenate([below, above[1:]])


@picture("Correlation of the noise of submissions", size=(7.4, 6.2))
def plot_similarity(analysis: Analysis) -> Scene | str:
    """Draw the correlation of the noise of every two submissions.

    Near-identical submissions stand together.
    """
    joint = analysis.joint
    if not joint or len(joint.names) < 2:
        return why(joint, "page", "Needs predictions of two submissions.")
    order = np.argsort(joint.clusters, kind="stable")
    corr = _correlation(joint.row_covariance)[np.ix_(order, order)]
    place = {step.submission_id: i for i, step in enumerate(analysis.steps)}
    found = [joint.names[index] for index in order]
    names = tuple(
        key(analysis.steps[place[name]], place[name] + 1, 22)
        if name in place
        else shorten(name, 22)
        for name in found
    )
    ends = (-0.5, len(names) - 0.5)
    return Scene(
        marks=[
            Cells(
                values=corr, low=min(float(np.nanmin(corr)), 0.9), role="public",
                label="correlation",
            )
        ],
        x=Axis(
            label=f"the same submissions; they count as {joint.n_effective:.1f} "
            "independent ones",
            limits=ends, kind="names", names=names,
        ),
        y=Axis(label="submission", limits=ends[::-1], kind="names", names=names),
        square=True,
    )  # fmt: skip


def _correlation(covariance: FloatArray) -> FloatArray:
    sd = np.sqrt(np.diag(covariance))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(covariance / np.outer(sd, sd))
