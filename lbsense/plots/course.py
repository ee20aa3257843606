"""The competition as it went: scores and steps in the order of submission."""

from __future__ import annotations

import numpy as np

from lbsense._typing import FloatArray, ScoreKind
from lbsense.analysis import Analysis
from lbsense.plots.canvas import (
    Canvas,
    is_directed,
    picture,
    pin,
    point_size,
    score_axis,
    values,
)
from lbsense.words import why

_MARGIN = 0.5  # of the height: how far CV and private scores may widen the axis
_Z80, _Z95 = 1.2816, 1.96
_WIDEST = 3.0  # times the ninth decile: how far the axis reaches for a wild step


@picture("Scores in the order of submission", size=(9.5, 5.2))
def plot_timeline(canvas: Canvas, analysis: Analysis) -> str | None:
    """Draw public, CV and private scores with verdicts and the de-noised best.

    Scores are raw. Those of submissions far worse than the others are marked at the
    border, so that the rest can be seen.
    """
    ax = canvas.ax
    history = analysis.history
    public = history.raw_scores("public")
    if not np.isfinite(public).any():
        return "No submission has a public score."
    number = np.arange(1, len(public) + 1, dtype=float)
    high = history.competition.greater_is_better is not False
    limits = pin(public, best_is_high=high)
    if is_directed(analysis):
        limits = _bests(canvas, analysis, number, public, limits)
    notes, limits = _others(canvas, analysis, number, limits)
    inside = np.clip(public, *limits)
    canvas.verdict_points(number, inside, analysis.steps)
    n_outside = int((np.isfinite(public) & (inside != public)).sum())
    if n_outside:
        notes.append(f"{n_outside} far worse drawn at the border")
    ax.set_ylim(*_wider(limits))
    canvas.number_axis(len(public))
    period = f" ({history.period})" if history.period else ""
    canvas.label(x=f"submission{period}", y=score_axis(analysis))
    if notes:
        canvas.remark("; ".join(notes))
    canvas.legend()
    return None


def _bests(
    canvas: Canvas,
    analysis: Analysis,
    number: FloatArray,
    public: FloatArray,
    limits: tuple[float, float],
) -> tuple[float, float]:
    """Draw the running best with the noise of a step, and what it is truly worth."""
    ax, colours = canvas.ax, canvas.colours
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
    if not levels or not np.isfinite(levels.mean).any():
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
    canvas: Canvas,
    analysis: Analysis,
    number: FloatArray,
    limits: tuple[float, float],
) -> tuple[list[str], tuple[float, float]]:
    """Draw CV and private scores where they fit the scale; say which do not."""
    ax, colours = canvas.ax, canvas.colours
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


@picture("What each step was worth", size=(9.5, 4.8))
def plot_steps(canvas: Canvas, analysis: Analysis) -> str | None:
    """Draw the estimated true gain of every step against the raw public gain.

    Gains are oriented: above zero is better.
    """
    ax, colours = canvas.ax, canvas.colours
    steps = analysis.steps
    raw = values([step.public_gain for step in steps])
    gain = values([step.gain for step in steps])
    if not np.isfinite(raw).any():
        undirected = None if is_directed(analysis) else analysis.posterior
        return why(undirected, "page", "There is no step to judge yet.")
    number = np.arange(1, len(steps) + 1, dtype=float)
    reach = _reach(raw, gain)
    ax.axhline(0, color=colours["muted"], linewidth=1, zorder=1)
    if analysis.posterior:
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
    low = values([step.gain_low for step in steps])
    high = values([step.gain_high for step in steps])
    ax.vlines(
        number,
        np.clip(low, -reach, reach),
        np.clip(high, -reach, reach),
        color=colours["muted"],
        linewidth=1.4 if len(steps) <= 60 else 0.8,
        zorder=3,
    )
    canvas.verdict_points(number, np.clip(gain, -reach, reach), steps)
    n_outside = int((np.isfinite(raw) & (inside != raw)).sum())
    if n_outside:
        canvas.remark(f"{n_outside} beyond the border")
    ax.set_ylim(-1.06 * reach, 1.06 * reach)
    canvas.number_axis(len(steps))
    canvas.label(
        x=(
            "submission; filled: estimated true gain with its 95% interval"
            if np.isfinite(gain).any()
            else "submission; the true gain is not knowable"
        ),
        y="gain (above 0 is better)",
    )
    canvas.legend()
    return None


def _reach(raw: FloatArray, gain: FloatArray) -> float:
    """Return how far the axis goes: all steps, unless some are wild."""
    sizes = np.abs(np.concatenate([raw, gain]))
    sizes = sizes[np.isfinite(sizes)]
    most = float(sizes.max())
    usual = _WIDEST * float(np.quantile(sizes, 0.9))
    return min(most, usual) or most or 1.0
