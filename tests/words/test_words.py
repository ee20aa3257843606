"""Words: each need for its reader, and one text in every view."""

from __future__ import annotations

import io
import json
import pickle
import re
from dataclasses import replace

import pytest
from rich.console import Console

from lbsense import analyze, render_report, run_checks, words
from lbsense._result import Caveat, Missing, plain
from lbsense.cli.view import print_analysis
from lbsense.facts import Facts
from lbsense.model import Competition, History, Submission
from lbsense.simulate import Scenario, simulate
from lbsense.words import NEEDS, ask, next_fact, notes, step_columns, tell

READERS = ("python", "terminal", "page")
SIZES = ("metric", "test_size", "public_fraction")


def bare(*scores, **competition):
    items = (
        Submission(submission_id=f"s{i}", public_score=score)
        for i, score in enumerate(scores)
    )
    return analyze(
        History(competition=Competition(**competition), submissions=tuple(items))
    )


@pytest.fixture(scope="module")
def climber():
    made = simulate(Scenario(n_submissions=30, step_size=0.1, policy="both"), rng=1)
    return analyze(made.history)


def test_a_missing_result_is_false_null_and_equal_to_its_like():
    missing = Missing("luck", "Why.", ("cv",))
    assert not missing
    assert Caveat("cv", "Why.")
    assert plain({"luck": missing}) == {"luck": None}
    assert pickle.loads(pickle.dumps(missing)) == missing
    assert str(missing) == "Why."


@pytest.mark.parametrize(
    ("reader", "told"),
    [
        ("python", "Why: give the metric, test_size, public_fraction, or CV scores."),
        ("terminal", "Why: give --metric, --test-size, --public-fraction, or CV sc"),
        ("page", "Why: give the metric, the number of test rows, the share of them"),
    ],
)
def test_a_need_is_said_to_its_reader(reader, told):
    assert tell(Missing("gain", "Why", (*SIZES, "cv")), reader).startswith(told)


def test_needs_are_joined_as_people_do():
    assert ask(("test_size",), "python") == "test_size"
    assert ask(("test_size", "train_size"), "python") == "test_size and train_size"
    assert ask(SIZES, "terminal") == "--metric, --test-size and --public-fraction"
    assert ask(("cv", "predictions"), "page") == "CV scores or predictions"
    assert ask(("private",), "page") == ""


def test_what_a_reason_says_already_is_not_asked_again():
    assert tell(Missing("a", "Needs private scores.", ("private",)), "page") == (
        "Needs private scores."
    )
    assert tell(Missing("a", "Known for accuracy"), "page") == "Known for accuracy."
    asking = Caveat("cv", "Is it copied?", ("cv",))
    assert tell(asking, "page") == "Is it copied? Give CV scores."


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize(
    "analysis",
    [
        bare(),
        bare(0.7, 0.71, 0.72),
        bare(0.7, 0.71, greater_is_better=True),
        bare(0.7, 0.71, metric="roc_auc", test_size=900, public_fraction=0.5),
    ],
)
def test_each_reader_is_asked_in_a_language_of_its_own(analysis, reader):
    told = [next_fact(analysis, reader), *notes(analysis, reader).values()]
    options = re.findall(r"--[a-z]", " ".join(told))
    arguments = re.findall(r"\b\w+_\w+\b|\w=", " ".join(told))
    assert reader == "terminal" or not options
    assert reader != "page" or not arguments
    assert all(text.endswith((".", "?")) for text in told)


def test_every_need_has_words_for_all():
    assert all(isinstance(ask((name,), r), str) for name in NEEDS for r in READERS)


def test_every_missing_result_has_its_reason_in_the_notes():
    analysis = bare(0.7, 0.71, greater_is_better=True)
    for name in ("levels", "outlook", "luck", "resolution", "retrospective"):
        missing = getattr(analysis, name)
        assert isinstance(missing, Missing)
        assert analysis.notes[name] == tell(missing, "python")
        assert set(missing.need) <= set(NEEDS)
    json.dumps(analysis.to_dict(), allow_nan=False)


def views(analysis):
    """Return what each view shows, on one line."""
    console = Console(file=io.StringIO(), width=10_000)
    print_analysis(analysis, run_checks(analysis), console, verbose=True)
    texts = [console.file.getvalue(), analysis._repr_html_()]
    texts += [render_report(analysis, format=f) for f in ("html", "markdown", "kaggle")]
    return [" ".join(re.sub(r"\\(.)", r"\1", text).split()) for text in texts]


def test_a_sentence_is_the_same_in_every_view(climber):
    terminal, notebook, page, markdown, document = views(climber)
    for text in climber.retrospective.lessons[1:]:
        assert all(text in view for view in (terminal, notebook))
    for text in words.lessons(climber, "page", tables=True)[1:]:
        assert text in page
        assert text in markdown
    for text in words.results(climber):
        assert text in document
    for text in climber.answer:
        assert text in terminal
        assert text in notebook
    assert words.gap(climber, parts=False)[0] in page
    assert not any(text in document for text in ("lbsense would", "ext time", "LBS"))
    (luck,) = words.luck(climber)
    assert all(luck in text for text in (terminal, notebook, page, markdown))


def test_the_columns_of_steps_are_the_same_in_every_view(climber):
    terminal, notebook, page, markdown, _ = views(climber)
    columns = {c.key: c for c in step_columns(climber.steps, ("public", "p_gain"))}
    for column in columns.values():
        for view in (terminal, notebook, page, markdown):
            assert column.heading in view
    assert all(cell in notebook for cell in columns["public"].cells)
    estimate = step_columns(climber.steps, ("estimate",))[0]
    assert all(cell in notebook for cell in estimate.cells)
    assert all(cell in markdown for cell in estimate.cells)


