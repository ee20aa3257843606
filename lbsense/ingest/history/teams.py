"""One team out of an export of many."""

from __future__ import annotations

import dataclasses
import difflib
from collections import Counter
from collections.abc import Sequence

from lbsense._format import plural, shorten
from lbsense.errors import IngestError
from lbsense.ingest.tables.cells import read_text
from lbsense.ingest.tables.raw import RawTable
from lbsense.ingest.tables.sheet import ColumnNames, assign_columns

__all__ = ["choose_team"]

_SHOWN = 10
_Team = tuple[str | None, str | None]  # identifier and name


def choose_team(
    tables: Sequence[RawTable], team: str | None, overrides: ColumnNames | None
) -> list[RawTable]:
    """Return the tables with the rows of one team only.

    Parameters
    ----------
    tables : sequence of RawTable
        Pages of one export.
    team : str, optional
        Identifier or name. Needed where there are several teams.
    overrides : mapping, optional
        Columns that the user named.

    Raises
    ------
    IngestError
        If there are several teams and none was named, or there is none of that name.
    """
    names: dict[str, str | None] = {}
    teams = [_teams_of(table, overrides, names) for table in tables]
    counts = Counter(pair for column in teams for pair in column if any(pair))
    source = tables[0].source
    if team is None:
        if len(counts) > 1:
            raise IngestError(_many_message(source, counts))
        return list(tables)
    if not counts:
        shown = ", ".join(shorten(name, 40) for name in tables[0].columns[:20])
        msg = (
            f"{source}: team={team!r} was asked for, but no column names the teams. "
            f"Found: {shown}. Leave team out, or name it: columns={{'team_name': ...}}."
        )
        raise IngestError(msg)
    chosen = _find_team(source, counts, team)
    return [
        dataclasses.replace(
            table,
            rows=[
                row
                for row, pair in zip(table.rows, column, strict=True)
                if pair == chosen
            ],
        )
        for table, column in zip(tables, teams, strict=True)
    ]


def _teams_of(
    table: RawTable, overrides: ColumnNames | None, names: dict[str, str | None]
) -> list[_Team]:
    """Return the team of every row; one that was renamed keeps its first name."""
    columns = assign_columns(table, overrides).columns
    id_at, name_at = columns.get("team_id"), columns.get("team_name")
    if id_at is None and name_at is None:
        return [(None, None)] * len(table.rows)
    pairs = []
    for row in table.rows:
        identifier = None if id_at is None else read_text(row.cells[id_at])
        name = None if name_at is None else read_text(row.cells[name_at])
        if identifier is not None:
            name = names.setdefault(identifier, name)
        pairs.append((identifier, name))
    return pairs


def _find_team(source: str, counts: Counter[_Team], team: str) -> _Team:
    wanted = str(team).strip()
    for position in (0, 1):  # a name may be the number of another team
        same = [pair for pair in counts if (pair[position] or "").strip() == wanted]
        same = same or [
            pair
            for pair in counts
            if (pair[position] or "").strip().casefold() == wanted.casefold()
        ]
        if len(same) == 1:
            return same[0]
        if same:
            shown = ", ".join(f"{pair[0]} ({counts[pair]})" for pair in same[:_SHOWN])
            msg = f"{source}: several teams are called {wanted!r}; name one by its id: "
            raise IngestError(f"{msg}{shown}.")
    names = {str(part).casefold(): pair for pair in counts for part in pair if part}
    close = difflib.get_close_matches(wanted.casefold(), names, n=3, cutoff=0.5)
    if close:
        hint = "Close to it: " + ", ".join(_label(names[name]) for name in close) + "."
    else:
        hint = f"Found {_listed(counts)}."
    msg = f"{source}: no team has the id or the name {wanted!r}. {hint}"
    raise IngestError(msg)


def _many_message(source: str, counts: Counter[_Team]) -> str:
    return (
        f"{source}: submissions of {len(counts)} teams, expected those of one. Choose "
        f"with team=, by id or name (--team on the command line): {_listed(counts)}."
    )


def _listed(counts: Counter[_Team]) -> str:
    shown = [
        f"{_label(pair)} with {plural(count, 'submission')}"
        for pair, count in counts.most_common(_SHOWN)
    ]
    more = len(counts) - len(shown)
    return "; ".join(shown) + (f"; and {more:,} more" if more > 0 else "")


def _label(pair: _Team) -> str:
    identifier, name = pair
    if identifier is None or name is None:
        return repr(shorten(identifier or name or "", 40))
    return f"{identifier} ({shorten(name, 40)})"
