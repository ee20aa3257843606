"""Text is not code: every text field, filled with hostile text, in every output."""

from __future__ import annotations

import base64
import csv
import dataclasses
import html.parser
import io
import json
import re
import unicodedata
import xml.etree.ElementTree as ET
from datetime import UTC, datetime, timedelta

import pytest

import lbsense as lb
from lbsense.errors import IngestError
from lbsense.model import (
    Competition,
    DataWarning,
    Expectation,
    Experiment,
    History,
    InputFile,
    Ledger,
    RowIssue,
    Submission,
)
from lbsense.report import render_report
from lbsense.report.documents import pictures
from lbsense.report.page import build_page

HOSTILE = (
    "\x1b]52;c;cm0gLXJmIC8=\x07",
    "\x1b[2J\x1b[31mred\x9b31m",
    "\u202egpj.exe\u2066\u200f\u061c",
    "two\nlines\r\nand\x00nul\x85\u2028\u2029",
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>'",
    "]]></style></title><svg/onload=alert(1)>",
    "javascript:alert(1)",
    "{{ 7*7 }}{% raw %}${7*7}#{7}",
    "%s %(a)s {0} {name} {0.__class__}",
    "$x^2$ $\\frac{1}{0}$ \\input{/etc/passwd}",
    "[link](http://e.vil) ![](http://e.vil/x.png) `a` **b** | c |",
    "=cmd|'/c calc'!A0",
    "\uff1d1+1",
    "a;=1+1",
    "a; \uff0b1",
    "@SUM(1)",
    "[bold red]markup[/] :smile: [link=http://e.vil]x[/link]",
    "../../etc/passwd",
    "\ufffe \ufdd0 \U0010ffff",
    "x" * 5000,
    "🟢 e\u0301\u0301\u0301 \U000e0041",
)
START = datetime(2026, 3, 1, tzinfo=UTC)
TEXTS = {
    cls: [
        field.name
        for field in dataclasses.fields(cls)
        if "str" in str(field.type) and "tuple" not in str(field.type)
    ]
    for cls in (Submission, Competition, RowIssue, DataWarning, InputFile)
}
FIXED = {"status", "cv_source", "platform", "metric", "submission_id", "parent_id"}


def filled(cls, text: str, **values):
    """Return an object every free text of which is this one."""
    return cls(**{name: text for name in TEXTS[cls] if name not in FIXED} | values)


def history_of(first: int) -> History:
    """Return a history whose submissions have one hostile text each."""
    text = HOSTILE[first]
    scores = (0.70, 0.72, 0.71, 0.74, 0.73, 0.75, 0.75, 0.76)
    sent = tuple(
        filled(
            Submission,
            HOSTILE[(first + i) % len(HOSTILE)],
            content_hash=f"{text}{i}",
            submission_id=f"{HOSTILE[(first + i) % len(HOSTILE)]}{i}",
            submitted_at=START + timedelta(days=i),
            public_score=score,
            private_score=score - 0.01,
            cv_score=score + 0.005,
            cv_source="description",
            source_line=i,
            selected=i > 5,
        )
        for i, score in enumerate(scores)
    )
    competition = filled(
        Competition,
        text,
        metric="roc_auc",
        greater_is_better=True,
        test_size=20_000,
        public_fraction=0.3,
    )
    return History(
        competition=competition,
        submissions=sent,
        dropped=(filled(RowIssue, text, line=3),),
        warnings=(filled(DataWarning, text),),
        ledger=Ledger(
            experiments=tuple(
                Experiment(
                    experiment_id=f"{text}{i}",
                    name=text,
                    hypothesis=text,
                    parent=text,
                    command=text,
                    submission_id=item.submission_id,
                    expected=Expectation(gain=0.01),
                )
                for i, item in enumerate(sent)
            ),
            issues=(filled(RowIssue, text),),
            source=text,
        ),
    )


@pytest.fixture(scope="module", params=range(0, len(HOSTILE), 4))
def case(request):
    text = HOSTILE[request.param]
    history = history_of(request.param)
    analysis = lb.analyze(history)
    return text, history, analysis, lb.run_checks(analysis)


def assert_inert(shown: str) -> None:
    bad = {c for c in shown if c != "\n" and unicodedata.category(c)[0] == "C"}
    assert not bad, f"control characters {sorted(map(ascii, bad))} get through"


def test_print_and_notebook(case):
    _, history, analysis, findings = case
    shown = [history, analysis, findings, history[0], history.competition]
    shown += [history.dropped[0], history.warnings[0], analysis.steps[1]]
    for item in shown:
        assert_inert(str(item))
        markup = item._repr_html_() if hasattr(item, "_repr_html_") else ""
        assert_inert(markup)
        assert_harmless(markup)


