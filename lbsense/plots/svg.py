"""Scenes as SVG: small, in the colours of the page, drawn for the width they have.

Nothing here needs matplotlib, which takes longer to load than a page to be written.
"""

from __future__ import annotations

import html
import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from lbsense._format import clean_text, shorten
from lbsense._typing import FloatArray
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

_FONT = 12.0
_NARROW = 480  # from this width on names stand at the side and not above their rows
#: Points of a picture that lead to their rows; of more only the marks are drawn.
MOST_LINKS = 1500
_DEPTHS = 8  # shades of a map
_GLYPH, _GAP, _ROW = 18.0, 14.0, 17.0  # of the legend
_THIN, _FAT = frozenset("iljtfrI.,:;'|()[]!1 "), frozenset("mwMW@%#")
# Corners of each marker about its middle, as far as the radius of a circle.
_CORNERS: dict[str, tuple[tuple[float, float], ...]] = {
    "^": ((0, -1.05), (1, 0.8), (-1, 0.8)),
    "v": ((0, 1.05), (1, -0.8), (-1, -0.8)),
    "s": ((-0.85, -0.85), (0.85, -0.85), (0.85, 0.85), (-0.85, 0.85)),
    "D": ((0, -1.1), (1.1, 0), (0, 1.1), (-1.1, 0)),
    "d": ((0, -1.25), (0.75, 0), (0, 1.25), (-0.75, 0)),
    "p": tuple(
        (math.sin(2 * math.pi * k / 5), -math.cos(2 * math.pi * k / 5))
        for k in range(5)
    ),
    "P": (
        (-0.4, -1), (0.4, -1), (0.4, -0.4), (1, -0.4), (1, 0.4), (0.4, 0.4),
        (0.4, 1), (-0.4, 1), (-0.4, 0.4), (-1, 0.4), (-1, -0.4), (-0.4, -0.4),
    ),
    "X": (
        (-1, -0.55), (-0.55, -1), (0, -0.45), (0.55, -1), (1, -0.55), (0.45, 0),
        (1, 0.55), (0.55, 1), (0, 0.45), (-0.55, 1), (-1, 0.55), (-0.45, 0),
    ),
}  # fmt: skip

#: Styles of the classes that the pictures use; colours come from `palette_css`.
SVG_STYLE = (
    ".plot text{font:12px system-ui,'Segoe UI',Roboto,Arial,sans-serif;"
    "fill:var(--plot-ink)}"
    ".plot .t{font-weight:600;font-size:13px}"
    ".plot .k{fill:var(--plot-muted);font-size:11.5px}"
    ".plot .e{text-anchor:end}.plot .m{text-anchor:middle}"
    ".plot .g{stroke:var(--plot-grid);fill:none}"
    ".plot .a{stroke:var(--plot-muted);fill:none}"
    ".plot .f{fill:var(--c);stroke:var(--plot-surface);stroke-width:.6}"
    ".plot .h{fill:var(--plot-surface);stroke:var(--c);stroke-width:1.4}"
    ".plot .l{fill:none;stroke:var(--c);stroke-width:1.5}"
    ".plot .b{fill:var(--c)}"
)


def palette_css(theme: Theme) -> str:
    """Return the colours of a theme as CSS custom properties."""
    return "".join(f"--plot-{role}:{code};" for role, code in PALETTES[theme].items())


def draw_svg(
    scene: Scene,
    *,
    width: int = 680,
    tell: Callable[[int], str] | None = None,
) -> str:
    """Return a scene as an element of a page, drawn for so many pixels.

    Parameters
    ----------
    scene : Scene
        What to draw.
    width : int
        Pixels; on a narrow one names stand above their rows.
    tell : callable, optional
        Takes the position of a submission and returns what its points say. With it
        every point is a link to ``#sN``, N counted from 1.

    Returns
    -------
    str
        An ``svg`` element whose classes `SVG_STYLE` describes.
    """
    return _Drawing(scene, width, tell).element()


def _n(value: float) -> str:
    """Return a coordinate in as few characters as can be seen."""
    text = f"{value:.1f}"
    return text[:-2] if text.endswith(".0") else text


def _escape(text: str) -> str:
    return html.escape(clean_text(text), quote=True)


def _width(text: str, size: float = _FONT) -> float:
    """Return about how wide a text is: a bit more than in common fonts."""
    return size * sum(
        0.38 if letter in _THIN else 0.98 if letter in _FAT
        else 0.74 if letter.isupper() else 1.0 if ord(letter) > 0x2E80 else 0.63
        for letter in text
    )  # fmt: skip


