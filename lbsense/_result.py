"""The mixin that lets every result be printed, tabulated and shown in a notebook."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from lbsense._format import clean_text, format_number, shorten
from lbsense._fragment import fragment, table

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Caveat", "Missing", "Result", "plain"]

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
