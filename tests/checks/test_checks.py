"""Findings carry code, number, threshold and sample size, and a reason when silent."""

from __future__ import annotations

import json

import numpy as np

from lbsense.analysis import analyze
from lbsense.checks import CHECKS, Findings, run_checks
from lbsense.model import Competition, History, Submission


def history(public, cv):
    submissions = tuple(
        Submission(submission_id=f"s{i}", public_score=p, cv_score=c)
        for i, (p, c) in enumerate(zip(public, cv, strict=True))
    )
    return History(
        competition=Competition(greater_is_better=True), submissions=submissions
    )


def by_code(public, cv):
    return {item.code: item for item in run_checks(analyze(history(public, cv)))}


def test_without_cv_each_check_says_what_it_needs():
    found = by_code([0.7, 0.8], [None, None])
    assert {item.status for item in found.values()} == {"not_applicable"}
    assert all("need" in item.message.casefold() for item in found.values())


def test_pure_noise_is_flagged_as_such():
    rng = np.random.default_rng(0)
    found = by_code(rng.normal(0.7, 0.01, 40), rng.normal(0.7, 0.01, 40))
    assert found["LBS201"].status == "flagged"
    assert found["LBS302"].status == "flagged"
    assert found["LBS302"].value > found["LBS302"].threshold


def test_an_honest_climb_passes():
    rng = np.random.default_rng(1)
    truth = 0.5 + np.cumsum(rng.uniform(0, 0.04, 20))
    found = by_code(truth + rng.normal(0, 0.002, 20), truth + rng.normal(0, 0.002, 20))
    assert {item.status for item in found.values()} == {"passed"}
    assert found["LBS201"].n_obs == 19


def test_codes_are_unique_and_ordered():
    findings = run_checks(analyze(history([0.7], [0.7])))
    codes = [item.code for item in findings]
    assert codes == sorted(set(codes))
    assert len(findings) == len(CHECKS)
    assert isinstance(findings, Findings)
    json.dumps(findings.to_list(), allow_nan=False)
    assert findings.to_frame()["code"].tolist() == codes
