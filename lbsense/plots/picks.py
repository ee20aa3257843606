"""Which two to select: what each rule is worth."""

from __future__ import annotations

import math

import numpy as np
from matplotlib.axes import Axes

from lbsense._format import format_number, format_probability
from lbsense.analysis import Analysis
from lbsense.plots._style import Theme, axes_of, blank, label, room_for_names
from lbsense.stats.picks import PairResult

__all__ = ["plot_picks"]


def plot_picks(
    analysis: Analysis, *, ax: Axes | None = None, theme: Theme = "light"
) -> Axes:
    """Draw the chance of each pair to hold the best submission.

    Parameters
    ----------
    analysis : Analysis
        What to draw.
    ax : matplotlib.axes.Axes, optional
        Where; by default on a new figure.
    theme : {"light", "dark"}
        Colours.

    Returns
    -------
    matplotlib.axes.Axes
        The recommended pair is at the top; beside each bar stand the chance, the
        expected cost against the recommended pair, and how alike the two are: the
        correlation of their private scores, without the level that all share.
    """
    ax, colours = axes_of(
        ax, theme, size=(9.5, 3.6), title="Chance that the pair holds the best"
    )
    picks = analysis.picks
    if picks is None:
        return blank(ax, colours, analysis.notes.get("picks", "Nothing to select."))
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
    ax.set_yticks(rows, names)
    room_for_names(ax, names)
    ax.set_ylim(len(pairs) - 0.4, -0.6)
    ax.set_xlim(0, max(1.06, 1.9 * max(pair.p_holds_best for pair in pairs)))
    ax.set_xticks([0, 0.25, 0.5, 0.75, 1.0], ["0%", "25%", "50%", "75%", "100%"])
    ax.grid(visible=False)
    label(ax, colours, x="probability")
    return ax


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
    if analysis.levels is None or pair.first == pair.second:
        return math.nan
    return float(analysis.levels.noise_corr[pair.first, pair.second])
