"""What can be told from noise: differences chased, submissions that are alike."""

from __future__ import annotations

import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.ticker import (
    FixedLocator,
    LogLocator,
    MaxNLocator,
    NullFormatter,
    NullLocator,
)

from lbsense._format import format_number, shorten
from lbsense._typing import FloatArray
from lbsense.analysis import Analysis
from lbsense.plots.canvas import Canvas, picture
from lbsense.words import why

_N_BINS = 24
_MOST_NAMES = 24


@picture("Differences chased, and what can be told", size=(9.5, 4.0))
def plot_resolution(canvas: Canvas, analysis: Analysis) -> str | None:
    """Draw the smallest gain that can be told among the differences chased."""
    ax, colours = canvas.ax, canvas.colours
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
    for part, role, name in (
        (below, "unknown", "too small to tell"),
        (~below, "public", "large enough to tell"),
    ):
        if counts[part].any():
            ax.bar(
                bins[:-1][part],
                counts[part],
                width=np.diff(bins)[part],
                align="edge",
                color=colours[role],
                edgecolor=colours["surface"],
                linewidth=0.8,
                hatch="///" if role == "unknown" else None,
                label=name,
            )
    ax.axvline(
        smallest,
        color=colours["setback"],
        linewidth=2,
        label=f"smallest gain told with 80% power: {format_number(smallest, digits=2)}",
    )
    ax.set_xscale("log")
    ax.set_xlim(low, high)
    ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5), numticks=12))
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    ax.xaxis.set_minor_locator(NullLocator())
    ax.yaxis.set_major_locator(MaxNLocator(integer=True))
    n_below = int((gains <= smallest).sum())
    canvas.label(
        x=f"size of the public difference; {n_below} of {len(gains)} below the line",
        y="steps",
    )
    canvas.legend(columns=3)
    return None


def _bins(low: float, smallest: float, high: float) -> FloatArray:
    """Return edges even on a logarithmic axis, one of them at the smallest gain."""
    share = np.log(smallest / low) / np.log(high / low)
    n_below = min(max(round(_N_BINS * share), 1), _N_BINS - 1)
    below = np.geomspace(low, smallest, n_below + 1)
    above = np.geomspace(smallest, high, _N_BINS - n_below + 1)
    return np.concatenate([below, above[1:]])


@picture("Correlation of the noise of submissions", size=(7.4, 6.2))
def plot_similarity(canvas: Canvas, analysis: Analysis) -> str | None:
    """Draw the correlation of the noise of every two submissions.

    Near-identical submissions stand together.
    """
    ax, colours = canvas.ax, canvas.colours
    joint = analysis.joint
    if not joint or len(joint.names) < 2:
        return why(joint, "page", "Needs predictions of two submissions.")
    order = np.argsort(joint.clusters, kind="stable")
    corr = _correlation(joint.row_covariance)[np.ix_(order, order)]
    low = float(np.nanmin(corr))
    ramp = LinearSegmentedColormap.from_list(
        "likeness", [colours["surface"], colours["public"]]
    )
    ax.grid(visible=False)
    image = ax.imshow(corr, cmap=ramp, vmin=min(low, 0.9), vmax=1, aspect="equal")
    names = [shorten(joint.names[index], 22) for index in order]
    # Of many only as many are named as find room.
    shown = list(range(0, len(names), -(-len(names) // _MOST_NAMES)))
    canvas.name_rows(shown, [names[index] for index in shown], room_for=names)
    ax.xaxis.set_major_locator(FixedLocator(shown))
    ax.xaxis.set_major_formatter(NullFormatter())
    bar = ax.figure.colorbar(image, ax=ax, shrink=0.8)
    bar.ax.tick_params(colors=colours["muted"], labelsize=9)
    bar.set_label("correlation", color=colours["ink"])
    canvas.label(
        x=f"{len(names)} submissions count as {joint.n_effective:.1f} independent ones",
    )
    return None


def _correlation(covariance: FloatArray) -> FloatArray:
    sd = np.sqrt(np.diag(covariance))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(covariance / np.outer(sd, sd))
