"""What was learned from what was tried: by the ledger and the verdicts."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import lbsense as lb
from lbsense.analysis.retrospective import _outcome
from lbsense.model import Competition, Expectation, Ledger, Submission
from lbsense.words import learning

DATA = Path(__file__).parents[2] / "data/honest_climber"
SIZES = {"metric": "roc_auc", "test_size": 20_000, "public_fraction": 0.4}


def entry(item: Submission, number: int, **fields) -> lb.Experiment:
    known = {"name": f"exp{number:03d}", "submission_id": item.submission_id}
    return lb.Experiment(experiment_id=f"e{number}", **{**known, **fields})


def judged(n: int = 40, *, ratio: float = 1.0, factor: float = 1.0, seed: int = 0):
    """Return a history whose entrant expects gains that come by ``ratio``."""
    rng = np.random.default_rng(seed)
    gains = rng.normal(0.002, 0.004, n)
    levels = 0.7 + np.cumsum(gains)
    public = levels + rng.normal(0, 0.0005, n)
    cv = levels + rng.normal(0, 0.0005, n)
    sent = tuple(
        Submission(
            submission_id=f"s{i}",
            public_score=float(public[i]),
            cv_score=float(cv[i]),
            cv_source="column",
            parent_id=f"s{i - 1}" if i else None,
        )
        for i in range(n)
    )
    history = lb.History(
        competition=Competition(
            metric="roc_auc",
            greater_is_better=True,
            test_size=200_000,
            train_size=200_000,
            public_fraction=0.5,
        ),
        submissions=sent,
    )
    told = []
    for i, item in enumerate(sent):
        gain = gains[i] / ratio if ratio else abs(rng.normal(0.003, 0.001))
        gain += rng.normal(0, 0.001) * factor
        expected = Expectation(gain=gain, low=gain - 0.00128, high=gain + 0.00128)
        why = "more" if i % 4 else None
        told.append(entry(item, i, hypothesis=why, expected=expected))
    return lb.analyze(history, ledger=Ledger(experiments=tuple(told)))


def test_without_a_ledger_nothing_is_said() -> None:
    analysis = lb.analyze(lb.read_kaggle(DATA / "submissions.csv", **SIZES))
    assert not analysis.learning
    assert analysis.learning.need == ("ledger",)
    assert learning(analysis) == []
    assert "learning" not in analysis.notes
    assert analysis.to_dict()["learning"] is None


def test_who_expects_what_comes_is_told_so() -> None:
    found = judged().learning
    assert found.n_submitted == found.n_experiments == 40
    assert len(found.steps) == 39
    assert found.with_reason.n_obs + found.without_reason.n_obs == 39
    told = found.calibration
    assert told.ratio_low < 1 < told.ratio_high
    assert told.width_low < 1 < told.width_high
    assert told.ratio_high - told.ratio_low < 0.5
    assert 0 < found.bits <= found.bits_at_most <= math.log2(3)


def test_who_expects_too_much_or_too_narrowly_is_told_so() -> None:
    told = judged(ratio=0.4, seed=1).learning.calibration
    assert told.ratio_low < 0.4 < told.ratio_high < 0.7
    told = judged(factor=4, seed=2).learning.calibration
    assert told.width_low > 1.5
    assert told.held_high < 0.7
    text = " ".join(learning(judged(ratio=0.4, seed=1)))
    assert "your expectations are too high; expect less" in text


def test_the_sentences_count_and_do_not_scold() -> None:
    analysis = judged()
    texts = learning(analysis)
    assert texts[0] == (
        "40 of 40 experiments in the ledger were submitted. 30 of 39 steps had a reason."
    )
    assert texts[1].startswith("Of 30 steps with a reason: ")
    assert texts[2].startswith("Of 9 steps without one: ")
    whole = " ".join(texts).casefold()
    assert not {"should", "must", "fail", "bad"} & set(whole.split())


def test_few_expectations_and_unknown_noise_have_their_reasons() -> None:
    history = lb.read_kaggle(DATA / "submissions.csv", metric="roc_auc")
    expected = Expectation(gain=0.01)
    two = Ledger(
        experiments=tuple(entry(history[i], i, expected=expected) for i in (1, 2))
    )
    found = lb.analyze(history, ledger=two).learning.calibration
    assert found.need == ("expectations",)
    bare = lb.History(
        competition=Competition(greater_is_better=True),
        submissions=tuple(
            Submission(submission_id=str(i), public_score=0.7 + i / 100)
            for i in range(5)
        ),
    )
    every = Ledger(
        experiments=tuple(entry(x, i, expected=expected) for i, x in enumerate(bare))
    )
    found = lb.analyze(bare, ledger=every)
    assert "noise of the steps is not known" in found.learning.calibration.reason
    assert math.isnan(found.learning.bits)
    assert "calibration" in found.notes


@pytest.mark.parametrize(
    ("verdict", "outcome", "expected", "told"),
    [
        ("progress", "", 1, "borne out"),
        ("progress", "confirmed", 1, "borne out"),
        ("progress", "weakened", 1, "open"),
        ("progress", "contradicted", 1, "contradicted"),
        ("setback", "", 1, "contradicted"),
        ("setback", "", -1, "borne out"),
        ("guess", "gain after all", 1, "borne out"),
        ("guess", "loss after all", 1, "contradicted"),
        ("guess", "", 1, "open"),
        ("chasing", "", 1, "open"),
        ("progress", "", 0, "contradicted"),
    ],
)
def test_outcomes_of_reasons(verdict, outcome, expected, told) -> None:
    step = replace(judged(4).steps[1], verdict=verdict, outcome=outcome)
    assert _outcome(step, expected) == told


def test_the_page_and_the_notebook_hold_it() -> None:
    from lbsense.report import render_report

    analysis = judged()
    page = render_report(analysis)
    assert "What was tried, and what was learned" in page
    assert "30 of 39 steps had a reason" in page
    assert "30 of 39 steps had a reason" in render_report(analysis, format="markdown")
    assert "30 of 39 steps had a reason" in analysis._repr_html_()
