"""One history in pictures: its course, its scores, what to expect and to select."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy.special import stdtrit

from lbsense._format import format_number, format_probability, shorten
from lbsense._typing import BoolArray, FloatArray, ScoreKind
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
    Segments,
    Span,
    Texts,
    around,
    floats,
    is_directed,
    key,
    picture,
    pin,
    point_size,
    score_axis,
    scored_points,
    submission_axis,
    verdict_points,
)
from lbsense.stats import DemingResult, PairResult
from lbsense.words import pick_basis, why

_MARGIN = 0.5  # of the height: how far CV and private scores may widen the axis
_Z80, _Z95 = 1.2816, 1.96
_WIDEST = 3.0  # times the ninth decile: how far the axis reaches for a wild step
_FILLS = 0.5  # of the height: a band wider than that hides what it is about


@picture("Scores in the order of submission", size=(9.5, 5.2))
def plot_timeline(analysis: Analysis) -> Scene | str:
    """Draw public, CV and private scores with verdicts and the de-noised best.

    Scores are raw. Those of submissions far worse than the others are marked at the
    border, so that the rest can be seen. Two bars at the right show how far luck
    moves one step, and how well the level of the best is known.
    """
    history = analysis.history
    public = history.raw_scores("public")
    if not np.isfinite(public).any():
        return "No submission has a public score."
    number = np.arange(1, len(public) + 1, dtype=float)
    high = history.competition.greater_is_better is not False
    limits = pin(public, best_is_high=high)
    lines: list[Mark] = []
    if is_directed(analysis):
        lines, limits = _bests(analysis, number, public, limits)
    others, notes, limits = _others(analysis, number, limits)
    inside = np.clip(public, *limits)
    n_outside = int((np.isfinite(public) & (inside != public)).sum())
    if n_outside:
        notes.append(f"{n_outside} far worse drawn at the border")
    room = 0.05 * (limits[1] - limits[0])
    bars = sum(isinstance(mark, Segments) for mark in lines)
    return Scene(
        marks=[*lines, *others, *verdict_points(number, inside, analysis.steps)],
        x=submission_axis(analysis, 0.7 + bars * _bar_step(len(number))),
        y=Axis(
            label=score_axis(analysis),
            limits=(limits[0] - room, limits[1] + room),
        ),
        remark="; ".join(notes),
    )


def _bar_step(n_submissions: int) -> float:
    return max(0.025 * n_submissions, 0.2)


def _bests(
    analysis: Analysis,
    number: FloatArray,
    public: FloatArray,
    limits: tuple[float, float],
) -> tuple[list[Mark], tuple[float, float]]:
    """Return the running best and what it is truly worth, each with a bar of noise."""
    sign = analysis.history.competition.direction()
    running = sign * np.fmax.accumulate(sign * public)
    marks: list[Mark] = [
        Line(
            x=number,
            y=running,
            role="public",
            label="best public so far",
            width=1.4,
            stairs=True,
        )
    ]
    step = _bar_step(len(number))
    ends = [float(running[-1])]
    if np.isfinite(analysis.noise.step_se):
        half = _Z95 * analysis.noise.step_se
        marks.append(
            _bar(number[-1] + step, running[-1], half, "public", "noise of a step, 95%")
        )
        ends += [float(running[-1]) - half, float(running[-1]) + half]
    levels = analysis.levels
    if levels and np.isfinite(levels.mean).any():
        worth = np.where(np.isfinite(public), sign * levels.mean, -np.inf)
        place = np.array([np.argmax(worth[: last + 1]) for last in range(len(worth))])
        best = np.where(np.isfinite(worth[place]), sign * worth[place], np.nan)
        half = _Z80 * float(levels.sd[place[-1]])
        marks += [
            Line(
                x=number, y=best, role="estimate", label="best, luck taken out",
                width=2.0, dash=(5, 2), stairs=True,
            ),
            _bar(
                number[-1] + 2 * step, best[-1], half, "estimate",
                "how well its level is known, 80%",
            ),
        ]  # fmt: skip
        ends += [*best[np.isfinite(best)], best[-1] - half, best[-1] + half]
    room = limits[1] - limits[0]
    low = max(float(np.nanmin(ends)), limits[0] - room)
    top = min(float(np.nanmax(ends)), limits[1] + room)
    return marks, (min(limits[0], low), max(limits[1], top))


def _bar(at: float, middle: float, half: float, role: str, label: str) -> Segments:
    return Segments(
        x=(np.array([at]), np.array([at])),
        y=(np.array([middle - half]), np.array([middle + half])),
        role=role,
        label=label,
        width=4.0,
    )


def _others(
    analysis: Analysis, number: FloatArray, limits: tuple[float, float]
) -> tuple[list[Points], list[str], tuple[float, float]]:
    """Return CV and private scores where they fit the scale; say which do not."""
    found, notes = [], []
    low, high = limits
    scales = analysis.agreement.scales if analysis.agreement else ()
    kinds: tuple[tuple[ScoreKind, str], ...] = (("cv", CV), ("private", PRIVATE))
    for kind, name in kinds:
        scores = analysis.history.raw_scores(kind)
        known = scores[np.isfinite(scores)]
        if not known.size:
            continue
        room = _MARGIN * (limits[1] - limits[0])
        near = (scores > limits[0] - room) & (scores < limits[1] + room)
        middle = float(np.median(known))  # it may lie between two scales
        if not (near.any() and limits[0] - room <= middle <= limits[1] + room):
            notes.append(f"{name}s are on another scale: not drawn")
            continue
        low = min(low, float(scores[near].min()))
        high = max(high, float(scores[near].max()))
        if near.sum() < len(known):
            notes.append(f"{len(known) - near.sum()} {name}s far off not shown")
        begun = [scale.first + 1 for scale in scales if scale.begin]
        if kind == "cv" and begun:
            notes.append(
                f"another scheme of CV from #{' and #'.join(map(str, begun))} on"
            )
        found.append(
            scored_points(
                number,
                np.where(near, scores, np.nan),
                kind,
                size=(1.5 if kind == "cv" else 0.9) * point_size(len(number)),
                of=(),  # the public score of the submission leads to its row
            )
        )
    return found, notes, (low, high)


@picture("What each step was worth", size=(9.5, 4.8))
def plot_steps(analysis: Analysis) -> Scene | str:
    """Draw the estimated true gain of every step against the raw public gain.

    Gains are oriented: above zero is better.
    """
    steps = analysis.steps
    raw = floats(step.public_gain for step in steps)
    gain = floats(step.gain for step in steps)
    if not np.isfinite(raw).any():
        undirected = None if is_directed(analysis) else analysis.posterior
        return why(undirected, "page", "There is no step to judge yet.")
    number = np.arange(1, len(steps) + 1, dtype=float)
    reach = _reach(raw, gain)
    inside = np.clip(raw, -reach, reach)
    known_gains = bool(np.isfinite(gain).any())
    marks: list[Mark] = [Rule(at=0)]
    if analysis.posterior:
        marks = [*_no_change(analysis.posterior.rope, reach), *marks]
    marks.append(
        Points(
            x=number[np.isfinite(raw)],
            y=inside[np.isfinite(raw)],
            of=np.flatnonzero(np.isfinite(raw)).tolist() if not known_gains else [],
            marker="o",
            role="public",
            label="public gain as it was scored",
            size=point_size(len(steps)),
            hollow=True,
        )
    )
    low = floats(step.gain_low for step in steps)
    high = floats(step.gain_high for step in steps)
    known = np.isfinite(low) & np.isfinite(high)
    notes = [] if known_gains else ["the true gains are not knowable"]
    if known.any() and np.median((high - low)[known]) > 2 * reach:
        notes.append("95% intervals of the true gains are wider than the picture")
    elif known.any():
        low, high = np.clip(low, -reach, reach), np.clip(high, -reach, reach)
        marks.append(
            Segments(
                x=(number[known], number[known]),
                y=(low[known], high[known]),
                role="muted",
                label="95% interval of the true gain",
                width=1.4 if len(steps) <= 60 else 0.8,
            )
        )
    marks += verdict_points(number, np.clip(gain, -reach, reach), steps)
    n_outside = int((np.isfinite(raw) & (inside != raw)).sum())
    if n_outside:
        notes.append(f"{n_outside} beyond the border")
    metric = analysis.history.competition.metric
    return Scene(
        marks=marks,
        x=submission_axis(analysis),
        y=Axis(
            label=f"gain{f' in {metric}' if metric else ''} (above 0 is better)",
            limits=(-1.06 * reach, 1.06 * reach),
        ),
        remark="; ".join(notes),
    )


def _no_change(rope: float, reach: float) -> list[Mark]:
    """Return what no change worth naming is: a band, or its borders where it fills."""
    label = "no change worth naming"
    if rope <= _FILLS * reach:
        return [Span(low=-rope, high=rope, role="soft", label=label)]
    if rope >= reach:
        return []
    return [
        Rule(at=rope, role="estimate", label=f"{label}: between these", width=0.8),
        Rule(at=-rope, role="estimate", width=0.8),
    ]


def _reach(raw: FloatArray, gain: FloatArray) -> float:
    """Return how far the axis goes: all steps, unless some are wild."""
    sizes = np.abs(np.concatenate([raw, gain]))
    sizes = sizes[np.isfinite(sizes)]
    most = float(sizes.max())
    usual = _WIDEST * float(np.quantile(sizes, 0.9))
    reach = min(most, usual) or most
    return reach if reach > 0 and math.isfinite(reach) else 1.0


_MOST = 14
_Band = tuple[FloatArray, FloatArray]


@picture("Private scores to expect", size=(9.5, 5.6), columns=3)
def plot_outlook(analysis: Analysis) -> Scene | str:
    """Draw the private score to expect of the most promising submissions.

    Scores are raw; the best expected one is at the top.
    """
    outlook, shown = analysis.outlook, _candidates(analysis)
    if not outlook or not shown:
        return why(outlook, "page", "No level is known.")
    rows = np.arange(len(shown), dtype=float)
    public = analysis.history.raw_scores("public")[shown]
    private = analysis.history.raw_scores("private")[shown]
    marks = _bands(
        shown,
        outlook.mean,
        (outlook.ci80_low, outlook.ci80_high),
        (outlook.ci95_low, outlook.ci95_high),
        "expected private score",
    )
    marks.append(scored_points(public, rows, "public", size=52.0, of=shown))
    if np.isfinite(private).any():
        marks.append(scored_points(private, rows, "private", of=shown))
    ends = outlook.ci95_low[shown], outlook.ci95_high[shown], public, private
    return Scene(
        marks=marks,
        x=Axis(label=score_axis(analysis), limits=around(*ends)),
        y=_rows("submission", [key(analysis.steps[i], i + 1) for i in shown]),
    )


@picture("Private scores against the best expected one", size=(9.5, 5.6), columns=3)
def plot_differences(analysis: Analysis) -> Scene | str:
    """Draw how far private scores will lie from that of the best expected submission.

    Differences are oriented: above zero is better.
    """
    outlook, known = analysis.outlook, _candidates(analysis)
    if not outlook or not known:
        return why(outlook, "page", "No level is known.")
    bands = outlook.to_best
    shown = [index for index in known if index != bands.against]
    if not shown:
        return "There is only one submission."
    rows = np.arange(len(shown), dtype=float)
    marks: list[Mark] = [Rule(at=0, upright=True)]
    marks += _bands(
        shown,
        bands.mean,
        (bands.ci80_low, bands.ci80_high),
        (bands.ci95_low, bands.ci95_high),
        "expected difference",
    )
    sign = analysis.history.competition.direction()
    private = sign * analysis.history.raw_scores("private")
    apart = private[shown] - private[bands.against]
    if np.isfinite(apart).any():
        told = scored_points(
            apart, rows, "private", label="private score, difference", of=shown
        )
        marks.append(told)
    best = key(analysis.steps[bands.against], bands.against + 1)
    ends = bands.ci95_low[shown], bands.ci95_high[shown], apart, np.zeros(1)
    return Scene(
        marks=marks,
        x=Axis(
            label=f"private score against {best} (above 0 is better)",
            limits=around(*ends),
        ),
        y=_rows("submission", [key(analysis.steps[i], i + 1) for i in shown]),
    )


def _bands(
    shown: Sequence[int], middle: FloatArray, inner: _Band, outer: _Band, name: str
) -> list[Mark]:
    """Return one row for each of these: thin and thick intervals, and the middle."""
    rows = np.arange(len(shown), dtype=float)
    marks: list[Mark] = [
        Segments(
            x=(low[shown], high[shown]), y=(rows, rows), role="estimate",
            label=f"{share} band", width=width,
        )
        for (low, high), width, share in ((outer, 1.6, "95%"), (inner, 5.0, "80%"))
    ]  # fmt: skip
    marks.append(
        Points(
            x=middle[shown],
            y=rows,
            of=shown,
            marker="o",
            role="estimate",
            label=name,
            size=46.0,
            hollow=True,
        )
    )
    return marks


def _rows(label: str, names: Sequence[str]) -> Axis:
    """Return an axis of names, the first at the top."""
    limits = (len(names) - 0.4, -0.6)
    return Axis(label=label, limits=limits, kind="names", names=names)


def _candidates(analysis: Analysis) -> list[int]:
    """Return the best expected submissions and those that somebody would select."""
    outlook = analysis.outlook
    if not outlook:
        return []
    gain = analysis.history.competition.direction() * outlook.mean
    order = np.argsort(-np.nan_to_num(gain, nan=-np.inf), kind="stable")
    known = [int(i) for i in order if np.isfinite(outlook.mean[i])]
    wanted = [index for index, item in enumerate(analysis.history) if item.selected]
    wanted.append(outlook.best_public)
    if analysis.picks:
        wanted += analysis.picks.best.positions
    must = {index for index in wanted if index in known}
    room = max(_MOST - len(must), 0)
    kept = must | set([index for index in known if index not in must][:room])
    return [index for index in known if index in kept]


@picture("Chance that the pair holds the best", size=(9.5, 3.6))
def plot_picks(analysis: Analysis) -> Scene | str:
    """Draw the chance of each pair to hold the best submission.

    The recommended pair is at the top; beside each bar stand the chance, the
    expected cost against the recommended pair, and how alike the two are: the
    correlation of their private scores, without the level that all share.
    """
    picks = analysis.picks
    if not picks:
        return why(picks, "page", "Nothing to select.")
    if math.isnan(picks.best.p_holds_best):
        return pick_basis(analysis)
    pairs = (picks.best, *picks.rules)
    rows = np.arange(len(pairs), dtype=float)
    chance = np.array([pair.p_holds_best for pair in pairs])
    marks: list[Mark] = [
        Bars(
            x=np.zeros(len(part)), y=part - 0.31, width=chance[part.astype(int)],
            height=np.full(len(part), 0.62), role=role, label=name,
        )
        for part, role, name in (
            (rows[:1], "estimate", "recommended"), (rows[1:], "public", "usual rules"),
        )
        if part.size
    ]  # fmt: skip
    told = [_words(analysis, pair) for pair in pairs]
    marks.append(Texts(x=chance + 0.012, y=rows, words=told))
    return Scene(
        marks=marks,
        x=Axis(
            label="probability that the best submission is among the two",
            limits=(0.0, max(1.06, 1.9 * float(chance.max()))),
            kind="share",
        ),
        y=_rows("pair to select", [_name(p, row) for row, p in enumerate(pairs)]),
    )


def _name(pair: PairResult, row: int) -> str:
    members = ", ".join(f"#{index + 1}" for index in pair.positions)
    return f"{'recommended' if row == 0 else pair.rule}: {members}"


def _words(analysis: Analysis, pair: PairResult) -> str:
    cost = max(pair.cost, 0.0)
    told = format_probability(pair.p_holds_best)
    if cost > 0:
        told += f", costs {format_number(cost, digits=2)}"
    if not analysis.levels or pair.first == pair.second:
        return told
    alike = float(analysis.levels.noise.matrix([pair.first, pair.second])[0, 1])
    return told if math.isnan(alike) else f"{told}; noise alike {alike:.2f}"


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
    return _against(analysis, cv, public, line, signs, (CV, PUBLIC), remark)


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
    return _against(
        analysis, public, private, line, (sign, sign), (PUBLIC, PRIVATE), equal=True
    )


def _against(
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
        marks += _deming(line, limits[0], signs)
    (left, right), (low, top) = limits
    ends = np.array([max(left, low), min(right, top)])
    if equal and ends[0] < ends[1]:
        same = "private equals public"
        marks.append(
            Line(x=ends, y=ends, role="muted", label=same, width=1.0, dash=(2, 2))
        )
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


def _deming(
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
    sd = np.sqrt(np.diag(joint.row_covariance))
    with np.errstate(divide="ignore", invalid="ignore"):
        corr = (joint.row_covariance / np.outer(sd, sd))[np.ix_(order, order)]
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
