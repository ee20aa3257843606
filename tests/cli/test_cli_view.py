"""The table of steps: every verdict, every width, short and long histories."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from rich.console import Console

from lbsense._format import decimals_shown, format_fixed
from lbsense._typing import Verdict
from lbsense.analysis import Step, analyze
from lbsense.checks import Findings
from lbsense.cli.view import print_analysis, step_table
from lbsense.model import Competition, History, Submission, display_names

VERDICTS: tuple[Verdict, ...] = (
    "progress",
    "guess",
    "chasing",
    "setback",
    "repeat",
    "probe",
    "unscored",
    "unknown",
)
STEP = Step(
    submission_id="s1",
    name="a model with a description of some length, fold by fold",
    title=None,
    file_name="submission.csv",
    description="a model with a description of some length, fold by fold",
    submitted_at=datetime(2026, 7, 1, 23, 50, tzinfo=UTC),
    status="complete",
    public_score=0.81234,
    cv_score=0.8101,
    cv_source="description",
    private_score=None,
    reference_id="s0",
    public_gain=0.002,
    public_gain_se=0.002,
    cv_gain=0.001,
    cv_gain_se=0.001,
    gain=0.0012,
    gain_low=-0.0009,
    gain_high=0.0033,
    p_gain=0.87,
    p_null=0.1,
    p_loss=0.03,
    verdict="guess",
    sentence="A sentence.",
)


def table(steps: list[Step], width: int) -> list[str]:
    return [line.plain for line in step_table(steps, width)[0]]


@pytest.mark.parametrize("verdict", VERDICTS)
def test_every_verdict_has_a_symbol_and_its_word(verdict: Verdict) -> None:
    lines = step_table([replace(STEP, verdict=verdict)], 100)[0]
    assert lines[-1].plain.endswith(f" {verdict}")
    assert lines[-1].spans or lines[-1].style


def test_symbols_tell_the_verdicts_apart_without_colour() -> None:
    steps = [replace(STEP, verdict=verdict) for verdict in VERDICTS]
    symbols = [line.split()[-2] for line in table(steps, 100)[2:]]
    assert len(set(symbols)) == len(VERDICTS)
    assert all(symbol.isascii() for symbol in symbols)


def test_a_row_reads_as_worked_out_by_hand() -> None:
    header, _, row = table([STEP], 120)
    names = "# Date UTC Submission CV Public Step Gain 95% interval P(gain) Verdict"
    assert header.split() == names.split()
    assert row == (
        "1  07-01  23:50  a model with a description o…  0.8101  0.81234  +0.00200"
        "  +0.0012  -0.0009 +0.0033      87%  ~ guess"
    )


def test_at_80_columns_date_and_interval_remain() -> None:
    lines, hidden = step_table([STEP], 80)
    assert hidden == ["Step", "UTC"]
    assert "-0.0009 +0.0033" in lines[2].plain
    assert lines[2].plain.startswith("1 07-01 a model")


@pytest.mark.parametrize("width", [40, 60, 80, 100, 140, 200])
@pytest.mark.parametrize("private", [None, 0.80999])
def test_rows_fit_the_width_and_have_one_length(
    width: int, private: float | None
) -> None:
    steps = [replace(STEP, verdict=v, private_score=private) for v in VERDICTS]
    lines = table(steps, width)
    assert max(map(len, lines)) <= width
    ends = {
        line.index(verdict) for line, verdict in zip(lines[2:], VERDICTS, strict=True)
    }
    assert len(ends) == 1


def test_columns_that_say_nothing_are_left_out() -> None:
    bare = replace(
        STEP,
        submitted_at=None,
        cv_score=None,
        public_gain=None,
        gain=None,
        gain_low=None,
        gain_high=None,
        p_gain=None,
    )
    assert table([bare], 120)[0].split() == ["#", "Submission", "Public", "Verdict"]


def test_the_year_is_shown_only_where_there_are_two() -> None:
    older = replace(STEP, submitted_at=datetime(2025, 12, 31, 8, 0, tzinfo=UTC))
    assert "2025-12-31" in table([older, STEP], 120)[2]
    assert "2026" not in table([STEP], 120)[2]


@pytest.mark.parametrize(
    ("title", "description", "file_name", "name"),
    [
        (None, "exp 1", "a.csv", "exp 1"),
        (None, "", "a.csv", "a.csv"),
        (None, None, "a.csv", "a.csv"),
        (None, "\x1b\u200b", None, "s1"),
        (None, None, None, "s1"),
        ("v3", "more lags", "a.csv", "v3: more lags"),
        ("v3", "V3 more lags", None, "V3 more lags"),
        ("v3", None, "a.csv", "v3"),
    ],
)
def test_a_row_is_named_by_what_there_is(
    title: str | None, description: str | None, file_name: str | None, name: str
) -> None:
    item = Submission(
        submission_id="s1", title=title, description=description, file_name=file_name
    )
    step = replace(STEP, name=display_names([item])[0])
    assert f" {name} " in table([step], 120)[2]


def test_wide_characters_keep_the_columns_straight() -> None:
    steps = [replace(STEP, name="特徴量" * 20), STEP]
    lines = table(steps, 90)
    first, second = lines[2], lines[3]
    n_wide = sum(char in "特徴量" for char in first)
    assert len(second) - len(first) == n_wide


def test_a_thousand_steps_are_all_there() -> None:
    steps = [
        replace(STEP, submitted_at=STEP.submitted_at + timedelta(minutes=30 * day))  # type: ignore[operator]
        for day in range(1000)
    ]
    lines = table(steps, 80)
    assert len(lines) == 1002
    assert lines[-1].startswith("1000 ")
    assert max(map(len, lines)) <= 80


def reasons(verdicts: list[Verdict], *, verbose: bool) -> list[str]:
    """Return the numbered reasons below the table of steps with these verdicts."""
    history = History(competition=Competition(greater_is_better=True), submissions=())
    analysis = analyze(history)
    steps = tuple(replace(STEP, verdict=verdict) for verdict in verdicts)
    console = Console(file=io.StringIO(), width=100)
    print_analysis(
        replace(analysis, steps=steps),
        Findings(findings=()),
        console,
        verbose=verbose,
        steps=True,
    )
    text = console.file.getvalue()  # type: ignore[attr-defined]
    return re.findall(r"^(#\d+ +\w+):", text, flags=re.MULTILINE)


def test_rare_verdicts_are_explained_before_many_setbacks() -> None:
    verdicts: list[Verdict] = ["progress", "probe", "guess", "guess"]
    verdicts[1:1] = ["setback"] * 40
    setbacks = [f"#{number}  setback" for number in range(33, 42)]
    expected = ["#1   progress", *setbacks, "#42  probe", "#44  guess"]
    assert reasons(verdicts, verbose=False) == expected


def test_the_latest_scored_step_is_always_explained() -> None:
    assert reasons(["guess", "guess", "unscored"], verbose=False) == ["#2  guess"]
    assert reasons(["unscored"], verbose=False) == ["#1  unscored"]


def test_verbose_explains_every_step() -> None:
    assert len(reasons(["guess"] * 50, verbose=True)) == 50


@pytest.mark.parametrize(
    ("values", "decimals"),
    [([], 0), ([1.0, 20.0], 0), ([0.5, 0.812], 3), ([1 / 3], 6), ([7.1e-9], 0)],
)
def test_decimals_shown(values: list[float], decimals: int) -> None:
    assert decimals_shown(values) == decimals


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "-"),
        (float("nan"), "-"),
        (0.00004, "+0.000"),
        (-0.00004, "+0.000"),
        (-0.0015, "-0.002"),
        (1068014.4, "+1.068e+06"),
    ],
)
def test_format_fixed(value: float | None, text: str) -> None:
    assert format_fixed(value, decimals=3, sign=True) == text
