"""Claims in a stream: hand values, the published procedures, and the false share."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from lbsense.stats import discoveries, gain_evalue, online_discoveries


def naive_evalue(t: float, effect: float) -> float:
    def bet(u):
        return np.exp(u * t - u**2 / 2) * 2 * stats.norm.pdf(u, scale=effect**0.5)

    return integrate.quad(bet, 0, 60)[0]


@pytest.mark.parametrize("t", [-3.0, -0.5, 0.0, 1.0, 2.5, 5.0])
@pytest.mark.parametrize("effect", [1.0, 8.0])
def test_the_evalue_is_the_mean_of_all_bets(t, effect):
    found = gain_evalue([t], [1.0], effect=effect)[0]
    np.testing.assert_allclose(found, naive_evalue(t, effect), rtol=1e-7)


def test_an_evalue_by_hand():
    # t = 0, r = 8: 2 / 3 * 1 * 1 / 2.
    np.testing.assert_allclose(gain_evalue([0.0], [1.0]), [1 / 3])
    # With an estimated noise too: f(0) / f(0) = 1, T(0) = 1 / 2.
    np.testing.assert_allclose(gain_evalue([0.0], [1.0], df=3), [1 / 3])


@pytest.mark.parametrize("df", [2, 5, 30, math.inf])
@pytest.mark.parametrize("true", [0.0, -0.7])
def test_without_a_gain_the_expectation_is_1_at_most(df, true):
    # A test statistic of a true change `true`: noncentral t, or normal.
    if math.isinf(df):
        density = stats.norm(true).pdf
    else:
        density = stats.nct(df, true).pdf if true else stats.t(df).pdf

    def weighed(t):
        return gain_evalue([t], [1.0], df=df)[0] * density(t)

    mean = sum(
        integrate.quad(weighed, a, b, limit=200)[0]
        for a, b in (
            (-np.inf, -5),
            (-5, 0),
            (0, 5),
            (5, 30),
            (30, np.inf if true == 0 and df != math.inf else 37),
        )
    )
    if true == 0:
        np.testing.assert_allclose(mean, 1, rtol=2e-3)
    else:
        assert mean < 1


@given(
    st.lists(st.floats(-35, 35), min_size=1, max_size=6),
    st.floats(0.01, 100),
    st.sampled_from([3.0, 40.0, math.inf]),
)
def test_evalues_rise_with_the_gain_and_know_no_unit(t, unit, df):
    gains = np.sort(t)
    found = gain_evalue(gains, np.ones(len(t)), df=df)
    assert (np.diff(found) >= -1e-9 * found[:-1]).all()
    scaled = gain_evalue(gains * unit, np.full(len(t), unit), df=df)
    np.testing.assert_allclose(scaled, found, rtol=1e-6)


def test_what_is_missing_has_no_evalue_and_is_no_test():
    assert np.isnan(gain_evalue([np.nan, 1.0, 1.0], [1.0, np.nan, 0.0])).all()
    bare = online_discoveries([900.0, 500.0])
    holes = online_discoveries([np.nan, 900.0, np.nan, 500.0])
    assert holes.claimed[[1, 3]].tolist() == bare.claimed.tolist()
    assert holes.next_level == bare.next_level
    assert holes.n_obs == 2
    assert np.isnan(holes.level[[0, 2]]).all()


def test_levels_of_e_lond_by_hand():
    # Shares 1/31**2, 1/32**2, ... of their sum to infinity, .0327840; q = .2.
    first, second, third = (0.2 / n**2 / 0.0327840 for n in (31, 32, 33))
    found = online_discoveries([170.0, 83.0, 90.0], false_share=0.2)
    np.testing.assert_allclose(found.level, [first, 2 * second, 2 * third], rtol=1e-5)
    assert found.claimed.tolist() == [True, False, True]
    np.testing.assert_allclose(found.next_level, 3 * 0.2 / 34**2 / 0.0327840, rtol=1e-5)


def test_claims_by_probability_by_hand():
    # q = .2: .1 is taken; .3 would make the mean .2: taken; .25: (.4 + .25) / 3 > .2.
    found = online_discoveries(
        [0.1, 0.3, 0.25, 0.05], method="posterior", false_share=0.2
    )
    assert found.claimed.tolist() == [True, True, False, True]
    np.testing.assert_allclose(found.level, [0.2, 0.3, 0.2, 0.2])
    np.testing.assert_allclose(found.next_level, 0.8 - 0.45)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=40), st.floats(0.01, 0.5))
def test_the_mean_probability_of_claims_is_never_more(values, share):
    found = online_discoveries(values, method="posterior", false_share=share)
    for n in range(1, len(values) + 1):
        some = np.array(values)[:n][found.claimed[:n]]
        assert not some.size or some.mean() <= share + 1e-12


@pytest.mark.slow
@pytest.mark.parametrize("null", [0.9, 0.6])
@pytest.mark.parametrize("stop", ["end", "first", "third", "doubt"])
def test_no_choice_of_a_stop_moves_the_share_of_right_probabilities(null, stop):
    """A gain is none or N(0, 2**2) and above 0, seen with noise 1: all is known."""
    rng = np.random.default_rng(4)
    shares = []
    for _ in range(3000):
        nothing = rng.random(40) < null
        true = np.where(nothing, 0.0, np.abs(rng.normal(0, 2, 40)))
        x = true + rng.normal(0, 1, 40)
        # Half-normal gain and noise: the e-value is the ratio of both densities.
        ratio = gain_evalue(x, np.ones(40), effect=4.0)
        none = null / (null + (1 - null) * ratio)
        claimed = online_discoveries(none, method="posterior", false_share=0.2).claimed
        at = np.flatnonzero(claimed)
        last = {
            "end": 39,
            "first": at[0] if at.size else 39,
            "third": at[2] if at.size > 2 else 39,
            # Stop where the claim just made was the least sure of all so far.
            "doubt": next((i for i in at[1:] if none[i] >= none[at[0]]), 39),
        }[stop]
        some = claimed[: last + 1]
        shares.append((some & nothing[: last + 1]).sum() / max(some.sum(), 1))
    assert np.mean(shares) < 0.2 + 2 * np.std(shares) / 3000**0.5


def test_the_weights_are_one_in_all():
    many = online_discoveries(np.zeros(100_000), false_share=0.5)
    np.testing.assert_allclose(many.level.sum(), 0.5, rtol=1e-3)
    assert many.level.sum() < 0.5


@given(st.lists(st.floats(0, 5000), min_size=1, max_size=30), st.integers(0, 29))
def test_the_future_changes_no_claim(values, cut):
    whole = online_discoveries(values).claimed
    past = online_discoveries(values[: cut + 1]).claimed
    assert whole[: cut + 1].tolist() == past.tolist()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"values": [-1.0]}, "e-values of at least 0"),
        ({"values": [1.5], "method": "posterior"}, r"in \[0, 1\] for posterior"),
        ({"values": [1.0], "method": "bh"}, "method must be"),
        ({"values": [1.0], "false_share": 1.0}, "false_share must be in"),
    ],
)
def test_bad_arguments_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        online_discoveries(**options)


def stream(rng, *, n=60, null=0.7, shared=0.5, size=3.0):
    """Return gains, whether each is none, and noise 1 that tests share in part."""
    nothing = rng.random(n) < null
    true = np.where(
        nothing,
        -rng.exponential(0.3, n) * (rng.random(n) < 0.5),
        size * rng.random(n) * 2,
    )
    own = rng.normal(0, 1, n)
    common = rng.normal(0, 1)
    return true + np.sqrt(1 - shared) * own + np.sqrt(shared) * common, nothing


def false_shares(*, n_streams=1500, q=0.1, **options):
    """Return the false share among claims of each stream, stopped where it is worst."""
    rng = np.random.default_rng(11)
    shares, power = [], []
    for _ in range(n_streams):
        x, nothing = stream(rng, **options)
        ones = np.ones_like(x)
        claimed = online_discoveries(gain_evalue(x, ones), false_share=q).claimed
        ratio = np.cumsum(claimed & nothing) / np.maximum(np.cumsum(claimed), 1)
        shares.append(ratio.max())
        power.append(claimed[~nothing].mean() if (~nothing).any() else np.nan)
    return float(np.mean(shares)), float(np.mean([p for p in power if p == p] or [0]))


@pytest.mark.slow
@pytest.mark.parametrize("null", [1.0, 0.9, 0.6])
@pytest.mark.parametrize("shared", [0.0, 0.6])
def test_false_claims_stay_few_whenever_one_stops(null, shared):
    # The stop is the worst there is: where the false share is largest.
    found, _ = false_shares(null=null, shared=shared)
    assert found < 0.1 + 2 * (0.09 / 1500) ** 0.5


@given(st.lists(st.one_of(st.integers(0, 200), st.none()), max_size=30))
def test_claims_at_once_are_those_of_scipy(values):
    p = np.array([np.nan if k is None else k / 200 for k in values])
    known = np.isfinite(p)
    expected = np.zeros(len(p), dtype=bool)
    if known.any():
        expected[known] = stats.false_discovery_control(p[known]) <= 0.0987
    np.testing.assert_array_equal(discoveries(p, false_share=0.0987), expected)
