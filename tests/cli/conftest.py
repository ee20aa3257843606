"""Files to analyse, and a runner that keeps stdout and stderr apart."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import typer.testing
from typer.testing import CliRunner

import lbsense as lb
import lbsense.analysis
from lbsense.analysis import analyze
from lbsense.cli import app

Run = Callable[..., Any]
made_once = cache(typer.testing._get_command)
analysed: dict[tuple[str, str], lb.Analysis] = {}


def analyze_once(history: lb.History, *rows: Any, **options: Any) -> lb.Analysis:
    """Return the analysis of a history, which many commands show, made once."""
    if any(item is not None for item in rows):
        return analyze(history, *rows, **options)
    key = (repr(history), repr(options))
    if key not in analysed:
        analysed[key] = analyze(history, **options)
    return analysed[key]


HEADER = "ref,fileName,date,description,status,publicScore,privateScore"
SCORES = [0.810, 0.812, 0.809, 0.815, 0.811, 0.816, 0.817, 0.814, 0.818, 0.813]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    """Return a function that runs the command line with the arguments it is given."""
    monkeypatch.setattr(lbsense.analysis, "analyze", analyze_once)
    monkeypatch.setattr(typer.testing, "_get_command", made_once)
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    try:
        runner = CliRunner(mix_stderr=False)  # click below 8.2 mixes unless told
    except TypeError:
        runner = CliRunner()

    def invoke(*arguments: object, **options: Any) -> Any:
        return runner.invoke(app, [str(item) for item in arguments], **options)

    return invoke


@pytest.fixture
def check(run: Run) -> Callable[[str, Any], dict[str, Any]]:
    """Return a function that reads what a command printed and holds it to its schema."""
    jsonschema = pytest.importorskip("jsonschema")

    def read(command: str, done: Any) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(done.stdout)
        checker = jsonschema.Draft202012Validator(
            closed(json.loads(run("schema", command).stdout)),
            format_checker=jsonschema.FormatChecker(),
        )
        errors = [
            f"{error.json_path}: {error.message}"
            for error in checker.iter_errors(content)
        ]
        assert not errors, "\n".join(errors[:5])
        return content

    return read


def closed(schema: Any) -> Any:
    """Return a schema that refuses fields which it does not name."""
    if isinstance(schema, list):
        return [closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    inner = {key: closed(value) for key, value in schema.items()}
    if schema.get("type") == "object" and "properties" in schema:
        inner["additionalProperties"] = False
    return inner


@pytest.fixture
def submissions(tmp_path: Path) -> Path:
    """Return a Kaggle export of ten submissions; most carry CV in the description."""
    rows = [
        f"{5000 + day},submission.csv,2026-07-{day:02d} 10:00:00,"
        f"model v{day} CV {score - 0.002 + 0.0007 * (day % 3):.4f},"
        f"SubmissionStatus.COMPLETE,{score:.5f},"
        for day, score in enumerate(SCORES, start=1)
    ]
    path = tmp_path / "submissions.csv"
    path.write_text("\n".join([HEADER, *reversed(rows)]) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    """Return an export whose descriptions try to run, to colour and to overwrite."""
    texts = [
        "=HYPERLINK(1)",
        "[bold red]markup[/] [/]",
        "\x1b[31mred\x1b[0m \x1b]0;title\x07",
        "\u202egnp.exe",
        "新しいモデル " * 20,
        "@cmd :smile:",
    ]
    rows = [
        f'{6000 + day},submission.csv,2026-07-{day:02d} 10:00:00,"{text}",'
        f"SubmissionStatus.COMPLETE,0.{800 + day},"
        for day, text in enumerate(texts, start=1)
    ]
    path = tmp_path / "hostile.csv"
    path.write_text("\n".join([HEADER, *rows]) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def meta(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with 12 competitions of 60 teams of 5 submissions."""
    rng = np.random.default_rng(0)
    folder = tmp_path_factory.mktemp("meta")
    n, teams, subs = 12, 60, 5
    pd.DataFrame(
        {
            "Id": range(n),
            "Slug": [f"comp-{i}" for i in range(n)],
            "HostSegmentTitle": np.resize(["Featured", "Research"], n),
            "DeadlineDate": [f"01/15/{2014 + i % 2} 23:59:00" for i in range(n)],
            "OnlyAllowKernelSubmissions": "False",
            "LeaderboardPercentage": 30,
            "EvaluationAlgorithmAbbreviation": np.resize(["AUC", "RMSE"], n),
            "EvaluationAlgorithmIsMax": np.resize(["True", "False"], n),
            "Overview": 'two "quoted"\nlines, and a comma',
        }
    ).to_csv(folder / "Competitions.csv", index=False)
    rows = []
    for competition in range(n):
        true = rng.normal(size=teams)
        places = [
            (-(true + 0.3 * rng.normal(size=teams))).argsort().argsort() + 1
            for _ in range(2)
        ]
        rows += [
            (
                competition * teams + i,
                competition,
                'a "team", x',
                "True" if i == 0 else "False",
                places[0][i],
                places[1][i] if i != 1 else "",
            )
            for i in range(teams)
        ]
    names = "Id,CompetitionId,TeamName,IsBenchmark,PublicLeaderboardRank"
    pd.DataFrame(rows, columns=[*names.split(","), "PrivateLeaderboardRank"]).to_csv(
        folder / "Teams.csv", index=False
    )
    total = n * teams * subs
    team = np.arange(total) % (n * teams)
    sign = np.where((team // teams) % 2 == 0, 1, -1)
    true = rng.normal(size=total)
    public = sign * (true + 0.3 * rng.normal(size=total))
    private = sign * (true - 0.1 + 0.2 * rng.normal(size=total))
    shown = public.astype(str).astype(object)
    shown[7] = "Infinity"
    pd.DataFrame(
        {
            "Id": range(total),
            "TeamId": team,
            "IsAfterDeadline": np.where(np.arange(total) % 50 == 3, "True", "False"),
            "PublicScoreFullPrecision": shown,
            "PrivateScoreFullPrecision": private,
        }
    ).to_csv(folder / "Submissions.csv", index=False)
    return folder
