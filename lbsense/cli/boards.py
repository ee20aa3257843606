"""The commands on more than one history: boards, those of hosts, several entrants."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from lbsense._files import replace_file
from lbsense._format import (
    clean_text,
    format_number,
    format_probability,
    plural,
    shorten,
)
from lbsense.cli.app import (
    ScreenOptions,
    emit_json,
    note,
    plain_table,
    print_entries,
    tell_issues,
    working,
)
from lbsense.cli.options import (
    AsJson,
    CompetitionOptions,
    Force,
    Team,
    Title,
    check_target,
    expand_options,
    output_file,
    panel,
    parse_noise,
    read_board,
    write_page,
)
from lbsense.errors import LbsenseError

if TYPE_CHECKING:
    from lbsense.analysis import BoardAnalysis, Comparison, FieldAnalysis, HostAnalysis
    from lbsense.model import History


def _prizes(least: int) -> Any:
    told = "Prize places to give the chance of."
    return typer.Option("--prizes", min=least, max=50, metavar="N", help=told)


def _tell(
    found: BoardAnalysis | HostAnalysis | FieldAnalysis | Comparison,
    screen: ScreenOptions,
    as_json: bool,
    *after: Callable[[Any, Console], None],
    before: Callable[[Any, Console], None] | None = None,
) -> None:
    """Print an answer: as JSON, or its headline, its sentences and its tables."""
    if as_json:
        emit_json(found.to_dict())
        return
    console = screen.console()
    console.print(Text(clean_text(found.headline), "bold"))
    console.print()
    if before is not None:
        before(found, console)
    print_entries(console, found.entries())
    for show in after:
        show(found, console)


@expand_options
def board(
    public: Annotated[
        str,
        typer.Argument(
            metavar="PUBLIC",
            help="The public board: a download (zip or CSV), what `leaderboard --show` "
            "prints, a saved page, or a folder of daily boards.",
        ),
    ],
    known: CompetitionOptions,
    screen: ScreenOptions,
    private: Annotated[
        str | None,
        typer.Argument(metavar="[PRIVATE]", help="The private board, after the end."),
    ] = None,
    team: Team = None,
    noise: Annotated[
        float | None,
        typer.Option(
            parser=parse_noise,
            metavar="SE",
            help="Standard error of one public score against the other teams, where "
            "you know it.",
        ),
    ] = None,
    notebooks: Annotated[
        bool | None,
        typer.Option(
            "--notebooks/--files",
            help="Only notebooks could be submitted, or files: for what finished "
            "competitions of that kind did.",
        ),
    ] = None,
    prizes: Annotated[int, _prizes(0)] = 3,
    as_json: AsJson = False,
    output: Annotated[
        Path | None,
        output_file("Write a page, .html or .md, with its pictures."),
    ] = None,
    title: Title = None,
    force: Force = False,
) -> None:
    """Say how much of a ranking is order and how much noise, and where you stand.

    Before the end: what shake-up to expect, your chance of a medal. After it: what the
    shake-up was made of.

    Examples
    --------
      lbsense board publicleaderboard.csv --metric roc_auc --team "my team"
      lbsense board public.zip private.csv -o board.html
      lbsense board daily_boards/ --team 123456 --test-size 20000
    """
    sources = [public, *([] if private is None else [private])]
    if output is not None:
        check_target(output, sources, force=force)
    read = read_board(public, private, known.of_board())
    with working("Analysing ..."):
        from lbsense.analysis import analyze_board

        found = analyze_board(
            read,
            team=team,
            noise=noise,
            notebooks_only=notebooks,
            n_prizes=prizes,
        )
    _tell(found, screen, as_json, _print_teams)
    if output is not None:
        write_page(found, output, sources=sources, title=title)


def _print_teams(found: BoardAnalysis, console: Console) -> None:
    """Print the best teams, and those around the one that is asked about."""
    frame = found.to_frame()
    shown = set(range(min(10, len(frame))))
    if found.standing:
        own = found.standing.position
        shown |= set(range(max(0, own - 3), min(len(frame), own + 4)))
    headers = ["place", "team", "public", "true place, 95%", "after the reveal, 80%"]
    table = plain_table(*headers, "gold", "medal")
    last = -1
    for at in sorted(shown):
        if at > last + 1:
            table.add_row("...")
        team = frame.iloc[at]
        mark = "> " if found.standing and at == found.standing.position else ""
        table.add_row(
            f"{team.public_rank:g}",
            mark + shorten(team.team_name, 32),
            format_number(team.public_score, digits=7),
            f"{team.true_low:.0f} to {team.true_high:.0f}",
            f"{team.private_low:.0f} to {team.private_high:.0f}",
            format_probability(team.p_gold),
            format_probability(team.p_bronze),
        )
        last = at
    console.print(table)


@expand_options
def host(
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE...",
            help="The export of all submissions, with TeamId, PublicScore and "
            "PrivateScore; several files are parts of one.",
        ),
    ],
    known: CompetitionOptions,
    screen: ScreenOptions,
    prizes: Annotated[int, _prizes(1)] = 3,
    jobs: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="Processes that look at teams."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say how far a final ranking can be trusted, who chased, and how to plan.

    Examples
    --------
      lbsense host submissions_export.csv --metric roc_auc
      lbsense host export.csv --lower-is-better --test-size 20000 --prizes 5 --json
    """
    from joblib import parallel_config

    from lbsense.ingest import read_host

    with working("Reading ..."):
        source = files if len(files) > 1 else files[0]
        export = read_host(source, **known.of_board())
    tell_issues(export.issues)
    with working("Analysing ..."):
        from lbsense.analysis import analyze_host

        if jobs is None:
            found = analyze_host(export, n_prizes=prizes)
        else:
            with parallel_config(n_jobs=jobs):
                found = analyze_host(export, n_prizes=prizes)
    _tell(found, screen, as_json, _print_plan)


