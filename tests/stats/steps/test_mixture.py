"""Every closed form of the mixture against an integral on a fine grid."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from lbsense.stats import Source
from lbsense.stats.steps.mixture import FRESH, Cells, Luck, Parts
from lbsense.stats.steps.sources import candidates

HALF = np.geomspace(1e-7, 60, 40_000)
N_WIDTHS = 3
GRID = np.concatenate([-HALF[::-1], HALF])  # fine at zero, where parts are cut
CELL = np.gradient(GRID)


def cells_of(gain, *, noise, width, luck=(0.0, 2.0)):
    """Return the cells of one step seen through one source."""
    source = Source(name="public", gain=np.array([gain]))
    found = candidates([source], source.gain[np.newaxis], np.ones(1))
    told = Luck(np.array([[luck[0]]]), np.array([[luck[1]]]))
    widths = width * np.ones((1, N_WIDTHS))
    return Cells.of(found, told, np.array([noise]), widths), found


def posterior_density(gain, *, noise, width, sign, luck=(0.0, 2.0)):
    """Return prior times likelihood of true steps on the grid, and its integral."""
    prior = np.where(sign * GRID >= 0, 2 * stats.norm.pdf(GRID, 0, width), 0.0)
    left = noise**2 * (1 - 2 * FRESH + FRESH * luck[1])
    shown = gain - noise * np.sqrt(FRESH) * luck[0]
    density = prior * stats.norm.pdf(shown, GRID, np.sqrt(left))
    total = density @ CELL
    return density / total, total


@pytest.mark.parametrize("gain", [-2.0, -0.3, 0.0, 1.0, 3.0])
@pytest.mark.parametrize(("noise", "width"), [(1.0, 0.5), (0.4, 3.0), (2.0, 2.0)])
@pytest.mark.parametrize("luck", [(0.0, 2.0), (0.8, 1.2)])
def test_likelihood_and_part_are_those_of_the_integral(gain, noise, width, luck):
    cells, _ = cells_of(gain, noise=noise, width=width, luck=luck)
    n = N_WIDTHS
    by_hand = [
        posterior_density(gain, noise=noise, width=width, sign=sign, luck=luck)
        for sign in (1, -1)
    ]
    up, down = cells.likelihood[0, 0, 0, 0], cells.likelihood[0, 0, n, 0]
    total = by_hand[0][1] + by_hand[1][1]
    np.testing.assert_allclose(up / (up + down), by_hand[0][1] / total, rtol=1e-3)
    for place, sign in ((0, 1), (n, -1)):
        weight = np.zeros_like(cells.likelihood)
        weight[0, 0, place, 0] = 1.0
        parts = Parts.of(cells, weight, n_noises=3)
        density = by_hand[0 if sign > 0 else 1][0]
        mean, sd = parts.moments()
        first = (density * GRID) @ CELL
        second = (density * GRID**2) @ CELL
        np.testing.assert_allclose(mean, first, atol=1e-3)
        np.testing.assert_allclose(sd, np.sqrt(second - first**2), atol=1e-3)
        for threshold in (-1.0, 0.0, 0.25, 2.0):
            tail = np.where(GRID > threshold, density, 0) @ CELL
            np.testing.assert_allclose(parts.above(threshold), tail, atol=2e-3)


@pytest.mark.parametrize("gain", [-3.0, 0.2, 5.0])
def test_moments_of_the_noise_are_those_of_the_integral(gain):
    cells, found = cells_of(gain, noise=0.7, width=1.5)
    share = np.array([0.3, 0.7])
    weight = np.zeros_like(cells.likelihood)
    weight[0, 0, 0, 0], weight[0, 0, N_WIDTHS, 0] = share
    density = sum(
        p * posterior_density(gain, noise=0.7, width=1.5, sign=sign)[0]
        for p, sign in zip(share, (1, -1), strict=True)
    )
    luck = (gain - GRID) / 0.7
    first = (density * luck) @ CELL
    second = (density * luck**2) @ CELL
    mean, variance = cells.luck_moments(weight, found)
    np.testing.assert_allclose(mean[0, 0], first, atol=1e-3)
    np.testing.assert_allclose(variance[0, 0], second - first**2, atol=2e-3)


def test_a_half_normal_by_hand():
    # A part around 0 with sd 1 above zero: mean sqrt(2 / pi), 95% below 1.96.
    one = np.ones((1, 1))
    parts = Parts(one, 0 * one, one, one, 0.5 * one)
    mean, sd = parts.moments()
    np.testing.assert_allclose(mean, np.sqrt(2 / np.pi), rtol=1e-12)
    np.testing.assert_allclose(sd, np.sqrt(1 - 2 / np.pi), rtol=1e-12)
    np.testing.assert_allclose(parts.above(1.959964), 0.05, atol=1e-6)
    low, high = parts.interval(0.9, stretch=1.0)
    ends = stats.halfnorm.ppf([0.05, 0.95])
    np.testing.assert_allclose([low[0], high[0]], ends, atol=1e-5)
    wide = parts.interval(0.9, stretch=2.0)
    middle = stats.halfnorm.ppf(0.5)
    # The lower end stays above zero: a sign that is known is not taken back.
    np.testing.assert_allclose(
        [wide[0][0], wide[1][0]],
        np.maximum(middle + 2 * (ends - middle), 0.0),
        atol=1e-5,
    )


@given(seed=st.integers(0, 10_000))
def test_tails_fall_and_intervals_hold_their_share(seed):
    rng = np.random.default_rng(seed)
    weight = rng.dirichlet(np.ones(5), 3).T
    sd = rng.uniform(0.1, 2, (5, 3))
    # A normal of which the cut leaves next to nothing has no weight in a posterior.
    mean = np.clip(rng.normal(0, 2, (5, 3)), -5 * sd, 5 * sd)
    sign = np.where(rng.random((5, 3)) < 0.5, 1.0, -1.0)
    parts = Parts(weight, mean, sd, sign, stats.norm.cdf(sign * mean / sd))
    tails = np.array([parts.above(x) for x in np.linspace(-6, 6, 25)])
    assert (np.diff(tails, axis=0) <= 1e-12).all()
    assert ((tails >= -1e-12) & (tails <= 1 + 1e-12)).all()
    low, high = parts.interval(0.8, stretch=1.0)
    inside = parts.above(low) - parts.above(high)
    # A half-normal has no mass beyond zero: ends may fall into that gap.
    np.testing.assert_allclose(inside, 0.8, atol=1e-4)
