"""``lbsense analyze``: what it prints, writes, asks and returns."""

from __future__ import annotations

import csv
import io
import json
import unicodedata
from collections.abc import Callable
from itertools import takewhile
from pathlib import Path
from typing import Any

import pytest

import lbsense.cli.options as inputs
from lbsense.analysis import Step

Run = Callable[..., Any]
COLUMNS = list(Step.__dataclass_fields__)


def table_rows(text: str) -> list[str]:
    """Return the lines below the rule of the table that begin with a number."""
    lines = text.splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("----")) + 1
    return list(takewhile(lambda line: line[:3].strip()[:1].isdigit(), lines[start:]))


CHASER = Path(__file__).parents[2] / "data/leaderboard_chaser/submissions.csv"


def unboxed(text: str) -> str:
    """Return the text of an error without the frame that it may stand in."""
    return " ".join(word for word in text.split() if word.strip("│╭╮╰╯─"))


def cells(line: str) -> int:
    """Return the columns that a terminal needs for a line."""
    return sum(1 + (unicodedata.east_asian_width(char) in "WF") for char in line)


def test_the_answer_comes_before_the_table(run: Run, submissions: Path) -> None:
    done = run("analyze", submissions, "--metric", "roc_auc", "--verbose")
    assert done.exit_code == 0
    assert done.stderr == ""
    order = ["Public ", "would help most", "roc_auc", "Evidence", "Verdict"]
    places = [done.stdout.index(text) for text in order]
    assert places == sorted(places)


def test_json_is_alone_on_stdout(run: Run, submissions: Path) -> None:
    done = run("analyze", submissions, "--metric", "roc_auc", "--json")
    content = json.loads(done.stdout)
    assert content["schema"] == 1
    assert content["competition"]["metric"] == "roc_auc"
    assert [step["submission_id"] for step in content["steps"]] == [
        str(5000 + day) for day in range(1, 11)
    ]
    assert list(content["steps"][0]) == COLUMNS
    assert {item["status"] for item in content["findings"]} <= {
        "flagged",
        "passed",
        "not_applicable",
    }


def test_csv_is_alone_on_stdout(run: Run, submissions: Path) -> None:
    done = run("analyze", submissions, "--metric", "roc_auc", "--csv")
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert list(rows[0]) == COLUMNS
    assert [float(row["public_score"]) for row in rows][:2] == [0.810, 0.812]
    assert rows[0]["gain"] == ""


def test_csv_texts_are_inert_in_a_spreadsheet(run: Run, hostile: Path) -> None:
    done = run("analyze", hostile, "--metric", "roc_auc", "--csv")
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert rows[0]["description"] == "'=HYPERLINK(1)"
    assert rows[5]["description"] == "'@cmd :smile:"
    cells = [cell for row in rows for cell in row.values()]
    assert not any(cell.startswith(("=", "@", "\t", "\r")) for cell in cells)
    assert not any(unicodedata.category(char)[0] == "C" for char in "".join(cells))


def test_foreign_text_is_inert_in_the_view(run: Run, hostile: Path) -> None:
    done = run("analyze", hostile, "--metric", "roc_auc", "--verbose")
    assert "\x1b" not in done.stdout
    assert "\u202e" not in done.stdout
    assert "[bold red]markup[/] [/]" in done.stdout
    assert ":smile:" in done.stdout


def test_foreign_text_is_inert_in_colour(run: Run, hostile: Path) -> None:
    done = run("analyze", hostile, "--metric", "roc_auc", "--color", "--width", "150")
    assert "\x1b[2m? unknown" in done.stdout
    assert "\x1b[31mred" not in done.stdout
    assert "\x1b]0;" not in done.stdout
    assert "[bold red]markup[/] [/]" in done.stdout


