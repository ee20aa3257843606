"""``lbsense report``: files, formats, refusals."""

from __future__ import annotations

from pathlib import Path

import pytest

DATA = Path(__file__).parents[2] / "data"
HISTORY = str(DATA / "honest_climber/submissions.csv")


@pytest.fixture
def report(run):
    def invoke(*words):
        return run("report", HISTORY, "--metric", "roc_auc", *words)

    return invoke


def test_the_default_is_a_page_in_this_folder(report, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = report()
    assert done.exit_code == 0
    assert "Written: report.html" in done.stderr
    page = (tmp_path / "report.html").read_text("utf-8")
    assert page.startswith("<!doctype html>")
    assert "submissions.csv" in page


def test_a_file_that_is_there_is_kept(report, tmp_path):
    target = tmp_path / "a.html"
    target.write_text("mine")
    done = report("-o", str(target))
    assert done.exit_code == 2
    assert "--force" in done.stderr
    assert target.read_text() == "mine"
    assert report("-o", str(target), "--force").exit_code == 0
    assert target.read_text("utf-8").startswith("<!doctype")


@pytest.mark.parametrize(
    ("words", "start"),
    [
        (["--format", "markdown"], "# Submission history"),
        (["--format", "kaggle"], "# Model summary"),
        (["--format", "zindi"], "# Solution documentation"),
        ([], "<!doctype html>"),
    ],
)
def test_standard_output(report, words, start):
    done = report("-o", "-", *words)
    assert done.exit_code == 0
    assert done.stdout.startswith(start)


def test_markdown_by_its_suffix(report, tmp_path):
    done = report("-o", str(tmp_path / "a.md"))
    assert done.exit_code == 0
    assert (tmp_path / "a_files" / "timeline.png").exists()


@pytest.mark.parametrize(
    ("target", "told"),
    [
        ("a.pdf", "End it in .html, .md or .png"),
        ("none/a.html", "there is no folder"),
        (HISTORY, "HTML, Markdown or a picture"),
    ],
)
def test_impossible_targets_are_refused(report, tmp_path, target, told):
    before = Path(HISTORY).read_bytes()
    done = report("-o", target if target == HISTORY else str(tmp_path / target))
    assert done.exit_code == 2
    assert told in done.stderr.replace("\n", " ")
    assert Path(HISTORY).read_bytes() == before


def test_unknown_formats_are_refused(report):
    done = report("--format", "pdf")
    assert done.exit_code == 2
    assert "'pdf' is not one of html" in done.stderr


def test_the_history_is_never_overwritten(run, tmp_path):
    source = tmp_path / "history.md"
    source.write_text(
        "| name | public |\n|---|---|\n| a | 0.7 |\n| b | 0.8 |\n", encoding="utf-8"
    )
    before = source.read_bytes()
    done = run("report", source, "--higher-is-better", "-o", source, "--force")
    assert done.exit_code == 2
    assert "is one of the inputs" in done.stderr
    assert source.read_bytes() == before


def test_a_picture_to_share(report, tmp_path):
    target = tmp_path / "share.png"
    done = report("-o", str(target), "--title", "Mine")
    assert done.exit_code == 0
    assert target.read_bytes().startswith(b"\x89PNG")
    done = report("-o", "-", "--format", "share")
    assert done.exit_code == 2
    assert "written to a file" in done.stderr


def test_the_title_is_that_of_the_user(report, tmp_path):
    target = tmp_path / "a.html"
    report("-o", str(target), "--title", "How we <lost>")
    assert '<h1 id="title">How we &lt;lost&gt;</h1>' in target.read_text("utf-8")
