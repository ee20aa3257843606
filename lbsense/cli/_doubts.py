"""What weakens a history, told on stderr beside output that does not show it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbsense._format import plural
from lbsense.cli._console import note
from lbsense.cli._wording import as_options

if TYPE_CHECKING:
    from lbsense.model import History

__all__ = ["tell_doubts"]


def tell_doubts(history: History) -> None:
    """Print the warnings of a history, and how much of it was not understood."""
    for warning in history.warnings:
        note(as_options(str(warning)), kind="Warning")
    if history.dropped:
        count = plural(len(history.dropped), "row or cell", "rows or cells")
        note(
            f"{count} not understood; `lbsense analyze` and its JSON list them.",
            kind="Warning",
        )
