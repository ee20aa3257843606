"""The private outlook: by hand, by simulation of both sets, and at its edges."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lbsense.stats.history.outlook import difference_bands, private_outlook

NAN = float("nan")


def outlook(mean=(0.80, 0.79), cov=((3e-5, 1e-5), (1e-5, 4e-5)), **options):
    chosen = {"public": [0.81, 0.78], "score_public_var": 1e-4} | options
    return private_outlook(mean, cov, **chosen)


def test_disjoint_sets_by_hand():
    # The noise of 4,000 fresh rows is a quarter of that of 1,000.
    result = outlook(n_public=1000, n_private=4000, noise_corr=[[1, 0.9], [0.9, 1]])
    np.testing.assert_allclose(result.mean, [0.80, 0.79])
    np.testing.assert_allclose(
        result.cov, [[5.5e-5, 3.25e-5], [3.25e-5, 6.5e-5]], rtol=1e-12
    )
    half = 1.959963984540054 * np.sqrt(5.5e-5)
    np.testing.assert_allclose(result.ci95_high[0], 0.80 + half)
    half = 1.2815515655446004 * np.sqrt(6.5e-5)
    np.testing.assert_allclose(result.ci80_low[1], 0.79 - half)
    assert (result.size_ratio, result.sizes_known) == (4.0, True)


def test_nested_set_by_hand():
    # A quarter of the private rows is public and known; 3,000 are fresh.
    result = outlook(n_public=1000, n_private=4000, nested=True)
    np.testing.assert_allclose(result.mean, [0.8025, 0.7875])
    np.testing.assert_allclose(
        np.asarray(result.cov)[0, 0], 0.75**2 * (3e-5 + 1e-4 / 3)
    )
    np.testing.assert_allclose(
        np.asarray(result.cov)[0, 1], 0.75**2 * (1e-5 + 1e-4 / 3)
    )
    np.testing.assert_allclose(result.size_ratio, 4.0)


@pytest.mark.parametrize("nested", [False, True])
def test_bands_cover_when_both_sets_are_drawn(nested):
    rng = np.random.default_rng(5)
    n, prior_sd, public_se = 40_000, 0.02, 0.01
    theta = rng.normal(0.8, prior_sd, n)
    public = theta + rng.normal(0, public_se, n)
    fresh = theta + rng.normal(0, public_se / np.sqrt(3), n)  # three times the rows
    private = 0.25 * public + 0.75 * fresh if nested else fresh
    shrink = prior_sd**2 / (prior_sd**2 + public_se**2)
    hits = np.zeros(2)
    for index in range(0, n, 200):  # one submission at a time would be slow
        part = slice(index, index + 200)
        result = private_outlook(
            0.8 + shrink * (public[part] - 0.8),
            np.eye(200) * shrink * public_se**2,
            public=public[part],
            score_public_var=public_se**2,
            n_public=100,
            n_private=400 if nested else 300,
            nested=nested,
        )
        inside = (result.ci80_low < private[part]) & (private[part] < result.ci80_high)
        wide = (result.ci95_low < private[part]) & (private[part] < result.ci95_high)
        hits += inside.sum(), wide.sum()
    np.testing.assert_allclose(hits / n, [0.80, 0.95], atol=4 * 0.002)


def test_luck_of_the_best_public_score():
    result = outlook()
    assert result.best_public == 0
    np.testing.assert_allclose(result.deflation, 0.01)
    np.testing.assert_allclose(result.deflation_se, 1.0)


def test_shift_moves_all_scores_together():
    plain, shifted = outlook(), outlook(shift_sd=0.02)
    np.testing.assert_allclose(np.asarray(shifted.cov) - plain.cov, 4e-4)
    np.testing.assert_allclose(shifted.mean, plain.mean)


def test_unknown_sizes_are_said_and_taken_for_equal():
    result = outlook(n_public=1000)
    assert (result.size_ratio, result.sizes_known) == (1.0, False)
    np.testing.assert_allclose(np.asarray(result.cov)[0, 0], 1.3e-4)
    nested = outlook(nested=True)
    np.testing.assert_allclose(nested.mean[0], 0.805)
    assert nested.size_ratio == 2.0


def test_nested_without_a_public_score_counts_all_private_rows_as_fresh():
    result = outlook(public=[0.81, NAN], n_public=1000, n_private=4000, nested=True)
    np.testing.assert_allclose(result.mean[1], 0.79)
    np.testing.assert_allclose(np.asarray(result.cov)[1, 1], 4e-5 + 1e-4 / 3)


def test_without_public_scores_there_is_no_luck_to_remove():
    result = outlook(public=[NAN, NAN])
    assert result.best_public == -1
    assert np.isnan(result.deflation)


def test_unknown_levels_stay_unknown():
    cov = [[3e-5, NAN], [NAN, NAN]]
    result = outlook(mean=[0.8, NAN], cov=cov)
    np.testing.assert_array_equal(np.isnan(result.ci95_low), [False, True])


@settings(max_examples=40, deadline=None)
@given(
    shift=st.integers(-5, 5),
    unit=st.sampled_from([0.01, 1.0, 30.0]),
    nested=st.booleans(),
    n_private=st.integers(1001, 10_000),
)
def test_follows_shift_and_unit(shift, unit, nested, n_private):
    options = {"n_public": 1000, "n_private": n_private, "nested": nested}
    plain = outlook(**options)
    moved = private_outlook(
        unit * (np.array([0.80, 0.79]) + shift),
        unit**2 * np.array([[3e-5, 1e-5], [1e-5, 4e-5]]),
        public=unit * (np.array([0.81, 0.78]) + shift),
        score_public_var=1e-4 * unit**2,
        **options,
    )
    for name in ("mean", "ci80_low", "ci80_high", "ci95_low", "ci95_high"):
        expected = unit * (getattr(plain, name) + shift)
        np.testing.assert_allclose(getattr(moved, name), expected, rtol=1e-9)
    np.testing.assert_allclose(moved.deflation_se, plain.deflation_se, rtol=1e-6)
    assert (plain.ci95_low < plain.ci80_low).all()
    assert np.linalg.eigvalsh(plain.cov).min() > 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"public": [0.8]}, "Arrays must have one length"),
        ({"cov": np.eye(3)}, r"cov must have shape \(2, 2\), got shape \(3, 3\)"),
        ({"noise_corr": [1, 1]}, r"noise_corr must have shape \(2, 2\)"),
        ({"score_public_var": 0.0}, "score_public_var must be a finite number above 0"),
        ({"shift_sd": -1.0}, "shift_sd must be a finite number of at least 0, got -1"),
        (
            {"n_public": 100, "n_private": 100, "nested": True},
            "n_private must be above n_public under nested rules",
        ),
        ({"n_public": 0, "n_private": 100}, "n_public must be a whole number"),
    ],
)
def test_says_what_is_wrong_with_an_argument(options, message):
    with pytest.raises(ValueError, match=message):
        outlook(**options)


def test_differences_are_those_of_joint_draws():
    rng = np.random.default_rng(3)
    root = rng.normal(size=(3, 3))
    cov, mean = root @ root.T, np.array([0.3, 0.1, 0.0])
    bands = difference_bands(mean, cov, 1)
    draws = rng.multivariate_normal(mean, cov, 200_000)
    apart = draws - draws[:, [1]]
    np.testing.assert_allclose(bands.mean, apart.mean(axis=0), atol=0.02)
    low, high = np.quantile(apart, [0.025, 0.975], axis=0)
    np.testing.assert_allclose(bands.ci95_low, low, atol=0.04)
    np.testing.assert_allclose(bands.ci95_high, high, atol=0.04)
    np.testing.assert_allclose(
        bands.p_above[[0, 2]], (apart > 0).mean(axis=0)[[0, 2]], atol=0.005
    )
    assert (bands.mean[1], bands.ci95_low[1], bands.p_above[1]) == (0, 0, 0.5)


def test_what_all_share_leaves_differences_alone():
    cov = np.array([[2.0, 1.0], [1.0, 3.0]])
    one, other = difference_bands([1, 2], cov, 0), difference_bands([1, 2], cov + 9, 0)
    np.testing.assert_allclose(one.ci95_high, other.ci95_high)


def test_an_unknown_submission_is_compared_with_nothing():
    cov = np.full((2, 2), np.nan)
    cov[0, 0] = 1.0
    bands = difference_bands([1.0, np.nan], cov, 0)
    assert np.isnan([bands.mean[1], bands.ci95_low[1], bands.p_above[1]]).all()
    with pytest.raises(ValueError, match="against must be a submission with a known"):
        difference_bands([1.0, np.nan], cov, 1)
