"""Histories side by side: numbers by hand, order, oneself, what is missing, words."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import lbsense as lb
from benchmarks.compare import coverage, simulated
from lbsense.analysis import Analysis
from lbsense.report import render_report
from lbsense.words import FIGURES

DATA = Path(__file__).parents[2] / "data"
SIZES = {"train_size": 20_000, "test_size": 20_000, "public_fraction": 0.4}


def read(name: str, *, selected: tuple[int, ...] = (), **options: Any) -> Analysis:
    history = lb.read_kaggle(DATA / name / "submissions.csv", **options)
    sent = tuple(
        replace(item, selected=at in selected) if selected else item
        for at, item in enumerate(history)
    )
    return lb.analyze(replace(history, submissions=sent))


@pytest.fixture(scope="module")
def three() -> dict[str, Analysis]:
    """Return two of one metric, with a selection, and one of another."""
    return {
        "climber": read("honest_climber", metric="roc_auc", selected=(10, 34), **SIZES),
        "chaser": read("leaderboard_chaser", metric="roc_auc", selected=(66, 67)),
        "leaking": read("leaking_validation", metric="rmse"),
    }


def values(found: lb.Comparison) -> dict[str, dict[str, Any]]:
    return {item["name"]: item["figures"] for item in found.to_dict()["histories"]}


def test_numbers_by_hand(three: dict[str, Analysis]) -> None:
    one = three["climber"]
    told = values(lb.compare(three))["climber"]
    judged = [
        step
        for step in one.steps
        if step.verdict in ("progress", "guess", "chasing", "setback")
    ]
    counts = one.counts()
    assert told["guesses"]["value"] == counts["guess"] / len(judged)
    assert told["guesses"]["n"] == sum(
        counts.get(word, 0) for word in ("progress", "guess", "chasing", "setback")
    )
    expected = sum(step.hindsight_p_gain or 0.0 for step in judged) / len(judged)
    assert told["progress"]["value"] == pytest.approx(expected)
    assert one.luck
    assert one.luck.after_end
    n_scored = sum(step.public_score is not None for step in one.steps)
    assert told["gain"]["value"] == pytest.approx(one.luck.true_climb / (n_scored - 1))
    assert told["luck"]["value"] == one.luck.climb_share
    assert told["luck"]["ci_high"] == pytest.approx(
        1
        - (one.luck.true_climb - 1.96 * one.luck.true_climb_se) / one.luck.public_climb
    )
    assert one.agreement
    assert told["agreement"]["value"] == one.agreement.statistic
    private = [item.private_score for item in one.history]
    best = max(score for score in private if score is not None)
    own = max(private[10] or 0.0, private[34] or 0.0)
    assert told["regret"]["value"] == pytest.approx(best - own)
    assert told["choice"]["value"] == pytest.approx(
        told["regret_public"]["value"] - told["regret"]["value"]
    )
    for found in told.values():
        if found["value"] is not None:
            assert found["ci_low"] <= found["value"] <= found["ci_high"]
            assert found["missing"] is None
        else:
            assert found["missing"]


def test_before_the_end_the_posterior_tells_the_climb() -> None:
    running = lb.analyze(
        lb.read_kaggle(
            DATA / "honest_climber" / "submissions_before_close.csv", metric="auc"
        )
    )
    told = values(lb.compare(running, running))["A"]
    assert running.luck
    assert told["luck"]["value"] == pytest.approx(running.luck.climb_share)
    assert told["progress"]["value"] == pytest.approx(
        sum(step.p_gain or 0.0 for step in running.steps if step.verdict != "repeat")
        / told["progress"]["n"]
    )
    assert "private scores" in told["regret"]["missing"]


@pytest.mark.slow
@pytest.mark.parametrize("after", [False, True])
def test_intervals_hold_the_truth(after: bool) -> None:
    """As docs/howto/compare.md has it, on other seeds."""
    for alone, of_two, _ in coverage(
        simulated(range(8000, 8060), after=after)
    ).values():
        assert min(alone, of_two) > 0.88  # 95% less 2.5 standard errors of 60


def test_who_took_the_two_best_public_gained_nothing_by_the_choice(
    three: dict[str, Analysis],
) -> None:
    history = three["chaser"].history
    order = sorted(
        (at for at, item in enumerate(history) if item.public_score is not None),
        key=lambda at: history[at].public_score or 0.0,
    )
    found = read("leaderboard_chaser", metric="roc_auc", selected=tuple(order[-2:]))
    told = values(lb.compare(found, three["climber"]))["A"]["choice"]
    assert (told["value"], told["ci_low"], told["ci_high"]) == (0, 0, 0)


def test_order_changes_no_number(three: dict[str, Analysis]) -> None:
    there = lb.compare(three, portfolio=True)
    back = lb.compare(dict(reversed(three.items())), portfolio=True)
    assert values(there) == values(back)
    assert there.pooled == back.pooled
    assert there.headline == back.headline
    for key in FIGURES:
        one, other = there.difference(key, 1, 0), back.difference(key, 2, 1)
        assert bool(one) == bool(other)
        if one and other:
            assert -one.value == pytest.approx(other.value)
            assert -one.ci_low == pytest.approx(other.ci_high)


def test_a_history_and_itself_differ_in_nothing(three: dict[str, Analysis]) -> None:
    one = three["climber"]
    again = lb.analyze(one.history)
    found = lb.compare(one, again)
    for key in FIGURES:
        apart = found.difference(key)
        if found.habits[0].figures[key]:
            assert apart
            assert (apart.value, apart.ci_low, apart.ci_high) == (0, 0, 0)
    assert "no difference" in found.headline


def test_scores_of_two_metrics_have_no_difference(three: dict[str, Analysis]) -> None:
    found = lb.compare(three)
    apart = found.difference("gain", 2, 0)
    assert not apart
    assert "two metrics" in str(apart)
    assert found.difference("gain", 1, 0)
    assert found.difference("guesses", 2, 0)


def test_a_portfolio_says_how_few_there_are(three: dict[str, Analysis]) -> None:
    found = lb.compare(three, portfolio=True)
    assert found.headline.startswith("Over 3 histories")
    assert "That is few" in found.headline
    assert found.pooled["guesses"]
    assert "now 0" in str(found.pooled["learned"])
    assert "all together" in str(found)


def test_bare_scores_give_reasons(three: dict[str, Analysis]) -> None:
    bare = lb.analyze(lb.read_submissions([{"publicScore": x} for x in (0.5, 0.6)]))
    found = lb.compare({"bare": bare, "climber": three["climber"]})
    assert "cannot be told for bare" in found.headline
    assert any("bare" in text for text in found.reasons())
    assert all(item["missing"] for item in values(found)["bare"].values())
    assert "None of these numbers" not in str(found)


def test_shown_as_text_table_notebook_and_page(three: dict[str, Analysis]) -> None:
    found = lb.compare(three)
    assert "Real gains" in str(found)
    assert len(found.to_frame()) == 3 * len(FIGURES)
    assert "<img" in found._repr_html_()
    page = render_report(found, title="Us <b>")
    assert "Us &lt;b&gt;" in page
    assert "How each number was made" in page
    assert "# climber, chaser and leaking side by side" in render_report(
        found, format="markdown"
    )
    with pytest.raises(ValueError, match="is of one history"):
        render_report(found, format="kaggle")


def test_the_picture_has_a_line_for_each(three: dict[str, Analysis]) -> None:
    ax = lb.plots.plot_comparison(lb.compare(three, portfolio=True))
    legend = ax.get_legend()
    assert legend is not None
    labels = [text.get_text() for text in legend.get_texts()]
    assert labels == ["climber", "chaser", "leaking", "all together"]
    many = lb.compare(*[three["chaser"]] * 8, portfolio=True)
    legend = lb.plots.plot_comparison(many).get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == [
        "each history",
        "all together",
    ]


def test_hostile_names_are_inert(three: dict[str, Analysis]) -> None:
    name = "\x1b[31m<script>alert(1)</script>\u202e"
    found = lb.compare({name: three["climber"], "b": three["chaser"]})
    for shown in (str(found), found._repr_html_(), render_report(found)):
        assert "\x1b" not in shown
        assert "\u202e" not in shown
    assert "<script>alert" not in found._repr_html_() + render_report(found)


def test_wrong_arguments_are_refused(three: dict[str, Analysis]) -> None:
    one = three["climber"]
    with pytest.raises(ValueError, match="two histories or more, got 1"):
        lb.compare(one)
    with pytest.raises(ValueError, match="names must be 2 different ones"):
        lb.compare(one, one, names=["a", "a"])
    with pytest.raises(TypeError, match="histories must be"):
        lb.compare(one, "submissions.csv")  # type: ignore[arg-type]
