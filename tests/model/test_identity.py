"""Same content, and which submission a name means."""

import pytest

from lbsense.model import NameIndex, Submission, content_groups, file_kind, plain_stem


def sent(*files: str | None) -> list[Submission]:
    return [
        Submission(submission_id=str(number), file_name=name)
        for number, name in enumerate(files)
    ]


def test_digests_decide_and_telling_descriptions_stand_in_for_them():
    rows = [
        {"content_hash": "x", "description": "one"},
        {"content_hash": "x", "description": "another"},
        {"description": "Blend of two", "file_name": "s.csv", "cv_score": 0.5},
        {"description": "blend of two", "file_name": "s.csv", "cv_score": 0.5},
        {"description": "blend of two", "file_name": "s.csv", "cv_score": 0.6},
        {"description": "blend of two", "file_name": "t.csv", "cv_score": 0.5},
        {"description": "v2", "file_name": "s.csv"},
        {"description": "v2", "file_name": "s.csv"},
        {},
    ]
    made = [Submission(submission_id=str(i), **row) for i, row in enumerate(rows)]
    assert content_groups(made).tolist() == [0, 0, 1, 1, -1, -1, -1, -1, -1]
    assert content_groups([]).tolist() == []


@pytest.mark.parametrize(("n_same", "label"), [(2, 0), (5, 0), (6, -1)])
def test_a_text_on_many_submissions_is_a_lazy_name(n_same, label):
    made = [
        Submission(submission_id=str(i), description="my submission")
        for i in range(n_same)
    ]
    assert content_groups(made).tolist() == [label] * n_same


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("0", 0),
        ("out/Blend.csv.gz", 1),
        ("Blend.csv", 1),
        ("Blend", 1),
        ("BLEND", 1),
        ("submission_lgb7.csv", 2),
        ("oof_lgb7.npy", 2),
        ("lgb7", 2),
        ("model_v1.2", 3),
        ("model_v1", 3),
        ("same", None),
        ("nobody", None),
        ("", None),
    ],
)
def test_a_name_means_one_submission_or_none(name, place):
    files = ("a.csv", "Blend.csv.gz", "submission_lgb7.csv", "model_v1.2")
    index = NameIndex(sent(*files, "same.csv", "x/same.csv", None))
    assert index.position(name) == place


def test_an_identifier_goes_before_a_file_and_the_written_case_before_another():
    assert NameIndex(sent("1.csv", "b.csv")).position("1") == 1
    index = NameIndex(sent("LGB.csv", "lgb.csv"))
    assert [index.position(name) for name in ("LGB", "lgb", "Lgb")] == [0, 1, None]
    assert index.positions("Lgb") == (0, 1)


def test_two_names_of_one_submission_are_one():
    assert NameIndex(sent("a.csv")).places(["0", "a", "b"]) == {"0": 0}


def test_words_of_the_kind():
    assert [file_kind(name) for name in ("oof_a.csv", "sub_a.csv", "a.csv")] == [
        "oof",
        "test",
        None,
    ]
    assert plain_stem("submission.csv") == "submission"
