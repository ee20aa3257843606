"""How results show themselves in notebooks: scoped, inert, short, in any IPython."""

from __future__ import annotations

import dataclasses
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from lbsense import analyze, explain, gate, read_kaggle, run_checks
from lbsense._result import Result, details, fragment, listing, paragraph, table
from lbsense.model import Competition, History, Submission
from lbsense.simulate import Scenario, simulate

DATA = Path(__file__).parents[1] / "data"
NASTY = (
    "<script>alert(1)</script><b onclick='x()'>=cmd() "
    "\N{RIGHT-TO-LEFT OVERRIDE}\x1b[31m" + "long " * 2000
)


class Scoped(HTMLParser):
    """Complain about anything that could reach the page around the fragment."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag, attrs):
        assert tag not in {"script", "style", "link", "iframe", "a", "form"}
        if tag == "img":  # has no end and fetches nothing
            given = dict(attrs)
            assert given.pop("src").startswith("data:image/svg+xml;base64,")
            assert given.pop("alt")
            assert set(given) <= {"style"}
            return
        for name, value in attrs:
            assert name in {"style", "colspan"}, (tag, name)
            assert "url(" not in (value or "")
            assert "position" not in (value or "")
        self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def check_scoped(html):
    reader = Scoped()
    reader.feed(html)
    assert reader.open == []


@pytest.fixture(scope="module")
def analysis():
    history = read_kaggle(
        DATA / "honest_climber/submissions.csv", metric="roc_auc",
        test_size=20_000, train_size=20_000, public_fraction=0.4,
    )  # fmt: skip
    return analyze(history)


def results_of(analysis):
    yield analysis
    yield analysis.history
    yield run_checks(analysis)
    yield explain("LBS301")
    yield gate(analysis, 0.76)
    yield analysis.steps[3]
    for field in dataclasses.fields(analysis):
        value = getattr(analysis, field.name)
        if isinstance(value, Result):
            yield value


def test_every_result_shows_itself(analysis):
    shown = list(results_of(analysis))
    assert len(shown) > 12
    for result in shown:
        html = result._repr_html_()
        check_scoped(html)
        assert len(html) < 60_000
        assert len(str(result)) < 20_000
        assert "nan" not in html.lower().replace("finance", "")


def test_text_of_the_entrant_is_inert(analysis):
    made = simulate(Scenario(n_submissions=8, policy="both"), rng=1).history
    nasty = replace(
        made,
        submissions=tuple(replace(item, description=NASTY) for item in made),
    )
    told = analyze(nasty)
    for result in (told, nasty, run_checks(told), told.steps[1]):
        html = result._repr_html_()
        check_scoped(html)
        assert "<script" not in html
        assert "\N{RIGHT-TO-LEFT OVERRIDE}" not in html
        assert "\x1b" not in html
        assert len(html) < 60_000


def test_many_submissions_stay_short_and_say_what_is_left_out():
    made = simulate(Scenario(n_submissions=250, policy="both"), rng=3).history
    for result in (made, analyze(made)):
        html = result._repr_html_()
        check_scoped(html)
        assert "195 rows more: to_frame() gives all" in html
        assert len(html) < 300_000


@pytest.mark.parametrize("scores", [[], [None], [0.7], [0.7, 0.7]])
def test_small_histories_show_themselves(scores):
    history = History(
        competition=Competition(greater_is_better=True),
        submissions=tuple(
            Submission(submission_id=f"s{i}", public_score=score)
            for i, score in enumerate(scores)
        ),
    )
    told = analyze(history)
    for result in (history, told, run_checks(told)):
        check_scoped(result._repr_html_())
        assert str(result)


def test_builders():
    assert table(["a"], [["<b>"]]).count("&lt;b&gt;") == 1
    assert listing([]) == ""
    whole = fragment(
        paragraph("x & y", strong=True), details("more", listing(["1"])),
        table((), [["1", "2"]], caption="c", numeric=(1,)),
    )  # fmt: skip
    check_scoped(whole)
    assert "<b>x &amp; y</b>" in whole
    assert "text-align:right" in whole


def test_ipython_shows_both_forms(analysis):
    formatters = pytest.importorskip(
        "IPython.core.formatters", reason="IPython is not installed"
    )
    display = formatters.DisplayFormatter()
    for result in results_of(analysis):
        data, _ = display.format(result, include=["text/html", "text/plain"])
        assert data["text/plain"] == str(result)
        assert data["text/html"] == result._repr_html_()
