"""What private score to expect, for the submissions that could matter."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from lbsense.analysis import Analysis
from lbsense.plots._style import (
    Theme,
    axes_of,
    blank,
    key,
    label,
    legend,
    room_for_names,
)

__all__ = ["plot_outlook"]

_MOST = 14


def plot_outlook(
    analysis: Analysis, *, ax: Axes | None = None, theme: Theme = "light"
) -> Axes:
    """Draw the private score to expect of the most promising submissions.

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
        Scores are raw; the best expected one is at the top.
    """
    ax, colours = axes_of(ax, theme, size=(9.5, 5.6), title="Private scores to expect")
    outlook = analysis.outlook
    if outlook is None or not np.isfinite(outlook.mean).any():
        return blank(ax, colours, analysis.notes.get("outlook", "No level is known."))
    sign = analysis.history.competition.direction()
    shown = _candidates(analysis)
    rows = np.arange(len(shown), dtype=float)
    bands = (
        (outlook.ci95_low, outlook.ci95_high, 1.6, "95%"),
        (outlook.ci80_low, outlook.ci80_high, 5.0, "80%"),
    )
    for low, high, width, name in bands:
        ax.hlines(
            rows,
            sign * low[shown],
            sign * high[shown],
            color=colours["estimate"],
            linewidth=width,
            label=f"private score, {name}",
            zorder=2,
        )
    public = analysis.history.raw_scores("public")
    private = analysis.history.raw_scores("private")
    ax.scatter(
        sign * outlook.mean[shown],
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
    ax.set_yticks(rows, names)
    room_for_names(ax, names)
    for text in ax.get_yticklabels():
        text.set_parse_math(False)
    ax.set_ylim(len(shown) - 0.4, -0.6)
    ax.grid(visible=False, axis="y")
    ax.grid(axis="x", color=colours["grid"], linewidth=0.8)
    ax.ticklabel_format(axis="x", useOffset=False)
    competition = analysis.history.competition
    label(ax, colours, x=f"{competition.metric or 'score'} ({competition.better})")
    legend(ax, colours, columns=3)
    return ax


def _candidates(analysis: Analysis) -> list[int]:
    """Return the best expected submissions and those that somebody would select."""
    outlook = analysis.outlook
    if outlook is None:
        return []
    order = np.argsort(-np.nan_to_num(outlook.mean, nan=-np.inf), kind="stable")
    known = [int(i) for i in order if np.isfinite(outlook.mean[i])]
    wanted = [index for index, item in enumerate(analysis.history) if item.selected]
    wanted.append(outlook.best_public)
    if analysis.picks is not None:
        wanted += analysis.picks.best.positions
    must = {index for index in wanted if index in known}
    room = max(_MOST - len(must), 0)
    kept = must | set([index for index in known if index not in must][:room])
    return [index for index in known if index in kept]
