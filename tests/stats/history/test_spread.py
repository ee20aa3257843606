"""Covariances along a tree against whole matrices, naively carried; draws; pruning."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lbsense.stats import Covariance
from lbsense.stats.history import picks
from lbsense.stats.history import spread as along
from lbsense.stats.history.picks import best_pair
from lbsense.stats.history.spread import Chain, Dense
from lbsense.stats.steps.tree import depth_order


def a_chain(rng, k, size=2, roots=0.1):
    """Return a chain, and the whole covariance of its first entries worked naively."""
    tree = np.array([-1] + [int(rng.integers(max(0, i - 4), i)) for i in range(1, k)])
    tree[rng.random(k) < roots] = -1
    tree[0] = -1
    shuffled = rng.permutation(k)  # references may stand after what descends from them
    place = np.argsort(shuffled)
    tree = np.array([-1 if tree[i] < 0 else place[tree[i]] for i in shuffled])
    carry = rng.normal(0, 0.7, (k, size, size))
    root = rng.normal(size=(k, size, size))
    own = root @ root.transpose(0, 2, 1)
    moments = np.empty_like(own)
    whole = np.zeros((k, size, k, size))
    done = []
    for i in depth_order(tree):
        above = tree[i]
        if above < 0:
            carry[i] = 0.0
        moments[i] = own[i]
        if above >= 0:
            moments[i] = own[i] + carry[i] @ moments[above] @ carry[i].T
            for j in done:
                whole[i, :, j] = carry[i] @ whole[above, :, j]
                whole[j, :, i] = whole[i, :, j].T
        whole[i, :, i] = moments[i]
        done.append(i)
    chain = Chain(tree, depth_order(tree), carry, own, moments)
    return chain, whole[:, 0, :, 0]


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), k=st.integers(1, 30), size=st.integers(1, 3))
def test_along_a_tree_as_in_the_whole_matrix(seed, k, size):
    rng = np.random.default_rng(seed)
    chain, whole = a_chain(rng, k, size)
    near = {"rtol": 1e-9, "atol": 1e-9 * np.abs(whole).max()}
    i, j = np.indices((k, k))
    np.testing.assert_allclose(chain.pairs(i.ravel(), j.ravel()), whole.ravel(), **near)
    np.testing.assert_allclose(chain.diagonal(), np.diag(whole), **near)
    some = rng.permutation(k)[: int(rng.integers(1, k + 1))]
    np.testing.assert_allclose(chain.matrix(some), whole[np.ix_(some, some)], **near)
    weights = rng.normal(size=k)
    np.testing.assert_allclose(
        chain.form(weights), weights @ whole @ weights, rtol=1e-8
    )


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_sums_of_weighted_parts(seed):
    rng = np.random.default_rng(seed)
    k = 12
    chain, one = a_chain(rng, k)
    root = rng.normal(size=(k, k))
    other, weights = root @ root.T, rng.normal(size=k)
    spread = Covariance.along(chain).times(weights).plus(Covariance.along(Dense(other)))
    spread = Covariance(spread.parts, common=0.5)
    whole = np.outer(weights, weights) * one + other + 0.5
    near = {"rtol": 1e-8, "atol": 1e-9 * np.abs(whole).max()}
    np.testing.assert_allclose(np.asarray(spread), whole, **near)
    np.testing.assert_allclose(spread.diagonal(), np.diag(whole), **near)
    at = np.arange(k)
    np.testing.assert_allclose(spread.pairs(at, 3), whole[:, 3], **near)
    apart = np.diag(whole) + whole[3, 3] - 2 * whole[:, 3]
    np.testing.assert_allclose(spread.apart(at, 3), apart, **near)
    share = rng.normal(size=k)
    np.testing.assert_allclose(spread.form(share), share @ whole @ share, rtol=1e-8)
    with pytest.raises(ValueError, match="what all scores share has no weights"):
        spread.times(weights)


def test_draws_have_the_covariance(monkeypatch):
    rng = np.random.default_rng(3)
    chain, whole = a_chain(rng, 15)
    at = np.array([2, 14, 7, 5])
    spread = Covariance(Covariance.along(chain).times(np.full(15, 2.0)).parts, 0.3)
    expected = 4 * whole[np.ix_(at, at)] + 0.3
    for small in (1000, 0):  # of a factor of the matrix, and along the tree
        monkeypatch.setattr(along, "_SMALL", small)
        draws = np.concatenate(list(spread.draws(at, rng, n_draws=40_000)))
        assert draws.shape == (40_000, 4)
        found = np.cov(draws, rowvar=False)
        scale = np.sqrt(np.outer(np.diag(expected), np.diag(expected)))
        assert np.abs((found - expected) / scale).max() < 0.05


def test_one_size_is_asked_for():
    spread = Covariance.along(Dense(np.eye(3)))
    assert Covariance.of(spread, 3, name="cov") is spread
    assert (len(spread), repr(spread)) == (3, "Covariance of 3 scores")
    with pytest.raises(
        ValueError, match=r"cov must have shape \(2, 2\), got shape \(3, 3\)"
    ):
        Covariance.of(spread, 2, name="cov")


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), flat=st.booleans())
def test_candidates_left_out_change_no_choice(seed, flat):
    rng = np.random.default_rng(seed)
    k = 80
    chain, _ = a_chain(rng, k, roots=0.0)
    spread = Covariance.along(chain)
    mean = rng.normal(0, 0.1 if flat else 3.0, k) * np.sqrt(np.median(chain.diagonal()))
    whole = best_pair(mean, spread, public=mean, cv=-mean, n_draws=500)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(picks, "_FEW", 0)
        pruned = best_pair(mean, spread, public=mean, cv=-mean, n_draws=500)
    for one, other in (
        (whole.best, pruned.best),
        (whole.runner_up, pruned.runner_up),
        *zip(whole.rules, pruned.rules, strict=True),
    ):
        assert one.positions == other.positions
        np.testing.assert_allclose(one.cost, other.cost, atol=1e-9)
        np.testing.assert_allclose(one.p_first_better, other.p_first_better)
        sd = np.sqrt(chain.diagonal().max())
        np.testing.assert_allclose(one.regret, other.regret, atol=0.3 * sd)
