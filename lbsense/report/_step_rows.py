"""The table of all steps, with the sentence behind each verdict."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from lbsense._format import (
    decimals_shown,
    format_fixed,
    format_probability,
    format_time,
    gain_decimals,
    shorten,
)
from lbsense.analysis import Analysis, Step
from lbsense.report._blocks import Cell, Column, Table

__all__ = ["step_table"]

_NAME_WIDTH = 160


def step_table(analysis: Analysis) -> Table:
    """Return one row per submission; columns that say nothing are left out."""
    steps = analysis.steps
    place = {step.submission_id: row for row, step in enumerate(steps)}
    outcomes = (
        analysis.retrospective.outcomes
        if analysis.retrospective
        else ("",) * len(steps)
    )
    shown = decimals_shown(
        step.public_score for step in steps if step.public_score is not None
    )
    columns: dict[Column, list[Cell]] = {
        Column(name="#", numeric=True): [
            Cell(text=str(row + 1), order=row + 1) for row in range(len(steps))
        ],
        Column(name="Date (UTC)"): [
            Cell(
                text=format_time(step.submitted_at),
                order=step.submitted_at.timestamp() if step.submitted_at else None,
            )
            for step in steps
        ],
        Column(name="Submission"): [_name(step) for step in steps],
        Column(name="Verdict"): [
            Cell(text=step.verdict, kind=step.verdict, details=step.sentence)
            for step in steps
        ],
        Column(name="CV", numeric=True): _scores(step.cv_score for step in steps),
        Column(name="Public", numeric=True): _scores(
            step.public_score for step in steps
        ),
        Column(name="Private", numeric=True): _scores(
            step.private_score for step in steps
        ),
        Column(name="Against", numeric=True): [
            Cell(text="-")
            if step.reference_id is None
            else Cell(
                text=f"#{place[step.reference_id] + 1}",
                order=place[step.reference_id] + 1,
            )
            for step in steps
        ],
        Column(name="Public step", numeric=True): [
            Cell(
                text=format_fixed(step.public_gain, decimals=shown, sign=True),
                order=step.public_gain,
            )
            for step in steps
        ],
        Column(name="Estimated gain (95%)", numeric=True): _gains(steps),
        Column(name="P(gain)", numeric=True): [
            Cell(text=format_probability(step.p_gain), order=step.p_gain)
            for step in steps
        ],
        Column(name="In the end"): [Cell(text=text or "-") for text in outcomes],
    }
    told = {
        column: cells
        for column, cells in columns.items()
        if any(cell.text != "-" for cell in cells)
    }
    return Table(
        name="steps",
        caption=(
            "Every submission against the one it is compared with. Gains are oriented: "
            "more is better. The interval is the 95% interval of the true gain."
        ),
        columns=tuple(told),
        rows=tuple(zip(*told.values(), strict=True)),
        interactive=True,
    )


def _name(step: Step) -> Cell:
    return Cell(text=shorten(step.name, _NAME_WIDTH) or step.submission_id)


def _scores(values: Iterable[float | None]) -> list[Cell]:
    scores = list(values)
    decimals = decimals_shown(value for value in scores if value is not None)
    return [
        Cell(text=format_fixed(value, decimals=decimals), order=value)
        for value in scores
    ]


def _gains(steps: Sequence[Step]) -> list[Cell]:
    """Return gains and intervals to the two digits that their widths support."""
    decimals = gain_decimals(
        step.gain_high - step.gain_low
        for step in steps
        if step.gain_high is not None and step.gain_low is not None
    )

    def told(step: Step) -> str:
        gain, low, high = (
            format_fixed(value, decimals=decimals, sign=True)
            for value in (step.gain, step.gain_low, step.gain_high)
        )
        return gain if low == "-" else f"{gain} ({low} to {high})"

    return [Cell(text=told(step), order=step.gain) for step in steps]
