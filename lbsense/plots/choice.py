"""What to expect of the private scores, and which two to select."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from lbsense._format import format_number, format_probability
from lbsense._typing import FloatArray
from lbsense.analysis import Analysis
from lbsense.plots.canvas import picture
from lbsense.plots.scene import (
    Axis,
    Bars,
    Mark,
    Points,
    Rule,
    Scene,
    Segments,
    Texts,
    around,
    key,
    score_axis,
    scored_points,
)
from lbsense.stats import PairResult
from lbsense.words import pick_basis, why

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
