"""The list of what can be read."""

from __future__ import annotations

import pytest

from lbsense.ingest import FORMATS, read_submissions


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
