"""The joint noise of several submissions."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from lbsense.stats import joint_noise


def rates(n=200, k=3, seed=0, p=0.8):
    right = (np.random.default_rng(seed).random((n, k)) < p).astype(float)
    return right.mean(axis=0), right - right.mean(axis=0)


def test_two_rates_by_hand():
    # Ten rows: a right on 8, b on 6, both on 5; one is right alone on 3 and on 1.
    right = np.array([[1, 1]] * 5 + [[1, 0]] * 3 + [[0, 1]] + [[0, 0]])
    noise = joint_noise(right.mean(axis=0), right - right.mean(axis=0), rng=0)
    np.testing.assert_allclose(noise.se, np.sqrt([0.16 / 9, 0.24 / 9]))
    # Differences are 1 on 3 rows and -1 on one: mean .2, mean square .4.
    assert noise.difference_se[0, 1] == pytest.approx(np.sqrt(0.36 / 9))
    # t of .2 / .2 with 9 degrees of freedom.
    assert noise.p_better[0, 1] == pytest.approx(stats.t.cdf(1.0, 9))
    assert noise.smallest_difference[0, 1] == pytest.approx(0.2 * 2.48648, rel=1e-5)
    assert np.isnan(noise.p_better[0, 0])


def test_rates_have_wilsons_interval():
    # Wilson (1927): 81 of 263 at 95% is (.2553, .3662) (Newcombe 1998, table I),
    # with the normal quantile; the t quantile on 262 rows is .5% longer.
    hits = np.repeat([1.0, 0.0], [81, 182])
    noise = joint_noise([hits.mean()], hits - hits.mean())
    assert noise.ci_low[0] == pytest.approx(0.2553, abs=0.0015)
    assert noise.ci_high[0] == pytest.approx(0.3662, abs=0.0015)


def test_perfect_rate_has_an_interval_but_no_standard_error():
    noise = joint_noise([1.0], np.zeros(50))
    assert noise.se[0] == 0
    assert noise.ci_high[0] == pytest.approx(1)
    # The lower end p solves z^2 p (1 - p) / n = (1 - p)^2: p = n / (n + z^2).
    z = stats.t.ppf(0.975, 49)
    assert noise.ci_low[0] == pytest.approx(50 / (50 + z**2))


def test_score_without_spread_that_is_no_rate_has_no_interval():
    noise = joint_noise([0.5], np.zeros(50))
    assert np.isnan([noise.ci_low[0], noise.ci_high[0]]).all()


def test_noise_scales_with_the_size_of_the_test_set():
    scores, psi = rates()
    whole, half = joint_noise(scores, psi, rng=0), joint_noise(scores, psi, n=50, rng=0)
    np.testing.assert_allclose(half.se, 2 * whole.se)
    np.testing.assert_allclose(half.difference_se, 2 * whole.difference_se)
    np.testing.assert_allclose(half.covariance, 4 * whole.covariance)
    assert (half.n, half.n_obs) == (50, 200)


def test_mirrored_scores_turn_the_probabilities_around():
    scores, psi = rates()
    up = joint_noise(scores, psi, interval="normal", rng=0)
    down = joint_noise(-scores, -psi, interval="normal", rng=0)
    np.testing.assert_allclose(up.p_better, down.p_better.T)


@given(st.integers(-5, 5), st.integers(1, 9))
def test_shift_and_scale_of_scores_carry_over(shift, scale):
    scores, psi = rates(n=40)
    plain = joint_noise(scores, psi, interval="normal", rng=0)
    moved = joint_noise(scores * scale + shift, psi * scale, interval="normal", rng=0)
    np.testing.assert_allclose(moved.se, plain.se * scale)
    np.testing.assert_allclose(moved.ci_low, plain.ci_low * scale + shift)
    np.testing.assert_allclose(moved.p_better, plain.p_better, atol=1e-9)


def test_identical_submissions_say_nan_and_are_one_cluster():
    scores, psi = rates(k=1)
    noise = joint_noise(np.repeat(scores, 4), np.repeat(psi, 4, axis=1), rng=0)
    assert np.isnan(noise.p_better).all()
    assert (noise.difference_se == 0).all()
    assert noise.clusters.tolist() == [0, 0, 0, 0]
    assert noise.n_effective == pytest.approx(1.0)


def test_submission_without_a_score_stays_nan_and_spoils_nothing():
    scores, psi = rates()
    with_gap = joint_noise([*scores, np.nan], np.column_stack([psi, psi[:, 0]]), rng=0)
    plain = joint_noise(scores, psi, rng=0)
    assert np.isnan([with_gap.se[3], with_gap.ci_low[3]]).all()
    assert with_gap.clusters[3] == -1
    np.testing.assert_allclose(with_gap.se[:3], plain.se)
    np.testing.assert_allclose(with_gap.p_better[:3, :3], plain.p_better)
    assert with_gap.n_effective == plain.n_effective


def test_unknown_noise_of_a_known_score_stays_nan():
    scores, psi = rates(k=2)
    psi = psi.copy()
    psi[:, 1] = np.nan
    noise = joint_noise(scores, psi, rng=0)
    assert noise.scores[1] == scores[1]
    assert np.isnan(noise.se[1])


def test_all_unknown_is_nan_throughout():
    noise = joint_noise([np.nan, np.nan], np.zeros((4, 2)))
    assert np.isnan(noise.se).all()
    assert np.isnan(noise.n_effective)
    assert noise.clusters.tolist() == [-1, -1]


def test_groups_use_students_t_with_one_degree_less_than_groups():
    psi = np.repeat([1.0, -1.0, 2.0, -2.0], 5)
    noise = joint_noise([0.3], psi, groups=np.repeat(np.arange(4), 5))
    assert (noise.df, noise.n_groups, noise.n_obs) == (3, 4, 20)
    reach = stats.t.ppf(0.975, 3) * noise.se[0]
    assert noise.ci_high[0] == pytest.approx(0.3 + reach)


def test_logit_interval_stays_inside_and_is_symmetric_in_the_odds():
    rng = np.random.default_rng(0)
    half = rng.normal(size=50) * 0.1
    rows = np.concatenate([half, -half])  # no skewness
    noise = joint_noise([0.5], rows, interval="logit")
    low, high = noise.ci_low[0], noise.ci_high[0]
    odds = [value / (1 - value) for value in (low, 0.5, high)]
    assert odds[1] / odds[0] == pytest.approx(odds[2] / odds[1])
    near_one = joint_noise([0.99], rows, interval="logit")
    assert 0 < near_one.ci_low[0] < 0.99 < near_one.ci_high[0] < 1


def test_result_is_read_only_and_can_be_pickled_printed_and_tabulated():
    scores, psi = rates()
    noise = joint_noise(scores, psi, names=["a", "b", "c"], rng=0)
    with pytest.raises(ValueError, match="read-only"):
        noise.se[0] = 1.0
    again = pickle.loads(pickle.dumps(noise))
    np.testing.assert_array_equal(again.row_covariance, noise.row_covariance)
    assert list(noise.to_frame().index) == ["a", "b", "c"]
    assert list(noise.to_frame()) == ["score", "se", "ci_low", "ci_high", "cluster"]
    assert str(noise).startswith("Joint noise")


def test_input_is_left_alone():
    scores, psi = rates()
    before = psi.copy()
    joint_noise(scores, psi, rng=0)
    np.testing.assert_array_equal(psi, before)
    psi[0] = 0.0  # still open to its owner


def test_smallest_difference_is_found_with_the_power_it_names():
    noise = joint_noise(*rates(), rng=0)
    true = noise.smallest_difference[0, 1] / noise.difference_se[0, 1]
    found = np.random.default_rng(0).normal(true, 1.0, 200_000)
    assert (found > stats.norm.ppf(0.95)).mean() == pytest.approx(0.8, abs=0.004)


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        (([0.5], np.zeros((1, 1))), {}, "at least 2 rows"),
        (([0.5, 0.5], np.zeros((4, 1))), {}, r"one column per score \(2\)"),
        (([], np.zeros((4, 0))), {}, r"one column per score \(0\)"),
        (([0.5], [1.0, np.nan]), {}, r"nan or inf in some rows of columns \[0\]"),
        (([0.5], [1.0, np.inf]), {}, r"nan or inf in some rows of columns \[0\]"),
        (([0.5], [1.0, -1.0]), {"n": 0}, "n must be a whole number of at least 1"),
        (([0.5], [1.0, -1.0]), {"interval": "exact"}, "interval must be 'auto'"),
        (([0.5], [0.3, -0.3]), {"interval": "wilson"}, r"columns \[0\] are not all r"),
        (([0.5], [1.0, -1.0]), {"names": ["a", "b"]}, "one name per score"),
        (([0.5], [1.0, -1.0]), {"confidence_level": 95}, "confidence_level must be in"),
    ],
)
def test_bad_input_is_refused(arguments, options, message):
    with pytest.raises(ValueError, match=message):
        joint_noise(*arguments, **options)


@pytest.mark.slow
@pytest.mark.parametrize(("icc", "clustered"), [(0.0, True), (0.2, True), (0.2, False)])
def test_coverage_with_groups(icc, clustered):
    # 60 groups of 20 rows: with the groups known coverage is nominal, without them the
    # interval misses far too often.
    rng = np.random.default_rng(7)
    groups = np.repeat(np.arange(60), 20)
    hits = 0
    n_runs = 2000
    for _ in range(n_runs):
        shared = rng.normal(0, np.sqrt(icc), 60)[groups]
        rows = shared + rng.normal(0, np.sqrt(1 - icc), len(groups))
        noise = joint_noise(
            [rows.mean()],
            rows - rows.mean(),
            groups=groups if clustered else None,
            interval="normal",
        )
        hits += noise.ci_low[0] < 0 < noise.ci_high[0]
    if clustered:
        assert hits / n_runs == pytest.approx(0.95, abs=0.015)
    else:
        assert hits / n_runs < 0.75
