"""What the documents promise is what the package has, name by name."""

from __future__ import annotations

import inspect
import json
import re
import shlex
import tomllib
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import lbsense
from lbsense.analysis import Step
from lbsense.checks import Finding
from lbsense.cli import app
from lbsense.model import History, RowIssue, Submission

ROOT = Path(__file__).parents[1]
OURS = re.compile(
    r"https://(?:github\.com/lbsense/lbsense/(?:blob|tree)"
    r"|raw\.githubusercontent\.com/lbsense/lbsense)/main/"
)


def section(text: str, title: str) -> str:
    """Return what stands below a heading of a Markdown text, up to the next one."""
    parts = re.split(r"^##? (.*)$", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))[title]


def first_column(table: str) -> list[str]:
    """Return the names in backticks that begin the rows of a Markdown table."""
    return re.findall(r"^\| `(\w+)` \|", table, flags=re.MULTILINE)


def documented(title: str) -> list[str]:
    return first_column(section((ROOT / "docs/json.md").read_text("utf-8"), title))


@pytest.fixture(scope="module")
def content() -> dict[str, Any]:
    """Return the JSON of a history in which every list has an entry."""
    submissions = tuple(
        Submission(
            submission_id=f"s{number}",
            public_score=0.8 + number % 3 / 100,
            cv_score=0.8 + number % 4 / 100,
            private_score=0.8 + number % 5 / 100,
        )
        for number in range(9)
    )
    history = History(
        competition=lbsense.Competition(metric="roc_auc", greater_is_better=True),
        submissions=submissions,
        warnings=(lbsense.DataWarning(code="LBS109", message="No dates."),),
        dropped=(RowIssue(source="a.csv", found="x", expected="y", action="z"),),
    )
    analysis = lbsense.analyze(history)
    findings = lbsense.run_checks(analysis).to_list()
    whole: dict[str, Any] = {**analysis.to_dict(), "findings": findings}
    return whole


def test_readme_lists_the_public_names() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    listed = section(readme, "Public names").split("Also public")[0]
    assert sorted(re.findall(r"`(\w+)`", listed)) == sorted(lbsense.__all__)


@pytest.mark.parametrize("name", lbsense.__all__)
def test_every_public_name_exists_and_is_documented(name: str) -> None:
    value = getattr(lbsense, name)
    assert value.__doc__ or name == "METRICS"  # a mapping has no place for one


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'analyse'"):
        _ = lbsense.analyse  # type: ignore[attr-defined]


def test_json_has_the_documented_fields(content: dict[str, Any]) -> None:
    assert set(documented("The JSON of `lbsense analyze --json`")) == set(content)
    assert content["schema"] == 1


@pytest.mark.parametrize(
    "title",
    [
        "competition",
        "noise",
        "agreement",
        "luck",
        "outlook",
        "picks",
        "resolution",
        "retrospective",
    ],
)
def test_json_objects_have_the_documented_fields(
    content: dict[str, Any], title: str
) -> None:
    assert documented(f"`{title}`") == list(content[title])


@pytest.mark.parametrize("title", ["warnings", "dropped", "steps", "findings"])
def test_json_lists_have_the_documented_fields(
    content: dict[str, Any], title: str
) -> None:
    assert content[title]
    for item in content[title]:
        assert list(item) == documented(f"`{title}`")


def test_json_holds_no_nan(content: dict[str, Any]) -> None:
    assert json.loads(json.dumps(content, allow_nan=False)) == content


def test_frames_have_the_documented_columns(content: dict[str, Any]) -> None:
    history = History(competition=lbsense.Competition(), submissions=())
    analysis = lbsense.analyze(history)
    assert list(analysis.to_frame().columns) == documented("`steps`")
    assert list(analysis.to_frame().columns) == list(Step.__dataclass_fields__)
    assert list(history.to_frame().columns) == list(Submission.__dataclass_fields__)
    findings = lbsense.run_checks(analysis).to_frame()
    assert list(findings.columns) == list(Finding.__dataclass_fields__)


