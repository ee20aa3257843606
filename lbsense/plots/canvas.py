"""Scenes drawn on axes of matplotlib, which is imported only then."""

from __future__ import annotations

import inspect
import io
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial, wraps
from textwrap import indent
from typing import TYPE_CHECKING, Any, Protocol, cast

from lbsense._format import shorten
from lbsense._validation import check_kind
from lbsense.analysis import Analysis
from lbsense.plots.scene import (
    PALETTES,
    Axis,
    Bars,
    Cells,
    Line,
    Mark,
    Points,
    Rule,
    Scene,
    Segments,
    Span,
    Texts,
    Theme,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

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
        right=1 - 0.15 / width,
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
