"""The competition as it went: scores and steps in the order of submission."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes

from lbsense._typing import FloatArray, ScoreKind
from lbsense.analysis import Analysis
from lbsense.plots.canvas import (
    Theme,
    axes_of,
    blank,
    is_directed,
    label,
    legend,
    number_axis,
    pin,
    point_size,
    verdict_points,
)

__all__ = ["plot_steps", "plot_timeline"]

_MARGIN = 0.5  # of the height: how far CV and private scores may widen the axis
_Z80, _Z95 = 1.2816, 1.96


def plot_timeline(
    analysis: Analysis, *, ax: Axes | None = None, theme: Theme = "light"
) -> Axes:
    """Draw public, CV and private scores with verdicts and the de-noised best.

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
        Scores are raw. Those of submissions far worse than the others are marked at the
        border, so that the rest can be seen.
    """
    ax, colours = axes_of(
        ax, theme, size=(9.5, 5.2), title="Scores in the order of submission"
    )
    history = analysis.history
    public = history.raw_scores("public")
    if not np.isfinite(public).any():
        return blank(ax, colours, "No submission has a public score.")
    number = np.arange(1, len(public) + 1, dtype=float)
    high = history.competition.greater_is_better is not False
    limits = pin(public, best_is_high=high)
    if is_directed(analysis):
        limits = _bests(ax, colours, analysis, number, public, limits)
    notes, limits = _others(ax, colours, analysis, number, limits)
    inside = np.clip(public, *limits)
    verdict_points(ax, colours, number, inside, analysis.steps)
    n_outside = int((np.isfinite(public) & (inside != public)).sum())
    if n_outside:
        notes.append(f"{n_outside} far worse drawn at the border")
    ax.set_ylim(*_wider(limits))
    number_axis(ax, len(public))
    period = f" ({history.period})" if history.period else ""
    label(ax, colours, x=f"submission{period}", y=_score_axis(analysis))
    if notes:
        ax.set_title(
            "; ".join(notes), loc="right", fontsize=8.5, color=colours["muted"]
        )
    legend(ax, colours)
    return ax


def _bests(
    ax: Axes,
    colours: Mapping[str, str],
    analysis: Analysis,
    number: FloatArray,
    public: FloatArray,
    limits: tuple[float, float],
) -> tuple[float, float]:
    """Draw the running best with the noise of a step, and what it is truly worth."""
    sign = analysis.history.competition.direction()
    running = sign * np.fmax.accumulate(sign * public)
    noise = analysis.noise.step_se
    if np.isfinite(noise):
        half = _Z95 * noise
        ax.fill_between(
            number,
            running - half,
            running + half,
            step="post",
            color=colours["band"],
            linewidth=0,
            label="noise of a step (95%)",
            zorder=1,
        )
    ax.step(
        number,
        running,
        where="post",
        color=colours["public"],
        linewidth=1.4,
        label="best public so far",
        zorder=2,
    )
    levels = analysis.levels
    if levels is None or not np.isfinite(levels.mean).any():
        return limits
    worth = np.where(np.isfinite(public), levels.mean, -np.inf)
    place = np.array([np.argmax(worth[: last + 1]) for last in range(len(worth))])
    known = np.isfinite(worth[place])
    best = np.where(known, sign * worth[place], np.nan)
    half = _Z80 * levels.sd[place]
    ax.fill_between(
        number,
        best - half,
        best + half,
        step="post",
        color=colours["soft"],
        linewidth=0,
        label="80% band of its level",
        zorder=0,
    )
    ax.step(
        number,
        best,
        where="post",
        color=colours["estimate"],
        linewidth=2,
        linestyle=(0, (5, 2)),
        label="best, luck taken out",
        zorder=3,
    )
    shown = best[np.isfinite(best)]
    room = limits[1] - limits[0]
    low = max(float(shown.min()), limits[0] - room)
    high = min(float(shown.max()), limits[1] + room)
    return min(limits[0], low), max(limits[1], high)


def _others(
    ax: Axes,
    colours: Mapping[str, str],
    analysis: Analysis,
    number: FloatArray,
    limits: tuple[float, float],
) -> tuple[list[str], tuple[float, float]]:
    """Draw CV and private scores where they fit the scale; say which do not."""
    notes = []
    low, high = limits
    size = 0.5 * point_size(len(number))
    kinds: tuple[tuple[ScoreKind, str, str], ...] = (
        ("cv", "_", "CV"),
        ("private", "d", "private"),
    )
    for kind, marker, name in kinds:
        values = analysis.history.raw_scores(kind)
        known = values[np.isfinite(values)]
        if not known.size:
            continue
        room = _MARGIN * (limits[1] - limits[0])
        middle = float(np.median(known))
        if not limits[0] - room <= middle <= limits[1] + room:
            notes.append(f"{name} is on another scale: not drawn")
            continue
        near = known[(known > limits[0] - room) & (known < limits[1] + room)]
        low, high = min(low, float(near.min())), max(high, float(near.max()))
        if len(near) < len(known):
            notes.append(f"{len(known) - len(near)} {name} far off not shown")
        ax.scatter(
            number,
            np.where(np.isin(values, near), values, np.nan),
            s=3 * size if marker == "_" else size,
            marker=marker,
            color=colours[kind],
            label=name,
            linewidths=1.6 if marker == "_" else 0.4,
            zorder=3,
        )
    return notes, (low, high)


def _wider(limits: tuple[float, float]) -> tuple[float, float]:
    room = 0.05 * (limits[1] - limits[0])
    return limits[0] - room, limits[1] + room


def _score_axis(analysis: Analysis) -> str:
    competition = analysis.history.competition
    name = competition.metric or "score"
    return f"{name} ({competition.better})" if competition.better else name


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
