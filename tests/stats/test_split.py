"""One test set in two parts: the identities of sampling, by enumeration."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lbsense.stats.split import split_noise


def every_split(values, n_public):
    """Public, private and overall means of every possible split."""
    n = len(values)
    splits = [list(chosen) for chosen in combinations(range(n), n_public)]
    public = np.array([values[chosen].mean(axis=0) for chosen in splits])
    private = np.array(
        [np.delete(values, chosen, axis=0).mean(axis=0) for chosen in splits]
    )
    return public, private


def spread(a, b):
    """Covariance over equally likely splits."""
    return (a - a.mean(axis=0)).T @ (b - b.mean(axis=0)) / len(a)


@given(
    st.lists(st.tuples(st.integers(-9, 9), st.integers(-9, 9)), min_size=3, max_size=8),
    st.data(),
)
def test_finite_population_formulas_hold_over_all_splits(cells, data):
    values = np.array(cells, dtype=float)
    n = len(values)
    n_public = data.draw(st.integers(1, n - 1))
    public, private = every_split(values, n_public)
    split = split_noise(
        np.cov(values, rowvar=False),
        n_public=n_public,
        test_size=n,
        population="finite",
    )
    np.testing.assert_allclose(split.public, spread(public, public), atol=1e-10)
    np.testing.assert_allclose(split.private, spread(private, private), atol=1e-10)
    np.testing.assert_allclose(split.cross, spread(public, private), atol=1e-10)
    gap = private - public
    np.testing.assert_allclose(split.gap, spread(gap, gap), atol=1e-10)


@given(st.lists(st.integers(-9, 9), min_size=3, max_size=8), st.data())
def test_nested_gap_holds_over_all_splits(cells, data):
    values = np.array(cells, dtype=float)[:, np.newaxis]
    n = len(values)
    n_public = data.draw(st.integers(1, n))
    public, _ = every_split(values, n_public) if n_public < n else (values * 0, None)
    split = split_noise(
        np.cov(values, rowvar=False).reshape(1, 1),
        n_public=n_public,
        test_size=n,
        nested=True,
        population="finite",
    )
    gap = values.mean(axis=0) - public
    np.testing.assert_allclose(split.gap, spread(gap, gap), atol=1e-10)
    assert split.private == 0
    assert split.cross == 0


@pytest.mark.parametrize("nested", [False, True])
def test_infinite_population_by_simulation(nested):
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(20_000, 30)) * 2.0
    public = rows[:, :10].mean(axis=1)
    private = rows.mean(axis=1) if nested else rows[:, 10:].mean(axis=1)
    split = split_noise([[4.0]], n_public=10, test_size=30, nested=nested)
    observed = np.cov(public, private)
    assert split.public[0, 0] == pytest.approx(observed[0, 0], rel=0.03)
    assert split.private[0, 0] == pytest.approx(observed[1, 1], rel=0.03)
    assert split.cross[0, 0] == pytest.approx(observed[0, 1], abs=0.005)
    assert split.gap[0, 0] == pytest.approx(np.var(private - public), rel=0.03)


@given(st.integers(1, 500), st.integers(1, 500), st.booleans())
def test_gap_is_the_same_under_either_population(n_public, n_rest, nested):
    gaps = [
        split_noise(
            [[2.5]],
            n_public=n_public,
            test_size=n_public + n_rest,
            nested=nested,
            population=population,
        ).gap
        for population in ("infinite", "finite")
    ]
    np.testing.assert_allclose(gaps[0], gaps[1], rtol=1e-9)


def test_sizes_by_hand():
    split = split_noise([[12.0]], n_public=3, test_size=12)
    assert (split.n_public, split.n_private) == (3, 9)
    assert split.gap[0, 0] == pytest.approx(12 / 3 + 12 / 9)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"n_public": 10, "test_size": 10},
            "test_size must be a whole number of at le",
        ),
        ({"n_public": 0, "test_size": 10}, "n_public must be a whole number"),
        (
            {"n_public": 11, "test_size": 10, "nested": True},
            "test_size must be a whole number of at least 11",
        ),
        (
            {"n_public": 1, "test_size": 2, "population": "all"},
            "population must be 'infinite' or 'finite', got 'all'",
        ),
    ],
)
def test_impossible_splits_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        split_noise([[1.0]], **options)
