"""Every sentence that the histories here produce is read, and what no one may say refused.

The bundled histories and generated ones of every kind of evidence, before the end and
after it, by a metric of which more is better and one of which less is.
"""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lbsense import (
    Analysis,
    analyze,
    read_submissions,
    render_report,
    run_checks,
    words,
)
from lbsense._codes import VERDICTS
from lbsense.simulate import Scenario, simulate

DATA = Path(__file__).parents[2] / "data"
SIZES = {"train_size": 20_000, "test_size": 20_000, "public_fraction": 0.4}
BUNDLED = {
    "honest_climber": {"metric": "roc_auc", **SIZES},
    "leaderboard_chaser": {"metric": "roc_auc", **SIZES},
    "leaking_validation": {"metric": "rmse"},
}
READERS: tuple[words.Reader, ...] = ("python", "terminal", "page")
# Told of a whole history, one function each.
TOLD = (
    "advice",
    "agreement",
    "alone",
    "climb",
    "default_trap",
    "differences",
    "expectation",
    "jumps",
    "learning",
    "luck",
    "noise",
    "outlook",
    "resolution",
    "runner_up",
    "selection",
)


def made() -> Iterator[tuple[str, Analysis]]:
    """Yield analyses of every kind of evidence by a name."""
    for name, facts in BUNDLED.items():
        for file in ("submissions.csv", "submissions_before_close.csv"):
            history = read_submissions(DATA / name / file, **facts)
            yield f"{name}/{file}", analyze(history)
    for seed, metric in enumerate(("roc_auc", "rmse", "rmse", "accuracy")):
        policy = ("both", "public", "cv")[seed % 3]
        one = simulate(
            Scenario(n_submissions=24, step_size=0.05, metric=metric, policy=policy),
            rng=seed,
        )
        yield f"{metric} {seed}", analyze(one.history)
        yield f"{metric} {seed} running", analyze(one.before_close())
        bare = [replace(item, cv_score=None) for item in one.history]
        yield (
            f"{metric} {seed} without cv",
            analyze(replace(one.history, submissions=tuple(bare))),
        )
        few = one.before_close()
        for n in range(7):
            cut = replace(few, submissions=few.submissions[:n])
            yield f"{metric} {seed} first {n}", analyze(cut)
        unknown = replace(one.history.competition, metric=None, greater_is_better=None)
        yield (
            f"{metric} {seed} undirected",
            analyze(replace(one.history, competition=unknown)),
        )


@pytest.fixture(scope="module")
def analyses() -> dict[str, Analysis]:
    return dict(made())


def sentences(analysis: Analysis) -> Iterator[str]:
    """Yield everything that is said of a history."""
    yield from (words.headline(analysis), words.tally(analysis))
    yield words.evidence(analysis)
    for name in TOLD:
        yield from getattr(words, name)(analysis)
    for reader in READERS:
        for width in (None, 72, 80, 120):
            yield from words.answer(analysis, reader, width)
        yield from words.lessons(analysis, reader)
        yield from words.notes(analysis, reader).values()
        yield words.next_fact(analysis, reader)
        yield words.why_no_noise(analysis, reader)
    yield words.pick_basis(analysis)
    for index, step in enumerate(analysis.steps):
        yield step.sentence
        yield from (text for _, text in words.step_told(analysis, index))
    yield from (item.message for item in run_checks(analysis))


@pytest.fixture(scope="module")
def told(analyses: dict[str, Analysis]) -> list[tuple[Analysis, str, str]]:
    """Return every sentence of every history, without what entrants wrote."""
    return [
        (analysis, name, without_names(analysis, text))
        for name, analysis in analyses.items()
        for text in sentences(analysis)
    ]


def without_names(analysis: Analysis, text: str) -> str:
    """Return a sentence without what entrants wrote themselves."""
    names = {step.name for step in analysis.steps}
    if "…" in text:
        names |= {step.name[:n].rstrip() + "…" for step in analysis.steps for n in CUTS}
    for name in sorted(names, key=len, reverse=True):
        text = text.replace(name, "NAME")
    return text


CUTS = range(3, 60)


def test_a_part_is_never_larger_than_its_whole(told):
    for _, name, text in told:
        for part, whole in re.findall(
            r"\b(\d[\d,]*) (?:of|in) (?:the )?(\d[\d,]*)\b", text
        ):
            assert int(part.replace(",", "")) <= int(whole.replace(",", "")), (
                name,
                text,
            )


def test_no_number_is_a_slip_of_a_program(told):
    wrong = re.compile(
        r"\bnan\b|\binf\b|\bNone\b|(?<![\d.])-0(\.0+)?(?![\d.])|\d[eE][-+]?\d{2}|\+-"
    )
    for _, name, text in told:
        assert not wrong.search(text), (name, text)
        assert text == text.strip(), (name, text)
        assert "  " not in text, (name, text)
        assert not re.search(r"\b1 (?:steps|submissions|pairs|guesses)\b", text), text


