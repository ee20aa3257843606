"""What a picture shows, before anything draws it: marks in scores, axes, a remark.

`lbsense.plots.canvas` draws a scene on axes of matplotlib, `lbsense.plots.svg` as an
element of a page; neither knows what the marks mean.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from lbsense._format import shorten
from lbsense._typing import BoolArray, FloatArray, ScoreKind
from lbsense.analysis import Analysis, Step
from lbsense.words import verdict_label

Theme: TypeAlias = Literal["light", "dark"]

#: Colours by role. Hues after Okabe and Ito (2008), which stay apart for every kind of
#: colour vision; in greyscale markers and words tell what colours do elsewhere.
PALETTES: Mapping[str, Mapping[str, str]] = {
    "light": {
        "ink": "#1b1f24",
        "muted": "#5a626b",
        "grid": "#e3e6ea",
        "surface": "#ffffff",
        "public": "#0b5cad",
        "cv": "#b35c00",
        "private": "#7a3b8f",
        "estimate": "#00664c",
        "soft": "#cfe8df",
        "baseline": "#6b5f66",
        "progress": "#00785a",
        "guess": "#8a6d1b",
        "chasing": "#a8437f",
        "setback": "#c04a00",
        "repeat": "#2b7bb0",
        "probe": "#4a4ab0",
        "unknown": "#7d858e",
    },
    "dark": {
        "ink": "#e8eaed",
        "muted": "#a9b1ba",
        "grid": "#2c3238",
        "surface": "#14171a",
        "public": "#7db8f5",
        "cv": "#f2a64d",
        "private": "#d09be3",
        "estimate": "#5fd6b0",
        "soft": "#1d4338",
        "baseline": "#b8a9b2",
        "progress": "#45c99d",
        "guess": "#d9bd62",
        "chasing": "#eb94c6",
        "setback": "#ff9459",
        "repeat": "#74bde8",
        "probe": "#a6a6ff",
        "unknown": "#939ba4",
    },
}
#: What each kind of score is called, and its sign, in every picture.
CV, PUBLIC, PRIVATE = "CV score", "public score", "private score"
# Marker of each verdict that can be drawn, by its letter in matplotlib.
_MARKERS: Mapping[str, str] = {
    "baseline": "p",
    "progress": "^",
    "guess": "o",
    "chasing": "X",
    "setback": "v",
    "repeat": "s",
    "probe": "P",
    "unknown": "D",
}
_DENSE = 40  # submissions from which points shrink


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Points:
    """Points with one marker, and the submission that each of them is."""

    x: FloatArray
    y: FloatArray
    of: Sequence[int] = ()
    marker: str
    role: str
    label: str = ""
    size: float = 42.0
    hollow: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Line:
    """A line through points, or the stairs that hold each value until the next."""

    x: FloatArray
    y: FloatArray
    role: str
    label: str = ""
    width: float = 1.5
    dash: tuple[float, float] | None = None
    stairs: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Segments:
    """Straight pieces that belong together, such as intervals."""

    x: tuple[FloatArray, FloatArray]
    y: tuple[FloatArray, FloatArray]
    role: str
    label: str = ""
    width: float = 1.4


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A line across the whole picture."""

    at: float
    role: str = "muted"
    label: str = ""
    width: float = 1.0
    upright: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A band across the whole picture."""

    low: float
    high: float
    role: str
    label: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Bars:
    """Rectangles by their lower left corners."""

    x: FloatArray
    y: FloatArray
    width: FloatArray
    height: FloatArray
    role: str
    label: str = ""
    faint: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Texts:
    """Words at the right of points."""

    x: FloatArray
    y: FloatArray
    words: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cells:
    """A square of numbers shown by the depth of one colour."""

    values: FloatArray
    low: float
    role: str
    label: str


Mark: TypeAlias = Points | Line | Segments | Rule | Span | Bars | Texts | Cells


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """What an axis says, and from where to where it goes.

    Attributes
    ----------
    label : str
        What it shows.
    limits : tuple of two floats
        At its start and at its end.
    kind : {"linear", "count", "log", "share", "names"}
        What its ticks are.
    names : sequence of str
        At 0, 1, 2, ... where it has names.
    marked : tuple of two floats
        Outside of which it has no ticks.
    """

    label: str
    limits: tuple[float, float]
    kind: Literal["linear", "count", "log", "share", "names"] = "linear"
    names: Sequence[str] = ()
    marked: tuple[float, float] = (-math.inf, math.inf)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A whole picture, or the reason why there is nothing to see."""

    x: Axis = Axis(label="", limits=(0, 1))
    y: Axis = Axis(label="", limits=(0, 1))
    marks: Sequence[Mark] = ()
    remark: str = ""
    reason: str = ""
    title: str = ""
    size: tuple[float, float] = (9.5, 5.2)
    columns: int = 4
    square: bool = False


