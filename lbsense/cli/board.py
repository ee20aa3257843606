"""``lbsense board``: what a whole leaderboard says, and where a team stands."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from lbsense._format import format_number, format_probability, shorten
from lbsense.cli.app import (
    ScreenOptions,
    emit_json,
    note,
    plain_table,
    print_entries,
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
)

if TYPE_CHECKING:
    from rich.console import Console

    from lbsense.analysis import Analysis, BoardAnalysis
    from lbsense.model import History, Leaderboard

STATED = (
    *("metric", "greater_is_better", "test_size", "public_fraction", "nested", "slug"),
)


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
    prizes: Annotated[
        int,
        typer.Option(
            min=0, max=50, metavar="N", help="Prize places to give the chance of."
        ),
    ] = 3,
    as_json: AsJson = False,
    output: Annotated[
        str | None,
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
    target = None if output is None else Path(output)
    if target is not None:
        check_target(target, sources, force=force)
    stated = {name: known.stated()[name] for name in STATED}
    read = _read(public, private, stated)
    with working("Analysing ..."):
        from lbsense.analysis import analyze_board

        found = analyze_board(
            read,
            team=team,
            noise=noise,
            notebooks_only=notebooks,
            n_prizes=prizes,
        )
    if as_json:
        emit_json(found.to_dict())
    else:
        _show(found, screen.console())
    if target is not None:
        from lbsense.report import write_report

        with working("Writing the report ..."):
            files = [name for name in sources if Path(name).is_file()]
            write_report(found, target, sources=files, title=title)
        note(f"Written: {target}")


_leaderboard = panel("The leaderboard")


@dataclass(frozen=True, kw_only=True)
class BoardFiles:
    """The leaderboard beside a history."""

    board: Annotated[
        str | None,
        _leaderboard(metavar="FILE", help="The public board (see `lbsense board`)."),
    ] = None
    private_board: Annotated[
        str | None,
        _leaderboard(
            metavar="FILE",
            help="The private board: with the public one it tells the noise.",
        ),
    ] = None

    def inputs(self) -> list[str]:
        """Return the files that are read."""
        return [name for name in (self.board, self.private_board) if name is not None]

    def read(self, history: History, *, quiet: bool = False) -> Leaderboard | None:
        """Return the leaderboard, None where none was given."""
        if self.board is None:
            if self.private_board:
                msg = "--private-board needs --board, the public board."
                raise typer.BadParameter(msg)
            return None
        facts = {name: getattr(history.competition, name) for name in STATED}
        return _read(self.board, self.private_board, facts, quiet=quiet)


@dataclass(frozen=True, kw_only=True)
class BoardOptions(BoardFiles):
    """The leaderboard beside a history, and the team that the history is of."""

    board_team: Annotated[
        str | None,
        _leaderboard(metavar="NAME", help="Your team on it, by name or id."),
    ] = None

    def judge(self, analysis: Analysis) -> BoardAnalysis | None:
        """Return what the leaderboard says, None where none was given."""
        board = self.read(analysis.history, quiet=True)
        if board is None:
            if self.board_team:
                msg = "--board-team needs --board, the public board."
                raise typer.BadParameter(msg)
            return None
        from lbsense.analysis import analyze_board

        with working("Analysing the board ..."):
            return analyze_board(board, team=self.board_team, analysis=analysis)


def _read(
    public: str, private: str | None, facts: dict[str, Any], *, quiet: bool = False
) -> Leaderboard:
    """Return the board in files, and say what of them was not understood."""
    from lbsense.ingest import read_leaderboard

    with working("Reading ..."):
        read = read_leaderboard(public, private, **facts)
    if quiet:
        return read
    for issue in read.issues[:5]:
        note(str(issue), kind="Warning")
    if len(read.issues) > 5:
        note(f"{len(read.issues) - 5} more rows or cells not understood.")
    return read


def _show(found: BoardAnalysis, console: Console) -> None:
    console.print(Text(found.headline, "bold"))
    console.print()
    print_entries(console, found.entries())
    _print_teams(found, console)


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
