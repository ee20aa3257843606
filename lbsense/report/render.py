"""`write_report`: an analysis in, a page or a document out."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Literal, TypeAlias, get_args

from lbsense._files import is_input, replace_file
from lbsense._format import shorten
from lbsense._validation import check_kind
from lbsense._version import __version__
from lbsense.analysis import Analysis, BoardAnalysis, Comparison, FieldAnalysis
from lbsense.checks import Findings, run_checks
from lbsense.ingest import input_files
from lbsense.model import InputFile
from lbsense.report.blocks import Page
from lbsense.report.board import board_page, field_page
from lbsense.report.compare import compare_page
from lbsense.report.documents import DOCUMENTS, document, render_markdown
from lbsense.report.page import build_page

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
        from lbsense.report.html import share_png

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
            return field_page(analysis)
        if isinstance(analysis, Comparison):
            return compare_page(analysis, files, title=title)
        return board_page(analysis, files)
    checked = findings if findings is not None else run_checks(analysis)
    if chosen in DOCUMENTS:
        return document(chosen, analysis, checked, sources=files)
    return build_page(analysis, checked, files, title=title, board=board)


def _shown(
    page: Page,
    analysis: Analysis | BoardAnalysis | FieldAnalysis | Comparison,
    chosen: ReportFormat,
    figures: str | None,
) -> str:
    if chosen == "markdown":
        return render_markdown("page", page=page, figures=figures, version=__version__)
    from lbsense.report.html import html_page  # matplotlib and jinja2

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
    from lbsense.report.html import picture_png

    folder.mkdir(exist_ok=True)
    for figure in page.figures():
        tell(f"Drawing {figure.name.replace('_', ' ')}")
        replace_file(picture_png(figure), folder / f"{figure.name}.png")


def _silently(_: str) -> None:
    """Tell nobody."""
