"""``lbsense report`` and ``compare``: a history as a page, several side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer
from rich.text import Text

from lbsense._format import clean_text, plural
from lbsense.cli.app import (
    ScreenOptions,
    emit,
    emit_json,
    note,
    plain_table,
    print_entries,
    working,
)
from lbsense.cli.board import BoardOptions
from lbsense.cli.options import (
    AsJson,
    CompetitionOptions,
    Force,
    HistoryOptions,
    Title,
    check_target,
    expand_options,
    output_file,
    panel,
    parser_of,
)
from lbsense.cli.options import output as _output
from lbsense.errors import LbsenseError

if TYPE_CHECKING:
    from lbsense.analysis import Comparison
    from lbsense.model import History
    from lbsense.report import ReportFormat

_FORMATS = ("html", "markdown", "kaggle", "zindi", "share")
_DEFAULT_NAME = {"html": "report.html", "markdown": "report.md", "share": "share.png"}


@expand_options
def report(
    history: HistoryOptions,
    field: BoardOptions,
    output: Annotated[
        str | None,
        output_file(
            "Write a page, .html or .md, or a picture to share, .png; - is standard "
            "output. By default report.html."
        ),
    ] = None,
    form: Annotated[
        str | None,
        _output(
            "--format",
            parser=parser_of(_FORMATS),
            metavar="|".join(_FORMATS),
            help="A page, its Markdown, the documentation that Kaggle or Zindi ask of "
            "winners, with marked places for what scores cannot tell, or one picture "
            "to share.",
        ),
    ] = None,
    title: Title = None,
    force: Force = False,
) -> None:
    """Write what the history says as one page that works offline.

    Examples
    --------
      lbsense report submissions.csv --metric roc_auc
      lbsense report submissions.csv --metric rmse -o retrospective.html
      lbsense report s.csv --metric mae --test-size 20000 --public-fraction 30%
      lbsense report s.csv --metric f1 --title "How we lost 40 places" -o report.md
      lbsense report s.csv --metric f1 -o share.png
      lbsense report s.csv --metric f1 --board public.csv --board-team "my team"
      lbsense report s.csv --metric f1 --format kaggle -o model_documentation.md
    """
    chosen, target = _target(cast("ReportFormat | None", form), output)
    if target is not None:
        inputs: list[str | Path] = [*history.inputs(), *field.inputs()]
        check_target(target, inputs, force=force)
        if chosen == "markdown":
            for picture in target.with_name(f"{target.stem}_files").glob("*.png"):
                check_target(picture, inputs, force=force)
    analysis, predictions = history.analysis(board=field.read)
    board = field.judge(analysis)
    read = [*history.sources(), *field.inputs()]
    sources = [name for name in read if Path(name).is_file()]
    with working("Writing the report ..."):
        from lbsense.checks import run_checks
        from lbsense.report import render_report, write_report

        options: dict[str, Any] = {
            "findings": run_checks(analysis, predictions),
            "sources": sources,
            "format": chosen,
            "title": title,
            "board": board,
        }
        if target is not None:
            write_report(analysis, target, **options)
        else:
            text = render_report(analysis, **options)
    if target is None:
        emit(text, None)
    else:
        note(f"Written: {target}")


def _target(
    form: ReportFormat | None, output: str | None
) -> tuple[ReportFormat, Path | None]:
    """Return what to write and where, None for standard output."""
    if output == "-":
        if form == "share":
            msg = "--output: a picture is written to a file, such as share.png."
            raise ValueError(msg)
        return form or "html", None
    if output is None:
        chosen: ReportFormat = form or "html"
        return chosen, Path(_DEFAULT_NAME.get(chosen, f"{chosen}.md"))
    target = Path(output)
    suffix = target.suffix.lower()
    if form is None:
        if suffix in (".md", ".markdown"):
            return "markdown", target
        if suffix == ".png":
            return "share", target
        if suffix not in (".html", ".htm"):
            msg = (
                f"--output: is {target} HTML, Markdown or a picture? End it in .html, "
                ".md or .png, or add --format."
            )
            raise ValueError(msg)
    return form or "html", target


_ENDINGS = (
    *(".csv", ".tsv", ".txt", ".json", ".jsonl", ".zip", ".xlsx", ".ods", ".html"),
    *(".md", ".ipynb", ".parquet"),
)
_FACTS = "facts.csv"
_histories = panel("The histories")


@expand_options
def compare(
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="A B [C...]|FOLDER",
            help="The histories, one file each; or one folder, whose files are one "
            "person's histories in several competitions.",
        ),
    ],
    known: CompetitionOptions,
    screen: ScreenOptions,
    name: Annotated[
        list[str] | None,
        _histories(
            "--name",
            metavar="NAME",
            help="What a history is called, once for each, in their order; by default "
            "its file.",
        ),
    ] = None,
    facts: Annotated[
        Path | None,
        _histories(
            metavar="FILE",
            help="Table of what is known of each competition: a column history (the "
            "file), and any of metric, greater_is_better, test_size, train_size, "
            f"public_fraction, slug, team. In a folder {_FACTS} is taken by itself.",
        ),
    ] = None,
    portfolio: Annotated[
        bool,
        _histories("--portfolio", help="All are one person's, as those of a folder."),
    ] = False,
    skip_unreadable: Annotated[
        bool,
        _histories(
            "--skip-unreadable", help="Go on without files that cannot be read."
        ),
    ] = False,
    as_json: AsJson = False,
    output: Annotated[
        str | None,
        output_file("Write a page, .html or .md, or a picture to share, .png."),
    ] = None,
    title: Title = None,
    force: Force = False,
) -> None:
    """Put two or more histories side by side, each number with its interval.

    Real gains and guesses, gain per submission, luck in the climb, agreement of CV and
    board, regret of what was selected. What is said of the competition holds for all.

    Examples
    --------
      lbsense compare mine.csv theirs.csv --metric roc_auc --test-size 20000
      lbsense compare me.csv agent.csv --name me --name agent --metric rmse -o both.html
      lbsense compare my_competitions/ --facts facts.csv
    """
    paths, is_folder = _expanded(files)
    if facts is None and is_folder and (Path(files[0]) / _FACTS).is_file():
        facts = Path(files[0]) / _FACTS
    inputs = [*files, *paths, *([] if facts is None else [str(facts)])]
    target = None if output is None else Path(output)
    if target is not None:
        check_target(target, inputs, force=force)
    if name is not None and len(name) != len(paths):
        msg = f"--name is given {plural(len(name), 'time')} for {len(paths)} histories."
        raise ValueError(msg)
    called = dict(zip(paths, name or _names(paths), strict=True))
    histories = _read(paths, known, facts, skip=skip_unreadable)
    if len(histories) < 2:
        msg = (
            f"compare needs two histories or more, got {len(histories)}"
            f"{' in ' + files[0] if is_folder else ''}. For one: lbsense analyze."
        )
        raise ValueError(msg)
    with working("Analysing ..."):
        from lbsense.analysis import compare as side_by_side

        found = side_by_side(
            *histories.values(),
            names=[called[path] for path in histories],
            portfolio=portfolio or is_folder,
        )
    if as_json:
        emit_json(found.to_dict())
    else:
        _show(found, screen)
    if target is not None:
        from lbsense.report import write_report

        with working("Writing the page ..."):
            sources = [path for path in histories if Path(path).is_file()]
            write_report(found, target, sources=sources, title=title)
        note(f"Written: {target}")


def _expanded(files: Sequence[str]) -> tuple[list[str], bool]:
    """Return the histories, and whether they are those of one folder."""
    if len(files) == 1 and Path(files[0]).is_dir():
        found = sorted(
            str(path)
            for path in Path(files[0]).iterdir()
            if path.suffix.lower() in _ENDINGS
            and path.name != _FACTS
            and not path.name.lower().startswith((".", "readme"))
        )
        if not found:
            msg = f"{files[0]}: no file in it can be a history (such as .csv or .json)."
            raise ValueError(msg)
        return found, True
    if "-" in files:
        msg = "compare reads files: standard input (-) is one history only."
        raise ValueError(msg)
    if len(set(files)) < len(files):
        msg = "A file is named twice. Name every history once."
        raise ValueError(msg)
    if len(files) < 2:
        msg = "compare needs two files or more, or one folder of histories."
        raise ValueError(msg)
    return list(files), False


def _names(paths: Sequence[str]) -> list[str]:
    """Return the shortest ends of the paths that tell them apart."""
    parts = [Path(path).with_suffix("").parts for path in paths]
    for length in range(1, max(map(len, parts)) + 1):
        names = ["/".join(part[-length:]) for part in parts]
        if len(set(names)) == len(names):
            heads = ["/".join(part[-length:-1]) for part in parts]
            if length > 1 and len(set(heads)) == len(heads) and all(heads):
                return heads  # a/submissions.csv, b/submissions.csv: a and b
            return names
    return list(paths)


def _read(
    paths: Sequence[str], known: CompetitionOptions, facts: Path | None, *, skip: bool
) -> dict[str, History]:
    """Return the histories that can be read; raise at the first that cannot."""
    from lbsense.ingest import read_facts, read_submissions

    told: Mapping[str, Mapping[str, Any]] = {} if facts is None else read_facts(facts)
    stated = {k: v for k, v in known.stated().items() if v is not None}
    names = {part for path in paths for part in (path, Path(path).name)}
    for entry in told:
        if entry not in names and entry not in {Path(path).stem for path in paths}:
            note(f"{facts}: {entry} is none of the histories.", kind="Warning")
    found = {}
    for path in paths:
        end = Path(path)
        own = next((told[n] for n in (path, end.name, end.stem) if n in told), {})
        try:
            with working(f"Reading {clean_text(path)} ..."):
                history = read_submissions(path, **{**stated, **own})
        except (LbsenseError, ValueError, OSError) as error:
            text = str(error) if str(error).startswith(path) else f"{path}: {error}"
            if not skip:
                msg = f"{text} (--skip-unreadable goes on without it.)"
                raise ValueError(msg) from None
            note(f"Left out: {text}", kind="Warning")
            continue
        for warning in history.warnings:
            note(f"{path}: {warning}", kind="Warning")
        found[path] = history
    return found


def _show(found: Comparison, screen: ScreenOptions) -> None:
    console = screen.console()
    console.print(Text(clean_text(found.headline), "bold"))
    console.print()
    headings, rows = found.rows()
    table = plain_table()
    for at, heading in enumerate(headings):
        table.add_column(
            Text(heading), justify="right" if at else "left", overflow="fold"
        )
    for cells in rows:
        table.add_row(*map(Text, cells))
    console.print(table)
    console.print()
    print_entries(console, found.entries())
    print_entries(
        console, [("", text) for text in found.reasons("terminal")], title="Missing"
    )