def test_nothing_rises_by_a_metric_of_which_less_is_better(told):
    rising = re.compile(r"\b(rose|rises?|risen|gained|went up|fell|fallen|falls)\b")
    seen = 0
    for analysis, name, text in told:
        if analysis.history.competition.greater_is_better is False:
            seen += 1
            assert not rising.search(text), (name, text)
    assert seen > 500


def test_no_sentence_names_an_identifier_that_no_table_shows(analyses):
    seen = 0
    for name, analysis in analyses.items():
        shown = {step.name for step in analysis.steps}
        hidden = {step.submission_id for step in analysis.steps} - shown
        hidden = {item for item in hidden if len(item) > 2}
        if hidden:
            found = re.compile(
                r"(?<!\w)(" + "|".join(map(re.escape, hidden)) + r")(?!\w)"
            )
            for text in sentences(analysis):
                seen += 1
                assert not found.search(text), (name, text)
    assert seen > 500


def test_four_lines_fit_a_small_terminal(analyses):
    for name, analysis in analyses.items():
        lines = words.answer(analysis, "terminal", 80)
        assert len(lines) == 4
        assert all(len(line) <= 80 for line in lines), (name, lines)
        assert all(line.endswith(".") for line in lines), (name, lines)


def test_there_is_a_pair_wherever_there_are_two_submissions(analyses):
    for name, analysis in analyses.items():
        if len(analysis.steps) > 1:
            assert analysis.picks, name
            assert words.pick_basis(analysis), name


@pytest.mark.parametrize("name", ["leaderboard_chaser/submissions.csv", "rmse 1"])
def test_no_page_says_a_sentence_twice(analyses, name):
    text = render_report(analyses[name], format="markdown")
    lines = [line for line in text.splitlines() if not line.startswith(("|", "#", "!"))]
    told = re.findall(r"[A-Z][^.!?|]{40,}[.!?](?= |$)", "\n".join(lines))
    twice = [text for text, count in Counter(told).items() if count > 1]
    assert not twice


@pytest.mark.parametrize(
    "name",
    [
        "honest_climber/submissions.csv",
        "leaderboard_chaser/submissions_before_close.csv",
        "leaking_validation/submissions.csv",
        "rmse 1 without cv",
        "accuracy 3 undirected",
    ],
)
def test_no_html_page_says_a_sentence_twice(analyses, name):
    page = render_report(analyses[name])
    body = page.partition("<body")[2]
    for part in ("script", "style", "svg", "table"):
        body = re.sub(rf"<{part}\b.*?</{part}>", " ", body, flags=re.DOTALL)
    text = html.unescape(re.sub(r"<[^>]*>", "\n", body))
    told = re.findall(r"[A-Z][^.!?\n]{40,}[.!?](?=\s|$)", text)
    assert len(told) > 5
    assert not [text for text, count in Counter(told).items() if count > 1]
    assert "What the verdicts mean" in text
    for verdict in analyses[name].counts():
        assert VERDICTS[verdict].meaning in text


def test_verdicts_are_explained_without_a_direction():
    for text in VERDICTS.values():
        for part in (text.title, text.meaning, text.why, text.wrong, text.remedy):
            assert not re.search(r"\brose\b|\bfell\b", part)


def test_what_cv_did_is_what_its_two_scores_show(analyses):
    n_seen = 0
    for name, analysis in analyses.items():
        if analysis.history.competition.greater_is_better is None:
            continue
        cv = {item.submission_id: item.cv_score for item in analysis.history}
        for index, step in enumerate(analysis.steps):
            found = re.search(r"\bCV [a-z ]+ by ([\d.,]+\d)(?! on)", step.sentence)
            if found is None:
                continue
            n_seen += 1
            apart = abs(cv[step.submission_id] - cv[step.reference_id])
            told = float(found[1].replace(",", ""))
            assert told == pytest.approx(apart, rel=0.06), (name, step.sentence)
            assert f"by {found[1]}." in dict(words.step_told(analysis, index))["CV"]
    assert n_seen > 200


def test_cv_that_tells_no_gain_says_so():
    rng = np.random.default_rng(3)
    true = 0.75 + np.cumsum(rng.normal(0, 0.002, 40))
    rows = ["id,OOF,Holdout,public,note"]
    for k, at in enumerate(true):
        noise = rng.normal(0, 0.001, 3)
        jump, split = (0, "5fold") if k < 20 else (0.03, "group kfold")
        rows.append(
            f"{k},{at + jump + noise[0]:.5f},{at / 2 + noise[1]:.5f},"
            f"{at + noise[2]:.5f},{split}"
        )
        if k == 20:
            rows[-1] = rows[-1].replace(f"{at / 2 + noise[1]:.5f}", "")
    analysis = analyze(read_submissions("\n".join(rows), metric="roc_auc"))
    told = dict(words.step_told(analysis, 20))
    assert "; no difference to that of #" in told["CV"]
    assert dict(words.step_told(analysis, 5))["Other CV"].startswith("Holdout 0.")
    for index, step in enumerate(analysis.steps):
        if step.cv_gain and index != 20:
            fell = "fell" in dict(words.step_told(analysis, index))["CV"]
            assert fell == (step.cv_gain < 0)
