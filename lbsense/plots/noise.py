"""What can be told from noise: differences chased, submissions that are alike."""

from __future__ import annotations

import numpy as np

from lbsense._format import format_number, shorten
from lbsense._typing import FloatArray
from lbsense.analysis import Analysis
from lbsense.plots.canvas import picture
from lbsense.plots.scene import Axis, Bars, Cells, Mark, Rule, Scene
from lbsense.words import why

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
    names = tuple(shorten(joint.names[index], 22) for index in order)
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
