"""What each step was worth: the estimated gain beside the raw one."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from lbsense._typing import FloatArray
from lbsense.analysis import Analysis
from lbsense.plots._style import (
    Theme,
    axes_of,
    blank,
    label,
    legend,
    number_axis,
    point_size,
    verdict_points,
)

__all__ = ["plot_steps"]

_WIDEST = 3.0  # times the ninth decile: how far the axis reaches for a wild step


def plot_steps(
    analysis: Analysis, *, ax: Axes | None = None, theme: Theme = "light"
) -> Axes:
    """Draw the estimated true gain of every step against the raw public gain.

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
        Gains are oriented: above zero is better.
    """
    ax, colours = axes_of(ax, theme, size=(9.5, 4.8), title="What each step was worth")
    steps = analysis.steps
    raw = _values([step.public_gain for step in steps])
    gain = _values([step.gain for step in steps])
    if not np.isfinite(raw).any():
        return blank(
            ax,
            colours,
            analysis.notes.get("direction", "There is no step to judge yet."),
        )
    number = np.arange(1, len(steps) + 1, dtype=float)
    reach = _reach(raw, gain)
    ax.axhline(0, color=colours["muted"], linewidth=1, zorder=1)
    if analysis.posterior is not None:
        rope = analysis.posterior.rope
        ax.axhspan(
            -rope, rope, color=colours["soft"], linewidth=0,
            label="no change worth naming", zorder=0,
        )  # fmt: skip
    inside = np.clip(raw, -reach, reach)
    ax.scatter(
        number,
        inside,
        s=point_size(len(steps)),
        facecolors="none",
        edgecolors=colours["public"],
        linewidths=1,
        label="raw public gain",
        zorder=2,
    )
    low = _values([step.gain_low for step in steps])
    high = _values([step.gain_high for step in steps])
    ax.vlines(
        number,
        np.clip(low, -reach, reach),
        np.clip(high, -reach, reach),
        color=colours["muted"],
        linewidth=1.4 if len(steps) <= 60 else 0.8,
        zorder=3,
    )
    verdict_points(ax, colours, number, np.clip(gain, -reach, reach), steps)
    n_outside = int((np.isfinite(raw) & (inside != raw)).sum())
    if n_outside:
        ax.set_title(
            f"{n_outside} beyond the border", loc="right", fontsize=8.5,
            color=colours["muted"],
        )  # fmt: skip
    ax.set_ylim(-1.06 * reach, 1.06 * reach)
    number_axis(ax, len(steps))
    label(
        ax,
        colours,
        x=(
            "submission; filled: estimated true gain with its 95% interval"
            if np.isfinite(gain).any()
            else "submission; the true gain is not knowable"
        ),
        y="gain (above 0 is better)",
    )
    legend(ax, colours)
    return ax


def _values(values: list[float | None]) -> FloatArray:
    return np.array([np.nan if value is None else value for value in values])


def _reach(raw: FloatArray, gain: FloatArray) -> float:
    """Return how far the axis goes: all steps, unless some are wild."""
    sizes = np.abs(np.concatenate([raw, gain]))
    sizes = sizes[np.isfinite(sizes)]
    most = float(sizes.max())
    usual = _WIDEST * float(np.quantile(sizes, 0.9))
    return min(most, usual) or most or 1.0