def _print_plan(found: HostAnalysis, console: Console) -> None:
    """Print shake-up, and how often the best wins, by public share and test size."""
    plan = found.plan
    factors = sorted({cell.size_factor for cell in plan})
    headers = (f"{factor:g}x test rows" for factor in factors)
    table = plain_table("public share", *headers)
    for share in sorted({cell.public_fraction for cell in plan}):
        row = {c.size_factor: c for c in plan if c.public_fraction == share}
        table.add_row(
            f"{share:.0%}",
            *(
                f"{format_number(row[f].shake_up, digits=2)}, "
                f"{format_probability(row[f].best_wins)}"
                for f in factors
            ),
        )
    console.print(Text("Shake-up by noise alone, and how often the best team wins:"))
    console.print(table)


@expand_options
def field(
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="DIR",
            help="Where Competitions.csv, Teams.csv and Submissions.csv of Meta Kaggle "
            "lie.",
        ),
    ],
    screen: ScreenOptions,
    output: Annotated[
        list[Path] | None,
        output_file(
            "Write a page, .html, or one row a competition, .csv; repeat it for both."
        ),
    ] = None,
    title: Title = None,
    memory: Annotated[
        str, typer.Option(metavar="SIZE", help="What DuckDB may hold in memory.")
    ] = "3GB",
    as_json: AsJson = False,
    force: Force = False,
) -> None:
    r"""Say what finished competitions did, from Meta Kaggle's tables, out of core.

    Needs DuckDB: pip install 'lbsense\[field]'.

    Examples
    --------
      lbsense field meta-kaggle/ -o field.html -o competitions.csv
      lbsense field meta-kaggle/ --memory 8GB --json
    """
    for target in output or ():
        check_target(target, [folder], force=force)
    from lbsense.ingest import read_field

    with working("Reading Meta Kaggle ..."):
        rows = read_field(folder, memory=memory)
    from lbsense.analysis import analyze_field

    found = analyze_field(rows)
    _tell(found, screen, as_json)
    for target in output or ():
        if target.suffix.lower() == ".csv":
            replace_file(found.competitions.to_csv(index=False), target)
            note(f"Written: {target}")
        else:
            write_page(found, target, title=title)


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
        Path | None,
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
    if output is not None:
        inputs = [*files, *paths, *([] if facts is None else [str(facts)])]
        check_target(output, inputs, force=force)
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
    _tell(found, screen, as_json, _print_reasons, before=_print_numbers)
    if output is not None:
        write_page(found, output, sources=histories, title=title)


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


def _print_numbers(found: Comparison, console: Console) -> None:
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


def _print_reasons(found: Comparison, console: Console) -> None:
    why = [("", text) for text in found.reasons("terminal")]
    print_entries(console, why, title="Missing")
