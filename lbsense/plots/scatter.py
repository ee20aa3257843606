"""One kind of score against another: CV against public, public against private."""

from __future__ import annotations

import numpy as np
from scipy.special import stdtrit

from lbsense._format import shorten
from lbsense._typing import FloatArray
from lbsense.analysis import Analysis
from lbsense.plots.canvas import (
    Canvas,
    is_directed,
    picture,
    pin,
)
from lbsense.stats import DemingResult


@picture("Public against CV scores", size=(7.2, 5.6))
def plot_cv_public(canvas: Canvas, analysis: Analysis) -> str | None:
    """Draw public against CV scores with the line through them and its band.

    Scores are raw.
    """
    history = analysis.history
    cv, public = history.raw_scores("cv"), history.raw_scores("public")
    if not (np.isfinite(cv) & np.isfinite(public)).any():
        return "No submission has both a CV and a public score."
    line = analysis.agreement.line if analysis.agreement else None
    if not is_directed(analysis):
        line = None
    signs = (
        (history.competition.cv_direction(), history.competition.direction())
        if line is not None
        else (1, 1)
    )
    _draw(canvas, analysis, cv, public, line, signs)
    caveat = analysis.caveat("cv")
    if line is None and caveat is not None:
        canvas.remark(shorten(f"no line: {caveat}", 60))
    canvas.label(x="CV score", y="public score")
    canvas.legend(columns=3)
    return None


@picture("Private against public scores", size=(7.2, 5.6))
def plot_public_private(canvas: Canvas, analysis: Analysis) -> str | None:
    """Draw private against public scores with the line through them and its band.

    Scores are raw.
    """
    ax, colours = canvas.ax, canvas.colours
    history = analysis.history
    public, private = history.raw_scores("public"), history.raw_scores("private")
    if not (np.isfinite(private) & np.isfinite(public)).any():
        return "No submission has a private score: they come after the close."
    told = analysis.retrospective
    line = told.transfer if told else None
    sign = history.competition.direction() if line is not None else 1
    _draw(canvas, analysis, public, private, line, (sign, sign))
    limits = ax.get_xlim(), ax.get_ylim()
    low = max(limits[0][0], limits[1][0])
    high = min(limits[0][1], limits[1][1])
    if low < high:
        ax.plot(
            [low, high],
            [low, high],
            color=colours["muted"],
            linewidth=1,
            linestyle=(0, (2, 2)),
            label="private equals public",
            zorder=1,
        )
    ax.set_xlim(*limits[0])
    ax.set_ylim(*limits[1])
    canvas.label(x="public score", y="private score")
    canvas.legend(columns=3)
    return None


def _draw(
    canvas: Canvas,
    analysis: Analysis,
    x: FloatArray,
    y: FloatArray,
    line: DemingResult | None,
    signs: tuple[int, int],
) -> None:
    """Draw the points, those that matter ringed, and the line with its band."""
    ax = canvas.ax
    both = np.isfinite(x) & np.isfinite(y)
    high = analysis.history.competition.greater_is_better is not False
    x_limits = pin(x[both], best_is_high=signs[0] > 0 and high)
    y_limits = pin(y[both], best_is_high=high)
    seen = (x >= x_limits[0]) & (x <= x_limits[1])
    seen &= (y >= y_limits[0]) & (y <= y_limits[1])
    canvas.verdict_points(
        np.where(seen, x, np.nan),
        np.where(seen, y, np.nan),
        analysis.steps,
    )
    _rings(canvas, analysis, x, y)
    if line is not None and np.isfinite(line.slope):
        _line(canvas, line, x_limits, signs)
    ax.set_xlim(*x_limits)
    ax.set_ylim(*y_limits)
    ax.ticklabel_format(useOffset=False)
    n_outside = int((both & ~seen).sum())
    if n_outside:
        canvas.remark(f"{n_outside} far off not shown")


def _rings(
    canvas: Canvas,
    analysis: Analysis,
    x: FloatArray,
    y: FloatArray,
) -> None:
    """Ring the submissions that were selected, and those that lbsense picks."""
    ax, colours = canvas.ax, canvas.colours
    chosen = [index for index, item in enumerate(analysis.history) if item.selected]
    groups = [("selected", chosen, 190.0, "ink")]
    if analysis.picks:
        pair = list(analysis.picks.best.positions)
        groups.append(("picks", pair, 120.0, "estimate"))
    for name, members, size, role in groups:
        known = [i for i in members if np.isfinite(x[i]) and np.isfinite(y[i])]
        if known:
            ax.scatter(
                x[known],
                y[known],
                s=size,
                facecolors="none",
                edgecolors=colours[role],
                linewidths=1.6,
                label=name,
                zorder=5,
            )


def _line(
    canvas: Canvas,
    line: DemingResult,
    limits: tuple[float, float],
    signs: tuple[int, int],
) -> None:
    """Draw the line and where 95% of new points would lie."""
    ax, colours = canvas.ax, canvas.colours
    shown = np.linspace(*limits, 60)
    x = signs[0] * shown
    middle = line.intercept + line.slope * x
    if line.n_obs > 2 and line.x_square_sum > 0:
        spread = 1 + 1 / line.n_obs + (x - line.x_mean) ** 2 / line.x_square_sum
        half = stdtrit(line.n_obs - 2, 0.975) * line.residual_se * np.sqrt(spread)
        ax.fill_between(
            shown,
            signs[1] * (middle - half),
            signs[1] * (middle + half),
            color=colours["band"],
            linewidth=0,
            label="95% of new points",
            zorder=0,
        )
    ax.plot(
        shown,
        signs[1] * middle,
        color=colours["public"],
        linewidth=1.5,
        label="Deming line",
        zorder=2,
    )
