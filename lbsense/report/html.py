"""A page of blocks as one self-contained HTML file, its pictures as SVG beside them."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import math
import textwrap
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from lbsense._format import (
    VERDICT_SIGNS,
    clean_text,
    decimals_shown,
    format_fixed,
    shorten,
)
from lbsense.analysis import Analysis, Step
from lbsense.plots import PALETTES, SVG_STYLE, draw_plot, draw_svg, palette_css
from lbsense.report.blocks import Cell, Figure, Page, Table
from lbsense.words import verdict_label

if TYPE_CHECKING:
    from matplotlib.figure import Figure as MplFigure

_LOADER = PackageLoader("lbsense.report")
# Pixels of the two drawings of each figure; page.css shows one of them.
_WIDE, _NARROW = 680, 348
_LONG, _PAGE = 1000, 200  # rows from which a table has pages, and those of one page


def html_page(page: Page, analysis: Analysis | None, *, version: str) -> str:
    """Return the page as HTML. Text of the entrant is escaped and inert."""
    environment = Environment(
        loader=_LOADER,
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_inert,
    )
    steps = () if analysis is None else analysis.steps
    counts = Counter(step.verdict for step in steps)
    script = _part("page.js")
    html = environment.get_template("page.html.j2").render(
        page=page,
        signs=VERDICT_SIGNS,
        steps=next(
            (
                block
                for section in page.sections
                for block in section.blocks
                if isinstance(block, Table) and block.interactive
            ),
            None,
        ),
        kinds=counts.most_common(),
        rest=_rest,
        page_size=_PAGE,
        figures={
            name: Markup(drawn) for name, drawn in pictures(page, analysis).items()
        },
        light=Markup(f":root{{{palette_css('light')}}}"),
        dark=Markup(palette_css("dark")),
        plot_style=Markup(SVG_STYLE),
        style=Markup(_part("page.css")),
        script=Markup(script),
        digest=Markup(_digest(f"\n{script}\n")),
        version=version,
    )
    return html.strip() + "\n"


def _rest(table: Table) -> Markup | None:
    """Return the rows of a long table after its first page, as JSON for the script."""
    if not table.interactive or len(table.rows) <= _LONG:
        return None
    numeric = [column.numeric for column in table.columns]
    found = {
        "signs": VERDICT_SIGNS,
        "numeric": numeric,
        "rows": [
            [_packed(cell, sorts) for cell, sorts in zip(row, numeric, strict=True)]
            for row in table.rows[_PAGE:]
        ],
    }
    text = json.dumps(found, ensure_ascii=False, separators=(",", ":"))
    for sign in "<>&":  # no text ends the element that it stands in
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return Markup(text)


def _packed(cell: Cell, numeric: bool) -> str | list[object]:
    """Return a cell: its text, and what cannot be told from it."""
    text, order = clean_text(cell.text), cell.order
    if order is not None and numeric and _number(text) == order:
        order = None  # the script reads it off the text
    if order is not None:
        order = float(f"{order:.6g}") if math.isfinite(order) else None
    packed: list[object] = [
        text, order, clean_text(cell.note), clean_text(cell.details), cell.kind
    ]  # fmt: skip
    while len(packed) > 1 and not packed[-1] and packed[-1] != 0:
        packed.pop()
    return text if len(packed) == 1 else packed


def _number(text: str) -> float:
    try:
        return float(text.lstrip("#+"))
    except ValueError:
        return math.nan


def _inert(value: object) -> object:
    """Return text without control and direction characters; markup as it is."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return clean_text(value)
    return value


def _part(name: str) -> str:
    source, _, _ = _LOADER.get_source(Environment(autoescape=True), name)
    return source.strip()


def _digest(script: str) -> str:
    """Return the one script that the page lets run, by its digest."""
    found = hashlib.sha256(script.encode()).digest()
    return f"sha256-{base64.b64encode(found).decode()}"


def pictures(page: Page, analysis: Analysis | None) -> dict[str, str]:
    """Return the figures of a page by name: each drawn wide, and for a phone."""
    told = _facts(() if analysis is None else analysis.steps)

    def drawn(figure: Figure, width: int) -> str:
        return draw_svg(figure.scene, width=width, tell=told.__getitem__)

    if len(told) > _LONG:  # one drawing of so many points for all screens
        return {figure.name: drawn(figure, _WIDE) for figure in page.figures()}
    return {
        figure.name: "".join(
            f'<div class="on-{kind}">{drawn(figure, width)}</div>'
            for kind, width in (("wide", _WIDE), ("narrow", _NARROW))
        )
        for figure in page.figures()
    }


def _facts(steps: Sequence[Step]) -> list[str]:
    """Return what a point says by itself; the row of its submission says the rest."""
    public = [step.public_score for step in steps]
    decimals = decimals_shown(score for score in public if score is not None)
    return [
        f"#{at + 1} {verdict_label(step)} {format_fixed(score, decimals=decimals)}"
        for at, (step, score) in enumerate(zip(steps, public, strict=True))
    ]


def picture_png(figure: Figure) -> bytes:
    """Return one figure as a PNG."""
    return _png(cast("MplFigure", draw_plot(figure.scene).figure), dpi=150)


def share_png(page: Page) -> bytes:
    """Return title, answer and picture of a page as a PNG of 1200 x 630 pixels."""
    from matplotlib.figure import Figure as NewFigure

    colours = PALETTES["light"]
    drawn = NewFigure(figsize=(12, 6.3), facecolor=colours["surface"])
    title, lead = shorten(page.title, 60), textwrap.wrap(page.headline, 92)[:3]
    texts = [(0.925, title, 24, "bold"), *_lines(0.845, lead)]
    texts.append((0.02, "made with lbsense", 11, "normal"))
    for y, text, size, weight in texts:
        drawn.text(
            0.04, y, text, size=size, weight=weight, color=colours["ink"],
            parse_math=False, va="center",
        )  # fmt: skip
    if page.figure is not None:
        top = 0.845 - 0.055 * len(lead)
        names = page.figure.scene.y.names
        left = 0.085 if not names else 0.04 + 0.0066 * max(map(len, names))
        ax = drawn.add_axes((left, 0.275, 0.965 - left, top - 0.275))
        scene = replace(page.figure.scene, title="", remark="", columns=5)
        draw_plot(scene, ax)
    return _png(drawn, dpi=100)


def _lines(top: float, texts: Sequence[str]) -> Iterator[tuple[float, str, int, str]]:
    for row, text in enumerate(texts):
        yield top - 0.055 * row, text, 16, "normal"


def _png(drawn: MplFigure, *, dpi: int) -> bytes:
    stream = io.BytesIO()
    with warnings.catch_warnings():
        # A script that the font does not know is no news for the reader.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        drawn.savefig(stream, format="png", dpi=dpi, metadata={"Software": None})
    return stream.getvalue()