def _fit(text: str, room: float) -> str:
    """Return a text cut to the room that it has."""
    text = clean_text(text)
    length = len(text)
    while length > 4 and _width(shorten(text, length)) > room:
        length -= 1
    return shorten(text, length) if length < len(text) else text


def _wrap(text: str, room: float) -> list[str]:
    """Return a text on as many lines as it needs."""
    lines: list[str] = []
    for word in clean_text(text).split():
        joined = f"{lines[-1]} {word}" if lines else word
        if lines and _width(joined) > room:
            lines.append(word)
        else:
            lines[-1:] = [joined]
    return [_fit(line, room) for line in lines]


@dataclass(slots=True)
class _Scale:
    """Where the values of an axis lie, and which are marked."""

    axis: Axis
    start: float
    end: float

    def at(self, values: FloatArray | float) -> FloatArray:
        low, high = self.axis.limits
        found = np.asarray(values, dtype=float)
        if self.axis.kind == "log":
            low, high, found = math.log(low), math.log(high), np.log(found)
        share = (found - low) / ((high - low) or 1.0)
        return np.asarray(self.start + share * (self.end - self.start))

    def ticks(self, most: int) -> list[tuple[float, str]]:
        """Return values that are marked, and what stands at them."""
        low, high = sorted(self.axis.limits)
        match self.axis.kind:
            case "names":
                return [(float(i), name) for i, name in enumerate(self.axis.names)]
            case "share":
                shares = (0, 0.25, 0.5, 0.75, 1)
                return [(x, f"{x:.0%}") for x in shares if low <= x <= high]
            case "log":
                return _log_ticks(low, high, most)
            case "count":
                step = float(math.ceil(_step(low, high, most)))
            case _:
                step = _step(low, high, most)
        decimals = max(0, -math.floor(math.log10(step) + 1e-9))
        if round(step * 10**decimals, 6) % 1:
            decimals += 1
        low, high = max(low, self.axis.marked[0]), min(high, self.axis.marked[1])
        first = math.ceil(low / step - 1e-9)
        values = [step * k for k in range(first, math.floor(high / step + 1e-9) + 1)]
        if abs(high) >= 1e7:
            return [(value, f"{value:.6g}") for value in values]
        return [(value, f"{value:z.{decimals}f}") for value in values]


def _step(low: float, high: float, most: int) -> float:
    """Return the smallest round step with at most so many ticks."""
    rough = (high - low) / max(most, 1) or 1.0
    power = 10.0 ** math.floor(math.log10(rough))
    return next(
        (k * power for k in (1, 2, 2.5, 5) if k * power >= rough * (1 - 1e-9)),
        10 * power,
    )


