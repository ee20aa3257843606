"""The mixin that lets every result be printed, tabulated and shown in a notebook.

HTML is escaped, scoped to itself and readable without scripts: styles stand in the
elements, so that none reaches the page around them, and colours are the host's.
"""

from __future__ import annotations

import base64
import dataclasses
import html
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

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
    "picture",
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


def picture(svg: str, text: str) -> str:
    """Return a finished drawing as an image, whose styles reach nothing else."""
    data = base64.b64encode(svg.encode()).decode()
    return (
        f"<img alt='{_escape(text)}' style='max-width:100%;background:#fff' "
        f"src='data:image/svg+xml;base64,{data}'>"
    )


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
    tints: Sequence[str] = (),
    tinted: int = -1,
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
    tints : sequence of str
        Colour behind the cell of each row in the column ``tinted``.
    """
    right, wrapped = set(numeric), set(wide)

    def cell(tag: str, text: str, column: int, tint: str) -> str:
        style = _CELL.format(
            side="right" if column in right else "left",
            wrap="normal" if column in wrapped else "nowrap",
        )
        if column in wrapped:
            style += ";min-width:16em"
        if tint and column == tinted:
            style += f";background:{tint};border-radius:3px"
        return f"<{tag} style='{style}'>{_escape(text)}</{tag}>"

    def line(tag: str, texts: Sequence[str], tint: str = "") -> str:
        cells = (cell(tag, text, column, tint) for column, text in enumerate(texts))
        return f"<tr>{''.join(cells)}</tr>"

    colours = [*tints, *[""] * (len(rows) - len(tints))]
    body = [line("td", row, tint) for row, tint in zip(rows, colours, strict=True)]
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
        scalars, tables = self._parts()
        width = max((len(name) for name, _ in scalars), default=0)
        lines = [
            _title(self),
            *(f"  {name:<{width}}  {text}" for name, text in scalars),
        ]
        for headers, rows in tables:
            shown = [headers, *rows[:_MOST_LINES]]
            widths = [max(map(len, column)) for column in zip(*shown, strict=True)]
            lines.append("")
            lines += [
                "  " + "  ".join(f"{c:>{w}}" for c, w in zip(row, widths, strict=True))
                for row in shown
            ]
            if len(rows) > _MOST_LINES:
                lines.append(f"  ... {len(rows) - _MOST_LINES:,} rows more")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        scalars, tables = self._parts()
        rows = [[name, shorten(text, _LONGEST)] for name, text in scalars]
        parts = [table((), rows, caption=_title(self), wide=(1,))]
        parts += [
            table(headers, body, numeric=range(len(headers)))
            for headers, body in tables
        ]
        return fragment(*parts)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """Let IPython show what ``print`` shows, not every field in full."""
        printer.text(type(self).__name__ if cycle else str(self))

    def _parts(self) -> tuple[list[tuple[str, str]], list[_Table]]:
        """Return what is one value, and as tables what is many or has parts itself."""
        scalars: list[tuple[str, str]] = []
        columns: dict[int, dict[str, Any]] = {}
        inner: dict[type, list[tuple[str, Result]]] = {}
        for name in (f.name for f in dataclasses.fields(self) if f.repr):  # type: ignore[arg-type]
            value = getattr(self, name)
            several = value if isinstance(value, tuple) else (value,)
            length = len(value) if getattr(value, "ndim", 0) == 1 else 0
            if several and all(isinstance(item, Result) for item in several):
                inner.setdefault(type(several[0]), []).extend(
                    (name, item) for item in several
                )
            elif length > 1:
                columns.setdefault(length, {})[name] = value
            else:
                scalars.append((name, _one_line(value, name)))
        tables = [_of_columns(found) for found in columns.values()]
        return scalars, [*map(_of_results, inner.values()), *tables]


_Table: TypeAlias = tuple[list[str], list[list[str]]]
_MOST_LINES = 12
#: Fields that hold places in a history, shown as people count.
_PLACES = frozenset(
    (
        "against",
        "best_public",
        "chosen",
        "first",
        "jumps",
        "position",
        "positions",
        "previous",
        "reference",
        "second",
        "way",
    )
)


def _title(result: Result) -> str:
    """Return the name of a result as a heading."""
    name = type(result).__name__.removesuffix("Result")
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower()
    return words.capitalize()


def _of_columns(columns: dict[str, Any]) -> _Table:
    """Return vectors of one length beside each other, a row for each place."""
    texts = [[_one_line(v, name) for v in c.tolist()] for name, c in columns.items()]
    lines = zip(*texts, strict=True)
    if _PLACES.intersection(columns):
        return [*columns], [list(line) for line in lines]
    return ["#", *columns], [[str(n), *line] for n, line in enumerate(lines, start=1)]


def _of_results(items: list[tuple[str, Result]]) -> _Table:
    """Return results of one kind, a row for each, by the fields of one value."""
    parts = [dict(item._parts()[0]) for _, item in items]
    headers = list(parts[0])
    rows = [
        [name, *(part.get(header, "-") for header in headers)]
        for (name, _), part in zip(items, parts, strict=True)
    ]
    return ["", *headers], rows


def _one_line(value: Any, name: str = "") -> str:
    import numpy as np

    if name in _PLACES and isinstance(value, int | np.integer):
        return f"#{value + 1}" if value >= 0 else "-"
    if name in _PLACES and isinstance(value, tuple):
        return ", ".join(_one_line(item, name) for item in value) or "-"
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