def test_scores_to_expect_are_raw_where_less_is_better():
    made = simulate(
        Scenario(n_submissions=20, step_size=0.1, metric="rmse", policy="both"), rng=2
    )
    analysis = analyze(made.before_close())
    outlook = analysis.outlook
    assert (outlook.ci95_low > 0).all()
    assert (outlook.ci95_low < outlook.mean).all()
    assert (outlook.mean < outlook.ci95_high).all()
    assert analysis.picks.best.expected_score > 0
    assert outlook.deflation == pytest.approx(
        outlook.mean[outlook.best_public]
        - analysis.steps[outlook.best_public].public_score,
        abs=1e-3,
    )
    told = analysis.to_dict()["outlook"]["private"]
    assert [row["expected"] for row in told] == pytest.approx(outlook.mean.tolist())


def test_an_analysis_is_facts_and_their_words(climber):
    assert isinstance(climber, Facts)
    assert climber.headline == words.headline(climber)
    assert climber.next_fact == words.next_fact(climber)
    assert climber.to_dict()["notes"] == words.notes(climber)


def test_cv_that_is_given_but_too_little_is_not_asked_for_again():
    scores = [(0.8042, 0.7951), (0.8021, 0.7976)]
    history = History(
        competition=Competition(greater_is_better=True, metric="roc_auc"),
        submissions=tuple(
            Submission(submission_id=str(i), public_score=public, cv_score=cv)
            for i, (public, cv) in enumerate(scores)
        ),
    )
    analysis = analyze(history)
    told = next_fact(analysis)
    assert told.startswith("CV scores for at least 5 steps would help most; then ")
    assert "public scores alone" not in analysis.steps[1].sentence


@pytest.fixture(scope="module")
def histories(climber):
    """Return analyses of every kind of evidence, before the end and after it."""
    made = [climber]
    for seed in range(4):
        one = simulate(Scenario(n_submissions=20, policy="both"), rng=seed)
        made += [analyze(one.history), analyze(one.before_close())]
        items = [replace(item, cv_score=None) for item in one.history]
        made.append(analyze(replace(one.history, submissions=tuple(items))))
        bare_one = replace(
            one.before_close(),
            submissions=tuple(replace(item, private_score=None) for item in items),
        )
        made.append(analyze(bare_one))
    made += [
        analyze(replace(climber.history, submissions=climber.history.submissions[:n]))
        for n in range(1, 8)
    ]
    made += [bare(0.7, 0.71, metric="roc_auc"), bare(0.7, greater_is_better=True)]
    return made


def sentences(analysis):
    found = analysis.retrospective
    return [
        analysis.headline,
        *(step.sentence for step in analysis.steps),
        *words.jumps(analysis),
        *words.climb(analysis),
        *words.differences(analysis),
        *words.expectation(analysis),
        *words.alone(analysis),
        *words.selection(analysis),
        words.pick_basis(analysis),
        *(found.sentences if found else ()),
        *(item.message for item in run_checks(analysis)),
    ]


def test_no_sentence_says_nan_or_more_than_all(histories):
    for analysis in histories:
        for text in sentences(analysis):
            assert not re.search(r"\bnan\b|-0\.0\b|\(- to|taught nothing", text), text
            for some, whole in re.findall(r"\b(\d+) of (?:the )?(\d+)\b", text):
                assert int(some) <= int(whole), text
            gained = re.search(r"gained ([\d.]+); ([\d.]+) of that", text)
            assert not gained or float(gained[2]) <= float(gained[1]), text


def test_only_what_is_clear_is_called_the_only_explanation(histories):
    strengths = set()
    for analysis in histories:
        for step in analysis.steps:
            only = "the only good explanation" in step.sentence
            assert only == (step.verdict == "progress" and step.strength == "clear")
            assert not only or step.p_gain >= 0.95
            strengths.add(step.strength)
            if step.verdict in ("progress", "setback"):
                label = words.verdict_label(step)
                assert label.startswith("likely") == (step.strength == "likely")
    assert strengths == {"", "likely", "clear"}


def test_two_strengths_are_told_apart_in_every_view(climber):
    assert {step.strength for step in climber.steps} >= {"likely"}
    for text in views(climber)[:3]:
        assert "likely progress" in text


def test_few_rows_are_told_what_to_expect():
    items = tuple(
        Submission(submission_id=f"s{i}", public_score=p, cv_score=c)
        for i, (p, c) in enumerate([(0.70, 0.71), (0.72, 0.735), (0.71, 0.72)])
    )
    told = words.expectation(
        analyze(
            History(competition=Competition(greater_is_better=True), submissions=items)
        )
    )
    assert len(told) == 1
    assert told[0].startswith("The public score lies 0.012 below CV on average (3 sub")
    assert "They order 3 of 3 pairs of submissions alike." in told[0]


def test_the_jumps_are_named():
    truth = [0.7] * 8 + [0.75] * 8 + [0.78] * 8
    items = tuple(
        Submission(
            submission_id=f"s{i}",
            public_score=score + 0.001 * (i % 3),
            cv_score=score + 0.001 * (i % 2),
            description=f"exp{i}",
        )
        for i, score in enumerate(truth)
    )
    history = History(
        competition=Competition(greater_is_better=True), submissions=items
    )
    (told,) = words.jumps(analyze(history))
    assert told.startswith("Two jumps made the climb: #9 exp8 (+0.0")
