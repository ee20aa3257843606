"""The statement of what was read: `lbsense.model.Reading` of the tables."""

from __future__ import annotations

from collections.abc import Sequence

from lbsense.ingest.history.drafts import ReadTable
from lbsense.ingest.history.several import Choice
from lbsense.model import Order, Reading, Submission, UnusedColumn


def reading_of(
    tables: Sequence[ReadTable],
    choice: Choice,
    order: Order,
    submissions: Sequence[Submission],
) -> Reading:
    """Return what was read as the history, and why."""
    columns: dict[str, list[str]] = {}
    unused: dict[str, UnusedColumn] = {}
    for table in tables:
        for field, names in table.columns.items():
            columns.setdefault(field, []).extend(names)
        for column in table.unused:
            unused.setdefault(column.name, column)
    for source, field in (("description", "description"), ("file name", "file_name")):
        if any(item.cv_source == source for item in submissions):
            columns.setdefault("cv_score", []).extend(columns.get(field, []))
    sources = dict.fromkeys(table.source for table in tables)
    return Reading(
        source=", ".join(sources),
        n_submissions=len(submissions),
        table=choice.label,
        columns={
            field: ", ".join(dict.fromkeys(names)) for field, names in columns.items()
        },
        unused=tuple(unused.values()),
        order=order,
        why=tuple(text for text in (choice.doubt,) if text),
    )
