"""The page and its Markdown: whole, inert, the same every time."""

from __future__ import annotations

import base64
import hashlib
import re
import struct
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from lbsense import (
    analyze,
    read_kaggle,
    read_submissions,
    render_report,
    run_checks,
    words,
    write_report,
)
from lbsense.ingest import input_files
from lbsense.model import Competition, History, InputFile, Predictions, Submission
from lbsense.simulate import Scenario, simulate

DATA = Path(__file__).parents[2] / "data"
CHASER = DATA / "leaderboard_chaser/submissions.csv"
NASTY = (
    "<script>alert(1)</script><img src=x onerror=alert(2)> =cmd()|'/C calc'!A0 "
    "| a [b](javascript:alert(3)) `c` \N{RIGHT-TO-LEFT OVERRIDE}evil\x1b[31m "
    + "x"
    * 10_000
)
VOID = {"meta", "input", "br", "img", "use", "path"}


class Reader(HTMLParser):
    """Collect elements, and complain about what does not nest."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] not in ("style", "script"):
            self.words.append(data)


def read_page(html: str) -> Reader:
    reader = Reader()
    reader.feed(html)
    assert reader.open == []
    return reader


@pytest.fixture(scope="module")
def chaser():
    history = read_kaggle(
        CHASER, metric="roc_auc", test_size=7500, train_size=8000, public_fraction=0.2
    )
    return analyze(history)


@pytest.fixture(scope="module")
def page(chaser):
    return render_report(chaser, sources=[CHASER])


def history_of(public, **fields):
    return History(
        competition=Competition(greater_is_better=True),
        submissions=tuple(
            Submission(submission_id=f"s{i}", public_score=score, **fields)
            for i, score in enumerate(public)
        ),
    )


def test_the_answer_comes_first_and_everything_follows(chaser, page):
    reader = read_page(page)
    text = " ".join(" ".join(reader.words).split())
    assert text.index(chaser.headline) < text.index("Scores in the order")
    assert text.index("Scores in the order") < text.index("What happened")
    for heading in (
        "What was noise", "Next time", "Every step",
        "After the end", "What was to be expected before the end",
        "Do CV and leaderboard agree?", "What this leaderboard can tell", "Findings",
        "How each number was made", "Inputs and versions",
    ):  # fmt: skip
        assert heading in text
    for step in chaser.steps:
        assert step.sentence in text
    told = words.lessons(chaser, "page", tables=True) + words.advice(chaser)
    for lesson in told:
        assert text.count(lesson) == 1
    for finding in run_checks(chaser):
        assert finding.message in text


def test_nothing_is_fetched_and_ids_are_unique(page):
    reader = read_page(page)
    links = [
        value
        for _, attrs in reader.elements
        for name, value in attrs.items()
        if name in ("src", "href", "xlink:href", "action", "data")
    ]
    assert all(link.startswith("#") for link in links)
    assert "@import" not in page
    assert not re.search(r"url\((?!#)", page)
    ids = [attrs["id"] for _, attrs in reader.elements if "id" in attrs]
    assert len(ids) == len(set(ids))
    for link in links:
        assert not link.startswith("#") or link[1:] in ids
    labels = [
        name
        for _, attrs in reader.elements
        for name in (attrs.get("aria-labelledby") or "").split()
    ]
    assert set(labels) <= set(ids)


def test_the_same_inputs_give_the_same_bytes(page):
    again = read_kaggle(
        CHASER, metric="roc_auc", test_size=7500, train_size=8000, public_fraction=0.2
    )
    assert render_report(analyze(again), sources=[CHASER]) == page


def test_inputs_and_versions_are_recorded(page):
    digest = input_files([CHASER])[0].sha256
    assert digest in page
    assert "lbsense 0.1.0" in page
    assert "numpy" in page


@pytest.mark.parametrize("kind", ["html", "markdown", "kaggle", "zindi"])
def test_foreign_text_is_inert(kind):
    made = simulate(Scenario(n_submissions=12, policy="both"), rng=1).history
    nasty = replace(
        made,
        competition=replace(made.competition, slug=NASTY[:200]),
        submissions=tuple(
            replace(item, description=NASTY, selected=True) for item in made
        ),
    )
    text = render_report(
        analyze(nasty),
        sources=[InputFile(name=NASTY[:80], sha256="0" * 64, n_bytes=1)],
        format=kind,
    )
    assert "\x1b" not in text
    assert "\N{RIGHT-TO-LEFT OVERRIDE}" not in text
    if kind == "html":
        reader = read_page(text)
        tags = {tag for tag, _ in reader.elements}
        assert "img" not in tags
        assert sum(tag == "script" for tag, _ in reader.elements) == 1
        assert not any(
            name.startswith("on") for _, attrs in reader.elements for name in attrs
        )
    else:
        assert not re.search(r"(?<!\\)<(script|img)", text)
        assert not re.search(r"(?<!\\)\[b", text)
        for table in re.findall(r"(?:^\|.*\n)+", text, flags=re.MULTILINE):
            bars = {len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}
            assert len(bars) == 1


@pytest.mark.parametrize("kind", ["html", "markdown", "kaggle", "zindi"])
@pytest.mark.parametrize(
    "history",
    [
        history_of([]),
        history_of([0.7]),
        history_of([None, None]),
        replace(history_of([0.7, 0.8]), competition=Competition()),
        history_of([0.7, 0.8, 0.75], private_score=0.7),
    ],
    ids=["empty", "one", "unscored", "no direction", "level A"],
)
def test_every_history_makes_an_honest_report(history, kind):
    analysis = analyze(history)
    text = render_report(analysis, format=kind)
    assert "nan" not in re.sub(r"[a-z]nan|nan[a-z]", "", text.split("<script>")[0])
    if kind == "html":
        read_page(text)
        assert analysis.headline.replace("'", "&#39;") in text


def test_markdown_holds_what_the_page_holds(chaser):
    text = render_report(chaser, format="markdown")
    plain = re.sub(r"\\(.)", r"\1", text)
    for step in chaser.steps:
        assert step.sentence in plain
    for lesson in words.lessons(chaser, "page", tables=True) + words.advice(chaser):
        assert lesson in plain
    assert len(re.findall(r"^\| \d+ \|", text, flags=re.MULTILINE)) == len(chaser.steps)


def test_written_markdown_has_its_pictures_beside_it(chaser, tmp_path):
    told = []
    target = write_report(chaser, tmp_path / "a.md", progress=told.append)
    text = target.read_text("utf-8")
    pictures = re.findall(r"!\[[^\]]*\]\(([^)]*)\)", text)
    assert len(pictures) == 7
    for name in pictures:
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")
    assert any(text.startswith("Drawing") for text in told)


def test_the_format_follows_the_suffix(chaser, tmp_path):
    written = write_report(chaser, tmp_path / "a.html")
    assert written.read_text("utf-8").startswith("<!doctype html>")
    written = write_report(chaser, tmp_path / "b.md", format="kaggle")
    assert written.read_text("utf-8").startswith("# Model summary")
    with pytest.raises(ValueError, match="suffix must be .html, .md or .png"):
        write_report(chaser, tmp_path / "a.pdf")
    with pytest.raises(ValueError, match="format must be one of"):
        render_report(chaser, format="pdf")


def test_predictions_add_the_map_of_likeness():
    made = simulate(Scenario(n_submissions=6, n_train=3000), keep_rows=True, rng=1)
    names = tuple(item.submission_id for item in made.history)
    given = Predictions(oof_names=names, oof=made.rows.oof, labels=made.rows.y_train)
    page = render_report(analyze(made.history, given))
    assert "How alike the submissions are" in page
    assert 'aria-label="Correlation of the noise of submissions"' in page
    assert "predictions row by row" in page
    read_page(page)


def test_a_page_of_250_submissions_stays_small():
    made = simulate(Scenario(n_submissions=250, policy="both"), rng=3).history
    page = render_report(analyze(made))
    assert len(page.encode()) < 2_000_000
    assert page.count('<span class="verdict') >= 250


def test_digests_are_those_of_the_bytes(tmp_path):
    (tmp_path / "a.csv").write_bytes(b"abc")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "b.csv").write_bytes(b"")
    found = input_files([tmp_path / "a.csv", tmp_path / "folder"])
    assert [item.name for item in found] == ["a.csv", "b.csv"]
    assert found[0].sha256.startswith("ba7816bf8f01cfea414140de5dae2223")  # FIPS 180-2
    assert found[0].n_bytes == 3
    with pytest.raises(ValueError, match="cannot be read for its digest"):
        input_files([tmp_path / "none.csv"])


def test_real_histories_make_pages(real_data):
    for name, metric in (
        ("rogii_rmse.csv", "rmse"),
        ("clouds_dice.csv", "dice"),
        ("kaggle_table_dump.txt", "rmse"),
    ):
        history = read_submissions(real_data / name, metric=metric)
        read_page(render_report(analyze(history)))


@pytest.mark.parametrize(
    "history", [history_of([0.7, 0.8, 0.75]), history_of([None])], ids=["some", "none"]
)
def test_a_picture_to_share_has_its_size(history, tmp_path):
    analysis = analyze(history)
    written = write_report(analysis, tmp_path / "share.png", title="A $title$")
    content = written.read_bytes()
    assert content.startswith(b"\x89PNG")
    assert struct.unpack(">II", content[16:24]) == (1200, 630)
    with pytest.raises(ValueError, match="is no text"):
        render_report(analysis, format="share")


def test_the_title_is_that_of_the_user(chaser):
    page = render_report(chaser, title="40 <places> lost")
    assert '<h1 id="title">40 &lt;places&gt; lost</h1>' in page
    assert render_report(chaser, format="markdown", title="Mine").startswith("# Mine")


def test_only_the_script_of_the_page_may_run(page):
    (policy,) = re.findall(r"script-src '(sha256-[^']+)'", page)
    script = page.partition("<script>")[2].partition("</script>")[0]
    digest = hashlib.sha256(script.encode()).digest()
    assert policy == f"sha256-{base64.b64encode(digest).decode()}"


def test_points_lead_to_rows_that_are_there(page):
    reader = read_page(page)
    ids = {attrs.get("id") for _, attrs in reader.elements}
    links = {attrs["href"] for tag, attrs in reader.elements if tag == "a"}
    rows = {link for link in links if re.fullmatch(r"#s\d+", link)}
    assert len(rows) == 72
    assert {link[1:] for link in rows} <= ids
