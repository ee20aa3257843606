"""Facts of competitions by their name: said aloud, and overridden by anything said."""

from __future__ import annotations

import csv
from datetime import UTC, datetime
from pathlib import Path

import pytest

from lbsense import find_metric, read_kaggle, read_submissions
from lbsense.ingest.platforms import close_slugs, find_entry, known_metric, slug_of

NAME = "shared/data/competitions_2022.csv"  # of Meta Kaggle; beside the repository
PLACES = [folder / NAME for folder in Path(__file__).resolve().parents]
SOURCE = next((path for path in PLACES if path.is_file()), PLACES[0])
ROWS = [{"ref": 7, "publicScore": "0.81", "status": "COMPLETE"}]
SLUG = "santander-customer-satisfaction"


def told(history):
    return [item.message for item in history.warnings if item.code == "LBS120"]


def test_the_name_alone_fills_what_nobody_said():
    history = read_kaggle(ROWS, slug=SLUG)
    competition = history.competition
    assert competition.metric == "roc_auc"
    assert competition.greater_is_better is True
    assert competition.public_fraction == 0.5
    assert competition.n_selections == 2
    assert competition.deadline == datetime(2016, 5, 2, 23, 59, tzinfo=UTC)


def test_it_is_said_aloud_with_its_date():
    [message] = told(read_kaggle(ROWS, slug=SLUG))
    assert "Kaggle's own facts of March 2022" in message
    assert "metric roc_auc (higher is better)" in message
    assert "50% of the test rows public" in message
    assert "2 to select" in message


def test_whatever_the_user_says_wins():
    history = read_kaggle(
        ROWS,
        slug=SLUG,
        metric="rmse",
        public_fraction=0.2,
        deadline="2016-05-09",
        n_selections=5,
    )
    competition = history.competition
    assert (competition.metric, competition.greater_is_better) == ("rmse", False)
    assert (competition.public_fraction, competition.n_selections) == (0.2, 5)
    assert competition.deadline == datetime(2016, 5, 9, tzinfo=UTC)
    assert told(history) == []


def test_a_direction_of_the_user_that_contradicts_takes_no_metric():
    history = read_kaggle(ROWS, slug=SLUG, greater_is_better=False)
    assert history.competition.metric is None
    assert history.competition.greater_is_better is False


def test_other_names_and_other_platforms_get_nothing():
    for slug in ("no-such-competition", None):
        history = read_kaggle(ROWS, slug=slug)
        assert history.competition.metric is None
        assert told(history) == []
    zindi = read_submissions(ROWS, slug=SLUG, platform="zindi")
    assert zindi.competition.metric is None


def test_a_metric_that_is_not_registered_comes_with_its_direction():
    competition = read_kaggle(ROWS, slug="higgs-boson").competition
    assert competition.metric == "Higgs Boson Approximate Median Significance"
    assert competition.greater_is_better is True


@pytest.mark.parametrize("slug", ["hivprogression", "worldcup2010"])
def test_a_direction_known_to_be_doubtful_is_left_out(slug):
    competition = read_kaggle(ROWS, slug=slug).competition
    assert competition.metric is None
    assert competition.greater_is_better is None
    assert competition.n_selections is not None


def test_an_address_is_as_good_as_a_name():
    address = f"https://www.kaggle.com/c/{SLUG}/leaderboard?tab=public"
    assert slug_of(address) == SLUG
    assert find_entry(address) == find_entry(SLUG.upper())


def test_close_names_are_found():
    assert close_slugs("santander-customer-satisfacton")[0] == SLUG
    assert close_slugs("zzzzzzzz") == []


@pytest.mark.skipif(not SOURCE.is_file(), reason="the source is not here")
def test_every_fact_is_that_of_the_source():
    with SOURCE.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 746
    for row in rows:
        entry = find_entry(row["slug"])
        assert entry is not None
        assert entry.slug == row["slug"]
        stated = datetime.strptime(row["deadline"], "%m/%d/%Y %H:%M:%S")
        assert entry.deadline == stated.replace(second=0, tzinfo=UTC)
        percent = float(row["public_percent"])
        expected = percent / 100 if 0 < percent < 100 else None
        assert entry.public_fraction == expected
        assert entry.n_selections == (int(row["n_selections"]) or None)
        assert entry.greater_is_better in (row["greater_is_better"] == "True", None)


@pytest.mark.skipif(not SOURCE.is_file(), reason="the source is not here")
def test_no_direction_contradicts_the_metric():
    with SOURCE.open(encoding="utf-8", newline="") as file:
        entries = [find_entry(row["slug"]) for row in csv.DictReader(file)]
    known = 0
    for entry in entries:
        metric = known_metric(entry.metric)
        if metric is not None:
            known += 1
            assert entry.greater_is_better == metric.greater_is_better
            assert find_metric(entry.metric) == metric
    assert known > 600