def _log_ticks(low: float, high: float, most: int) -> list[tuple[float, str]]:
    """Return round values that are even on a logarithmic axis, as many as fit."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    values: list[float] = []
    for parts in ((1, 2, 5), (1, 3), (1,)):
        values = [float(f"{k}e{p}") for p in powers for k in parts]
        values = [value for value in values if low <= value <= high]
        if len(values) <= most:
            break
    return [(value, f"{value:g}") for value in values[:: -(-len(values) // most) or 1]]


class _Drawing:
    """One scene on its way to SVG."""

    def __init__(
        self,
        scene: Scene,
        width: int,
        tell: Callable[[int], str] | None,
    ) -> None:
        self.scene, self.width, self.tell = scene, width, tell
        self.narrow = width < _NARROW
        self.named = scene.y.kind == "names" and not self.map
        self.above = self.narrow and self.named
        points = [mark for mark in scene.marks if isinstance(mark, Points)]
        # Of so many points those that cover each other are drawn once.
        self.dense = sum(len(mark.of) for mark in points) > MOST_LINKS
        if self.dense:
            self.tell = None

    @property
    def map(self) -> bool:
        return any(isinstance(mark, Cells) for mark in self.scene.marks)

    def element(self) -> str:
        """Return the whole element."""
        body = "".join(self._body())
        by_column = self.scene.x.kind == "count" and self.scene.y.kind == "linear"
        found = ' data-by="x"' if by_column and self.tell else ""
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" class="plot" role="group"{found} '
            f'viewBox="0 0 {self.width} {_n(self.height)}" '
            f'aria-label="{_escape(self.scene.title)}">{body}</svg>'
        )

    def _body(self) -> Iterator[str]:
        scene = self.scene
        y = 0.0
        for line in _wrap(scene.title, self.width):
            y += 16
            yield f'<text class="t" y="{_n(y - 3)}">{_escape(line)}</text>'
        for line in _wrap(scene.remark, self.width) if scene.remark else []:
            y += 15
            yield f'<text class="k" y="{_n(y - 3)}">{_escape(line)}</text>'
        if scene.y.label and not self.map:
            y += 17
            label = _escape(_fit(scene.y.label, self.width))
            yield f'<text y="{_n(y - 2)}">{label}</text>'
        top = y + 8
        left, height = self._margin(), self._plot_height()
        right = self.width - (_GLYPH if scene.x.kind != "share" else 2)
        self.box = left, top, right, top + height
        self.x = _Scale(scene.x, left, right)
        self.y = _Scale(scene.y, top + height, top)
        yield from self._axes()
        back = "".join(self._marks(points=False))
        if back:
            yield (
                f'<svg x="{_n(left)}" y="{_n(top)}" width="{_n(right - left)}" '
                f'height="{_n(height)}" viewBox="{_n(left)} {_n(top)} '
                f'{_n(right - left)} {_n(height)}">{back}</svg>'
            )
        yield from self._marks(points=True)
        y = top + height + 18
        middle = _n(self.width / 2 if self.narrow else (left + right) / 2)
        for line in _wrap(scene.x.label, self.width if self.narrow else right - left):
            y += 15
            yield f'<text class="m" x="{middle}" y="{_n(y)}">{_escape(line)}</text>'
        yield from self._legend(y + 8)

    def _margin(self) -> float:
        if self.above:
            return 8.0
        if self.scene.y.kind == "names":
            longest = max((_width(name) for name in self.scene.y.names), default=0.0)
            return min(longest + 10, (0.36 if self.narrow else 0.33) * self.width)
        ticks = _Scale(self.scene.y, 0, 1).ticks(6)
        return max((_width(text) for _, text in ticks), default=0.0) + 10

    def _plot_height(self) -> float:
        if self.named:
            return len(self.scene.y.names) * (30.0 if self.above else 22.0) + 8
        if self.map:
            return self.width - self._margin() - _GLYPH
        if self.scene.square:
            return 0.8 * self.width if self.narrow else 0.5 * self.width
        return 0.66 * self.width if self.narrow else 0.4 * self.width

    def _axes(self) -> Iterator[str]:
        left, top, right, bottom = self.box
        room = right - left
        widest = max((_width(t) for _, t in self.x.ticks(6)), default=1.0)
        ticks = self.x.ticks(max(2, min(10, int(room / (1.5 * widest + 12)))))
        if self.map:
            ticks = []
        grid, texts = "", []
        for value, text in ticks:
            at = float(self.x.at(value))
            if self.scene.x.kind == "linear" and self.named:
                grid += f"M{_n(at)} {_n(top)}V{_n(bottom)}"
            else:
                grid += f"M{_n(at)} {_n(bottom)}v4"
            texts.append(
                f'<text class="k m" x="{_n(at)}" y="{_n(bottom + 16)}">{text}</text>'
            )
        rows = self.y.ticks(6)
        every = -(-len(rows) * 15 // int(bottom - top)) or 1 if self.map else 1
        for value, text in rows[::every]:
            at = float(self.y.at(value))
            if self.above:
                told = _escape(_fit(text, room))
                texts.append(f'<text x="{_n(left)}" y="{_n(at - 7)}">{told}</text>')
                continue
            if not self.named and not self.map:
                grid += f"M{_n(left)} {_n(at)}H{_n(right)}"
            told = _escape(_fit(text, left - 8))
            texts.append(
                f'<text class="{"e" if self.named or self.map else "k e"}" '
                f'x="{_n(left - 6)}" y="{_n(at + 4)}">{told}</text>'
            )
        if grid:
            yield f'<path class="g" d="{grid}"/>'
        if not self.map:
            frame = f"M{_n(left)} {_n(top)}V{_n(bottom)}H{_n(right)}"
            yield f'<path class="a" d="{frame}"/>'
        yield from texts

    def _marks(self, *, points: bool) -> Iterator[str]:
        for mark in self.scene.marks:
            if isinstance(mark, Points | Texts) == points:
                yield from self._mark(mark)

    def _mark(self, mark: Mark) -> Iterator[str]:
        left, top, right, bottom = self.box
        match mark:
            case Points():
                yield self._points(mark)
            case Line():
                yield _path("l", mark.role, self._line(mark), mark.width, mark.dash)
            case Segments(x=(x0, x1), y=(y0, y1)):
                ends = [self.x.at(x0), self.y.at(y0), self.x.at(x1), self.y.at(y1)]
                if self.dense:
                    ends = [np.round(end) for end in ends]
                pieces = dict.fromkeys(
                    f"M{_n(a)} {_n(b)}" + (f"V{_n(e)}" if a == c else f"H{_n(c)}")
                    for a, b, c, e in zip(*ends, strict=True)
                )
                d = "".join(pieces)
                yield _path("l", mark.role, d, mark.width)
            case Rule(upright=True):
                d = f"M{_n(float(self.x.at(mark.at)))} {_n(top)}V{_n(bottom)}"
                yield _path("l", mark.role, d, mark.width)
            case Rule():
                d = f"M{_n(left)} {_n(float(self.y.at(mark.at)))}H{_n(right)}"
                yield _path("l", mark.role, d, mark.width)
            case Span():
                low, high = float(self.y.at(mark.low)), float(self.y.at(mark.high))
                d = f"M{_n(left)} {_n(high)}H{_n(right)}V{_n(low)}H{_n(left)}z"
                yield _path("b", mark.role, d)
            case Bars():
                yield _path("h" if mark.faint else "f", mark.role, self._bars(mark))
            case Texts():
                yield from self._texts(mark)
            case Cells():
                yield from self._cells(mark)

    def _line(self, mark: Line) -> str:
        d, last = "", ""
        for x, y in zip(self.x.at(mark.x), self.y.at(mark.y), strict=True):
            if not (math.isfinite(x) and math.isfinite(y)):
                last = ""
                continue
            told = _n(y)
            if not last:
                d += f"M{_n(x)} {told}"
            elif not mark.stairs:
                d += f"L{_n(x)} {told}"
            elif told != last:
                d += f"H{_n(x)}V{told}"
            last = told
        if mark.stairs and last:
            d += f"H{_n(float(self.x.at(mark.x[-1])))}"
        return d

    def _bars(self, mark: Bars) -> str:
        x0, x1 = self.x.at(mark.x), self.x.at(mark.x + mark.width)
        y0, y1 = self.y.at(mark.y), self.y.at(mark.y + mark.height)
        return "".join(
            f"M{_n(a)} {_n(c)}H{_n(b)}V{_n(d)}H{_n(a)}z"
            for a, b, c, d in zip(x0, x1, y0, y1, strict=True)
        )

    def _texts(self, mark: Texts) -> Iterator[str]:
        _, _, right, _ = self.box
        for x, y, words in zip(
            self.x.at(mark.x), self.y.at(mark.y), mark.words, strict=True
        ):
            told = _escape(_fit(words, right - float(x)))
            yield f'<text x="{_n(x)}" y="{_n(y + 4)}">{told}</text>'

    def _cells(self, mark: Cells) -> Iterator[str]:
        """Yield one path for each shade."""
        left, top, right, bottom = self.box
        count = len(mark.values)
        side = (right - left) / count, (bottom - top) / count
        depth = np.nan_to_num((mark.values - mark.low) / (1 - mark.low))
        shade = np.clip((depth * _DEPTHS).astype(int), 0, _DEPTHS - 1)
        for level in range(_DEPTHS):
            d = "".join(
                f"M{_n(left + c * side[0])} {_n(top + r * side[1])}"
                f"h{_n(side[0])}v{_n(side[1])}h-{_n(side[0])}z"
                for r, c in np.argwhere(shade == level)
            )
            if d:
                told = (level + 0.5) / _DEPTHS
                yield (
                    f'<path class="b" style="--c:var(--plot-{mark.role});'
                    f'fill-opacity:{told:.2f}" d="{d}"/>'
                )

    def _points(self, mark: Points) -> str:
        radius = math.sqrt(mark.size) / 2 * 1.18
        kind = _kind(mark)
        places = list(zip(self.x.at(mark.x), self.y.at(mark.y), strict=True))
        if self.tell is None or not len(mark.of):
            if self.dense:
                places = list(dict.fromkeys((round(x), round(y)) for x, y in places))
                if kind == "f" and mark.marker == "o":  # dots of a pen: a fifth as long
                    d = "".join(f"M{x} {y}h0" for x, y in places)
                    dots = f"stroke-width:{_n(2 * radius)};stroke-linecap:round"
                    style = f"--c:var(--plot-{mark.role});{dots}"
                    return f'<path class="l" style="{style}" d="{d}"/>'
            d = "".join(_outline(mark.marker, x, y, radius) for x, y in places)
            # Without borders: those of one point would cover another of the same path.
            merged = "b" if kind == "f" else kind
            return _path(merged, mark.role, d, _stroke(mark))
        links = "".join(
            f'<a href="#s{at + 1}"><title>{_escape(self.tell(at))}</title>'
            f'<path d="{_outline(mark.marker, x, y, radius)}"/></a>'
            for (x, y), at in zip(places, mark.of, strict=True)
        )
        return (
            f'<g class="{kind}" style="--c:var(--plot-{mark.role})'
            f'{_width_css(_stroke(mark))}">{links}</g>'
        )

    def _legend(self, y: float) -> Iterator[str]:
        """Yield the legend, line by line as it fits, and set the height."""
        x = 0.0
        told = [mark for mark in self.scene.marks if getattr(mark, "label", "")]
        y += 12
        for mark in told:
            if isinstance(mark, Cells):
                yield from self._depths(mark, y)
                continue
            name = _fit(mark.label, self.width - _GLYPH - 6)  # type: ignore[union-attr]
            taken = _GLYPH + 6 + _width(name)
            if x and x + taken > self.width:
                x, y = 0.0, y + _ROW
            yield from _glyph(mark, x + _GLYPH / 2, y - 4)
            yield f'<text x="{_n(x + _GLYPH + 5)}" y="{_n(y)}">{_escape(name)}</text>'
            x += taken + _GAP
        self.height = y + 8

    def _depths(self, mark: Cells, y: float) -> Iterator[str]:
        """Yield what the shades of a map mean."""
        name = f"{mark.label}: {mark.low:.2g}"
        yield f'<text y="{_n(y)}">{_escape(name)}</text>'
        x = _width(name) + 6
        for level in range(_DEPTHS):
            yield (
                f'<path class="b" style="--c:var(--plot-{mark.role});fill-opacity:'
                f'{(level + 0.5) / _DEPTHS:.2f}" d="M{_n(x + 14 * level)} {_n(y - 10)}'
                'h14v12h-14z"/>'
            )
        yield f'<text x="{_n(x + 14 * _DEPTHS + 6)}" y="{_n(y)}">1</text>'


def _kind(mark: Points) -> str:
    if mark.marker in ("_", "|", "ring"):
        return "l"
    return "h" if mark.hollow else "f"


def _stroke(mark: Points) -> float | None:
    return 2.2 if mark.marker in "_|" else 1.7 if mark.marker == "ring" else None


def _width_css(width: float | None) -> str:
    return "" if width is None or width == 1.5 else f";stroke-width:{width:g}"


def _path(
    kind: str,
    role: str,
    d: str,
    width: float | None = None,
    dash: Sequence[float] | None = None,
) -> str:
    if not d:
        return ""
    dashes = f";stroke-dasharray:{dash[0]:g} {dash[1]:g}" if dash else ""
    style = f"--c:var(--plot-{role}){_width_css(width)}{dashes}"
    return f'<path class="{kind}" style="{style}" d="{d}"/>'


def _outline(marker: str, x: float, y: float, radius: float) -> str:
    """Return the outline of a marker about a point."""
    if marker in ("o", "ring"):
        r = _n(radius)
        half, whole = f"a{r} {r} 0 1 0", _n(2 * radius)
        return f"M{_n(x - radius)} {_n(y)}{half} {whole} 0{half}-{whole} 0z"
    if marker == "_":
        return f"M{_n(x - radius)} {_n(y)}h{_n(2 * radius)}"
    if marker == "|":
        return f"M{_n(x)} {_n(y - radius)}v{_n(2 * radius)}"
    corners = [(radius * a, radius * b) for a, b in _CORNERS[marker]]
    steps = "".join(
        f"l{_n(c - a)} {_n(d - b)}" for (a, b), (c, d) in itertools.pairwise(corners)
    )
    return f"M{_n(x + corners[0][0])} {_n(y + corners[0][1])}{steps}z"


def _glyph(mark: Mark, x: float, y: float) -> Iterator[str]:
    """Yield how a mark looks in the legend."""
    match mark:
        case Points():
            radius = min(5.0, math.sqrt(mark.size) / 2 * 1.18)
            d = _outline(mark.marker, x, y, radius)
            yield _path(_kind(mark), mark.role, d, _stroke(mark))
        case Segments() if mark.x[0][0] == mark.x[1][0]:
            d = f"M{_n(x)} {_n(y - 7)}v14"
            yield _path("l", mark.role, d, mark.width)
        case Line() | Segments() | Rule():
            d = f"M{_n(x - 9)} {_n(y)}h18"
            if isinstance(mark, Rule) and mark.upright:
                d = f"M{_n(x)} {_n(y - 7)}v14"
            yield _path("l", mark.role, d, mark.width, getattr(mark, "dash", None))
        case Span() | Bars():
            kind = "b" if isinstance(mark, Span) else "h" if mark.faint else "f"
            yield _path(kind, mark.role, f"M{_n(x - 8)} {_n(y - 5)}h16v10h-16z")
