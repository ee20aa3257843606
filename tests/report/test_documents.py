"""The documents that competitions ask for: complete, and no claim without data."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace
from pathlib import Path

import pytest

from lbsense import analyze, read_kaggle, render_report
from lbsense.model import Competition, History, Submission
from lbsense.words import step_columns

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
    assert f"{len(real)} steps that the scores show to be real gains" in text
    assert "more is better" in text
    below = sum(step.gain_low <= 0 for step in real)
    assert f"The interval of {below} of them reaches down to no gain" in text
    (estimates,) = step_columns(climber.steps, ["estimate"])
    for told, step in zip(estimates.cells, climber.steps, strict=True):
        assert (told in text) >= (step.verdict == "progress")


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
        assert "How much of a step can be chance is not known" in text
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


def history_of(*items, **known):
    submissions = tuple(
        Submission(submission_id=f"s{i}", **item) for i, item in enumerate(items)
    )
    return History(competition=Competition(**known), submissions=submissions)


def unescaped_pipes(line):
    return len(re.findall(r"(?<!\\)\|", line))


def test_metric_and_sizes_are_told(climber):
    for kind, title in (("kaggle", KAGGLE[0]), ("zindi", ZINDI[0])):
        text = sections(render_report(climber, format=kind))[title]
        assert "- Metric: roc\\_auc (higher is better)\n" in text
        assert "- Training rows: 20,000\n" in text
        assert "- Public test rows: 8,000\n- Private test rows: 12,000\n" in text
        assert f"- History: {len(climber.steps)} submissions" in text


def test_scores_are_those_of_the_history(climber):
    summary = sections(render_report(climber, format="kaggle"))[KAGGLE[2]]
    for item in climber.history:
        if item.selected:
            row = f"| {item.cv_score:.7g} | {item.public_score:.7g} | "
            assert row + f"{item.private_score:.7g} |" in summary


@pytest.mark.parametrize("kind", ["kaggle", "zindi"])
def test_gains_without_cv_are_not_laid_to_cv(kind):
    text = render_report(
        analyze(history_of(*[{"public_score": 0.5 + i / 10} for i in range(4)],
                           metric="roc_auc", greater_is_better=True,
                           test_size=20_000, public_fraction=0.5)),
        format=kind,
    )  # fmt: skip
    assert "public and CV scores show" not in text
    assert "No submission has a CV score on record" in text


@pytest.mark.parametrize("kind", ["kaggle", "zindi"])
def test_scores_without_a_direction_are_not_denied(kind):
    text = render_report(
        analyze(history_of({"public_score": 0.5}, {"public_score": 0.6})), format=kind
    )
    assert "No submission has a score" not in text
    assert "Which submissions scored best cannot be said" in text
    assert "No step can be called a real gain" in text


@pytest.mark.parametrize("kind", ["kaggle", "zindi"])
@pytest.mark.parametrize(
    "items", [(), ({"status": "error"},), ({"public_score": 0.5},)],
    ids=["empty", "unscored", "one"],
)  # fmt: skip
def test_histories_without_steps_are_documented(kind, items):
    analysis = analyze(history_of(*items, greater_is_better=True))
    text = render_report(analysis, format=kind)
    assert list(sections(text)) == (KAGGLE if kind == "kaggle" else ZINDI)
    assert "No step can be called a real gain" in text
    has_score = bool(items) and "public_score" in items[0]
    assert ("No submission has a score" in text) is not has_score


@pytest.mark.parametrize(
    ("items", "known", "reason"),
    [
        ([{"public_score": 0.5, "selected": True}], {"greater_is_better": True},
         "private scores were not given"),
        ([{"public_score": 0.5, "private_score": 0.5}], {"greater_is_better": True},
         "does not say which submission counted"),
        ([{"private_score": 0.5, "selected": True}], {},
         "whether higher or lower is better is not known"),
    ],
)  # fmt: skip
def test_why_the_private_score_is_left_open(items, known, reason):
    text = render_report(analyze(history_of(*items, **known)), format="kaggle")
    place = r"Private leaderboard score: \*\*TO FILL IN\*\* \((.*)\)"
    assert reason in re.search(place, text)[1]


@pytest.mark.parametrize("kind", ["kaggle", "zindi"])
def test_hostile_text_is_inert(kind):
    nasty = (
        "| <script>alert(1)</script>\n# top\n[a](javascript:x) `b` *c* \u202e\x1b[0m"
    )
    items = [
        {"public_score": 0.5 + i / 100, "description": nasty, "selected": True}
        for i in range(3)
    ]
    analysis = analyze(
        history_of(*items, slug=nasty, metric=nasty, greater_is_better=True)
    )
    text = render_report(analysis, format=kind)
    assert list(sections(text)) == (KAGGLE if kind == "kaggle" else ZINDI)
    assert not re.search(r"(?<!\\)<script", text)
    assert not re.search(r"(?<!\\)\[", text)
    assert len(re.findall(r"^# ", text, flags=re.MULTILINE)) == 1
    assert not [
        c for c in text if unicodedata.category(c) in ("Cf", "Cc") and c != "\n"
    ]
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert rows
    assert {unescaped_pipes(line) for line in rows} == {3}


@pytest.mark.parametrize("kind", ["kaggle", "zindi"])
def test_the_same_analysis_gives_the_same_document(climber, kind):
    assert render_report(climber, format=kind) == render_report(climber, format=kind)
