"""The private outlook: by hand, by simulation of both sets, and at its edges."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from lbsense.stats import band_coverage, gap_split, ordinary_gaps
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


PARTS = ("common_luck", "shift", "selection", "own_luck")


def split_of(public, private, position, **options):
    k = len(public)
    given_options = {
        "mean": np.asarray(public, dtype=float),
        "cov": np.eye(k) * 1e-4,
        "noise_corr": np.eye(k),
        "score_public_var": 1e-4,
    }
    return gap_split(public, private, position, **{**given_options, **options})


def test_split_worked_by_hand():
    # Two submissions, levels known exactly but for noise: v = 1, noise 4, fresh 2.
    split = gap_split(
        [10.0, 14.0],
        [9.0, 8.0],
        1,
        mean=[10.0, 12.0],
        cov=np.eye(2),
        noise_corr=np.eye(2),
        score_public_var=4.0,
        fresh=2.0,
    )
    # rest = gap - (public - mean) = (1 - 0, 6 - 2) = (1, 4); common = 2.5
    # common_se**2 = (1 + 2) / 2; shift = 2.5 * (1 - 1.5 / 6.25) = 1.9
    # own = 1.5; v = 1 / 2, u = 2 / 2. The rests scatter by 4.5 where v and u make
    # 1 + 2 of it: v counts (4.5 - 2) / 1 = 2.5 times, 1.25 / 2.25 of own is luck.
    assert split.gap == 6.0
    assert_allclose(split.common_se, np.sqrt(1.5))
    assert_allclose(split.shift, 1.9)
    assert_allclose(split.common_luck, 0.6)
    assert_allclose(split.foretold, 2.0)
    assert_allclose(split.selection, 2 + 1.5 * 5 / 9)
    assert_allclose(split.own_luck, 1.5 * 4 / 9)
    assert_allclose(split.selection_se, np.sqrt(5 / 9))
    assert_allclose(
        [split.shift_low, split.shift_high],
        2.5 + np.array([-1, 1]) * 2.5758 * np.sqrt(1.5),
        atol=0.001,
    )


def test_selection_is_the_conditional_mean_of_the_joint_normal():
    rng = np.random.default_rng(5)
    k = 6
    root = rng.normal(size=(k, k))
    cov, corr = root @ root.T, np.full((k, k), 0.6) + 0.4 * np.eye(k)
    mean, public, private = rng.normal(size=(3, k))
    split = gap_split(
        public, private, 3, mean=mean, cov=cov, noise_corr=corr,
        score_public_var=2.0, fresh=1.5,
    )  # fmt: skip
    w = np.eye(k)[3] - 1 / k
    # Joint law of (w'(theta - mean), w'(private - mean)), private = theta + noise.
    var = w @ cov @ w
    total = var + w @ (2.0 / 1.5 * corr) @ w
    told = var / total * (w @ (private - mean))
    assert_allclose(split.selection, public[3] - mean[3] - told)
    assert_allclose(split.selection_se, np.sqrt(var - var**2 / total))


scores = st.lists(
    st.tuples(st.integers(-50, 50), st.integers(-50, 50), st.integers(-50, 50)),
    min_size=2,
    max_size=8,
)


@given(scores, st.integers(1, 9), st.floats(0, 0.8))
def test_parts_add_up_and_follow_the_scale(rows, factor, seen):
    public, private, mean = (np.array(rows, dtype=float) / 100).T
    split = split_of(public, private, 0, mean=mean, seen=seen)
    total = sum(getattr(split, part) for part in PARTS)
    assert_allclose(total, split.gap, atol=1e-12)
    assert_allclose(split.gap, public[0] - private[0], atol=1e-12)
    scaled = split_of(
        factor * public, factor * private, 0, mean=factor * mean,
        cov=np.eye(len(rows)) * 1e-4 * factor**2, score_public_var=1e-4 * factor**2,
        seen=seen,
    )  # fmt: skip
    for part in PARTS:
        assert_allclose(
            getattr(scaled, part), factor * getattr(split, part), atol=1e-10
        )


@given(scores, st.integers(-9, 9))
def test_a_shift_of_all_private_scores_is_no_selection(rows, shift):
    public, private, mean = (np.array(rows, dtype=float) / 100).T
    before = split_of(public, private, 0, mean=mean)
    after = split_of(public, private - shift, 0, mean=mean)
    assert_allclose(after.selection, before.selection, atol=1e-10)
    assert_allclose(after.own_luck, before.own_luck, atol=1e-10)
    assert_allclose(
        after.shift + after.common_luck,
        before.shift + before.common_luck + shift,
        atol=1e-10,
    )


def test_one_submission_has_no_others_to_be_luckier_than():
    split = split_of([0.8], [0.7], 0)
    assert_allclose(split.common_luck + split.shift, 0.1)
    assert split.selection == split.own_luck == 0


def test_missing_scores_and_broken_submissions_are_left_out():
    public = np.array([0.80, 0.81, 0.82, np.nan, 0.80, 0.81, 0.79])
    private = np.array([0.79, 0.805, 0.812, 0.80, np.nan, 0.80, 0.10])
    assert ordinary_gaps(public, private).tolist() == [
        True, True, True, False, False, True, False,
    ]  # fmt: skip
    split = split_of(public, private, 2, mean=np.nan_to_num(public))
    assert (split.n_obs, split.n_left_out) == (4, 1)


def test_gaps_that_are_mostly_equal_do_not_make_the_rest_broken():
    gaps = ordinary_gaps([1, 1, 1, 1, 1.1], [0, 0, 0, 0, 0])
    assert gaps[:4].all()
    assert not ordinary_gaps([np.nan], [1.0]).any()


def test_a_submission_without_scores_is_refused():
    with pytest.raises(ValueError, match="submission 0 needs a public"):
        split_of([np.nan, 0.8], [0.7, 0.8], 0)
    with pytest.raises(ValueError, match="cov must have shape"):
        split_of([0.8, 0.8], [0.7, 0.8], 0, cov=np.eye(3))


def test_coverage_worked_by_hand():
    found = band_coverage(
        [1.0, 2.5, np.nan, 0.0],
        mean=[0.0, 0.0, 0.0, np.nan],
        cov=np.eye(4),
        best_public=1,
    )
    assert (found.n_obs, found.n_in_80, found.n_in_95) == (2, 1, 1)
    assert_allclose(found.common_z, 1.75 / np.sqrt(0.5))
    assert found.best_public_z == 2.5


def test_coverage_of_nothing_is_unknown():
    found = band_coverage([np.nan], mean=[0.0], cov=[[1.0]], best_public=-1)
    assert found.n_obs == 0
    assert np.isnan(found.common_z)
    assert np.isnan(found.best_public_z)


@pytest.mark.slow
def test_selection_and_shift_are_as_sure_as_they_say():
    """Worlds drawn from the model itself: nominal errors, a false shift in one of a hundred."""
    rng = np.random.default_rng(7)
    k, n_worlds, level_sd, noise_var = 12, 2000, 0.02, 4e-4
    corr = 0.7 + 0.3 * np.eye(k)
    noise = noise_var * corr
    prior = level_sd**2 * np.eye(k) + 1.0  # an all but flat common level
    gain = prior @ np.linalg.inv(prior + noise)
    cov = prior - gain @ prior
    z_selection, shifted = [], 0
    for _ in range(n_worlds):
        true = rng.multivariate_normal(np.zeros(k), prior)
        public = true + rng.multivariate_normal(np.zeros(k), noise)
        private = true + rng.multivariate_normal(np.zeros(k), noise / 2)
        mean = gain @ public
        best = int(public.argmax())
        split = gap_split(
            public, private, best, mean=mean, cov=cov, noise_corr=corr,
            score_public_var=noise_var, fresh=2.0,
        )  # fmt: skip
        truth = public[best] - true[best] - (mean - true).mean()
        z_selection.append((split.selection - truth) / split.selection_se)
        shifted += split.shift_low * split.shift_high > 0
    assert abs(np.mean(z_selection)) < 0.08
    assert 0.93 <= np.mean(np.abs(z_selection) <= 1.96) <= 0.97
    assert 0.003 <= shifted / n_worlds <= 0.02
