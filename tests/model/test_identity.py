"""Same content, and which submission a name means."""

import pytest

from lbsense.model import NameIndex, Submission, content_groups, file_kind, plain_stem


def sent(*files: str | None) -> list[Submission]:
    return [
        Submission(submission_id=str(number), file_name=name)
        for number, name in enumerate(files)
    ]


def groups(*rows):
    made = [Submission(submission_id=str(i), **row) for i, row in enumerate(rows)]
    return content_groups(made).tolist()


def row(public=None, private=None, cv=None, **fields):
    return {"public_score": public, "private_score": private, "cv_score": cv, **fields}


def test_digests_decide():
    same = {"description": "blend of two", "public_score": 0.81243}
    assert groups(
        {"content_hash": "x", "description": "one", "public_score": 0.5},
        {"content_hash": "x", "description": "another", "public_score": 0.6},
        {"content_hash": "y", **same},
        {"content_hash": "z", **same},
        {},
    ) == [0, 0, -1, -1, -1]
    assert groups() == []


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        # One score: five digits, and a name in common.
        (row(0.81243, description="blend"), row(0.81243, description="Blend"), True),
        (row(0.81243, description="blend"), row(0.81244, description="blend"), False),
        (row(0.8124, description="blend"), row(0.8124, description="blend"), False),
        (row(0.81243, description="blend"), row(0.81243, description="mix"), False),
        (row(0.81243, file_name="a7.csv"), row(0.81243, file_name="a7.csv"), True),
        (row(0.81243, file_name="submission.csv"),) * 2 + (False,),
        # Two scores or more.
        (row(0.8124, 0.8019), row(0.8124, 0.8019), True),
        (row(0.8124, 0.8019), row(0.8124, 0.8018), False),
        (row(0.812, 0.801), row(0.812, 0.801), False),
        (row(0.812, 0.801, description="b"), row(0.812, 0.801, description="b"), True),
        (row(0.8124, 0.8124), row(0.8124, 0.8124), False),  # one score, shown twice
        (row(0.8124, cv=0.8101), row(0.8124, cv=0.8101), True),
        # A score that only one of them has.
        (row(0.8124, 0.8019), row(0.8124, 0.8019, 0.81), False),
        (row(0.81243, description="b"), row(0.81243, 0.8, description="b"), False),
        # Words alone.
        (row(description="blend of two"), row(description="blend of two"), False),
        (
            row(0.63121, description="boosting with scaler", file_name="s.csv"),
            row(0.77502, description="boosting with scaler", file_name="s.csv"),
            False,
        ),
        # The user's word.
        (row(0.81), row(0.81, description="resubmission of 0"), True),
        (row(0.81), row(0.81, description="same file as 0, new name"), True),
        (row(0.81), row(0.82, description="same file as 0"), False),
        (row(0.81), row(0.81, description="same idea as 0"), False),
        (row(0.81, 0.8), row(description="duplicate of 0"), True),
    ],
)
def test_scores_on_all_sides_or_a_word_stand_in_for_digests(one, other, same):
    assert groups(one, other) == ([0, 0] if same else [-1, -1])


@pytest.mark.parametrize(("n_same", "label"), [(2, 0), (5, 0), (6, -1)])
def test_one_score_of_many_submissions_is_a_coarse_score(n_same, label):
    rows = [row(0.81243, description="my submission")] * n_same
    assert groups(*rows) == [label] * n_same


def test_equal_scores_that_are_common_are_no_repeats():
    pairs = [row(0.7667 + i / 30, 0.8333 - i / 30) for i in range(3) for _ in "ab"]
    assert groups(*pairs, row(0.1)) == [-1] * 7
    others = [row(0.5 + i / 1000) for i in range(8)]
    assert groups(*pairs[:2], *others) == [0, 0, *[-1] * 8]


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
