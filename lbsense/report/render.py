"""`write_report`: anything that was analysed in, its page or a document out."""

from __future__ import annotations

import io
import os
import textwrap
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias, cast, get_args

import numpy as np

from lbsense._files import is_input, replace_file
from lbsense._format import (
    clean_text,
    decimals_shown,
    format_fixed,
    format_number,
    format_probability,
    shorten,
)
from lbsense._validation import check_kind
from lbsense._version import __version__
from lbsense.analysis import Analysis, BoardAnalysis, Comparison, FieldAnalysis
from lbsense.checks import Findings, run_checks
from lbsense.ingest import input_files
from lbsense.model import InputFile
from lbsense.plots import BOARD_SCENES, PALETTES, compare_scene, draw_plot
from lbsense.report.documents import DOCUMENTS, document, html_page, render_markdown
from lbsense.report.page import (
    Block,
    Bullets,
    Cell,
    Figure,
    Page,
    Section,
    Table,
    build_page,
    file_table,
    numbers,
    row,
    texts,
)
from lbsense.words import COMPARE_METHODS, FIGURES, compare_caption, compare_title

if TYPE_CHECKING:
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


_MOST_ROWS = 60
_AROUND = 10  # teams shown on each side of the one that is asked about
_METHODS = (
    "Shake-up: mean absolute change of place as a share of the teams (BreakfastPirate "
    "2014); rank correlations of Spearman and of Kendall.",
    "Noise: differences of public and private scores at each level of the board, by "
    "medians, copies counted once (after Grubbs 1948).",
    "What noise alone gives: with both boards, teams of one level exchange how far "
    "they moved; else true scores behind the board by an EM deconvolution (Kiefer and "
    "Wolfowitz 1956), then fresh noise, draw by draw. Teams that share a submission "
    "move together.",
    "Places that hold for all teams at once: sets of ranks of Mogstad, Romano, Shaikh "
    "and Wilhelm (2024).",
    "Medals: Kaggle's numbers of medals by teams (kaggle.com/progression).",
)


def board_page(
    found: BoardAnalysis, sources: Sequence[InputFile], *, title: str | None = None
) -> Page:
    """Return the page of a leaderboard."""
    board = found.board
    told = dict(found.entries())
    first = [told[name] for name in ("Reveal", "Medals", "Two stages") if name in told]
    points = first or [told[name] for name in ("Expected", "Ladder")]
    figures = list(_figures(found))
    above = (told["Board"], *points)
    rest = [f"{k}: {v}" for k, v in found.entries() if v not in above]
    return Page(
        title=clean_text(title or board.competition.slug or "") or "Leaderboard",
        subject=told["Board"],
        headline=found.headline,
        points=points,
        figure=figures[0],
        inventory=(Section(key="board", title="The board", blocks=(Bullets(rest),)),),
        sections=(
            Section(key="pictures", title="Pictures", blocks=tuple(figures[1:])),
            Section(key="teams", title="Teams", blocks=(_teams(found),)),
            Section(
                key="methods",
                title="How each number was made",
                blocks=tuple(_provenance(found, sources)),
                quiet=True,
            ),
        ),
    )


def board_section(found: BoardAnalysis) -> Section:
    """Return what a board adds to the report of a history."""
    told = [f"{name}: {text}" for name, text in found.entries()]
    return Section(
        key="leaderboard",
        title="The whole leaderboard",
        blocks=(found.headline, Bullets(told), *_figures(found)),
    )


def _figures(found: BoardAnalysis) -> Iterator[Figure]:
    for name, (build, caption) in BOARD_SCENES.items():
        yield Figure(f"board_{name}", caption, build(found))


def _teams(found: BoardAnalysis) -> Table:
    frame = found.to_frame()
    shown = set(range(min(len(frame), _MOST_ROWS)))
    if found.standing:
        own = found.standing.position
        shown |= set(range(max(0, own - _AROUND), min(len(frame), own + _AROUND + 1)))
    decimals = decimals_shown(
        value for value in frame["public_score"] if np.isfinite(value)
    )
    rows = []
    for at in sorted(shown):
        team = frame.iloc[at]
        rows.append(
            row(
                Cell(f"{team.public_rank:g}", float(team.public_rank)),
                shorten(team.team_name, 40),
                Cell(format_fixed(team.public_score, decimals=decimals)),
                Cell(format_fixed(team.private_score, decimals=decimals)),
                f"{team.true_low:.0f} to {team.true_high:.0f}",
                f"{team.private_low:.0f} to {team.private_high:.0f}",
                Cell(str(team.group), float(team.group)),
                Cell(format_probability(team.p_gold), float(team.p_gold)),
                Cell(format_probability(team.p_bronze), float(team.p_bronze)),
            )
        )
    left = len(frame) - len(rows)
    more = f" {left:,} more are in the JSON." if left else ""
    return Table(
        name="teams",
        caption="The best teams: true place (95%), place after the reveal by the "
        f"public board alone (80%), step of the ladder, chances of medals.{more}",
        columns=[
            *numbers("Place"),
            *texts("Team"),
            *numbers("Public", "Private"),
            *texts("True place", "After the reveal"),
            *numbers("Step", "Gold", "Any medal"),
        ],
        rows=rows,
    )