def test_terminal(case, capsys):
    from lbsense.cli.app import ScreenOptions, note, print_entries, tell_doubts
    from lbsense.cli.view import print_analysis, print_picks

    text, history, analysis, findings = case
    screen = ScreenOptions(color=False, width=120)
    print_analysis(analysis, findings, screen.console(), verbose=True)
    print_picks(analysis, None, screen.console())
    print_entries(screen.console(), [(text, text)], title=text)
    screen.console().print(text)
    note(text, kind="Warning")
    tell_doubts(history)
    out, err = capsys.readouterr()
    assert_inert(out)
    assert_inert(err)


class _Harmless(html.parser.HTMLParser):
    def handle_starttag(self, tag, attrs):
        assert tag not in ("iframe", "object", "embed", "base", "link"), tag
        if tag == "img":  # a drawing of our own, looked into as well
            head, _, data = dict(attrs)["src"].partition(",")
            assert head == "data:image/svg+xml;base64"
            assert_harmless(base64.b64decode(data).decode())
        for name, value in attrs:
            assert not name.startswith("on"), f"{tag} {name}"
            if name in ("href", "src", "xlink:href", "action"):
                assert (value or "").startswith(("#", "data:image/")), value


def assert_harmless(markup: str) -> None:
    _Harmless().feed(markup)
    assert "<script>alert" not in markup
    assert "onerror=alert(1)>" not in markup


def test_page(case):
    _, _, analysis, findings = case
    page = render_report(
        analysis, findings=findings, sources=[filled(InputFile, case[0], n_bytes=1)]
    )
    assert_inert(page)
    assert_harmless(page)
    assert page.count("<script") == page.count("</script") <= 1


def test_rows_of_a_long_table(case, monkeypatch):
    from lbsense.report import documents

    monkeypatch.setattr(documents, "_LONG", 3)
    monkeypatch.setattr(documents, "_PAGE", 1)
    _, history, analysis, findings = case
    page = render_report(analysis, findings=findings)
    assert_inert(page)
    assert_harmless(page)
    (rest,) = re.findall(r'<script type="application/json">(.*?)</script>', page)
    assert not set("<>&") & set(rest)
    assert page.count("<script") == page.count("</script") == 2
    told = json.loads(rest)
    assert len(told["rows"]) == len(history) - 1
    for row in told["rows"]:
        for cell in row:
            for text in cell if isinstance(cell, list) else [cell]:
                assert_inert(str(text))


def test_pictures(case):
    _, _, analysis, findings = case
    page = build_page(analysis, findings, ())
    for name, drawn in pictures(page, analysis).items():
        assert_inert(drawn)
        ET.fromstring(f"<both>{drawn}</both>")
        assert "<script" not in drawn, name


@pytest.mark.parametrize("form", ["markdown", "kaggle", "zindi"])
def test_markdown(case, form):
    text, _, analysis, findings = case
    shown = render_report(
        analysis,
        findings=findings,
        format=form,
        sources=[filled(InputFile, text, n_bytes=1)],
    )
    assert_inert(shown)
    bare = re.sub(r"\\.", "", shown)
    assert "<script" not in bare
    assert "<img" not in bare
    assert "](http" not in bare
    assert "{{" not in bare


def test_csv(case):
    from lbsense.cli.history import _csv_text

    _, _, analysis, findings = case
    shown = _csv_text(analysis, findings)
    assert_inert(shown.replace("\r", "\x00"))
    for row in csv.reader(io.StringIO(shown)):
        for cell in row:
            for piece in cell.split(";"):
                start = (
                    piece.strip(" \"'")[:1]
                    if not piece.lstrip().startswith("'")
                    else ""
                )
                number = re.fullmatch(r"-?\d[\d.e+-]*", cell)
                assert number or start not in (
                    "=",
                    "+",
                    "-",
                    "@",
                    "\uff1d",
                    "\uff0b",
                ), cell


def test_json(case):
    from lbsense.cli.history import _json_text

    _, history, analysis, findings = case
    shown = _json_text(analysis, findings)
    assert shown.isascii()
    content = json.loads(shown)
    assert [step["submission_id"] for step in content["steps"]] == [
        item.submission_id for item in history
    ]


@pytest.mark.parametrize("text", HOSTILE)
def test_messages(text):
    with pytest.raises(IngestError) as caught:
        lb.read_submissions([{"note": text, text: 1}])
    assert_inert(str(caught.value))
    with pytest.raises(IngestError) as caught:
        lb.read_submissions(
            f"no such folder{text}".replace("\n", "").replace("\r", "") + "/a.csv"
        )
    assert_inert(str(caught.value))


@pytest.mark.parametrize("text", [*HOSTILE, "\ud800 \udfff \ud83d\ude00"])
def test_a_file_of_it(text):
    rows = [
        {
            "ref": f"{i}{text}",
            "fileName": text,
            "description": text,
            "publicScore": 0.7 + i / 100,
        }
        for i in range(3)
    ]
    history = lb.read_submissions(rows, metric="roc_auc")
    assert len(history) == 3
    history.to_frame()
    for issue in (*history.dropped, *history.warnings):
        assert_inert(str(issue))
