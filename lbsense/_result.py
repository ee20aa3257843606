"""The mixin that lets every result be printed, tabulated and shown in a notebook.

HTML is escaped, scoped to itself and readable without scripts: styles stand in the
elements, so that none reaches the page around them, and colours are the host's.
"""

from __future__ import annotations

import dataclasses
import html
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from lbsense._format import clean_text, format_number, shorten

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "Caveat",
    "Missing",
    "Result",
    "details",
    "fragment",
    "listing",
    "paragraph",
    "plain",
    "table",
]

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


_LONGEST = 400  # characters of one value


@dataclass(frozen=True, slots=True)
class Missing:
    """A result that cannot be given. It counts as false: ``if analysis.luck: ...``.

    Attributes
    ----------
    field : str
        The result that is missing.
    reason : str
        Why, in a plain sentence without the syntax of Python or of a shell.
    need : tuple of str
        What would supply it, by the names that `lbsense.words` has words for.
    """

    field: str
    reason: str
    need: tuple[str, ...] = ()

    def __bool__(self) -> Literal[False]:
        return False

    def __str__(self) -> str:
        return self.reason


@dataclass(frozen=True, slots=True)
class Caveat:
    """What weakens or changes a result that is there; fields as those of `Missing`."""

    field: str
    reason: str
    need: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.reason


def plain(value: Any) -> Any:
    """Return ``value`` as JSON can hold it: no arrays, times or nan left."""
    import numpy as np

    if isinstance(value, Missing):
        return None
    if isinstance(value, Result):
        return value.to_dict()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {
            f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)
        }
    if isinstance(value, np.ndarray):
        return [plain(item) for item in value.tolist()]
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (tuple, list, set, frozenset)):
        return [plain(item) for item in value]
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


class Result:
    """Display and export of a frozen dataclass, made from the fields its repr shows."""

    __slots__ = ()

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        # IPython prefers the __repr__ that a dataclass has to what it inherits.
        cls._repr_pretty_ = Result._repr_pretty_  # type: ignore[method-assign]

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as a dictionary that ``json.dumps`` takes; nan is None."""
        return {
            field.name: plain(getattr(self, field.name))
            for field in dataclasses.fields(self)  # type: ignore[arg-type]
            if field.repr
        }

    def to_frame(self) -> pd.DataFrame:
        """Return the fields as a data frame of one row."""
        import pandas as pd

        return pd.DataFrame([self.to_dict()])

    def __str__(self) -> str:
        rows = self._rows()
        width = max((len(name) for name, _ in rows), default=0)
        lines = [f"  {name:<{width}}  {text}" for name, text in rows]
        return "\n".join([type(self).__name__, *lines])

    def _repr_html_(self) -> str:
        rows = [[name, shorten(text, _LONGEST)] for name, text in self._rows()]
        return fragment(table((), rows, caption=type(self).__name__, wide=(1,)))

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """Let IPython show what ``print`` shows, not every field in full."""
        printer.text(type(self).__name__ if cycle else str(self))

    def _rows(self) -> list[tuple[str, str]]:
        return [
            (field.name, _one_line(getattr(self, field.name)))
            for field in dataclasses.fields(self)  # type: ignore[arg-type]
            if field.repr
        ]


def _one_line(value: Any) -> str:
    import numpy as np

    if isinstance(value, float):
        return format_number(value, digits=6)
    if isinstance(value, np.ndarray):
        return f"array of shape {value.shape}"
    if isinstance(value, tuple) and len(value) > 4:
        return f"{len(value)} items"
    if isinstance(value, Result):
        fields = dataclasses.fields(value)  # type: ignore[arg-type]
        return f"{type(value).__name__} of {len(fields)} fields"
    return clean_text(str(value))
