"""Several tables in one document: which one of them is the history."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from lbsense._format import clean_text, plural, shorten
from lbsense.errors import IngestError
from lbsense.ingest.exports import Export
from lbsense.ingest.tables.cells import holds_number, is_missing
from lbsense.ingest.tables.names import field_of, name_key
from lbsense.ingest.tables.raw import RawTable
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


def one_history(
    tables: Sequence[RawTable],
    candidates: Sequence[_Candidate],
    wanted: TableName | None,
    scores_at: Callable[[RawTable], Sequence[int]],
) -> Choice:
    """Return the tables of each document that are one history.

    Listings of a platform in one document are the pages of one. Of other tables, the
    one is read that says most: the most cells under known names in rows with a score;
    of two that say the same, the first.

    Parameters
    ----------
    tables : sequence of RawTable
        All that there are.
    candidates : sequence of (RawTable, Export)
        Those that can be a history.
    wanted : int, str or sequence of these, optional
        Number of the table in its document, or its heading; several are one history.
    scores_at : callable
        Where the scores of a table are that the user named; nowhere if none.

    Raises
    ------
    IngestError
        If there is no such table.
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
    return RowIssue(
        source=table.source,
        line=table.rows[0].line if table.rows else None,
        found=f"another table with scores, of {names} and {len(table.rows)} rows",
        expected="one history",
        action=f"table left out; table={number} (--table {number}) reads it",
    )
