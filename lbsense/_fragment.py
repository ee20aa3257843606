"""HTML for notebooks: escaped, scoped to itself, and readable without scripts.

Styles stand in the elements, so that none reaches the page around them; colours are
those of the host, so that light and dark notebooks both can be read.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence

from lbsense._format import clean_text

__all__ = ["details", "fragment", "listing", "paragraph", "table"]

_HEAD_ROWS, _TAIL_ROWS = 30, 25
_CELL = "padding:2px 8px;vertical-align:top;text-align:{side};white-space:{wrap}"


def fragment(*parts: str) -> str:
    """Return finished parts as one element."""
    return f"<div>{''.join(parts)}</div>"


def paragraph(text: str, *, strong: bool = False) -> str:
    """Return a paragraph of plain text."""
    inner = _escape(text)
    return f"<p style='margin:4px 0'>{f'<b>{inner}</b>' if strong else inner}</p>"


def listing(items: Iterable[str]) -> str:
    """Return a list of plain texts, nothing for none."""
    inner = "".join(f"<li>{_escape(item)}</li>" for item in items)
    return f"<ul style='margin:4px 0'>{inner}</ul>" if inner else ""


def details(summary: str, *parts: str) -> str:
    """Return finished parts that are folded away at first."""
    return (
        f"<details><summary style='cursor:pointer'>{_escape(summary)}</summary>"
        f"{''.join(parts)}</details>"
    )


def table(
    headers: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    caption: str = "",
    numeric: Iterable[int] = (),
    wide: Iterable[int] = (),
) -> str:
    """Return a table of plain texts that scrolls by itself where it is too wide.

    Parameters
    ----------
    headers, rows : sequences of str
        The cells. Of many rows the first and the last are shown, and how many are not.
    caption : str
        What the table shows.
    numeric, wide : iterable of int
        Columns of numbers, and columns whose text may run over several lines.
    """
    right, wrapped = set(numeric), set(wide)

    def cell(tag: str, text: str, column: int) -> str:
        style = _CELL.format(
            side="right" if column in right else "left",
            wrap="normal" if column in wrapped else "nowrap",
        )
        if column in wrapped:
            style += ";min-width:16em"
        return f"<{tag} style='{style}'>{_escape(text)}</{tag}>"

    def line(tag: str, texts: Sequence[str]) -> str:
        cells = (cell(tag, text, column) for column, text in enumerate(texts))
        return f"<tr>{''.join(cells)}</tr>"

    body = [line("td", row) for row in rows]
    n_left_out = len(body) - _HEAD_ROWS - _TAIL_ROWS
    if n_left_out > 5:
        gap = (
            f"<tr><td colspan='{len(headers)}' style='padding:2px 8px;text-align:left'>"
            f"... {n_left_out:,} rows more: to_frame() gives all</td></tr>"
        )
        body = [*body[:_HEAD_ROWS], gap, *body[-_TAIL_ROWS:]]
    title = (
        f"<caption style='text-align:left'>{_escape(caption)}</caption>"
        if caption
        else ""
    )
    head = f"<thead>{line('th', headers)}</thead>" if headers else ""
    return (
        "<div style='overflow-x:auto'><table style='border-collapse:collapse'>"
        f"{title}{head}<tbody>{''.join(body)}</tbody></table></div>"
    )


def _escape(text: str) -> str:
    return html.escape(clean_text(text))
