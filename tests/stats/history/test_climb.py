"""The climb: its luck and its few steps, by hand, by a second way, by simulation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import floats, lists
from scipy.stats import norm

from lbsense.stats import jumps_of_climb
from lbsense.stats.history.climb import luck_of_bests
from lbsense.stats.history.levels import Covariance

NAN = float("nan")


def test_jumps_are_the_fewest_steps_that_make_the_climb():
    # 0 -> 1 (+.10) -> 2 (+.01) -> 4 (+.09); 3 is a branch of 1 that leads nowhere.
    found = jumps_of_climb(
        [NAN, 0.10, 0.01, -0.5, 0.09], [0.0, 1e-4, 1e-4, 1e-4, 1e-4], [-1, 0, 1, 1, 2],
        root=0,
    )  # fmt: skip
    assert found is not None
    assert found.way.tolist() == [0, 1, 2, 4]
    assert found.jumps.tolist() == [1, 4]
    np.testing.assert_allclose(found.gain, [0, 0.10, 0.01, 0.09])
    np.testing.assert_allclose((found.climb, found.climb_se), (0.2, np.sqrt(3e-4)))
    np.testing.assert_allclose(found.share, 0.19 / 0.2)


def test_one_step_may_be_the_whole_climb():
    found = jumps_of_climb([NAN, 0.1], [0, 0], [-1, 0], root=0, asked=0.99)
    assert found is not None
    assert (found.jumps.tolist(), found.share) == ([1], 1.0)


@pytest.mark.parametrize(
    ("gain", "parent"),
    [
        ([NAN], [-1]),
        ([NAN, -0.1], [-1, 0]),
        ([NAN, NAN], [-1, 0]),
        ([NAN, 1], [-1] * 2),
    ],
)
def test_where_nothing_rose_there_is_no_climb(gain, parent):
    assert jumps_of_climb(gain, np.zeros(len(gain)), parent, root=0) is None


@given(lists(floats(-1, 1), min_size=2, max_size=12))
def test_jumps_make_what_was_asked_for_and_fewer_would_not(steps):
    gain = [NAN, *steps]
    parent = np.arange(len(gain)) - 1
    found = jumps_of_climb(gain, np.zeros(len(gain)), parent, root=0)
    if found is None:
        assert max(np.cumsum(steps)) <= 0
        return
    made = dict(zip(found.way.tolist(), found.gain.tolist(), strict=True))
    parts = sorted(made[index] for index in found.jumps.tolist())
    assert sum(parts) >= 0.8 * found.climb - 1e-12
    assert sum(parts[1:]) < 0.8 * found.climb


def test_three_bests_by_hand():
    # New bests are 1, 3 and 4. Step 1 was judged against the best before it: .9. The
    # reference of 3 is 2, not the best before, so that the levels tell: they rise by
    # .01 with variance 2 * .0001 - 2 * .00004 = .00012 against a rope of .002. Of 4 the
    # step was not judged, and its level rises by nothing.
    cov = np.full((5, 5), 4e-5) + 6e-5 * np.eye(5)
    luck = luck_of_bests(
        [0.70, 0.72, 0.71, 0.73, 0.75],
        [0.70, 0.71, 0.70, 0.72, 0.72],
        cov,
        rope=0.002,
        reference=[-1, 0, 1, 2, 3],
        p_gain=[NAN, 0.9, 0.1, 0.99, NAN],
        noise_known=True,
    )
    assert luck.positions.tolist() == [1, 3, 4]
    assert luck.previous.tolist() == [0, 1, 3]
    p_real = [
        0.9,
        norm.sf((0.002 - 0.01) / np.sqrt(1.2e-4)),
        norm.sf(0.002 / np.sqrt(1.2e-4)),
    ]
    np.testing.assert_allclose(luck.p_real, p_real)
    np.testing.assert_allclose(luck.expected_luck, 3 - sum(p_real))
    np.testing.assert_allclose(luck.share, 1 - np.mean(p_real))
    np.testing.assert_allclose(luck.public_climb, 0.05)
    np.testing.assert_allclose(luck.true_climb, 0.02)
    np.testing.assert_allclose(luck.true_climb_se, np.sqrt(1.2e-4))


def test_the_climb_is_on_the_true_scale_and_chances_are_not():
    given_ = {"rope": 0.0, "reference": [-1, -1], "p_gain": [NAN, NAN]}
    plain, scaled = (
        luck_of_bests([0.1, 0.2], [0.1, 0.16], np.eye(2) * 1e-4, scale=scale, **given_)
        for scale in (1.0, 0.5)
    )
    assert scaled.true_climb == pytest.approx(0.03)
    assert scaled.true_climb_se == pytest.approx(plain.true_climb_se / 2)
    np.testing.assert_array_equal(scaled.p_real, plain.p_real)


def test_levels_known_exactly_are_compared_and_not_divided_by_zero():
    luck = luck_of_bests(
        [0.1, 0.2, 0.3],
        [0.1, 0.2, 0.2],
        np.zeros((3, 3)),
        rope=0.0,
        reference=[-1, -1, -1],
        p_gain=[NAN] * 3,
    )
    assert luck.p_real.tolist() == [1.0, 0.0]
    assert luck.true_climb_se == 0.0


@pytest.mark.parametrize(
    ("public", "climb"),
    [([], NAN), ([NAN, NAN], NAN), ([0.7], 0.0), ([0.7, 0.7, 0.6, NAN], 0.0)],
)
def test_without_a_new_best_there_is_no_luck(public, climb):
    k = len(public)
    luck = luck_of_bests(
        public,
        np.array(public),
        np.eye(k),
        rope=0.1,
        reference=np.full(k, -1),
        p_gain=np.full(k, NAN),
    )
    assert luck.positions.size == luck.previous.size == 0
    assert luck.expected_luck == 0.0
    assert np.isnan(luck.share)
    np.testing.assert_equal(luck.public_climb, climb)


def test_an_unscored_submission_is_no_best():
    luck = luck_of_bests(
        [NAN, 0.7, NAN, 0.8],
        [NAN, 0.7, NAN, 0.8],
        np.diag([NAN, 1e-6, NAN, 1e-6]) + np.nan_to_num(np.zeros((4, 4))),
        rope=0.01,
        reference=[-1, -1, -1, 1],
        p_gain=[NAN, NAN, NAN, 1.0],
    )
    assert luck.positions.tolist() == [3]
    assert luck.previous.tolist() == [1]
    assert luck.expected_luck == 0.0


@settings(max_examples=60)
@given(scores=st.lists(st.one_of(st.none(), st.integers(-5, 5)), max_size=25))
def test_bests_are_those_of_a_loop(scores):
    public = np.array([NAN if s is None else s for s in scores], dtype=float)
    best, bests = -np.inf, []
    for index, score in enumerate(public):
        if score > best:
            bests.append(index)
            best = score
    luck = luck_of_bests(
        public,
        public,
        np.eye(len(public)),
        rope=0.5,
        reference=np.full(len(public), -1),
        p_gain=np.full(len(public), NAN),
    )
    assert luck.positions.tolist() == bests[1:]
    assert luck.previous.tolist() == bests[:-1]
    assert 0 <= luck.expected_luck <= len(bests)


@settings(max_examples=30)
@given(
    seed=st.integers(0, 10_000),
    unit=st.sampled_from([1e-3, 7.0]),
    shift=st.floats(-5, 5),
)
def test_luck_follows_unit_and_shift(seed, unit, shift):
    rng = np.random.default_rng(seed)
    public, mean = rng.normal(0, 1, (2, 8))
    root = rng.normal(0, 1, (8, 8))
    options = {"reference": np.arange(-1, 7), "p_gain": rng.random(8)}
    plain = luck_of_bests(public, mean, root @ root.T, rope=0.1, **options)
    moved = luck_of_bests(
        unit * (public + shift),
        unit * (mean + shift),
        unit**2 * root @ root.T,
        rope=0.1 * unit,
        **options,
    )
    np.testing.assert_allclose(moved.p_real, plain.p_real, atol=1e-9)
    np.testing.assert_allclose(
        moved.true_climb, unit * plain.true_climb, atol=1e-9 * unit
    )
    np.testing.assert_allclose(moved.true_climb_se, unit * plain.true_climb_se)


CLIMB = {
    "public": [0.70, 0.75],
    "mean": [0.70, 0.72],
    "cov": 1e-4 * np.eye(2),
    "rope": 0.0,
    "reference": [-1, 0],
    "p_gain": [NAN, 0.9],
}


def test_private_scores_are_weighed_with_the_posterior_by_hand():
    # The posterior says .02 with variance .0002, private scores .05 with .0004: two
    # thirds of the way are left to the former.
    noise = Covariance.of(2e-4 * np.eye(2), 2, name="noise")
    luck = luck_of_bests(
        **CLIMB, private=[0.6, 0.65], private_noise=noise, noise_known=True
    )
    assert luck.after_end
    np.testing.assert_allclose(luck.true_climb, (0.02 * 2 + 0.05) / 3)
    np.testing.assert_allclose(luck.true_climb_se, np.sqrt(1 / (1 / 2e-4 + 1 / 4e-4)))
    np.testing.assert_allclose(luck.climb_share, 1 - 0.03 / 0.05)


def test_what_is_estimated_is_less_sure():
    noise = Covariance.of(2e-4 * np.eye(2), 2, name="noise")
    both = {"private": [0.6, 0.65], "private_noise": noise}
    for options in ({}, both):
        sure = luck_of_bests(**CLIMB, **options, noise_known=True)
        open_ = luck_of_bests(**CLIMB, **options)
        assert (
            1.25 * sure.true_climb_se < open_.true_climb_se < 2.01 * sure.true_climb_se
        )


@pytest.mark.parametrize("private", [[NAN, 0.65], [0.6, NAN]])
def test_a_climb_without_both_private_scores_is_as_foretold(private):
    noise = Covariance.of(2e-4 * np.eye(2), 2, name="noise")
    late = luck_of_bests(**CLIMB, private=private, private_noise=noise)
    early = luck_of_bests(**CLIMB)
    assert not late.after_end
    assert late.true_climb == early.true_climb
    assert late.true_climb_se == early.true_climb_se


def test_lengths_must_agree():
    with pytest.raises(ValueError, match="Arrays must have one length"):
        luck_of_bests(
            [1.0, 2.0], [1.0], np.eye(2), rope=0.1, reference=[-1, 0], p_gain=[0, 0]
        )
