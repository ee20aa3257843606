"""Where a CV scheme breaks, and what series on several scales say as one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lbsense.stats import (
    Source,
    join_scales,
    scheme_breaks,
    step_posterior,
    typical_step,
)

NAN = float("nan")


def walk(seed, n=30, *, noise=0.004):
    """Return CV and public scores of one climb."""
    rng = np.random.default_rng(seed)
    truth = 0.7 + np.cumsum(rng.normal(0.001, 0.004, n) * (rng.random(n) < 0.5))
    return truth + noise * rng.normal(size=n), truth + noise * rng.normal(size=n)


def test_a_break_where_the_level_jumps():
    cv, public = walk(1)
    broken = np.where(np.arange(30) >= 14, 0.3 + 0.8 * cv, cv)
    assert scheme_breaks(broken, public).tolist() == [14]
    assert scheme_breaks(cv, public).tolist() == []


def test_two_breaks_and_missing_scores():
    cv, public = walk(2, 45)
    at = np.arange(45)
    broken = np.where((at >= 15) & (at < 30), 0.3 + 0.8 * cv, cv)
    broken[[3, 16, 40]] = NAN
    assert scheme_breaks(broken, public).tolist() == [15, 30]


def test_a_jump_of_both_scores_is_a_gain():
    cv, public = walk(3)
    climb = np.where(np.arange(30) >= 14, 0.1, 0.0)
    assert scheme_breaks(cv + climb, public + climb).tolist() == []


def test_one_broken_submission_is_no_break():
    cv, public = walk(4)
    cv[12] = 0.1
    assert scheme_breaks(cv, public).tolist() == []


@pytest.mark.parametrize(
    ("cv", "public"),
    [
        ([], []),
        ([0.5], [0.5]),
        ([NAN] * 12, [0.5] * 12),
        ([0.5] * 12, list(np.arange(12.0))),
        (list(np.arange(12.0)), [0.5] * 12),
        ([0.5] * 6 + [0.9] * 6, list(np.arange(12.0))),
    ],
)
def test_too_little_for_a_break(cv, public):
    assert scheme_breaks(cv, public).dtype == np.int64
    assert len(scheme_breaks(cv, public)) <= 1


@given(st.integers(0, 200), st.floats(0.01, 100), st.floats(-10, 10), st.booleans())
def test_breaks_do_not_depend_on_the_unit(seed, factor, shift, falls):
    cv, public = walk(seed)
    cv = np.where(np.arange(30) >= 12 + seed % 7, cv + 0.05 * (seed % 3), cv)
    other = (-factor if falls else factor) * cv + shift
    assert scheme_breaks(other, public).tolist() == scheme_breaks(cv, public).tolist()


def test_false_breaks_are_rare_and_clear_ones_are_found():
    false = found = 0
    for seed in range(200):
        cv, public = walk(seed)
        false += len(scheme_breaks(cv, public)) > 0
        broken = np.where(np.arange(30) >= 13, 0.3 + 0.8 * cv, cv)
        found += scheme_breaks(broken, public).tolist() == [13]
    assert false <= 10  # 5% of 200
    assert found >= 170


def test_one_series_is_left_as_it_is():
    cv, public = walk(5)
    tree = np.arange(30) - 1
    gain = np.where(tree >= 0, public - public[tree], NAN)
    joined = join_scales([cv], gain, tree)
    np.testing.assert_array_equal(joined.level, cv)
    np.testing.assert_array_equal(joined.gain[1:], np.diff(cv))
    assert np.isnan(joined.gain[0])
    assert set(joined.noise[1:]) == {1.0}
    assert (joined.factor.tolist(), joined.weight.tolist()) == ([1.0], [1.0])


def test_no_series():
    joined = join_scales(np.zeros((0, 3)), [NAN, 0.1, 0.2], [-1, 0, 1])
    assert np.isnan(joined.level).all()
    assert joined.main.size == 0


def three(seed, n=40):
    """Return a chain with a good, a noisy and a public series of one climb."""
    rng = np.random.default_rng(seed)
    truth = np.cumsum(rng.normal(0, 1, n))
    noise = np.array([[0.3], [2.0], [0.7]])
    good, noisy, public = truth + noise * rng.normal(size=(3, n))
    tree = np.arange(n) - 1
    return good, noisy, np.where(tree >= 0, public - public[tree], NAN), tree, truth


def test_the_better_series_weighs_more_wherever_it_stands():
    for order in (1, -1):
        weights = []
        for seed in range(20):
            good, noisy, gain, tree, _ = three(seed)
            joined = join_scales([good, noisy][::order], gain, tree)
            weights.append(joined.weight[::order])
        better, worse = np.mean(weights, axis=0)
        assert better > 2 * worse


def test_two_series_tell_more_than_one():
    one, both = [], []
    for seed in range(40):
        rng = np.random.default_rng(1000 + seed)
        first, _, gain, tree, truth = three(seed)
        first = truth + rng.normal(size=len(truth))
        second = 5 - 0.2 * (truth + rng.normal(size=len(truth)))
        joined = join_scales([first, -second], gain, tree)
        true = np.diff(truth)
        one.append(np.corrcoef(np.diff(first), true)[0, 1])
        both.append(np.corrcoef(joined.gain[1:], true)[0, 1])
    assert np.mean(both) > np.mean(one) + 0.08


@given(
    st.integers(0, 100),
    st.floats(0.01, 100),
    st.floats(-10, 10),
    st.floats(0.01, 100),
)
def test_weights_do_not_depend_on_the_units(seed, factor, shift, other):
    good, noisy, gain, tree, _ = three(seed)
    noisy[: seed % 20] = NAN
    plain = join_scales([good, noisy], gain, tree)
    moved = join_scales([other * good - shift, factor * noisy + shift], gain, tree)
    np.testing.assert_allclose(moved.weight, plain.weight, atol=1e-7)
    np.testing.assert_allclose(
        moved.gain / other, plain.gain, rtol=1e-6, atol=1e-7 * typical_step(good)
    )
    np.testing.assert_array_equal(moved.part, plain.part)


def test_series_without_common_steps_are_parts_in_the_order_of_their_ends():
    good, _, gain, tree, _ = three(7)
    at = np.arange(40)
    late, early = (np.where(seen, good, NAN) for seen in (at >= 20, at < 20))
    joined = join_scales([late, early], gain, tree)
    assert joined.series_part.tolist() == [1, 0]
    assert joined.main.tolist() == [1, 0]
    assert joined.part[20] == -1  # the step across
    assert np.isnan(joined.gain[20])
    assert joined.level_part.tolist() == [0] * 20 + [1] * 20


def test_schemes_of_known_scale_give_what_one_source_gives():
    rng = np.random.default_rng(3)
    n = 60
    gain = rng.normal(0, 0.01, n) * (rng.random(n) < 0.4)
    public, cv = gain + 0.004 * rng.normal(size=(2, n))
    tree = np.full(n, -1)
    at = np.arange(n)
    base = {"log_ratio_sd": 1.0, "spread": 0.8, "slope_known": False}
    one = step_posterior(
        [Source(name="public", gain=public), Source(name="cv", gain=cv, **base)], tree
    )
    two = step_posterior(
        [
            Source(name="public", gain=public),
            Source(name="cv", gain=np.where(at < 30, 3 * cv, NAN), **base),
            Source(
                name="cv",
                gain=np.where(at >= 30, -0.2 * cv, NAN),
                sign_known=False,
                **base,
            ),
        ],
        tree,
    )
    assert two.n_paired == one.n_paired == n
    np.testing.assert_allclose(two.cv_slope, [3 * 1.0, -0.2], rtol=0.4)
    assert np.corrcoef(two.p_gain, one.p_gain)[0, 1] > 0.97
    assert np.abs(two.p_gain - one.p_gain).max() < 0.35
    np.testing.assert_allclose(np.log(two.cv_se / one.cv_se), 0, atol=0.7)


def test_a_series_beside_a_break_joins_both_schemes_on_the_scale_of_the_latest():
    cv, public = walk(4, 40)
    at, tree = np.arange(40), np.arange(-1, 39)
    rng = np.random.default_rng(4)
    early, late = np.where(at < 20, cv, NAN), np.where(at >= 20, cv + 0.1, NAN)
    beside = 0.5 * cv + 0.001 * rng.normal(size=40)
    gain = np.append(NAN, np.diff(public))
    found = join_scales([early, late, beside], gain, tree, kinds=["CV", "CV", "b"])
    assert found.series_part.tolist() == [0, 0, 0]
    assert found.main.tolist() == [1]
    np.testing.assert_allclose(found.factor[1], 1.0)
    np.testing.assert_allclose(found.shift[1], 0.0)
    np.testing.assert_allclose(found.level, cv + 0.1, atol=0.006)
    # Of the two that a submission can have, each has its share: they never add to 3.
    np.testing.assert_allclose(found.weight[:2].mean() + found.weight[2], 1.0)
    plain = join_scales([early, late, beside], gain, tree)
    assert plain.main.tolist() == [0]


def test_combinations_of_scales_that_are_left_out_change_little(monkeypatch):
    cv, public = walk(6, 40)
    at, tree = np.arange(40), np.arange(-1, 39)
    shown = np.append(NAN, np.diff(public))
    gain = np.append(NAN, np.diff(cv))
    parts = [at < 20, at >= 21]
    sources = [Source(name="public", gain=shown)] + [
        Source(
            name="cv",
            gain=np.where(own, scale * gain, NAN),
            log_ratio_sd=1.0,
            spread=0.8,
            slope_known=False,
        )
        for own, scale in zip(parts, (1.0, 3.0), strict=True)
    ]
    few = step_posterior(sources, tree)
    monkeypatch.setattr("lbsense.stats.steps.posterior._MOST_POINTS", 2000)
    many = step_posterior(sources, tree)
    np.testing.assert_allclose(few.p_gain, many.p_gain, atol=0.08)
    np.testing.assert_allclose(few.cv_slope, many.cv_slope, rtol=0.25)


def test_a_scheme_without_a_step_leaves_the_others_as_they_are():
    cv, public = walk(6, 30)
    gains = [np.append(NAN, np.diff(x)) for x in (public, cv, cv * NAN)]
    sources = [Source(name="public", gain=gains[0])] + [
        Source(name="cv", gain=gain, log_ratio_sd=1.0, slope_known=False)
        for gain in gains[1:]
    ]
    tree = np.arange(-1, 29)
    two, three = step_posterior(sources[:2], tree), step_posterior(sources, tree)
    np.testing.assert_allclose(three.p_gain, two.p_gain, atol=0.03)
    assert len(three.cv_slope) == 2