def test_no_color_is_respected(
    run: Run, submissions: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[" in run("analyze", submissions, "--metric", "roc_auc").stdout
    plain = run("analyze", submissions, "--metric", "roc_auc", "--no-color").stdout
    assert "\x1b[3" not in plain
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[3" not in run("analyze", submissions, "--metric", "roc_auc").stdout


@pytest.mark.parametrize("width", [40, 60, 80, 120, 200])
def test_no_line_is_wider_than_asked(run: Run, hostile: Path, width: int) -> None:
    done = run("analyze", hostile, "--metric", "roc_auc", "--steps", "--width", width)
    assert max(map(cells, done.stdout.splitlines())) <= width
    assert len(table_rows(done.stdout)) == 6


def test_output_goes_to_a_file(run: Run, submissions: Path, tmp_path: Path) -> None:
    target = tmp_path / "steps.json"
    done = run("analyze", submissions, "--metric", "roc_auc", "-o", target)
    assert (done.exit_code, done.stdout) == (0, "")
    assert f"Written: {target}" in done.stderr.replace("\n", "")
    assert json.loads(target.read_text(encoding="utf-8"))["schema"] == 1


def test_the_flag_decides_where_a_suffix_does_not(
    run: Run, submissions: Path, tmp_path: Path
) -> None:
    target = tmp_path / "steps.txt"
    done = run("analyze", submissions, "--metric", "roc_auc", "--csv", "-o", target)
    assert done.exit_code == 0
    assert target.read_text(encoding="utf-8").startswith("submission_id,file_name,")
    done = run("analyze", submissions, "--metric", "roc_auc", "-o", target)
    assert done.exit_code == 2
    assert "Add --json or --csv" in done.stderr


def test_the_history_itself_is_never_overwritten(run: Run, submissions: Path) -> None:
    before = submissions.read_bytes()
    done = run("analyze", submissions, "--metric", "auc", "--csv", "-o", submissions)
    assert done.exit_code == 2
    assert "is one of the inputs" in done.stderr
    assert submissions.read_bytes() == before


def test_standard_input_is_read(run: Run, submissions: Path) -> None:
    done = run(
        "analyze", "-", "--metric", "roc_auc", "--json", input=submissions.read_bytes()
    )
    assert len(json.loads(done.stdout)["steps"]) == 10


def test_several_files_are_one_history(run: Run, submissions: Path) -> None:
    lines = submissions.read_text(encoding="utf-8").splitlines()
    second = submissions.with_name("page2.csv")
    second.write_text("\n".join([lines[0], *lines[6:]]) + "\n", encoding="utf-8")
    submissions.write_text("\n".join(lines[:6]) + "\n", encoding="utf-8")
    done = run("analyze", submissions, second, "--metric", "roc_auc", "--json")
    assert len(json.loads(done.stdout)["steps"]) == 10


def test_facts_reach_the_reader(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text(
        "note,LB,valid,f1,f2,team\na,0.5,0.4,0.3,0.5,us\nb,0.6,0.5,0.4,0.6,us\n",
        encoding="utf-8",
    )
    done = run(
        "analyze",
        path,
        "--lower-is-better",
        "--columns",
        "public_score=LB,cv_score=valid",
        "--columns",
        "cv_fold_scores=f1,f2",
        "--test-size",
        "20,000",
        "--train-size",
        "10_000",
        "--public-fraction",
        "30%",
        "--nested",
        "--slug",
        "my-competition",
        "--cv-better",
        "higher",
        "--json",
    )
    assert done.exit_code == 0, done.stderr
    content = json.loads(done.stdout)
    told = {
        "slug": "my-competition",
        "greater_is_better": False,
        "cv_greater_is_better": True,
        "test_size": 20_000,
        "train_size": 10_000,
        "public_fraction": 0.3,
        "nested": True,
    }
    assert {name: content["competition"][name] for name in told} == told
    assert [step["public_score"] for step in content["steps"]] == [0.5, 0.6]
    assert [step["cv_score"] for step in content["steps"]] == [0.4, 0.5]


def test_without_a_direction_it_says_so_and_goes_on(
    run: Run, submissions: Path
) -> None:
    done = run("analyze", submissions, "--json")
    assert done.exit_code == 0
    for option in ("--metric", "--higher-is-better", "--lower-is-better"):
        assert option in done.stderr
    content = json.loads(done.stdout)
    assert content["competition"]["greater_is_better"] is None
    assert {step["verdict"] for step in content["steps"]} == {"unknown"}


def test_a_person_is_asked_for_the_metric(
    run: Run, submissions: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inputs, "is_interactive", lambda: True)
    done = run("analyze", submissions, "--json", input="roc_acu\nroc_auc\n")
    assert done.exit_code == 0
    assert "roc_acu" in done.stderr  # the mistake is named, then it is asked again
    assert "Next time: --metric roc_auc" in done.stderr
    assert json.loads(done.stdout)["competition"]["metric"] == "roc_auc"


def test_a_person_is_asked_for_the_direction(
    run: Run, submissions: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inputs, "is_interactive", lambda: True)
    done = run("analyze", submissions, "--json", input="\nn\n")
    assert "Next time: --lower-is-better" in done.stderr
    assert json.loads(done.stdout)["competition"]["greater_is_better"] is False


@pytest.mark.parametrize("answer", ["", "roc_acu\n"])
def test_a_person_who_leaves_interrupts(
    run: Run, submissions: Path, monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    monkeypatch.setattr(inputs, "is_interactive", lambda: True)
    assert run("analyze", submissions, input=answer).exit_code == 130


def test_verbose_gives_the_reason_of_every_step(run: Run, submissions: Path) -> None:
    few = run("analyze", submissions, "--metric", "roc_auc").stdout
    all_of_them = run("analyze", submissions, "--metric", "roc_auc", "-v").stdout
    wanted = [f"#{number} " for number in range(1, 11)]
    assert all(number in all_of_them for number in wanted)
    assert "#10 " in few
    assert "#1 " not in few


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--higher-is-better", "--lower-is-better"], "exclude each other"),
        (["--json", "--csv"], "exclude each other"),
        (["--public-fraction", "30"], "'30' is not a share of the test set"),
        (["--public-fraction", "0"], "'0' is not a share of the test set"),
        (["--public-fraction", "a third"], "'a third' is not a share of the test"),
        (["--test-size", "0"], "'0' is not a number of rows"),
        (["--test-size", "2e4"], "'2e4' is not a number of rows"),
        (["--columns", "LB"], "'LB' is not FIELD=COLUMN"),
        (["--columns", "public_score=a,public_score=b"], "public_score is given twice"),
        (["--cv-better", "up"], "higher or lower, got 'up'"),
        (["--width", "10"], "--width"),
        (["--metric", "roc_acu"], "roc_auc"),
        (["--colour"], "--color"),
    ],
)
def test_bad_usage_is_one_message_and_exit_2(
    run: Run, submissions: Path, arguments: list[str], message: str
) -> None:
    done = run("analyze", submissions, *arguments)
    assert done.exit_code == 2
    assert done.stdout == ""
    assert message in unboxed(done.stderr)


def test_standard_input_stands_alone(run: Run, submissions: Path) -> None:
    done = run("analyze", "-", submissions)
    assert done.exit_code == 2
    assert "cannot be read together with other files" in unboxed(done.stderr)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("missing.csv", None, "missing.csv"),
        ("empty.csv", b"", "empty"),
        ("image.png", b"\x89PNG\r\n\x1a\n" + b"\x00" * 64, "PNG"),
        ("page.csv", b"<!DOCTYPE html><title>Login</title>", "web page"),
        ("[red]\x1b[31mname.csv", b"", "empty"),
    ],
)
def test_bad_input_is_one_message_and_exit_2(
    run: Run, tmp_path: Path, name: str, content: bytes | None, message: str
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    done = run("analyze", path)
    assert done.exit_code == 2
    assert done.stdout == ""
    assert done.stderr.startswith("Error: ")
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert "\x1b" not in done.stderr


def test_a_folder_is_bad_input(run: Run, tmp_path: Path) -> None:
    done = run("analyze", tmp_path)
    assert done.exit_code == 2
    assert "folder" in done.stderr


def test_an_output_folder_that_is_missing_is_bad_input(
    run: Run, submissions: Path, tmp_path: Path
) -> None:
    target = tmp_path / "nowhere" / "steps.json"
    done = run("analyze", submissions, "--metric", "roc_auc", "-o", target)
    assert done.exit_code == 2
    assert "there is no folder" in done.stderr.replace("\n", "")


def test_strict_exits_1_when_a_finding_is_flagged(
    run: Run, submissions: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import lbsense.checks as checks

    def signed(status: Any) -> Callable[[object], checks.Findings]:
        finding = checks.Finding(
            code="LBS301", title="T", status=status, message="Because of 0.7."
        )
        return lambda *_: checks.Findings(findings=(finding,))

    monkeypatch.setattr(checks, "run_checks", signed("flagged"))
    done = run("analyze", submissions, "--metric", "roc_auc", "--strict", "--verbose")
    assert done.exit_code == 1
    assert "LBS301  T. Because of 0.7." in done.stdout
    assert run("analyze", submissions, "--metric", "roc_auc").exit_code == 0
    monkeypatch.setattr(checks, "run_checks", signed("passed"))
    done = run("analyze", submissions, "--metric", "roc_auc", "--strict")
    assert done.exit_code == 0
    assert "Because" not in done.stdout


def test_what_was_not_understood_is_shown(run: Run, submissions: Path) -> None:
    text = submissions.read_text(encoding="utf-8")
    submissions.write_text(text.replace("0.81200", "banana"), encoding="utf-8")
    done = run("analyze", submissions, "--metric", "roc_auc")
    assert done.exit_code == 0
    assert "1 row or cell not understood" in done.stdout
    assert "'banana'" in done.stdout
    whole = run("analyze", submissions, "--metric", "roc_auc", "--verbose")
    assert "Not understood (1)" in whole.stdout
    machine = run("analyze", submissions, "--metric", "roc_auc", "--csv")
    assert "1 row or cell not understood" in machine.stderr


def test_the_answer_begins_and_ends_what_is_longer_than_a_screen(run: Run) -> None:
    done = run("analyze", CHASER, "--metric", "roc_auc", "--steps", "--width", "80")
    lines = done.stdout.splitlines()
    assert lines[:4] == lines[-4:]
    assert len(lines) > 72
    assert all(len(line) <= 80 for line in lines)


def test_what_is_shown_unasked_fits_a_small_terminal(run: Run) -> None:
    done = run("analyze", CHASER, "--metric", "roc_auc", "--width", "80")
    lines = done.stdout.splitlines()
    assert len(lines) <= 24
    assert lines[0].startswith("Public rose by 0.049; next to none ")
    assert "More: --steps (72), --verbose" in done.stdout
    tall = run(
        "analyze", CHASER, "--metric", "roc_auc", "--width", "80", env={"LINES": "300"}
    )
    assert "Verdicts:" in tall.stdout


@pytest.mark.parametrize("given", ["34", "#34", "exp034", "EXP034: clip"])
def test_a_step_is_found_by_what_people_call_it(run: Run, given: str) -> None:
    done = run("step", given, CHASER, "--metric", "roc_auc")
    assert done.stdout.startswith("#34 exp034: clip outliers")
    assert "Verdict" in done.stdout


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("exp03", "'exp03' could be #30 exp030"),
        ("nothing like it", "There is no submission 'nothing like it'"),
        ("99", "Give a number from 1 to 72"),
    ],
)
def test_a_step_that_is_not_one_is_refused(run: Run, given: str, told: str) -> None:
    done = run("step", given, CHASER, "--metric", "roc_auc")
    assert done.exit_code == 2
    assert told in " ".join(done.stderr.split())
