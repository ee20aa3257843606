"""The documents that competitions ask for: complete, and no claim without data."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from lbsense import analyze, read_kaggle, render_report
from lbsense._format import format_gain
from lbsense.model import Competition, History, Submission

DATA = Path(__file__).parents[2] / "data"
KAGGLE = [
    "A1. Background on you/your team", "A2. Background on you/your team", "A3. Summary",
    "A4. Features selection / engineering", "A5. Training method(s)",
    "A6. Interesting findings", "A7. Simple features and methods",
    "A8. Model execution time", "A9. References",
]  # fmt: skip
ZINDI = [
    "1. Overview and objectives", "2. Architecture diagram", "3. ETL process",
    "4. Data modelling", "5. Inference", "6. Run time", "7. Performance metrics",
    "8. Error handling and logging", "9. Maintenance and monitoring",
]  # fmt: skip


@pytest.fixture(scope="module")
def climber():
    history = read_kaggle(
        DATA / "honest_climber/submissions.csv", metric="roc_auc",
        test_size=20_000, train_size=20_000, public_fraction=0.4,
    )  # fmt: skip
    chosen = [item.submission_id for item in history][-2:]
    return analyze(
        replace(
            history,
            submissions=tuple(
                replace(item, selected=item.submission_id in chosen) for item in history
            ),
        )
    )


def sections(text):
    parts = re.split(r"^## (.*)$", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


@pytest.mark.parametrize(("kind", "titles"), [("kaggle", KAGGLE), ("zindi", ZINDI)])
def test_sections_are_complete_and_in_order(climber, kind, titles):
    text = render_report(climber, format=kind)
    assert list(sections(text)) == titles
    places = re.findall(r"\*\*TO FILL IN", text)
    assert len(places) >= 7


def test_gains_are_told_with_their_intervals(climber):
    text = sections(render_report(climber, format="kaggle"))[KAGGLE[3]]
    real = [step for step in climber.steps if step.verdict == "progress"]
    assert f"{len(real)} steps that public and CV scores show to be real gains" in text
    for step in real:
        interval = f"({format_gain(step.gain_low)} to {format_gain(step.gain_high)})"
        assert f"{format_gain(step.gain)} {interval}" in text


def test_what_was_selected_is_told(climber):
    text = render_report(climber, format="kaggle")
    summary = sections(text)[KAGGLE[2]]
    assert "The submissions that were selected" in summary
    chosen = [item for item in climber.history if item.selected]
    best = max(item.private_score for item in chosen)
    assert f"Private leaderboard score: {best:.7g}" in sections(text)[KAGGLE[0]]


def test_nothing_is_claimed_without_evidence():
    history = History(
        competition=Competition(greater_is_better=True),
        submissions=tuple(
            Submission(submission_id=f"s{i}", public_score=0.7 + i / 100)
            for i in range(4)
        ),
    )
    for kind in ("kaggle", "zindi"):
        text = render_report(analyze(history), format=kind)
        assert "No step can be called a real gain" in text
        assert "The noise of the leaderboard is not known" in text
        assert "Private scores were not given" in text
        assert "No submission has a CV score on record" in text


def test_lower_is_better_takes_the_lowest_private_score():
    history = History(
        competition=Competition(metric="rmse", greater_is_better=False),
        submissions=tuple(
            Submission(
                submission_id=f"s{i}", public_score=0.5, private_score=score,
                selected=True,
            )
            for i, score in enumerate((0.51, 0.49))
        ),
    )  # fmt: skip
    text = render_report(analyze(history), format="kaggle")
    assert "Private leaderboard score: 0.49\n" in text
