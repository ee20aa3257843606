"""What changes from one description to the next."""

from __future__ import annotations

import pytest

from lbsense.checks.probes import blend_of, differ_in_one_number, wording_of
from lbsense.model import Submission


def wording(text, **fields):
    return wording_of(Submission(submission_id="s", description=text, **fields))


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("w=0.3", "w=0.4", True),
        ("0.3 lgbm + 0.7 xgb", "0.4 lgbm + 0.6 xgb", True),
        ("0.3 lgbm + 0.7 xgb", "0.4 lgbm + 0.7 xgb", True),
        ("0.3 lgbm + 0.7 xgb", "0.4 lgbm + 0.5 xgb", False),  # two numbers, other sum
        ("exp012: depth 6 | CV 0.8123", "exp013: depth 7 | CV 0.8130", True),
        ("exp012 lgbm CV 0.8123", "exp013 lgbm CV 0.8130", False),  # no setting at all
        ("v12 lgbm", "v13 xgb", False),
        ("lr 0.01 depth 6", "lr 0.02 depth 7", False),
        ("lr 1e-3", "lr 1e-4", True),
        ("w0.3", "w0.4", True),
        ("112 - EfficientNetB1", "113 - EfficientNetB2", False),  # other models
        ("resnet50", "resnet101", False),
        ("lgbm", "lgbm", False),
        ("", "", False),
    ],
)
def test_tweaks_are_told_from_other_changes(one, other, alike):
    assert differ_in_one_number(wording(one), wording(other)) is alike


def test_a_submission_without_words_goes_by_its_file():
    named = wording(None, file_name="blend_0.3.csv")
    assert differ_in_one_number(named, wording(None, file_name="blend_0.4.csv"))
    assert wording(None) is None


def test_the_text_of_the_cv_score_is_left_out():
    one = wording("depth 6 (0.81)", cv_text="(0.81)")
    assert differ_in_one_number(one, wording("depth 7 (0.82)", cv_text="(0.82)"))


@pytest.mark.parametrize(
    ("text", "weight"),
    [
        ("0.3/0.7", 0.3),
        ("0.25*xgb + 0.75*lgbm", 0.25),
        ("30/70 blend", 0.3),
        ("blend with seed 42, 0.4 and 0.6", 0.4),
        ("w=0.45", 0.45),
        ("blend weight 0.2 on mlp", 0.2),
        ("lr 0.01", None),
        ("5 folds, 3 seeds", None),
        ("w=3", None),
        ("lgbm", None),
    ],
)
def test_weights_are_found(text, weight):
    blend = blend_of(wording(text))
    assert (None if blend is None else blend[2]) == weight


def test_blends_of_other_things_are_other_lines():
    one, other = blend_of(wording("w=0.3 of a and b")), blend_of(wording("w=0.3 of c"))
    assert one[:2] != other[:2]
