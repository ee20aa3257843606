"""Which of several tables, and which rows of them, are the history of one entrant."""

from __future__ import annotations

import dataclasses
import difflib
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from lbsense._format import clean_text, plural, shorten
from lbsense.errors import IngestError
from lbsense.ingest.cv.heading import field_of, known_fields, name_key
from lbsense.ingest.history.agents import Asked, outcome_words, retell
from lbsense.ingest.platforms import OWN_TABLE, Export, Look, is_leaderboard, recognise
from lbsense.ingest.tables.raw import RawTable, holds_number, is_missing, read_text
from lbsense.ingest.tables.sheet import ColumnNames, column_of, named_columns
from lbsense.model import RowIssue

TableName = int | str | Sequence[int | str]
_ORDINAL_WORDS = "first second third fourth fifth sixth seventh eighth ninth tenth"
_ORDINALS = _ORDINAL_WORDS.split()
SCORES = ("public_score", "private_score", "score")
_NEAR = 5  # lines from the last row of a table to the first of what goes on with it
_Candidate = tuple[RawTable, Export]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The tables of one history, and what is said of the others.

    Attributes
    ----------
    tables : list of (RawTable, Export)
        What is read, page by page.
    issues : list of RowIssue
        The tables that were left out.
    label : str
        Which of several tables was read; empty where there was one.
    doubt : str
        What to know where more than one table could have been the history.
    """

    tables: list[_Candidate]
    issues: list[RowIssue] = field(default_factory=list)
    label: str = ""
    doubt: str = ""


def _one_history(
    tables: Sequence[RawTable],
    candidates: Sequence[_Candidate],
    wanted: TableName | None,
    scores_at: Callable[[RawTable], Sequence[int]],
) -> Choice:
    """Return the tables of each document that are one history.

    Listings of a platform in one document are the pages of one. Of other tables, the
    one is read that says most: the most cells under known names in rows with a score;
    of two that say the same, the first.
    """
    kept: list[_Candidate] = []
    issues: list[RowIssue] = []
    labels: list[str] = []
    doubts: list[str] = []
    pages: dict[int, list[RawTable]] = {}
    for table in tables:
        pages.setdefault(table.page, []).append(table)
    able_on: dict[int, list[_Candidate]] = {}
    for pair in candidates:
        able_on.setdefault(pair[0].page, []).append(pair)
    for page, on_page in pages.items():
        able = able_on.get(page, [])
        chosen = able
        if wanted is not None:
            chosen = _wanted(on_page, able, wanted)
        elif len(able) > 1:
            groups = _groups(able)
            chosen = max(groups, key=lambda group: _fullness(group, scores_at))
            if len(groups) > 1:
                doubts.append(_doubt(on_page, able, chosen))
        if len(chosen) < len(able):
            taken = {id(table) for table, _ in chosen}
            numbers = {id(table): n for n, table in enumerate(on_page, 1)}
            issues += [
                _left_out(table, numbers[id(table)])
                for table, _ in able
                if id(table) not in taken
            ]
        kept += chosen
        if len(on_page) > 1 and chosen:
            labels.append(_label(on_page, [table for table, _ in chosen]))
    return Choice(
        tables=kept,
        issues=issues,
        label=", ".join(dict.fromkeys(labels)),
        doubt=" ".join(doubts),
    )


def _groups(able: Sequence[_Candidate]) -> list[list[_Candidate]]:
    """Return the tables that are one history each.

    The listings of a platform are pages of one, and a table whose heading is repeated
    with nothing but blank lines before it goes on. Any other table stands alone.
    """
    groups: dict[object, list[_Candidate]] = {}
    key: object = None
    for place, (table, export) in enumerate(able):
        if not export.hand_made:
            key = export.platform
        elif not (place and _goes_on(able[place - 1][0], table)):
            key = place
        groups.setdefault(key, []).append((table, export))
    return list(groups.values())


def _goes_on(before: RawTable, table: RawTable) -> bool:
    """Say whether a table is what is left of the one before it."""
    if table.title is not None or not (before.rows and table.rows):
        return False
    near = 0 < table.rows[0].line - before.rows[-1].line <= _NEAR
    marked = before.shape == table.shape and table.shape in ("markdown", "delimited")
    keys = [[name_key(name) for name in t.columns] for t in (before, table)]
    return near and marked and keys[0] == keys[1]


def _fullness(
    group: Sequence[_Candidate], scores_at: Callable[[RawTable], Sequence[int]]
) -> int:
    """Return how many cells under known names stand in rows that have a score."""
    count = 0
    for table, _ in group:
        fields = [field_of(name) for name in table.columns]
        known = [at for at, found in enumerate(fields) if found is not None]
        scores = scores_at(table) or [
            at for at, found in enumerate(fields) if found and found[0] in SCORES
        ]
        count += sum(
            not is_missing(row.cells[at])
            for row in table.rows
            if any(holds_number(row.cells[at]) for at in scores)
            for at in {*known, *scores}
        )
    return count


def _wanted(
    on_page: Sequence[RawTable], able: Sequence[_Candidate], wanted: TableName
) -> list[_Candidate]:
    """Return the tables that the user asked for, in the order of the document."""
    places = {place for name in _names(wanted) for place in _places(on_page, name)}
    found = [pair for pair in able if on_page.index(pair[0]) in places]
    if len(found) < len(places) or not found:
        listed = "; ".join(_described(table, on_page) for table, _ in able)
        msg = (
            f"{on_page[0].source}: table={wanted!r} (--table) names no table with "
            f"scores. There {'is' if len(able) == 1 else 'are'}: {listed}."
        )
        raise IngestError(msg)
    return found


def _names(wanted: TableName) -> list[int | str]:
    if isinstance(wanted, int):
        return [wanted]
    if isinstance(wanted, str):
        parts = wanted.split(",")
        numbers = all(part.strip().isdecimal() for part in parts)
        return [int(part) for part in parts] if numbers else [wanted]
    return list(wanted)


def _places(on_page: Sequence[RawTable], name: int | str) -> list[int]:
    """Return the tables of a number or a heading; a missing one is place -1."""
    if isinstance(name, int):
        return [name - 1 if 0 < name <= len(on_page) else -1]
    titles = [clean_text(table.title or "").casefold() for table in on_page]
    folded = clean_text(name).casefold()
    same = [place for place, title in enumerate(titles) if title == folded]
    part = [place for place, title in enumerate(titles) if folded and folded in title]
    return (same or part or [-1])[:1]


def _ordinal(number: int) -> str:
    return _ORDINALS[number - 1] if number <= len(_ORDINALS) else f"{number}th"


def _label(on_page: Sequence[RawTable], chosen: Sequence[RawTable]) -> str:
    numbers = [on_page.index(table) + 1 for table in chosen]
    named = " and ".join(_ordinal(number) for number in numbers)
    title = chosen[0].title if len(chosen) == 1 else None
    shown = "" if title is None else f" ({shorten(clean_text(title), 60)!r})"
    return f"the {named} of {plural(len(on_page), 'table')}{shown}"


def _described(table: RawTable, on_page: Sequence[RawTable]) -> str:
    names = ", ".join(shorten(name, 20) for name in table.columns[:6])
    title = "" if table.title is None else f"{shorten(clean_text(table.title), 40)!r}, "
    rows = plural(len(table.rows), "row")
    return f"{on_page.index(table) + 1} ({title}{names}; {rows})"


def _doubt(
    on_page: Sequence[RawTable],
    able: Sequence[_Candidate],
    chosen: Sequence[_Candidate],
) -> str:
    read = [table for table, _ in chosen]
    others = [table for table, _ in able if table not in read]
    shown = "; ".join(_described(table, on_page) for table in others[:5])
    shown += ", ..." if len(others) > 5 else ""
    return (
        f"{plural(len(able), 'table')} with scores, and a history is one: "
        f"{_label(on_page, read)} was read, since it says most. Left out: {shown}. "
        "table= (--table) chooses, by number or heading; 1,2 reads two as one history."
    )


def _left_out(table: RawTable, number: int) -> RowIssue:
    names = shorten(", ".join(table.columns), 60)
    found = f"another table with scores, of {names} and {len(table.rows)} rows"
    action = f"table left out; table={number} (--table {number}) reads it"
    line = table.rows[0].line if table.rows else None
    return table.issue(found, "one history", action, line=line)


_SHOWN = 10
_MAX_SUBMISSIONS = 100_000
_CHART_COLUMN = re.compile(r".+ - .+")
_INSTEAD = (
    "Export your own submissions instead: `kaggle competitions submissions -c <slug> "
    "--csv --page-size 200`; see `lbsense formats`."
)
_NOTHING = Asked()
_Team = tuple[str | None, str | None]  # identifier and name


def choose_tables(
    tables: Sequence[RawTable],
    asked: Asked = _NOTHING,
    *,
    wanted: TableName | None = None,
    team: str | None = None,
    hand_made: bool = False,
) -> Choice:
    """Return the tables that are one history of one team, and what is said of others.

    Parameters
    ----------
    tables : sequence of RawTable
        All that there are.
    asked : Asked
        What the user said of the metric and of columns.
    wanted : int, str or sequence of these, optional
        The table that the user asked for.
    team : str, optional
        Identifier or name of the team. Needed where there are several.
    hand_made : bool
        Whether none is an export, whatever it looks like.

    Raises
    ------
    IngestError
        If there is none: the message says what the first table is instead; if there
        are several teams and none was named, or none of that name; or too many rows.
    """
    named = bool(set(SCORES) & set(asked.columns or {}))
    listed = list(tables)
    chosen: list[tuple[RawTable, Export]] = []
    issues: list[RowIssue] = []
    refusals: list[IngestError] = []
    for table in tables:
        try:
            keys = frozenset(name_key(name) for name in table.columns)
            look = Look(table.columns, keys, table.shape, outcome_words(table))
            export = recognise(look)
            told = retell(table, export, asked)
            if not named and not told.roles.keys() & set(SCORES):
                _refuse(table, look)
            if _named_scores(told, asked.columns) if named else _has_score(told):
                listed[listed.index(table)] = told
                chosen.append((told, OWN_TABLE if hand_made else export))
                continue
            refusals.append(IngestError(_no_score_message(table)))
        except IngestError as error:
            refusals.append(error)
        issue = table.issue(
            f"a table of {shorten(', '.join(table.columns), 80)}",
            "a column of public scores",
            "table left out",
            line=table.rows[0].line if table.rows else None,
        )
        issues.append(issue)
    if not chosen:
        raise refusals[0]
    choice = _one_history(
        listed, chosen, wanted, lambda table: _named_scores(table, asked.columns)
    )
    ours = _of_team([table for table, _ in choice.tables], team, asked.columns)
    n_rows = sum(len(table.rows) for table in ours)
    if n_rows > _MAX_SUBMISSIONS:
        msg = (
            f"{ours[0].source}: {n_rows:,} rows, but a history is that of one "
            f"entrant and has at most {_MAX_SUBMISSIONS:,}. Cut out the rows of one "
            "team in one competition."
        )
        raise IngestError(msg)
    exports = [export for _, export in choice.tables]
    return dataclasses.replace(
        choice,
        tables=list(zip(ours, exports, strict=True)),
        issues=[*issues, *choice.issues],
    )


def _named_scores(table: RawTable, columns: ColumnNames | None) -> list[int]:
    """Return where the scores of a table are that the user or its layout named."""
    at, _ = named_columns(table, {**table.roles, **(columns or {})})
    return [at[name] for name in SCORES if name in at]


def _refuse(table: RawTable, look: Look) -> None:
    """Complain of a leaderboard, a chart, or a log of runs without a public score."""
    if is_leaderboard(look):
        shown = ", ".join(shorten(name, 40) for name in table.columns[:8])
        msg = (
            f"{table.source}: a leaderboard ({shown}), with the teams of a "
            f"competition, not the submission history of one. {_INSTEAD}"
        )
        raise IngestError(msg)
    _refuse_log(table, look.keys)


def _has_score(table: RawTable) -> bool:
    """Say whether some column holds a score of the leaderboard."""
    return bool((known_fields(table.columns) | table.roles.keys()) & set(SCORES))


def _refuse_log(table: RawTable, keys: frozenset[str]) -> None:
    first, rest = table.columns[0], table.columns[1:]
    steps = name_key(first) in ("step", "globalstep", "epoch") and rest
    if steps and all(_CHART_COLUMN.fullmatch(name) for name in rest):
        msg = (
            f"{table.source}: a chart export (one row per training step of "
            f"{shorten(rest[0], 60)!r}), not a submission history. As a log to join, "
            f"export the table of runs and pass it as cv_log. {_INSTEAD}"
        )
        raise IngestError(msg)
    mlflow = {"runid", "experimentid"} <= keys or {"runid", "starttime"} <= keys
    wandb = {"name", "state", "created"} <= keys
    neptune = any(name.startswith("sys/") for name in table.columns)
    if (mlflow or wandb or neptune) and not _has_score(table):
        msg = (
            f"{table.source}: a table of experiment runs without a public score. Give "
            "the submission history first and this one as its log: cv_log=..., or "
            f"--cv-log on the command line. {_INSTEAD}"
        )
        raise IngestError(msg)


def _no_score_message(table: RawTable) -> str:
    if known_fields(table.columns) <= {"submission_id"}:
        hint = (
            " If it is a file of predictions that you sent in: what is read here is "
            "the list of your submissions with their scores; see `lbsense formats`."
        )
    else:
        hint = ""
    return (
        f"{table.source}: no column for the public score. Found: {table.shown}. Name "
        f"it with columns={{'public_score': '<your column>'}} "
        f"(--columns public_score=NAME).{hint}"
    )


def _of_team(
    tables: Sequence[RawTable], team: str | None, overrides: ColumnNames | None
) -> list[RawTable]:
    """Return the tables with the rows of one team only."""
    names: dict[str, str | None] = {}
    teams = [_teams_of(table, overrides, names) for table in tables]
    counts = Counter(pair for column in teams for pair in column if any(pair))
    source = tables[0].source
    if team is None:
        if len(counts) > 1:
            raise IngestError(_many_message(source, counts))
        return list(tables)
    if not counts:
        msg = (
            f"{source}: team={team!r} was asked for, but no column names the teams. "
            f"Found: {tables[0].shown}. Leave team out, or name it: "
            "columns={'team_name': ...}."
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
    id_at = column_of("team_id", table, overrides)
    name_at = column_of("team_name", table, overrides)
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
        hint = "Close to it: " + ", ".join(_team(names[name]) for name in close) + "."
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
        f"{_team(pair)} with {plural(count, 'submission')}"
        for pair, count in counts.most_common(_SHOWN)
    ]
    more = len(counts) - len(shown)
    return "; ".join(shown) + (f"; and {more:,} more" if more > 0 else "")


def _team(pair: _Team) -> str:
    identifier, name = pair
    if identifier is None or name is None:
        return repr(shorten(identifier or name or "", 40))
    return f"{identifier} ({shorten(name, 40)})"
