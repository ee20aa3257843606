"""The summary of resampled scores."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from lbsense.errors import LbsenseWarning
from lbsense.stats.rows.bootstrap import summarise


def summary(draws, scores=None, **options):
    draws = np.asarray(draws, dtype=float)
    scores = draws.mean(axis=0) if scores is None else np.asarray(scores, dtype=float)
    fixed = {"n": 10, "n_obs": 10, "scheme": "iid", "confidence_level": 0.5}
    return summarise(scores, draws, **fixed | options)


def test_spread_is_that_of_the_draws():
    draws = [[1.0, 2.0], [3.0, 2.5], [5.0, 3.0]]
    result = summary(draws)
    np.testing.assert_allclose(result.se, [2.0, 0.5])
    np.testing.assert_allclose(result.covariance, [[4.0, 1.0], [1.0, 0.25]])
    assert result.difference_se[0, 1] == pytest.approx(1.5)
    assert result.n_undefined == 0


def test_undefined_draws_are_counted_and_left_out():
    draws = [[1.0, 2.0], [np.nan, 9.0], [3.0, 2.5], [5.0, 3.0]]
    with pytest.warns(LbsenseWarning, match="1 of 4 draws leave a score undefined"):
        result = summary(draws, scores=[3.0, 2.5])
    assert result.n_undefined == 1
    np.testing.assert_allclose(result.se, [2.0, 0.5])


def test_score_that_is_undefined_stays_nan_alone():
    result = summary([[1.0, np.nan], [3.0, np.nan]], scores=[2.0, np.nan])
    assert result.n_undefined == 0
    assert result.se[0] == pytest.approx(np.sqrt(2))
    assert np.isnan([result.se[1], result.ci_low[1]]).all()


def test_nothing_defined_is_nan():
    with pytest.warns(LbsenseWarning, match="2 of 2 draws"):
        result = summary([[np.nan], [np.nan]], scores=[1.0])
    assert np.isnan(result.se[0])


def test_result_is_read_only_and_can_be_pickled_and_tabulated():
    result = summary([[1, 1], [2, 1]], names=["a", "b"])
    with pytest.raises(ValueError, match="read-only"):
        result.distribution[0] = 0
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(result)).se, result.se)
    assert list(result.to_frame()) == ["score", "se", "ci_low", "ci_high"]
    assert list(result.to_frame().index) == ["a", "b"]
