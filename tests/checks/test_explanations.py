"""Every code has an explanation, and the page holds the same text."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import get_args

import pytest

import lbsense
from lbsense._codes import FALSE_CLAIMS, VERDICT_SIGNS, VERDICT_TINTS, VERDICTS
from lbsense._typing import Verdict
from lbsense.checks import CHECKS, EXPLANATIONS, explain, explanations_page

PACKAGE = Path(lbsense.__file__).parent
PAGE = PACKAGE.parent / "docs" / "findings.md"


def test_every_check_is_explained():
    codes = [item.code for item in CHECKS]
    assert codes == [code for code in EXPLANATIONS if code > "LBS2"]
    assert len(codes) == 19
    assert all(explain(code).reference for code in codes)


def test_every_part_of_the_page_is_read():
    page = explanations_page()
    told = [*VERDICTS.values(), *EXPLANATIONS.values()]
    assert [f"{item.code}: {item.title}" for item in told] == re.findall(
        "^### (.+)$", page, re.M
    )
    parts = [f"- **{head}.** {text}" for item in told for head, text in item.parts()]
    assert parts == re.findall("^- .+$", page, re.M)
    assert re.findall(r"^\*(.+)\*$", page, re.M) == [
        item.severity for item in EXPLANATIONS.values()
    ]


def test_every_verdict_is_explained_and_has_a_sign_and_a_colour():
    for known in (VERDICTS, VERDICT_SIGNS, VERDICT_TINTS):
        assert set(known) == set(get_args(Verdict))


def test_the_page_says_of_false_claims_what_the_report_says():
    assert f"Of such claims {FALSE_CLAIMS}." in VERDICTS["setback"].wrong


def test_every_code_that_the_package_can_show_is_explained():
    sources = [path.read_text("utf-8") for path in PACKAGE.rglob("*.py")]
    used = {code for text in sources for code in re.findall(r'"(LBS\d{3})"', text)}
    assert len(used) > 30
    assert used - {"LBS999"} <= set(EXPLANATIONS)
    assert set(EXPLANATIONS) <= used


@pytest.mark.parametrize("code", EXPLANATIONS)
def test_explanations_are_sentences_in_four_parts(code):
    told = explain(code)
    for _, text in told.parts()[:4]:
        assert re.match(r"[A-Z`]", text), text
        assert text.endswith((".", "`.")), text
    for word in ("cheat", "dishonest", "guilty", "you overfit"):
        assert word not in str(told).casefold()
    json.dumps(told.to_dict(), allow_nan=False)


def test_codes_are_in_order_and_named_in_full():
    assert list(EXPLANATIONS) == sorted(EXPLANATIONS)
    assert {"LBS1", "LBS2", "LBS3", "LBS4"} == {code[:4] for code in EXPLANATIONS}


@pytest.mark.parametrize("code", ["LBS301", "lbs301", "301", " 301 "])
def test_codes_may_be_written_briefly(code):
    assert explain(code).code == "LBS301"


@pytest.mark.parametrize("code", ["LBS999", "", "luck"])
def test_an_unknown_code_is_refused(code):
    with pytest.raises(ValueError, match="There is no code.*Codes are LBS101"):
        explain(code)


def test_the_page_is_made_of_the_same_text():
    page, _, table = PAGE.read_text("utf-8").partition("\n## How often each fires\n")
    assert page == explanations_page(), "run: python benchmarks/findings.py --text"
    rows = re.findall(r"^\| (LBS\d{3}) \|", table, flags=re.MULTILINE)
    assert rows == [item.code for item in CHECKS]


def test_the_readme_explains_verdicts_with_the_same_text():
    readme = (PAGE.parents[1] / "README.md").read_text("utf-8")
    for verdict, text in VERDICTS.items():
        assert re.search(
            rf"^\| `{verdict}` \| `.` \| {re.escape(text.meaning)} \|$", readme, re.M
        )