@pytest.mark.parametrize("result", [Step, Finding, Submission, lbsense.Competition])
def test_every_field_of_a_result_is_described(result: type) -> None:
    described = inspect.cleandoc(str(result.__doc__)).partition("Attributes\n")[2]
    names = re.findall(r"^([\w, ]+?)(?: :.*)?$", described, flags=re.MULTILINE)
    listed = [name.strip() for line in names for name in line.split(",")]
    assert set(result.__dataclass_fields__) <= set(listed)  # type: ignore[attr-defined]


def test_the_example_of_the_readme_runs(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(ROOT)
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    example = re.search(r"```python\n(.*?)```", readme, flags=re.DOTALL)
    assert example is not None
    names: dict[str, Any] = {}
    written = tmp_path / "report.html"
    exec(example.group(1).replace("report.html", str(written)), names)
    assert written.stat().st_size > 100_000
    assert len(names["analysis"].steps) == len(names["history"]) > 30


def test_the_first_command_of_the_readme_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    command = re.search(r"\.venv/bin/lbsense (analyze .*)", readme)
    assert command is not None
    done = CliRunner().invoke(app, shlex.split(command.group(1)))
    assert done.exit_code == 0
    assert "The last step, " in done.stdout


def test_the_answer_in_the_readme_is_the_one_that_is_printed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(ROOT)
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    shown = re.search(
        r"^\$ lbsense (analyze) submissions.csv (.*)\n((?:.+\n)+)", readme, re.MULTILINE
    )
    assert shown is not None
    file = "data/leaderboard_chaser/submissions_before_close.csv"
    words = [shown[1], file, *shlex.split(shown[2].partition("\n")[0]), "--width", "80"]
    done = CliRunner().invoke(app, words)
    assert done.stdout.startswith(shown[3].removesuffix("```\n"))


def test_the_report_of_the_readme_is_made(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(ROOT)
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    command = re.search(r"^lbsense (report .*) -o report.html$", readme, re.MULTILINE)
    assert command is not None
    target = tmp_path / "report.html"
    words = [*shlex.split(command.group(1)), "-o", str(target)]
    assert CliRunner().invoke(app, words).exit_code == 0
    assert "of it is real" in target.read_text("utf-8")


@pytest.mark.parametrize(
    "name",
    [
        "README.md",
        *sorted(str(path.relative_to(ROOT)) for path in (ROOT / "docs").rglob("*.md")),
    ],
)
def test_links_of_the_documents_lead_somewhere(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    for link in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text):
        ours = OURS.match(link)
        if ours is not None:
            assert (ROOT / link[ours.end() :]).exists(), link
        elif "://" not in link:
            assert name != "README.md", f"{link}: PyPI shows no files of ours"
            assert ((ROOT / name).parent / link).exists(), link


def test_the_readme_begins_with_the_two_commands_that_are_checked() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    main_job, tests = re.findall(r"```console\n(.*)\n```", readme)[:2]
    assert re.search(r"pip install -q \. && \.venv/bin/lbsense analyze data/", main_job)
    assert re.search(
        r"pip install -q -e '\.\[dev\]' && \.venv/bin/pytest -n auto", tests
    )
    checked = (ROOT / ".ci/run").read_text(encoding="utf-8")
    assert re.findall(r"^bash -euc .*readme_command (\d)", checked, re.MULTILINE) == [
        "1",
        "2",
    ]


def test_the_citation_names_this_version_and_these_authors() -> None:
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    with (ROOT / "pyproject.toml").open("rb") as file:
        project = tomllib.load(file)["project"]
    stated = dict(re.findall(r"^([\w-]+): (\S.*)$", citation, re.MULTILINE))
    assert stated["version"] == lbsense.__version__
    assert stated["license"] == project["license"]
    assert stated["repository-code"] == project["urls"]["Repository"]
    assert re.findall(r"^  - name: (.*)$", citation, re.MULTILINE) == [
        author["name"] for author in project["authors"]
    ]
