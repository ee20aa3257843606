"""Where a gap came from: by hand, a second way, properties and calibration."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from lbsense.stats import (
    band_coverage,
    gap_split,
    ordinary_gaps,
    rule_outcomes,
)

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


def test_rules_worked_by_hand():
    noise = np.array([[2.0, 1, 0], [1, 2, 0], [0, 0, 2]]) * 1e-4
    outcomes = rule_outcomes(
        [0.70, 0.74, 0.73],
        public=[0.80, 0.70, 0.75],
        cv=[0.60, 0.61, 0.62],
        chosen={"selected": [0], "unknown": []},
        noise_cov=noise,
    )
    told = {item.rule: (item.positions, round(item.regret, 4)) for item in outcomes}
    assert told == {
        "selected": ((0,), 0.04),
        "best public": ((0,), 0.04),
        "best CV": ((2,), 0.01),
        "two best public": ((0, 2), 0.01),
        "best public and best CV": ((0, 2), 0.01),
        "two best CV": ((2, 1), 0.0),
        "last two": ((2, 1), 0.0),
    }
    by_rule = {item.rule: item for item in outcomes}
    assert_allclose(by_rule["best public"].regret_se, np.sqrt(2e-4))
    assert by_rule["two best CV"].regret_se == 0
    assert by_rule["best CV"].score == 0.73


def test_submissions_without_private_score_are_no_candidates():
    outcomes = rule_outcomes(
        [np.nan, 0.7, 0.6], public=[0.9, 0.8, 0.7], cv=[np.nan] * 3,
        chosen={"selected": [0, 2]},
    )  # fmt: skip
    told = {item.rule: item.positions for item in outcomes}
    assert told["selected"] == (2,)
    assert told["best public"] == (1,)
    assert "best CV" not in told
    assert np.isnan(outcomes[0].regret_se)


def test_no_private_score_is_refused():
    with pytest.raises(ValueError, match="at least one number"):
        rule_outcomes([np.nan], public=[0.5], cv=[0.5], chosen={})


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