def verdict_points(x: FloatArray, y: FloatArray, steps: Sequence[Step]) -> list[Points]:
    """Return points with the marker and the colour of their verdict.

    What is likely and not clear, and what nothing was built on, is hollow.
    """
    labels = [verdict_label(step) for step in steps]
    order = sorted(
        {
            (step.verdict, label)
            for step, label in zip(steps, labels, strict=True)
            if step.verdict in _MARKERS
        },
        key=lambda pair: (list(_MARKERS).index(pair[0]), pair[0] != pair[1]),
    )
    seen = np.isfinite(x) & np.isfinite(y)
    found = []
    for verdict, label in order:
        of_it: BoolArray = np.array([told == label for told in labels]) & seen
        if of_it.any():
            found.append(
                Points(
                    x=x[of_it],
                    y=y[of_it],
                    of=np.flatnonzero(of_it).tolist(),
                    marker=_MARKERS[verdict],
                    role=verdict,
                    label=f"{label} ({int(of_it.sum())})",
                    size=point_size(len(steps)),
                    hollow=label != verdict,
                )
            )
    return found


def scored_points(
    x: FloatArray,
    y: FloatArray,
    role: ScoreKind,
    *,
    size: float = 46.0,
    label: str = "",
    marker: str = "",
    of: Sequence[int] = (),
) -> Points:
    """Return points of one kind of score, with the sign it has in every picture."""
    name, own = {
        "public": (PUBLIC, "|"), "cv": (CV, "_"), "private": (PRIVATE, "d"),
    }[role]  # fmt: skip
    seen = np.isfinite(x) & np.isfinite(y)
    return Points(
        x=x[seen],
        y=y[seen],
        of=[i for i, s in zip(of, seen, strict=True) if s] if len(of) else (),
        marker=marker or own,
        role=role,
        label=label or name,
        size=size,
    )


def submission_axis(analysis: Analysis, after: float = 0.7) -> Axis:
    """Return an axis that counts submissions from 1."""
    period = f" ({analysis.history.period})" if analysis.history.period else ""
    return Axis(
        label=f"number of the submission{period}",
        limits=(1 - max(0.7, 0.012 * len(analysis.steps)), len(analysis.steps) + after),
        kind="count",
        marked=(1, len(analysis.steps)),
    )


def score_axis(analysis: Analysis, name: str = "score") -> str:
    """Return what a score is: its kind, its metric, and which way it is better."""
    competition = analysis.history.competition
    told = f"{name}, {competition.metric}" if competition.metric else name
    return f"{told} ({competition.better})" if competition.better else told


def is_directed(analysis: Analysis) -> bool:
    """Say whether it is known which score is better."""
    return analysis.history.competition.greater_is_better is not None


def key(step: Step, number: int, width: int = 34) -> str:
    """Return the number of a submission and the start of what it was called."""
    return f"#{number} {shorten(step.name, width)}"


def pin(values: FloatArray, *, best_is_high: bool) -> tuple[float, float]:
    """Return limits that show the good scores, whatever broken ones lie far off.

    The worst three quarters never take more than three times the room of the rest.
    """
    known = values[np.isfinite(values)]
    if not known.size:
        return 0.0, 1.0
    shown = known if best_is_high else -known
    best, low = float(shown.max()), float(shown.min())
    reach = 4 * (best - float(np.quantile(shown, 0.25)))
    floor = max(low, best - reach) if reach > 0 else low
    room = 0.06 * (best - floor) or 0.01 * abs(best) or 0.01
    bottom, top = floor - room, best + room
    return (bottom, top) if best_is_high else (-top, -bottom)


def around(*values: FloatArray, room: float = 0.04) -> tuple[float, float]:
    """Return limits that hold all these values with room at both ends."""
    known = np.concatenate([np.ravel(value) for value in values])
    known = known[np.isfinite(known)]
    if not known.size:
        return 0.0, 1.0
    low, high = float(known.min()), float(known.max())
    margin = room * (high - low) or 0.01 * abs(high) or 0.01
    return low - margin, high + margin


def point_size(n_submissions: int) -> float:
    """Return the area of a marker."""
    crowded = max(n_submissions / _DENSE, 1.0)
    return max(14.0, 42.0 / math.sqrt(crowded))


def floats(items: Iterable[float | None]) -> FloatArray:
    """Return numbers as an array; what is None is nan."""
    return np.array([np.nan if value is None else value for value in items])
