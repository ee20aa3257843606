"""What a picture shows, as marks in scores, axes and a remark, and how axes show it.

`lbsense.plots.svg` draws the same scene as an element of a page; neither knows what the
marks mean. Matplotlib is imported only where axes are drawn.
"""

from __future__ import annotations

import inspect
import io
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial, wraps
from textwrap import indent
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias, cast

import numpy as np

from lbsense._format import shorten
from lbsense._typing import BoolArray, FloatArray, ScoreKind
from lbsense._validation import check_kind
from lbsense.analysis import Analysis, Step
from lbsense.words import verdict_label

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

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
        key=lambda pair: (list(_MARKERS).index(pair[0]), pair[0] != pair[1], pair[1]),
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
    of: Sequence[int] = (),
) -> Points:
    """Return points of one kind of score, with the sign it has in every picture."""
    name, marker = {
        "public": (PUBLIC, "|"), "cv": (CV, "_"), "private": (PRIVATE, "d"),
    }[role]  # fmt: skip
    seen = np.isfinite(x) & np.isfinite(y)
    return Points(
        x=x[seen],
        y=y[seen],
        of=[i for i, s in zip(of, seen, strict=True) if s] if len(of) else (),
        marker=marker,
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


_OWN = "_lbsense_axes"  # on a figure that was made for one plot
_LEFT, _BOTTOM, _LINE = 0.85, 0.6, 0.22  # inches: margins, and one line of the legend
_MOST_NAMES = 24

_SHARED = """

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
"""


class Plot(Protocol):
    """A picture of an analysis."""

    scene: Callable[[Analysis], Scene]

    def __call__(
        self, analysis: Analysis, *, ax: Axes | None = None, theme: Theme = "light"
    ) -> Axes:
        """Return the axes that it was drawn on."""


def picture(
    title: str, *, size: tuple[float, float], columns: int = 4
) -> Callable[[Callable[[Analysis], Scene | str]], Plot]:
    """Return a decorator that makes a plot of a function that returns a scene.

    Parameters
    ----------
    title : str
        Of the axes.
    size : tuple of two floats
        Inches of a figure that is made for the plot.
    columns : int
        Of its legend.

    Returns
    -------
    callable
        Takes a function of an analysis that returns a scene, or the reason why there
        is nothing to see, which then stands in the picture's place. The plot holds
        the scene of an analysis as ``plot.scene(analysis)``.
    """

    def decorate(build: Callable[[Analysis], Scene | str]) -> Plot:
        def scene(analysis: Analysis) -> Scene:
            check_kind(analysis, Analysis, name="analysis")
            built = build(analysis)
            if isinstance(built, str):
                built = Scene(reason=built)
            return replace(built, title=title, size=size, columns=columns)

        @wraps(build, assigned=("__module__", "__name__", "__qualname__"))
        def plot(
            analysis: Analysis, *, ax: Axes | None = None, theme: Theme = "light"
        ) -> Axes:
            return draw_plot(scene(analysis), ax, theme)

        summary, _, told = inspect.cleandoc(build.__doc__ or "").partition("\n\n")
        plot.__doc__ = summary + _SHARED + indent(told, " " * 4)
        del plot.__wrapped__  # its signature is another
        made = cast("Plot", plot)
        made.scene = scene
        return made

    return decorate


def draw_plot(scene: Scene, ax: Axes | None = None, theme: Theme = "light") -> Axes:
    """Return axes with a scene on them, in the colours of a theme, which must exist."""
    if theme not in PALETTES:
        msg = f"theme must be one of {', '.join(PALETTES)}, got {theme!r}."
        raise ValueError(msg)
    if ax is not None and not hasattr(ax, "set_facecolor"):
        given = f"{type(ax).__name__} {shorten(repr(ax), 40)}"
        msg = f"ax must be axes of matplotlib, as plt.gca() gives them, got {given}."
        raise TypeError(msg)
    colours = PALETTES[theme]
    if ax is None:
        ax = _own_axes(scene.size, colours)
    _dress(ax, colours)
    ax.set_title(scene.title, loc="left", color=colours["ink"], fontsize=12, pad=10)
    if scene.reason:
        ax.set_axis_off()
        ax.text(
            0.5, 0.5, shorten(scene.reason, 300), transform=ax.transAxes, ha="center",
            va="center", color=colours["muted"], fontsize=10, wrap=True,
            parse_math=False,
        )  # fmt: skip
        return ax
    for order, mark in enumerate(scene.marks):
        _draw_mark(ax, mark, colours, order)
    _scale(ax, "x", scene.x, colours)
    _scale(ax, "y", scene.y, colours)
    if scene.remark:
        ax.set_title(scene.remark, loc="right", fontsize=8.5, color=colours["muted"])
        # Letters of 12 and of 8.5 points, in inches: where both do not fit in one line
        # the remark stands below.
        width = 0.09 * len(scene.title) + 0.062 * len(scene.remark)
        if width > ax.bbox.width / ax.figure.dpi:
            ax.set_title(f"{scene.title}\n", loc="left")
    _legend(ax, colours, scene.columns)
    return ax


def _own_axes(size: tuple[float, float], colours: Mapping[str, str]) -> Axes:
    """Return the axes of a new figure, which shows itself in a notebook."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    # No pyplot: a figure that nobody else holds is freed when it is not needed.
    # Margins in inches, since solving for them costs more time than drawing.
    figure = Figure(figsize=size)
    width, height = size
    figure.subplots_adjust(
        left=_LEFT / width,
        right=1 - 0.26 / width,  # half of a number that stands at the end
        bottom=_BOTTOM / height,
        top=1 - 0.45 / height,
    )
    FigureCanvasAgg(figure)
    figure.set_facecolor(colours["surface"])
    ax = figure.subplots()
    setattr(figure, _OWN, ax)
    # The last line of a notebook cell shows them as a picture.
    setattr(ax, "_repr_png_", partial(_png, figure))  # noqa: B010
    return ax


def _dress(ax: Axes, colours: Mapping[str, str]) -> None:
    ax.set_facecolor(colours["surface"])
    for side, spine in ax.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(colours["muted"])
    ax.tick_params(colors=colours["muted"], labelsize=9)
    ax.set_axisbelow(True)


def _png(figure: Figure) -> bytes:
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    stream = io.BytesIO()
    FigureCanvasAgg(figure).print_png(stream)  # type: ignore[no-untyped-call]
    return stream.getvalue()


def _draw_mark(ax: Axes, mark: Mark, colours: Mapping[str, str], order: float) -> None:
    """Draw one mark above those before it."""
    at = 1 + 0.1 * order
    match mark:
        case Points():
            _points(ax, mark, colours, at)
        case Line():
            ax.plot(
                mark.x, mark.y, color=colours[mark.role], linewidth=mark.width,
                linestyle=(0, mark.dash) if mark.dash else "-",
                drawstyle="steps-post" if mark.stairs else "default",
                label=mark.label, zorder=at,
            )  # fmt: skip
        case Segments(x=(x0, x1), y=(y0, y1)):
            from matplotlib.collections import LineCollection

            pieces = [
                [(a, b), (c, d)] for a, b, c, d in zip(x0, y0, x1, y1, strict=True)
            ]
            ax.add_collection(
                LineCollection(
                    pieces,
                    colors=colours[mark.role],
                    linewidths=mark.width,
                    label=mark.label,
                    zorder=at,
                )
            )
        case Rule():
            (ax.axvline if mark.upright else ax.axhline)(
                mark.at, color=colours[mark.role], linewidth=mark.width,
                label=mark.label or None, zorder=at,
            )  # fmt: skip
        case Span():
            ax.axhspan(
                mark.low, mark.high, color=colours[mark.role], linewidth=0,
                label=mark.label, zorder=at,
            )  # fmt: skip
        case Bars():
            ax.bar(
                mark.x, mark.height, mark.width, mark.y, align="edge",
                color=colours[mark.role], edgecolor=colours["surface"], linewidth=0.8,
                hatch="///" if mark.faint else None, label=mark.label, zorder=at,
            )  # fmt: skip
        case Texts():
            for x, y, words in zip(mark.x, mark.y, mark.words, strict=True):
                ax.text(
                    x, y, words, va="center", color=colours["ink"], fontsize=9,
                    parse_math=False,
                )  # fmt: skip
        case Cells():
            _cells(ax, mark, colours)


def _points(ax: Axes, mark: Points, colours: Mapping[str, str], at: float) -> None:
    colour, surface = colours[mark.role], colours["surface"]
    style: dict[str, Any]
    if mark.marker in "_|":
        style = {"color": colour, "linewidths": 2.0}
    elif mark.marker == "ring":
        style = {"facecolors": "none", "edgecolors": colour, "linewidths": 1.6}
    elif mark.hollow:
        style = {"color": surface, "edgecolors": colour, "linewidths": 1.2}
    else:
        style = {"color": colour, "edgecolors": surface, "linewidths": 0.5}
    ax.scatter(
        mark.x, mark.y, s=mark.size,
        marker="o" if mark.marker == "ring" else mark.marker, label=mark.label,
        zorder=at + 1, clip_on=False, **style,
    )  # fmt: skip


def _cells(ax: Axes, mark: Cells, colours: Mapping[str, str]) -> None:
    from matplotlib.colors import LinearSegmentedColormap

    ramp = LinearSegmentedColormap.from_list(
        "likeness", [colours["surface"], colours[mark.role]]
    )
    image = ax.imshow(mark.values, cmap=ramp, vmin=mark.low, vmax=1, aspect="equal")
    bar = ax.figure.colorbar(image, ax=ax, shrink=0.8)
    bar.ax.tick_params(colors=colours["muted"], labelsize=9)
    bar.set_label(mark.label, color=colours["ink"])


def _scale(ax: Axes, which: str, axis: Axis, colours: Mapping[str, str]) -> None:
    """Set limits, ticks and label of one axis."""
    from matplotlib import ticker

    on = ax.xaxis if which == "x" else ax.yaxis
    (ax.set_xlim if which == "x" else ax.set_ylim)(*axis.limits)
    on.set_label_text(axis.label, color=colours["ink"], fontsize=10)
    on.label.set_parse_math(False)
    ax.grid(visible=False, axis=which)  # type: ignore[arg-type]
    if axis.kind == "linear":
        ax.grid(axis=which, color=colours["grid"], linewidth=0.8)  # type: ignore[arg-type]
    match axis.kind:
        case "linear":
            on.set_major_locator(ticker.MaxNLocator(nbins=7))
            ax.ticklabel_format(axis=which, useOffset=False)  # type: ignore[arg-type]
        case "count":
            low, high = axis.limits
            ticks = ticker.MaxNLocator(nbins=10, integer=True).tick_values(low, high)
            low, high = max(low, axis.marked[0]), min(high, axis.marked[1])
            seen = [at for at in ticks if low <= at <= high]
            on.set_major_locator(ticker.FixedLocator(seen))
        case "log":
            (ax.set_xscale if which == "x" else ax.set_yscale)("log")
            on.set_major_locator(ticker.LogLocator(subs=(1, 2, 5), numticks=12))
            on.set_major_formatter(lambda value, _: f"{value:g}")
            on.set_minor_locator(ticker.NullLocator())
            (ax.set_xlim if which == "x" else ax.set_ylim)(*axis.limits)
        case "share":
            on.set_major_locator(ticker.FixedLocator([0, 0.25, 0.5, 0.75, 1]))
            on.set_major_formatter(lambda value, _: f"{value:.0%}")
        case "names":
            _name_rows(ax, axis, named=which == "y")


def _name_rows(ax: Axes, axis: Axis, *, named: bool) -> None:
    """Name rows, of many only as many as find room, and widen the margin for them."""
    shown = list(range(0, len(axis.names), -(-len(axis.names) // _MOST_NAMES) or 1))
    if not named:
        ax.set_xticks(shown, [""] * len(shown))
        return
    ax.set_yticks(shown, [axis.names[index] for index in shown])
    for text in ax.get_yticklabels():
        text.set_parse_math(False)
    room = max((len(name) for name in axis.names), default=0)
    _set_margin(ax, left=0.5 + 0.072 * room)


def _legend(ax: Axes, colours: Mapping[str, str], columns: int) -> None:
    """Put the legend below the plot, where it covers nothing."""
    handles, names = ax.get_legend_handles_labels()
    if not names:
        return
    height = ax.figure.bbox.height / ax.figure.dpi
    n_lines = -(-len(names) // columns)
    _set_margin(ax, bottom=_BOTTOM + _LINE * n_lines)
    made = ax.legend(
        handles,
        names,
        loc="upper left",
        bbox_to_anchor=(0, -_BOTTOM / (height * ax.get_position().height)),
        borderaxespad=0,
        ncols=columns,
        frameon=False,
        fontsize=9,
        handletextpad=0.5,
        columnspacing=1.4,
    )
    for text in made.get_texts():
        text.set_color(colours["ink"])
        text.set_parse_math(False)


def _set_margin(
    ax: Axes, *, left: float | None = None, bottom: float | None = None
) -> None:
    """Set margins in inches of a figure that was made for these axes alone."""
    figure = ax.get_figure()
    if getattr(figure, _OWN, None) is not ax:
        return
    own = cast("Figure", figure)
    if left is not None:
        own.subplots_adjust(left=left / own.get_figwidth())
    if bottom is not None:
        own.subplots_adjust(bottom=bottom / own.get_figheight())
