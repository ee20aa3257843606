"""``lbsense explain``: every code in plain words."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from lbsense._codes import VERDICTS
from lbsense.checks import EXPLANATIONS, explain

Run = Callable[..., Any]


def test_all_codes_are_listed(run: Run) -> None:
    done = run("explain", "--width", "200")
    assert done.exit_code == 0
    for code, told in EXPLANATIONS.items():
        assert f"{code}  {told.title}" in done.stdout


@pytest.mark.parametrize("code", EXPLANATIONS)
def test_every_code_can_be_explained(run: Run, code: str) -> None:
    done = run("explain", code, "--width", "2000")
    assert done.exit_code == 0
    assert done.stdout.startswith(f"{code}  {EXPLANATIONS[code].title}")
    assert EXPLANATIONS[code].meaning in done.stdout
    assert "What to do" in done.stdout


def test_several_codes_as_json(run: Run) -> None:
    done = run("explain", "301", "lbs201", "--json")
    content = json.loads(done.stdout)
    assert [item["code"] for item in content] == ["LBS301", "LBS201"]
    assert content[0] == EXPLANATIONS["LBS301"].to_dict()


def test_an_unknown_code_exits_2(run: Run) -> None:
    done = run("explain", "LBS999")
    assert done.exit_code == 2
    assert "There is no code 'LBS999'" in done.stderr
    assert done.stdout == ""


def test_advice_is_said_in_options(run: Run) -> None:
    done = run("explain", "LBS114", "--width", "2000")
    assert "--columns private_score=score" in done.stdout


@pytest.mark.parametrize("verdict", VERDICTS)
def test_a_verdict_is_explained(run: Run, verdict: str) -> None:
    done = run("explain", verdict, "--width", "200")
    assert done.stdout.startswith(f"{verdict}  {VERDICTS[verdict].title}")
    assert VERDICTS[verdict].meaning in done.stdout
    assert explain(verdict).remedy == VERDICTS[verdict].remedy