def _provenance(found: BoardAnalysis, sources: Sequence[InputFile]) -> Iterator[Block]:
    yield Bullets(_METHODS)
    if found.board.issues:
        yield "Not understood, or not joined:"
        yield Bullets([str(issue) for issue in found.board.issues[:50]])
    yield from file_table(sources)


def field_page(found: FieldAnalysis, *, title: str | None = None) -> Page:
    """Return the page of many competitions."""
    told = found.entries()
    tables = []
    for by, part in found.groups.groupby("by", sort=False):
        rows = [
            row(
                shorten(str(group["group"]), 60),
                *(
                    Cell(format_number(group[name], digits=3), float(group[name]))
                    for name in _GROUP_COLUMNS
                ),
            )
            for group in part.to_dict("records")
        ]
        tables.append(
            Table(
                name=f"field_{by}",
                caption=f"By {str(by).replace('_', ' ')}: quartiles of the shake-up, "
                "median slope of private on public scores and median gap in standard "
                "deviations, over all submissions and over the best tenth.",
                columns=[*texts("Group"), *numbers(*_GROUP_COLUMNS.values())],
                rows=rows,
            )
        )
    return Page(
        title=clean_text(title or "") or "Finished competitions",
        subject=told[0][1],
        headline=found.headline,
        points=[f"{name}: {text}" for name, text in told[1:4]],
        figure=None,
        inventory=(),
        sections=(
            Section(
                key="told",
                title="What moved most, and least",
                blocks=(Bullets([f"{name}: {text}" for name, text in told]),),
            ),
            Section(key="groups", title="Groups", blocks=tuple(tables)),
        ),
    )


_GROUP_COLUMNS = {
    "n_competitions": "Competitions",
    "shake_up_25": "25%",
    "shake_up_50": "median",
    "shake_up_75": "75%",
    "slope": "slope",
    "slope_top": "slope, best",
    "gap": "gap",
    "gap_top": "gap, best",
}


def compare_page(
    found: Comparison, sources: Sequence[InputFile], *, title: str | None = None
) -> Page:
    """Return the page of a comparison."""
    headings, body = found.rows()
    told = [f"{name}: {text}" for name, text in found.entries()]
    lacks = found.reasons()
    return Page(
        title=clean_text(title or "") or compare_title(found.habits, found.portfolio),
        subject="; ".join(found.told()),
        headline=found.headline,
        points=told[:3],
        figure=Figure("comparison", compare_caption(), compare_scene(found)),
        inventory=(
            Section(key="told", title="In words", blocks=(Bullets(told[3:]),)),
            Section(
                key="missing",
                title="What is missing",
                blocks=(Bullets(lacks),) if lacks else ("Nothing.",),
            ),
        ),
        sections=(
            Section(
                key="numbers",
                title="The numbers",
                blocks=(
                    Table(
                        name="numbers",
                        caption=compare_caption(),
                        columns=[*texts(headings[0]), *numbers(*headings[1:])],
                        rows=[row(*map(Cell, cells)) for cells in body],
                    ),
                    Bullets([f"{f.title}: {f.meaning}" for f in FIGURES.values()]),
                ),
            ),
            Section(
                key="methods",
                title="How each number was made",
                blocks=(Bullets(COMPARE_METHODS), *file_table(sources)),
                quiet=True,
            ),
        ),
    )


def picture_png(figure: Figure) -> bytes:
    """Return one figure as a PNG."""
    return _png(cast("MplFigure", draw_plot(figure.scene).figure), dpi=150)


def share_png(page: Page) -> bytes:
    """Return title, answer and picture of a page as a PNG of 1200 x 630 pixels."""
    from matplotlib.figure import Figure as NewFigure

    colours = PALETTES["light"]
    drawn = NewFigure(figsize=(12, 6.3), facecolor=colours["surface"])
    title, lead = shorten(page.title, 60), textwrap.wrap(page.headline, 92)[:3]
    told = [(0.925, title, 24, "bold"), (0.02, "made with lbsense", 11, "normal")]
    told += [(0.845 - 0.055 * at, text, 16, "normal") for at, text in enumerate(lead)]
    for y, text, size, weight in told:
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


def _png(drawn: MplFigure, *, dpi: int) -> bytes:
    stream = io.BytesIO()
    with warnings.catch_warnings():
        # A script that the font does not know is no news for the reader.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        drawn.savefig(stream, format="png", dpi=dpi, metadata={"Software": None})
    return stream.getvalue()
