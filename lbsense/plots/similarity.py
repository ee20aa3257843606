"""How alike the submissions are: the correlation of their noise."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.ticker import FixedLocator, NullFormatter

from lbsense._format import shorten
from lbsense._typing import FloatArray
from lbsense.analysis import Analysis
from lbsense.plots._style import Theme, axes_of, blank, label, room_for_names

__all__ = ["plot_similarity"]

_MOST_NAMES = 24


def plot_similarity(
    analysis: Analysis, *, ax: Axes | None = None, theme: Theme = "light"
) -> Axes:
    """Draw the correlation of the noise of every two submissions.

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
        Near-identical submissions stand together.
    """
    ax, colours = axes_of(
        ax, theme, size=(7.4, 6.2), title="Correlation of the noise of submissions"
    )
    joint = analysis.joint
    if joint is None or len(joint.names) < 2:
        reason = "Needs predictions of two submissions: analyze(history, predictions)."
        return blank(ax, colours, analysis.notes.get("predictions", reason))
    order = np.argsort(joint.clusters, kind="stable")
    corr = _correlation(joint.row_covariance)[np.ix_(order, order)]
    low = float(np.nanmin(corr))
    ramp = LinearSegmentedColormap.from_list(
        "likeness", [colours["surface"], colours["public"]]
    )
    ax.grid(visible=False)
    image = ax.imshow(corr, cmap=ramp, vmin=min(low, 0.9), vmax=1, aspect="equal")
    names = [shorten(joint.names[index], 22) for index in order]
    _name_axes(ax, names)
    room_for_names(ax, names)
    bar = ax.figure.colorbar(image, ax=ax, shrink=0.8)
    bar.ax.tick_params(colors=colours["muted"], labelsize=9)
    bar.set_label("correlation", color=colours["ink"])
    label(
        ax,
        colours,
        x=f"{len(names)} submissions count as {joint.n_effective:.1f} independent ones",
    )
    return ax


def _correlation(covariance: FloatArray) -> FloatArray:
    sd = np.sqrt(np.diag(covariance))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(covariance / np.outer(sd, sd))


def _name_axes(ax: Axes, names: list[str]) -> None:
    """Name the rows; of many only as many as find room."""
    every = -(-len(names) // _MOST_NAMES)
    shown = range(0, len(names), every)
    ax.set_yticks(list(shown), [names[index] for index in shown])
    for text in ax.get_yticklabels():
        text.set_parse_math(False)
    ax.xaxis.set_major_locator(FixedLocator(list(shown)))
    ax.xaxis.set_major_formatter(NullFormatter())
