"""The record of a history: order, orientation, refusals."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from lbsense.errors import DirectionUnknownError
from lbsense.model import Competition, DataWarning, History, RowIssue, Submission

DAY = datetime(2026, 5, 1, tzinfo=UTC)


def sub(name, day=None, **fields):
    when = None if day is None else DAY + timedelta(days=day)
    return Submission(submission_id=name, submitted_at=when, **fields)


def history(*submissions, **competition):
    return History(competition=Competition(**competition), submissions=submissions)


def test_submissions_are_in_time_order_and_undated_ones_come_last():
    found = history(sub("c", 3), sub("none"), sub("a", 1), sub("b", 2))
    assert [item.submission_id for item in found] == ["a", "b", "c", "none"]


def test_submissions_without_times_keep_the_order_given():
    found = history(sub("z"), sub("a"), sub("m"))
    assert [item.submission_id for item in found] == ["z", "a", "m"]


def test_direction_is_applied_once_in_scores():
    found = history(
        sub("a", public_score=3.0, cv_score=0.2), sub("b"), greater_is_better=False
    )
    np.testing.assert_array_equal(found.scores("public"), [-3.0, np.nan])
    np.testing.assert_array_equal(found.raw_scores("public"), [3.0, np.nan])
    np.testing.assert_array_equal(found.scores("cv"), [-0.2, np.nan])


def test_cv_may_have_a_direction_of_its_own():
    found = history(
        sub("a", public_score=0.8, cv_score=0.2),
        greater_is_better=True,
        cv_greater_is_better=False,
    )
    assert found.scores("cv")[0] == -0.2
    assert found.scores("public")[0] == 0.8


def test_direction_is_never_guessed():
    with pytest.raises(DirectionUnknownError, match="Name the metric"):
        history(sub("a", public_score=1.0)).scores("public")


def test_kind_of_score_is_checked():
    with pytest.raises(ValueError, match="kind must be"):
        history(greater_is_better=True).scores("lb")


def test_identifiers_are_unique():
    with pytest.raises(ValueError, match=r"must be unique.*'a'"):
        history(sub("a"), sub("b"), sub("a"))


def test_lookup_by_position_and_by_identifier():
    found = history(sub("a", 1), sub("b", 2))
    assert found[0] is found["a"]
    with pytest.raises(KeyError, match="x"):
        found["x"]


def test_naive_times_and_infinite_scores_are_refused():
    with pytest.raises(ValueError, match="has no time zone"):
        Submission(submission_id="a", submitted_at=datetime(2026, 1, 1))
    with pytest.raises(ValueError, match="must be finite or None"):
        sub("a", public_score=float("inf"))


@pytest.mark.parametrize(
    ("nested", "n_private"), [(False, 700), (True, 1000)], ids=["disjoint", "nested"]
)
def test_sizes_of_the_split(nested, n_private):
    found = Competition(test_size=1000, public_fraction=0.3, nested=nested)
    assert found.n_public == 300
    assert found.n_private == n_private


def test_sizes_are_unknown_without_the_fraction():
    assert Competition(test_size=1000).n_public is None
    assert Competition(test_size=1000).n_private is None


@pytest.mark.parametrize(
    ("field", "bad", "message"),
    [
        ("test_size", 0, "test_size must be a whole number of at least 1"),
        ("train_size", -3, "train_size must be a whole number"),
        ("public_fraction", 0.0, r"public_fraction must be in \(0, 1\]"),
        ("public_fraction", 30, r"public_fraction must be in \(0, 1\]"),
    ],
)
def test_impossible_sizes_are_refused(field, bad, message):
    with pytest.raises(ValueError, match=message):
        Competition(**{field: bad})


def test_frame_has_a_row_per_submission_and_a_column_per_field():
    frame = history(sub("a", 1, public_score=0.5), sub("b", 2)).to_frame()
    assert list(frame.columns) == list(Submission.__dataclass_fields__)
    assert frame["submitted_at"].dt.tz is not None
    assert frame["public_score"].tolist()[0] == 0.5


def test_foreign_text_is_escaped_in_html():
    page = history(sub("a", description="<script>alert(1)</script>"))._repr_html_()
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_what_was_not_understood_is_told():
    issue = RowIssue(
        source="s.csv",
        line=7,
        column="publicScore",
        found="abc",
        expected="a number or blank",
        action="taken as missing",
    )
    assert str(issue) == (
        "s.csv:7: publicScore is 'abc', expected a number or blank; taken as missing."
    )
    warning = DataWarning(code="LBS101", message="exactly 50 rows.")
    found = History(
        competition=Competition(),
        submissions=(sub("a"),),
        dropped=(issue,),
        warnings=(warning,),
    )
    assert "LBS101: exactly 50 rows." in str(found)
    assert "s.csv:7" in str(found)
