"""What scores can tell: published attack results, bounds by hand, ladder by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lbsense.stats import (
    ladder_replay,
    public_resolution,
    query_limits,
    rows_to_tell,
)

NAN = float("nan")


@pytest.mark.parametrize(
    ("n_queries", "loss"),
    [(100, 0.46695), (200, 0.45225), (300, 0.4408), (400, 0.42745)],
)
def test_boosting_reaches_what_was_published(n_queries, loss):
    # Loss on 4,000 rows, mean of five runs, from the files beside Ladder.jl of the
    # authors of the Ladder. One run scatters by 0.005 or so.
    limits = query_limits(n_queries, n_public=4000)
    np.testing.assert_allclose(0.5 - limits.boosting, loss, atol=0.005)


def test_boosting_agrees_with_the_attack_itself():
    rng = np.random.default_rng(2)
    n_public, n_queries, reached = 2000, 200, []
    for _ in range(40):
        right = rng.random((n_queries, n_public)) < 0.5
        kept = right[right.mean(axis=1) >= 0.5]
        votes = kept.mean(axis=0)
        reached.append((votes > 0.5).mean() + 0.5 * (votes == 0.5).mean() - 0.5)
    limits = query_limits(n_queries, n_public=n_public)
    # The closed form takes the number of kept vectors for k / 2 and ignores ties.
    np.testing.assert_allclose(limits.boosting, np.mean(reached), rtol=0.08)


def test_bounds_by_hand():
    limits = query_limits(100, n_public=2000, n_new_bests=10)
    fixed = math.sqrt(math.log(2 * 100 / 0.05) / 4000)
    adaptive = math.sqrt((math.log(math.comb(100, 10)) + math.log(40)) / 4000)
    np.testing.assert_allclose(limits.fixed_bound, fixed, rtol=1e-9)
    np.testing.assert_allclose(limits.adaptive_bound, adaptive, rtol=1e-9)
    worst = query_limits(100, n_public=2000)
    np.testing.assert_allclose(
        worst.adaptive_bound, math.sqrt((100 * math.log(2) + math.log(40)) / 4000)
    )


def test_fixed_bound_holds_for_fixed_guesses():
    rng = np.random.default_rng(0)
    limit = query_limits(50, n_public=400).fixed_bound
    worst = np.abs(rng.binomial(400, 0.5, (2000, 50)) / 400 - 0.5).max(axis=1)
    assert (worst > limit).mean() <= 0.05


@settings(max_examples=30, deadline=None)
@given(k=st.integers(1, 500), n=st.integers(1, 10_000), m=st.integers(0, 500))
def test_limits_grow_with_queries_and_shrink_with_rows(k, n, m):
    few = query_limits(k, n_public=n, n_new_bests=min(m, k))
    assert 0 < few.boosting <= 0.5
    assert few.adaptive_bound <= query_limits(k, n_public=n).adaptive_bound + 1e-12
    assert query_limits(k, n_public=2 * n).fixed_bound < few.fixed_bound
    assert query_limits(k + 1, n_public=n).fixed_bound > few.fixed_bound


def test_smallest_gain_and_share_below_it():
    # z(.95) + z(.8) = 1.6449 + 0.8416
    result = public_resolution(
        [0.70, 0.75, 0.751, 0.72], [NAN, 0.05, 0.001, -0.03], [NAN, 0.01, 0.01, 0.01]
    )
    np.testing.assert_allclose(result.smallest_gain, 0.024865, atol=1e-6)
    np.testing.assert_allclose(result.below_fraction, 1 / 3)
    assert (result.n_obs, result.n_scores, result.n_new_bests) == (3, 4, 2)
    np.testing.assert_allclose(result.best_bits, math.log2(3))
    assert math.isnan(result.score_bits)


@settings(max_examples=25, deadline=None)
@given(ratio=st.floats(0.5, 30))
def test_bits_of_a_score_are_the_entropy_of_the_rounded_normal(ratio):
    edges = np.arange(-400, 401) + 0.5
    cdf = 0.5 * (1 + np.vectorize(math.erf)(edges / ratio / math.sqrt(2)))
    share = np.diff(cdf)
    share = share[share > 0]
    entropy = -(share * np.log2(share)).sum()
    result = public_resolution([0.0], [0.1], [ratio], shown_step=1.0)
    np.testing.assert_allclose(result.score_bits, entropy, atol=0.08)


@pytest.mark.parametrize("scores", [[], [NAN, NAN], [0.7], [0.7, 0.7, 0.7]])
def test_little_to_go_by_gives_nan_and_no_bits(scores):
    nothing = [NAN] * len(scores)
    result = public_resolution(scores, nothing, nothing, shown_step=1e-4)
    assert math.isnan(result.smallest_gain)
    assert math.isnan(result.below_fraction)
    assert math.isnan(result.score_bits)
    assert result.best_bits == 0


def test_ladder_by_hand():
    result = ladder_replay([NAN, 0.70, 0.701, 0.699, 0.71, 0.712, 0.7121], 0.002)
    expected = [False, True, False, False, True, False, True]
    assert result.released.tolist() == expected
    np.testing.assert_array_equal(
        result.shown, [NAN, 0.70, 0.70, 0.70, 0.71, 0.71, 0.7121]
    )
    assert result.new_best.tolist() == [False, True, True, False, True, True, True]


@settings(max_examples=40, deadline=None)
@given(
    scores=st.lists(st.integers(0, 50) | st.just(NAN), max_size=30),
    se=st.integers(0, 20),
)
def test_ladder_releases_new_bests_only_and_all_of_them_without_noise(scores, se):
    result = ladder_replay(scores, float(se))
    assert not (result.released & ~result.new_best).any()
    shown = result.shown[np.isfinite(result.shown)]
    assert (np.diff(shown) >= 0).all()
    exact = ladder_replay(scores, 0.0)
    np.testing.assert_array_equal(exact.released, exact.new_best)


def test_ladder_fills_a_missing_noise_with_the_median():
    gaps = ladder_replay([0.70, 0.701, 0.71], [NAN, 0.002, NAN])
    assert gaps.released.tolist() == [True, False, True]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: query_limits(0, n_public=10), "n_queries must be a whole number"),
        (
            lambda: query_limits(5, n_public=10, n_new_bests=6),
            "n_new_bests must be at most 5, got 6",
        ),
        (
            lambda: query_limits(5, n_public=10, confidence_level=1.0),
            r"confidence_level must be in \(0, 1\)",
        ),
        (lambda: ladder_replay([0.7], NAN), "step_public_se must hold a standard"),
        (lambda: ladder_replay([0.7], [-0.1]), "step_public_se must hold a standard"),
        (
            lambda: public_resolution([0.7], [0.1], [0.1], shown_step=0.0),
            "shown_step must be a finite number above 0",
        ),
        (
            lambda: public_resolution([0.7], [0.1], [0.1], power=1.0),
            r"power must be in \(0, 1\)",
        ),
    ],
)
def test_says_what_is_wrong_with_an_argument(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_rows_grow_with_the_square_of_a_smaller_gain():
    least, rows, most = rows_to_tell(
        [0.01, -0.005, 0.0, NAN], row_sd=0.4, log_distinct=math.log(0.1), log_sd=0.5
    )
    # 1.96 * sqrt(2) * .1 * .4 / .01 = 11.09; squared 122.9.
    np.testing.assert_allclose(rows, [122.93, 491.71, np.inf, NAN], rtol=1e-4)
    factor = math.exp(2 * 1.2815516 * 0.5)
    np.testing.assert_allclose(least[:2] * factor, rows[:2], rtol=1e-6)
    np.testing.assert_allclose(most[:2] / factor, rows[:2], rtol=1e-6)


def test_with_that_many_rows_the_gain_passes_its_test():
    rng = np.random.default_rng(2)
    _, rows, _ = rows_to_tell([0.02], row_sd=0.4, log_distinct=math.log(0.3))
    noise = 0.4 * math.sqrt(2) * 0.3 / math.sqrt(rows[0])
    seen = np.abs(rng.normal(0.02, noise, 20_000)) > 1.96 * noise
    assert abs(seen.mean() - 0.5) < 0.02  # a gain as large as its threshold
