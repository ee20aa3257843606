"""Jupyter notebooks as the texts that stand in them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from lbsense.ingest.tables.source import Document


class Notebook(NamedTuple):
    """The texts of a notebook, each named by its cell.

    ``shown`` are Markdown cells and outputs, ``code`` what was written to make them.
    """

    n_cells: int
    shown: tuple[Document, ...]
    code: tuple[Document, ...]


def read_notebook(document: Document) -> Notebook | None:
    """Return the texts of a notebook of any version, or None where it is none."""
    head = document.text[:1].lstrip() or document.text.lstrip()[:1]
    if head != "{" or '"cells"' not in document.text:
        return None
    try:
        content = json.loads(document.text)
    except (ValueError, RecursionError):
        return None
    cells = list(_cells(content))
    if not cells:
        return None
    shown: list[Document] = []
    code: list[Document] = []
    for number, cell in enumerate(cells, 1):
        source = f"{document.source}, cell {number}"
        text = _text(cell.get("source", cell.get("input")))
        if cell.get("cell_type") in ("markdown", "raw") and text:
            shown.append(Document(source=source, text=text))
        elif text:
            code.append(Document(source=source, text=text))
        outputs = cell.get("outputs")
        for output in outputs if isinstance(outputs, list) else []:
            printed = _printed(output) if isinstance(output, Mapping) else ""
            if printed:
                shown.append(Document(source=source, text=printed))
    return Notebook(len(cells), tuple(shown), tuple(code))


def _cells(content: Any) -> Iterator[Mapping[str, Any]]:
    if not isinstance(content, Mapping):
        return
    sheets = content.get("worksheets")
    parts = [content, *(sheets if isinstance(sheets, list) else [])]
    for part in parts:
        cells = part.get("cells") if isinstance(part, Mapping) else None
        for cell in cells if isinstance(cells, list) else []:
            if isinstance(cell, Mapping) and "cell_type" in cell:
                yield cell


def _printed(output: Mapping[str, Any]) -> str:
    """Return an output as HTML where there is some, else as text."""
    data = output.get("data")
    kinds = data if isinstance(data, Mapping) else output
    for kind in ("text/html", "html", "text/markdown", "text/latex", "text/plain"):
        text = _text(kinds.get(kind))
        if text and (kind not in ("text/html", "html") or "<table" in text.lower()):
            return text
    return _text(output.get("text"))


def _text(value: Any) -> str:
    """Return text that is kept whole or by lines."""
    if isinstance(value, str):
        text = value
    elif isinstance(value, Sequence):
        text = "".join(part for part in value if isinstance(part, str))
    else:
        return ""
    return text.replace("\r\n", "\n").replace("\r", "\n")
