"""Lists of entries, each wrapped beside its key."""

from __future__ import annotations

from collections.abc import Iterable

from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.text import Text

from lbsense._format import clean_text

__all__ = ["print_entries"]


def print_entries(
    console: Console,
    entries: Iterable[tuple[str, str]],
    *,
    title: str = "",
    style: str = "",
) -> None:
    """Print a titled list of keys and texts and an empty line; nothing if empty.

    Parameters
    ----------
    console : Console
        Where to print.
    entries : iterable of (str, str)
        Keys, which may be empty, and foreign text, which is made inert.
    title : str
        Printed above.
    style : str
        Of title and keys.
    """
    rows = [(key, clean_text(text)) for key, text in entries]
    if not rows:
        return
    if title:
        console.print(Text(title, f"bold {style}".strip()))
    indent = max(cell_len(key) for key, _ in rows)
    indent += 2 if indent else 0
    for key, text in rows:
        wrapped = Text(text).wrap(console, max(20, console.width - indent))
        for number, line in enumerate(wrapped):
            margin = set_cell_size(key if number == 0 else "", indent)
            line.rstrip()
            console.print(Text.assemble((margin, style), line), soft_wrap=True)
    console.print()
