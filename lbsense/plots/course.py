"""One history as it went, what to expect of its private scores, and what to select."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from lbsense._format import format_number, format_probability
from lbsense._typing import FloatArray, ScoreKind
from lbsense.analysis import Analysis
from lbsense.plots.scene import (
    CV,
    PRIVATE,
    Axis,
    Bars,
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
from lbsense.stats import PairResult
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
    outlook = analysis.outlook
    if not outlook or not np.isfinite(outlook.mean).any():
        return why(outlook, "page", "No level is known.")
    shown = _candidates(analysis)
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
        y=_rows(analysis, shown),
    )


@picture("Private scores against the best expected one", size=(9.5, 5.6), columns=3)
def plot_differences(analysis: Analysis) -> Scene | str:
    """Draw how far private scores will lie from that of the best expected submission.

    Differences are oriented: above zero is better.
    """
    outlook = analysis.outlook
    if not outlook or not np.isfinite(outlook.mean).any():
        return why(outlook, "page", "No level is known.")
    bands = outlook.to_best
    shown = [index for index in _candidates(analysis) if index != bands.against]
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
        y=_rows(analysis, shown),
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


def _rows(analysis: Analysis, shown: Sequence[int]) -> Axis:
    """Return an axis of submissions, the first at the top."""
    return Axis(
        label="submission",
        limits=(len(shown) - 0.4, -0.6),
        kind="names",
        names=[key(analysis.steps[i], i + 1) for i in shown],
    )


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
        y=Axis(
            label="pair to select",
            limits=(len(pairs) - 0.4, -0.6),
            kind="names",
            names=[_name(pair, row) for row, pair in enumerate(pairs)],
        ),
    )


def _name(pair: PairResult, row: int) -> str:
    members = ", ".join(f"#{index + 1}" for index in pair.positions)
    return f"{'recommended' if row == 0 else pair.rule}: {members}"


def _words(analysis: Analysis, pair: PairResult) -> str:
    cost = max(pair.cost, 0.0)
    told = format_probability(pair.p_holds_best)
    if cost > 0:
        told += f", costs {format_number(cost, digits=2)}"
    alike = _alike(analysis, pair)
    return told if math.isnan(alike) else f"{told}; noise alike {alike:.2f}"


def _alike(analysis: Analysis, pair: PairResult) -> float:
    if not analysis.levels or pair.first == pair.second:
        return math.nan
    return float(analysis.levels.noise_corr([pair.first, pair.second])[0, 1])
