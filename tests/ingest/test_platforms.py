"""What is known of each platform, and the list of what can be read."""

from __future__ import annotations

from typing import get_args

import pytest

from lbsense._typing import Platform
from lbsense.ingest import FORMATS, read_submissions
from lbsense.ingest.cv.heading import FIELDS, field_of, name_key
from lbsense.ingest.platforms import PLATFORMS, Look, platform_named, recognise
from lbsense.ingest.tables.raw import read_status


def test_names_are_unique_and_every_guide_says_how():
    assert len({guide.name for guide in FORMATS}) == len(FORMATS)
    for guide in FORMATS:
        assert guide.title
        assert guide.how
        assert guide.columns
        assert isinstance(guide.to_dict()["caveats"], list)


@pytest.mark.parametrize(
    "guide", [g for g in FORMATS if "publicScore" in g.columns or "id" in g.columns]
)
def test_columns_that_a_guide_lists_are_read(guide):
    row = dict.fromkeys(guide.columns, "") | {
        "publicScore": "0.5",
        "public_score": "0.5",
    }
    if "score" in row:
        row["score"] = "0.5"
    history = read_submissions([row])
    assert history[0].public_score == 0.5


def test_records_and_their_words_are_known():
    names = [platform.name for platform in PLATFORMS]
    assert sorted(names) == sorted(get_args(Platform))
    for platform in PLATFORMS:
        assert platform_named(platform.name) is platform
        assert set(platform.columns) <= set(FIELDS)
        assert all(export.platform == platform.name for export in platform.exports)
        assert {guide.name for guide in platform.guides} <= {g.name for g in FORMATS}
        for field, columns in platform.columns.items():
            for column in columns:
                assert (field_of(column) or ("",))[0] == field
        for word, status in platform.statuses.items():
            assert read_status(word) == status


@pytest.mark.parametrize(
    ("columns", "name"),
    [
        ("ref fileName date description status publicScore privateScore", "kaggle"),
        ("fileName date description status publicScore privateScore", "kaggle"),
        ("_ref _public_score", "kaggle"),
        ("DateSubmitted SubmissionId TeamId PublicScore PrivateScore", "host"),
        ("Id TeamId SubmissionDate PublicScoreFullPrecision", "meta kaggle"),
        ("id status filename created_at public_score comment", "zindi"),
        ("model cv LB", "table"),
    ],
)
def test_an_export_is_recognised_by_its_columns(columns, name):
    names = tuple(columns.split())
    look = Look(names, frozenset(map(name_key, names)), "delimited")
    assert recognise(look).name == name


def test_the_printed_board_is_recognised_by_its_shape():
    assert recognise(Look(("status",), frozenset(("status",)), "board")).name == (
        "zindi board"
    )
