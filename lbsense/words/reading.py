"""What was read as the history, in lines that a person can check."""

from __future__ import annotations

from lbsense.model import History

_MOST = 8  # columns that are named; the others are counted


def reading_entries(history: History, most: int = _MOST) -> list[tuple[str, str]]:
    """Return the statement of what was read, and the columns that were not used."""
    reading = history.reading
    if reading is None:
        return []
    entries = [("Read", f"{reading}.")]
    if reading.unused:
        shown = "; ".join(str(column) for column in reading.unused[:most])
        more = len(reading.unused) - most
        entries.append(("Not used", f"{shown}{f'; and {more} more' * (more > 0)}."))
    return entries
