"""The columns of a table of steps: one heading, value and format for every view."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from lbsense._format import (
    clean_text,
    decimals_shown,
    format_fixed,
    format_probability,
    format_rows,
    format_time,
    gain_decimals,
)
from lbsense.facts import Step


@dataclass(frozen=True, slots=True, kw_only=True)
class StepColumn:
    """One column of a table of steps.

    Attributes
    ----------
    key : str
        What it holds.
    heading : str
        Its heading.
    cells : tuple of str
        As shown, "-" where nothing is known.
    order : tuple of float or None
        What the rows are sorted by; None sorts by the text.
    numeric : bool
        Whether its cells stand at the right.
    """

    key: str
    heading: str
    cells: tuple[str, ...]
    order: tuple[float | None, ...]
    numeric: bool = True

    @property
    def says_nothing(self) -> bool:
        """Whether no row has anything to show."""
        return all(cell == "-" for cell in self.cells)


def verdict_label(step: Step) -> str:
    """Return the verdict as a table shows it, with what sets it apart from a clear one.

    Examples of it are "progress", "likely progress" and "setback, aside".
    """
    strength = "likely " if step.strength == "likely" else ""
    return f"{strength}{step.verdict}{', aside' if step.aside else ''}"


def step_columns(steps: Sequence[Step], keys: Iterable[str]) -> list[StepColumn]:
    """Return the columns that are asked for, without those that say nothing.

    Parameters
    ----------
    steps : sequence of Step
        In time order.
    keys : iterable of str
        "number", "date", "time", "when", "name", "verdict", "cv", "public", "private",
        "against", "step", "gain", "interval", "estimate", "p_gain", "rows",
        "hindsight", "later", "p_later" and "outcome".
    """
    table = _Table(steps)
    columns = []
    for key in keys:
        heading, numeric, values = _COLUMNS[key]
        pairs = values(table)
        columns.append(
            StepColumn(
                key=key,
                heading=heading,
                cells=tuple(text for text, _ in pairs),
                order=tuple(order for _, order in pairs),
                numeric=numeric,
            )
        )
    return [column for column in columns if not column.says_nothing]


_Cells = list[tuple[str, float | None]]
_Ends = tuple[float | None, float | None]


class _Table:
    """Steps, and the decimals that their scores and gains are shown with."""

    def __init__(self, steps: Sequence[Step]) -> None:
        self.steps = steps
        before = [(step.gain_low, step.gain_high) for step in steps]
        after = [(step.hindsight_low, step.hindsight_high) for step in steps]
        known = any(low is not None for low, _ in before)
        self.gain_decimals = gain_decimals(
            high - low
            for low, high in (before if known else after)
            if low is not None and high is not None
        )

    def number(self) -> _Cells:
        return [(str(row), row) for row in range(1, len(self.steps) + 1)]

    def when(self) -> _Cells:
        times = [step.submitted_at for step in self.steps]
        return [(format_time(t), t.timestamp() if t else None) for t in times]

    def date(self) -> _Cells:
        """Return days; the year is left out where there is only one."""
        whole = self.when()
        years = {text[:4] for text, _ in whole if text != "-"}
        start = 5 if len(years) == 1 else 0
        return [(text if text == "-" else text[start:10], at) for text, at in whole]

    def time(self) -> _Cells:
        return [(t if t == "-" else t[11:], None) for t, _ in self.when()]

    def name(self) -> _Cells:
        return [(clean_text(s.name) or s.submission_id, None) for s in self.steps]

    def verdict(self) -> _Cells:
        return [(verdict_label(step), None) for step in self.steps]

    def cv(self) -> _Cells:
        return self._scores([step.cv_score for step in self.steps])

    def public(self) -> _Cells:
        return self._scores([step.public_score for step in self.steps])

    def private(self) -> _Cells:
        return self._scores([step.private_score for step in self.steps])

    def against(self) -> _Cells:
        place = {step.submission_id: row + 1 for row, step in enumerate(self.steps)}
        found = (place.get(step.reference_id or "") for step in self.steps)
        return [("-", None) if row is None else (f"#{row}", row) for row in found]

    def step(self) -> _Cells:
        scores = [step.public_score for step in self.steps]
        decimals = decimals_shown(score for score in scores if score is not None)
        gains = [step.public_gain for step in self.steps]
        return [(format_fixed(g, decimals=decimals, sign=True), g) for g in gains]

    def gain(self) -> _Cells:
        return [(self._gain(step.gain), step.gain) for step in self.steps]

    def interval(self) -> _Cells:
        intervals = self._intervals([(s.gain_low, s.gain_high) for s in self.steps])
        return [(" ".join(ends) or "-", None) for ends in intervals]

    def estimate(self) -> _Cells:
        """Return gains with their intervals behind them."""
        ends = [(step.gain_low, step.gain_high) for step in self.steps]
        return self._with_intervals(self.gain(), ends)

    def later(self) -> _Cells:
        gains = [step.hindsight_gain for step in self.steps]
        return [(self._gain(gain), gain) for gain in gains]

    def hindsight(self) -> _Cells:
        """Return gains with their intervals, private scores taken into account."""
        ends = [(step.hindsight_low, step.hindsight_high) for step in self.steps]
        return self._with_intervals(self.later(), ends)

    def _with_intervals(self, gains: _Cells, ends: Sequence[_Ends]) -> _Cells:
        return [
            (f"{gain} ({' to '.join(texts)})" if texts else gain, order)
            for (gain, order), texts in zip(gains, self._intervals(ends), strict=True)
        ]

    def _intervals(self, ends: Sequence[_Ends]) -> list[tuple[str, ...]]:
        return [
            () if low is None or high is None else (self._gain(low), self._gain(high))
            for low, high in ends
        ]

    def p_gain(self) -> _Cells:
        return [(format_probability(s.p_gain), s.p_gain) for s in self.steps]

    def p_later(self) -> _Cells:
        chances = [step.hindsight_p_gain for step in self.steps]
        return [(format_probability(chance), chance) for chance in chances]

    def rows(self) -> _Cells:
        return [(format_rows(s.rows_needed), s.rows_needed) for s in self.steps]

    def outcome(self) -> _Cells:
        return [(step.outcome or "-", None) for step in self.steps]

    def _scores(self, scores: Sequence[float | None]) -> _Cells:
        decimals = decimals_shown(score for score in scores if score is not None)
        return [(format_fixed(score, decimals=decimals), score) for score in scores]

    def _gain(self, value: float | None) -> str:
        return format_fixed(value, decimals=self.gain_decimals, sign=True)


_COLUMNS: Mapping[str, tuple[str, bool, Callable[[_Table], _Cells]]] = {
    "number": ("#", True, _Table.number),
    "date": ("Date", True, _Table.date),
    "time": ("UTC", True, _Table.time),
    "when": ("Date (UTC)", False, _Table.when),
    "name": ("Submission", False, _Table.name),
    "verdict": ("Verdict", False, _Table.verdict),
    "cv": ("CV", True, _Table.cv),
    "public": ("Public", True, _Table.public),
    "private": ("Private", True, _Table.private),
    "against": ("Against", True, _Table.against),
    "step": ("Step", True, _Table.step),
    "gain": ("Gain", True, _Table.gain),
    "interval": ("95% interval", True, _Table.interval),
    "estimate": ("Estimated gain (95%)", True, _Table.estimate),
    "p_gain": ("P(gain)", True, _Table.p_gain),
    "rows": ("Public rows to see it", True, _Table.rows),
    "later": ("In hindsight", True, _Table.later),
    "hindsight": ("In hindsight (95%)", True, _Table.hindsight),
    "p_later": ("P(gain) then", True, _Table.p_later),
    "outcome": ("In the end", False, _Table.outcome),
}
