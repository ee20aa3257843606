"""The options that every reader of submissions has."""

from __future__ import annotations

import inspect
import pickle

import pytest

from lbsense.ingest import (
    ReaderOptions,
    read_kaggle,
    read_submissions,
    read_table,
    read_zindi,
)

READERS = (read_kaggle, read_submissions, read_table, read_zindi)
ROWS = [{"model": "a", "LB": 0.5, "cv": 0.4}]


@pytest.mark.parametrize("reader", READERS)
def test_every_reader_shows_every_option_by_name(reader):
    parameters = inspect.signature(reader).parameters
    assert set(ReaderOptions.__annotations__) <= set(parameters)
    for name in ReaderOptions.__annotations__:
        assert parameters[name].kind is inspect.Parameter.KEYWORD_ONLY
        assert parameters[name].default is None
        assert name in reader.__doc__
    assert "**options" not in reader.__doc__
    assert pickle.loads(pickle.dumps(reader)) is reader


@pytest.mark.parametrize("reader", READERS)
def test_an_option_that_does_not_exist_is_refused_with_the_one_that_was_meant(reader):
    with pytest.raises(TypeError, match=r"no option 'metrics'. Did you mean 'metric'"):
        reader(ROWS, metrics="rmse")
    with pytest.raises(TypeError, match=r"read_\w+\(\) has no option 'zzz'\.$"):
        reader(ROWS, zzz=1)


def test_only_the_general_reader_takes_a_platform():
    assert read_submissions(ROWS, platform="zindi").competition.platform == "zindi"
    with pytest.raises(TypeError, match="no option 'platform'"):
        read_kaggle(ROWS, platform="zindi")


def test_none_is_the_same_as_no_word():
    names = dict.fromkeys(ReaderOptions.__annotations__)
    assert read_table(ROWS, **names) == read_table(ROWS)
