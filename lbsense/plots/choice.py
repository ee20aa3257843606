"""What to expect of the private scores, and which two to select."""

from __future__ import annotations

import math

import numpy as np
from matplotlib.ticker import MaxNLocator

from lbsense._format import format_number, format_probability
from lbsense.analysis import Analysis
from lbsense.plots.canvas import (
    Canvas,
    key,
    picture,
    score_axis,
)
from lbsense.stats import PairResult
from lbsense.words import pick_basis, why

_MOST = 14


@picture("Private scores to expect", size=(9.5, 5.6))
def plot_outlook(canvas: Canvas, analysis: Analysis) -> str | None:
    """Draw the private score to expect of the most promising submissions.

    Scores are raw; the best expected one is at the top.
    """
    ax, colours = canvas.ax, canvas.colours
    outlook = analysis.outlook
    if not outlook or not np.isfinite(outlook.mean).any():
        return why(outlook, "page", "No level is known.")
    shown = _candidates(analysis)
    rows = np.arange(len(shown), dtype=float)
    bands = (
        (outlook.ci95_low, outlook.ci95_high, 1.6, "95%"),
        (outlook.ci80_low, outlook.ci80_high, 5.0, "80%"),
    )
    for low, high, width, name in bands:
        ax.hlines(
            rows,
            low[shown],
            high[shown],
            color=colours["estimate"],
            linewidth=width,
            label=f"private score, {name}",
            zorder=2,
        )
    public = analysis.history.raw_scores("public")
    private = analysis.history.raw_scores("private")
    ax.scatter(
        outlook.mean[shown],
        rows,
        s=46,
        color=colours["surface"],
        edgecolors=colours["estimate"],
        linewidths=1.8,
        label="expected",
        zorder=3,
    )
    ax.scatter(
        public[shown],
        rows,
        s=52,
        marker="|",
        color=colours["public"],
        linewidths=2.4,
        label="public score",
        zorder=4,
    )
    if np.isfinite(private[shown]).any():
        ax.scatter(
            private[shown],
            rows,
            s=46,
            marker="D",
            color=colours["private"],
            edgecolors=colours["surface"],
            label="private score",
            zorder=5,
        )
    names = [key(analysis.steps[i], i + 1) for i in shown]
    canvas.name_rows(rows, names)
    ax.set_ylim(len(shown) - 0.4, -0.6)
    ax.grid(visible=False, axis="y")
    ax.grid(axis="x", color=colours["grid"], linewidth=0.8)
    ax.ticklabel_format(axis="x", useOffset=False)
    canvas.label(x=score_axis(analysis))
    canvas.legend(columns=3)
    return None


@picture("Private scores against the best expected one", size=(9.5, 5.6))
def plot_differences(canvas: Canvas, analysis: Analysis) -> str | None:
    """Draw how far private scores will lie from that of the best expected submission.

    Differences are oriented: above zero is better.
    """
    ax, colours = canvas.ax, canvas.colours
    outlook = analysis.outlook
    if not outlook or not np.isfinite(outlook.mean).any():
        return why(outlook, "page", "No level is known.")
    bands = outlook.to_best
    shown = [index for index in _candidates(analysis) if index != bands.against]
    if not shown:
        return "There is only one submission."
    rows = np.arange(len(shown), dtype=float)
    ax.axvline(0, color=colours["muted"], linewidth=1, zorder=1)
    for low, high, width, name in (
        (bands.ci95_low, bands.ci95_high, 1.6, "95%"),
        (bands.ci80_low, bands.ci80_high, 5.0, "80%"),
    ):
        ax.hlines(
            rows,
            low[shown],
            high[shown],
            color=colours["estimate"],
            linewidth=width,
            label=f"difference of private scores, {name}",
            zorder=2,
        )
    ax.scatter(
        bands.mean[shown],
        rows,
        s=46,
        color=colours["surface"],
        edgecolors=colours["estimate"],
        linewidths=1.8,
        label="expected",
        zorder=3,
    )
    sign = analysis.history.competition.direction()
    private = sign * analysis.history.raw_scores("private")
    apart = private[shown] - private[bands.against]
    if np.isfinite(apart).any():
        ax.scatter(
            apart,
            rows,
            s=46,
            marker="D",
            color=colours["private"],
            edgecolors=colours["surface"],
            label="what it was",
            zorder=5,
        )
    canvas.name_rows(rows, [key(analysis.steps[i], i + 1) for i in shown])
    ax.set_ylim(len(shown) - 0.4, -0.6)
    ax.grid(visible=False, axis="y")
    ax.grid(axis="x", color=colours["grid"], linewidth=0.8)
    ax.xaxis.set_major_locator(MaxNLocator(nbins=7, prune="upper"))
    best = key(analysis.steps[bands.against], bands.against + 1)
    canvas.label(x=f"private score against {best} (above 0 is better)")
    ax.xaxis.label.set_parse_math(False)
    canvas.legend(columns=3)
    return None


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
def plot_picks(canvas: Canvas, analysis: Analysis) -> str | None:
    """Draw the chance of each pair to hold the best submission.

    The recommended pair is at the top; beside each bar stand the chance, the
    expected cost against the recommended pair, and how alike the two are: the
    correlation of their private scores, without the level that all share.
    """
    ax, colours = canvas.ax, canvas.colours
    picks = analysis.picks
    if not picks:
        return why(picks, "page", "Nothing to select.")
    if math.isnan(picks.best.p_holds_best):
        return pick_basis(analysis)
    pairs = (picks.best, *picks.rules)
    rows = np.arange(len(pairs), dtype=float)
    colour = [colours["estimate"], *[colours["public"]] * (len(pairs) - 1)]
    ax.barh(rows, [pair.p_holds_best for pair in pairs], color=colour, height=0.62)
    for row, pair in zip(rows, pairs, strict=True):
        ax.text(
            pair.p_holds_best + 0.012,
            row,
            _words(analysis, pair),
            va="center",
            color=colours["ink"],
            fontsize=9,
            parse_math=False,
        )
    names = [_name(pair, row) for row, pair in enumerate(pairs)]
    canvas.name_rows(rows, names)
    ax.set_ylim(len(pairs) - 0.4, -0.6)
    ax.set_xlim(0, max(1.06, 1.9 * max(pair.p_holds_best for pair in pairs)))
    ax.set_xticks([0, 0.25, 0.5, 0.75, 1.0], ["0%", "25%", "50%", "75%", "100%"])
    ax.grid(visible=False)
    canvas.label(x="probability")
    return None


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
