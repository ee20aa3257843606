"""`write_report`: an analysis in, a self-contained page or a document out."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import math
import os
import textwrap
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias, cast, get_args

from markupsafe import Markup

from lbsense._codes import VERDICT_SIGNS
from lbsense._files import is_input, replace_file
from lbsense._format import (
    clean_text,
    decimals_shown,
    format_fixed,
    shorten,
)
from lbsense._validation import check_kind
from lbsense._version import __version__
from lbsense.analysis import Analysis, BoardAnalysis, Comparison, FieldAnalysis, Step
from lbsense.checks import Findings, run_checks
from lbsense.ingest import input_files
from lbsense.model import InputFile
from lbsense.plots import PALETTES, SVG_STYLE, draw_plot, draw_svg, palette_css
from lbsense.report.board import board_page, board_section, compare_page, field_page
from lbsense.report.documents import (
    DOCUMENTS,
    document,
    render_markdown,
    templates,
)
from lbsense.report.page import Cell, Figure, Page, Table, build_page
from lbsense.words import verdict_label

if TYPE_CHECKING:
    from jinja2 import Environment
    from matplotlib.figure import Figure as MplFigure

ReportFormat: TypeAlias = Literal["html", "markdown", "kaggle", "zindi", "share"]

_SUFFIXES: dict[str, ReportFormat] = {
    ".html": "html",
    ".htm": "html",
    ".md": "markdown",
    ".markdown": "markdown",
    ".png": "share",
}
_Source: TypeAlias = str | os.PathLike[str] | InputFile


def render_report(
    analysis: Analysis | BoardAnalysis | FieldAnalysis | Comparison,
    *,
    findings: Findings | None = None,
    sources: Iterable[_Source] = (),
    format: ReportFormat = "html",  # noqa: A002  the name that users look for
    title: str | None = None,
    board: BoardAnalysis | None = None,
) -> str:
    """Return a report about a history, or a leaderboard, as text.

    Parameters
    ----------
    analysis : Analysis, BoardAnalysis, FieldAnalysis or Comparison
        What to report.
    findings : Findings, optional
        What `run_checks` found, by default without predictions.
    sources : iterable of path or InputFile
        Files that the history was read from: their digests are written into the
        report, so that it can be made again.
    format : {"html", "markdown", "kaggle", "zindi"}
        A page, the same as Markdown without its pictures, or the documentation that
        Kaggle asks of winners, or Zindi, with marked places for what scores cannot
        tell.
    title : str, optional
        Of the page; by default the name of the competition.
    board : BoardAnalysis, optional
        The leaderboard of the competition, for a section of the history's page.

    Returns
    -------
    str
        The same for the same inputs and versions. Texts of the entrant are escaped.

    Raises
    ------
    ValueError
        If the format is not one of these.
    IngestError
        If a source cannot be read.

    Examples
    --------
    >>> import lbsense as lb
    >>> scores = [{"publicScore": score} for score in (0.70, 0.72, 0.71)]
    >>> analysis = lb.analyze(lb.read_submissions(scores, metric="roc_auc"))
    >>> render_report(analysis, format="markdown").splitlines()[0]
    '# Submission history'
    """
    if format not in get_args(ReportFormat):
        known = ", ".join(get_args(ReportFormat))
        msg = f"format must be one of {known}, got {format!r}."
        raise ValueError(msg)
    if format == "share":
        msg = "The picture to share is no text: write_report(analysis, 'share.png')."
        raise ValueError(msg)
    _check_kinds(analysis, findings, sources)
    page = _page(analysis, findings, sources, title, board, format)
    return page if isinstance(page, str) else _shown(page, analysis, format, None)


def write_report(
    analysis: Analysis | BoardAnalysis | FieldAnalysis | Comparison,
    path: str | os.PathLike[str],
    *,
    findings: Findings | None = None,
    sources: Iterable[_Source] = (),
    format: ReportFormat | None = None,  # noqa: A002
    title: str | None = None,
    board: BoardAnalysis | None = None,
    progress: Callable[[str], None] | None = None,
) -> Path:
    """Write a report about a history, or a leaderboard, to a file.

    Parameters
    ----------
    analysis : Analysis, BoardAnalysis, FieldAnalysis or Comparison
        What to report.
    path : path
        File to write: a page, Markdown, or one picture of 1200 x 630 pixels to share,
        with title, answer and the course of scores. A Markdown report puts its
        pictures into a folder beside it, named as the file with ``_files``.
    findings, sources
        As in `render_report`.
    format : {"html", "markdown", "kaggle", "zindi", "share"}, optional
        By default as the suffix of the path says: ``.html``, ``.md`` or ``.png``.
    title : str, optional
        Of the page; by default the name of the competition.
    board : BoardAnalysis, optional
        The leaderboard of the competition, for a section of the history's page.
    progress : callable, optional
        Called with a few words before each part of the work.

    Returns
    -------
    Path
        The file that was written.

    Raises
    ------
    ValueError
        If the suffix does not tell the format and none is given, or the file is one
        of the sources.
    OSError
        If the file cannot be written; what was there before is there still.

    See Also
    --------
    render_report : The same as text.
    """
    _check_kinds(analysis, findings, sources)
    if not isinstance(path, str | os.PathLike):
        msg = f"path must be a path, got {type(path).__name__} {path!r}."
        raise TypeError(msg)
    target = Path(path)
    sources = tuple(sources)
    chosen = format or _SUFFIXES.get(target.suffix.lower())
    if chosen is None:
        msg = (
            f"{target}: the suffix must be .html, .md or .png to tell the format, or "
            "give format='html', 'markdown', 'kaggle', 'zindi' or 'share'."
        )
        raise ValueError(msg)
    paths = [item for item in sources if not isinstance(item, InputFile)]
    figures = target.with_name(f"{target.stem}_files") if chosen == "markdown" else None
    for written in (target, *(figures.glob("*.png") if figures else ())):
        if is_input(written, paths):
            msg = f"{written} is one of the sources. Choose another file."
            raise ValueError(msg)
    tell = progress or _silently
    tell("Checking the history")
    page = _page(analysis, findings, sources, title, board, chosen)
    if isinstance(page, str):
        replace_file(page, target)
        return target
    if figures is not None:
        _write_pictures(page, figures, tell)
    tell("Writing the report")
    if chosen == "share":
        replace_file(share_png(page), target)
        return target
    name = None if figures is None else figures.name
    replace_file(_shown(page, analysis, chosen, name), target)
    return target


def _page(
    analysis: Analysis | BoardAnalysis | FieldAnalysis | Comparison,
    findings: Findings | None,
    sources: Iterable[_Source],
    title: str | None,
    board: BoardAnalysis | None,
    chosen: ReportFormat,
) -> Page | str:
    """Return the page that is to be shown, or a document as it is."""
    files = tuple(_fingerprints(sources))
    if not isinstance(analysis, Analysis):
        if chosen in DOCUMENTS:
            msg = f"format {chosen!r} is of one history."
            raise ValueError(msg)
        if isinstance(analysis, FieldAnalysis):
            return field_page(analysis, title=title)
        if isinstance(analysis, Comparison):
            return compare_page(analysis, files, title=title)
        return board_page(analysis, files, title=title)
    checked = findings if findings is not None else run_checks(analysis)
    if chosen in DOCUMENTS:
        return document(chosen, analysis, checked, sources=files)
    section = None if board is None else board_section(board)
    return build_page(analysis, checked, files, title=title, board=section)


def _shown(
    page: Page,
    analysis: Analysis | BoardAnalysis | FieldAnalysis | Comparison,
    chosen: ReportFormat,
    figures: str | None,
) -> str:
    if chosen == "markdown":
        return render_markdown("page", page=page, figures=figures, version=__version__)
    history = analysis if isinstance(analysis, Analysis) else None
    return html_page(page, history, version=__version__)


def _check_kinds(analysis: object, findings: object, sources: object) -> None:
    if not isinstance(analysis, (BoardAnalysis, FieldAnalysis, Comparison)):
        check_kind(analysis, Analysis, name="analysis")
    check_kind(findings, Findings, name="findings", optional=True)
    if isinstance(sources, (str, bytes, os.PathLike)) or not isinstance(
        sources, Iterable
    ):
        msg = f"sources must be a list of files, got {shorten(repr(sources), 60)}."
        raise TypeError(msg)


def _fingerprints(sources: Iterable[_Source]) -> Iterable[InputFile]:
    for source in sources:
        if isinstance(source, InputFile):
            yield source
        else:
            yield from input_files([source])


def _write_pictures(page: Page, folder: Path, tell: Callable[[str], None]) -> None:

    folder.mkdir(exist_ok=True)
    for figure in page.figures():
        tell(f"Drawing {figure.name.replace('_', ' ')}")
        replace_file(picture_png(figure), folder / f"{figure.name}.png")


def _silently(_: str) -> None:
    """Tell nobody."""


# Pixels of the two drawings of each figure; page.css shows one of them.
_WIDE, _NARROW = 680, 348
_LONG, _PAGE = 1000, 200  # rows from which a table has pages, and those of one page


def html_page(page: Page, analysis: Analysis | None, *, version: str) -> str:
    """Return the page as HTML. Text of the entrant is escaped and inert."""
    environment = templates(autoescape=True, finalize=_inert)
    script, style = (_part(environment, name) for name in ("page.js", "page.css"))
    steps = () if analysis is None else analysis.steps
    counts = Counter(step.verdict for step in steps)
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
        style=Markup(style),
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


def _part(environment: Environment, name: str) -> str:
    """Return what stands in the page as it is."""
    assert environment.loader is not None
    return environment.loader.get_source(environment, name)[0].strip()


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
