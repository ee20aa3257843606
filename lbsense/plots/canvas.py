"""What all plots share: axes, colours by role, a sign for each verdict, legends."""

from __future__ import annotations

import inspect
import io
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial, wraps
from textwrap import indent
from typing import Literal, Protocol, TypeAlias

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from lbsense._format import shorten
from lbsense._typing import BoolArray, FloatArray
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
        "band": "#cfe0f2",
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
        "band": "#21384f",
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
# Marker of each verdict that can be drawn.
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
_OWN = "_lbsense_axes"  # on a figure that was made for one plot
_DENSE = 40  # submissions from which points shrink
_LEFT, _BOTTOM, _LINE = 0.85, 0.6, 0.22  # inches: margins, and one line of the legend


@dataclass(frozen=True, slots=True, kw_only=True)
class Canvas:
    """Axes in the colours of a theme.

    Attributes
    ----------
    ax : matplotlib.axes.Axes
        Where to draw.
    colours : Mapping of str to str
        Colour by role.
    """

    ax: Axes
    colours: Mapping[str, str]

    def label(self, *, x: str = "", y: str = "") -> None:
        """Name both axes."""
        self.ax.set_xlabel(x, color=self.colours["ink"], fontsize=10)
        self.ax.set_ylabel(y, color=self.colours["ink"], fontsize=10)

    def number_axis(self, n_submissions: int) -> None:
        """Let the horizontal axis count submissions from 1."""
        self.ax.set_xlim(0.3, n_submissions + 0.7)
        self.ax.xaxis.set_major_locator(MaxNLocator(nbins=10, integer=True))
        self.ax.ticklabel_format(axis="y", useOffset=False)

    def blank(self, reason: str) -> None:
        """Say why there is nothing to see."""
        self.ax.set_axis_off()
        self.ax.text(
            0.5,
            0.5,
            shorten(reason, 300),
            transform=self.ax.transAxes,
            ha="center",
            va="center",
            color=self.colours["muted"],
            fontsize=10,
            wrap=True,
            parse_math=False,
        )

    def legend(self, *, columns: int = 4) -> None:
        """Put the legend below the plot, where it covers nothing."""
        handles, names = self.ax.get_legend_handles_labels()
        if not names:
            return
        height = self.ax.figure.bbox.height / self.ax.figure.dpi
        n_lines = -(-len(names) // columns)
        self._set_margin(bottom=_BOTTOM + _LINE * n_lines)
        made = self.ax.legend(
            handles,
            names,
            loc="upper left",
            bbox_to_anchor=(0, -_BOTTOM / (height * self.ax.get_position().height)),
            borderaxespad=0,
            ncols=columns,
            frameon=False,
            fontsize=9,
            handletextpad=0.5,
            columnspacing=1.4,
        )
        for text in made.get_texts():
            text.set_color(self.colours["ink"])
            text.set_parse_math(False)

    def name_rows(
        self,
        places: Sequence[float] | FloatArray,
        names: Sequence[str],
        *,
        room_for: Sequence[str] = (),
    ) -> None:
        """Name rows on the vertical axis and widen the margin for the names."""
        self.ax.set_yticks(places, names)
        for text in self.ax.get_yticklabels():
            text.set_parse_math(False)
        self._set_margin(
            left=0.25 + 0.072 * max(len(name) for name in room_for or names)
        )

    def _set_margin(
        self, *, left: float | None = None, bottom: float | None = None
    ) -> None:
        """Set margins in inches of a figure that was made for these axes alone."""
        figure = self.ax.figure
        if not isinstance(figure, Figure) or getattr(figure, _OWN, None) is not self.ax:
            return
        if left is not None:
            figure.subplots_adjust(left=left / figure.get_figwidth())
        if bottom is not None:
            figure.subplots_adjust(bottom=bottom / figure.get_figheight())

    def remark(self, text: str) -> None:
        """Write what is not drawn, or drawn otherwise, above the axes on the right."""
        self.ax.set_title(text, loc="right", fontsize=8.5, color=self.colours["muted"])

    def verdict_points(
        self, x: FloatArray, y: FloatArray, steps: Sequence[Step]
    ) -> None:
        """Draw points with the marker and the colour of their verdict.

        What is likely and not clear, and what nothing was built on, is hollow.
        """
        size = point_size(len(steps))
        labels = [verdict_label(step) for step in steps]
        order = sorted(
            {(step.verdict, label) for step, label in zip(steps, labels, strict=True)},
            key=lambda pair: (
                (list(_MARKERS).index(pair[0]), pair[0] != pair[1])
                if pair[0] in _MARKERS
                else (len(_MARKERS), True)
            ),
        )
        for verdict, label in order:
            of_it: BoolArray = np.array([told == label for told in labels])
            of_it &= np.isfinite(x) & np.isfinite(y)
            if verdict not in _MARKERS or not of_it.any():
                continue
            colour, surface = self.colours[verdict], self.colours["surface"]
            full = label == verdict
            self.ax.scatter(
                x[of_it],
                y[of_it],
                s=size,
                marker=_MARKERS[verdict],
                color=colour if full else surface,
                edgecolors=surface if full else colour,
                linewidths=0.5 if full else 1.2,
                label=f"{label} ({int(of_it.sum())})",
                zorder=4,
            )


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

    def __call__(
        self, analysis: Analysis, *, ax: Axes | None = None, theme: Theme = "light"
    ) -> Axes:
        """Return the axes that it was drawn on."""


def picture(
    title: str, *, size: tuple[float, float]
) -> Callable[[Callable[[Canvas, Analysis], str | None]], Plot]:
    """Return a decorator that makes a plot of a function that draws on a canvas.

    Parameters
    ----------
    title : str
        Of the axes.
    size : tuple of two floats
        Inches of a figure that is made for the plot.

    Returns
    -------
    callable
        Takes a function of a canvas and an analysis that returns None, or the reason
        why there is nothing to see, which then stands in the picture's place.
    """

    def decorate(draw: Callable[[Canvas, Analysis], str | None]) -> Plot:
        @wraps(draw, assigned=("__module__", "__name__", "__qualname__"))
        def plot(
            analysis: Analysis, *, ax: Axes | None = None, theme: Theme = "light"
        ) -> Axes:
            canvas = _canvas(ax, theme, size=size, title=title)
            reason = draw(canvas, analysis)
            if reason is not None:
                canvas.blank(reason)
            return canvas.ax

        summary, _, told = inspect.cleandoc(draw.__doc__ or "").partition("\n\n")
        plot.__doc__ = summary + _SHARED + indent(told, " " * 4)
        del plot.__wrapped__  # its signature is another
        return plot

    return decorate


def _canvas(
    ax: Axes | None, theme: Theme, *, size: tuple[float, float], title: str
) -> Canvas:
    """Return axes in the colours of a theme, which must exist."""
    if theme not in PALETTES:
        msg = f"theme must be one of {', '.join(PALETTES)}, got {theme!r}."
        raise ValueError(msg)
    colours = PALETTES[theme]
    if ax is None:
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
    ax.set_facecolor(colours["surface"])
    for side, spine in ax.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(colours["muted"])
    ax.tick_params(colors=colours["muted"], labelsize=9)
    ax.grid(axis="y", color=colours["grid"], linewidth=0.8)
    ax.set_axisbelow(True)
    ax.set_title(title, loc="left", color=colours["ink"], fontsize=12, pad=10)
    return Canvas(ax=ax, colours=colours)


def _png(figure: Figure) -> bytes:
    stream = io.BytesIO()
    FigureCanvasAgg(figure).print_png(stream)  # type: ignore[no-untyped-call]
    return stream.getvalue()


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


def point_size(n_submissions: int) -> float:
    """Return the area of a marker."""
    crowded = max(n_submissions / _DENSE, 1.0)
    return max(14.0, 42.0 / math.sqrt(crowded))


def is_directed(analysis: Analysis) -> bool:
    """Say whether it is known which score is better."""
    return analysis.history.competition.greater_is_better is not None


def score_axis(analysis: Analysis) -> str:
    """Return the name of the score, and which way it is better."""
    competition = analysis.history.competition
    name = competition.metric or "score"
    return f"{name} ({competition.better})" if competition.better else name


def values(items: Sequence[float | None]) -> FloatArray:
    """Return numbers as an array; what is None is nan."""
    return np.array([np.nan if value is None else value for value in items])
