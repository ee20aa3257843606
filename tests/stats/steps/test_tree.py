"""References as a tree, and the luck that steps share: messages against matrices."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lbsense.stats.steps.tree import as_tree, branches, depth_order, luck_cavity


def random_tree(rng, n, *, roots=0.2):
    """Return references in any order of names, each before or after its children."""
    parent = np.array([-1] + [int(rng.integers(k)) for k in range(1, n)])
    parent[rng.random(n) < roots] = -1
    name = rng.permutation(n)
    tree = np.full(n, -1)
    for k in range(n):
        tree[name[k]] = name[parent[k]] if parent[k] >= 0 else -1
    return tree


@pytest.mark.parametrize(
    ("parent", "message"),
    [
        ([0.5, 1.0], "whole numbers"),
        ([-1, 2], r"parent\[1\] is 2, but there are only 2"),
        ([1, 0], "circle from submission 0"),
        ([-1, 1], "circle from submission 1"),
        ([[-1, 0]], "whole numbers"),
    ],
)
def test_what_is_no_tree_is_refused(parent, message):
    with pytest.raises(ValueError, match=message):
        as_tree(parent)


@pytest.mark.parametrize("n", [0, 1, 2, 7, 40])
def test_order_puts_every_reference_first(n):
    tree = random_tree(np.random.default_rng(n), n) if n else np.zeros(0, int)
    order = depth_order(as_tree(tree))
    place = np.argsort(order)
    assert sorted(order.tolist()) == list(range(n))
    assert all(tree[k] < 0 or place[tree[k]] < place[k] for k in range(n))


def test_a_chain_of_thousands_is_no_recursion():
    n = 5000
    tree = as_tree(np.arange(-1, n - 1))
    order = depth_order(tree)
    np.testing.assert_array_equal(order, np.arange(n))
    mean, variance = luck_cavity(tree, order, np.zeros(n), np.ones(n))
    assert mean.shape == variance.shape == (n,)


@given(seed=st.integers(0, 10_000), n=st.integers(1, 25), m=st.integers(1, 6))
def test_spanned_tree_keeps_every_way_between_the_chosen(seed, n, m):
    rng = np.random.default_rng(seed)
    tree = random_tree(rng, n)
    chosen = rng.choice(n, min(m, n), replace=False)
    nodes, parent, chains = branches(tree, depth_order(tree), chosen)
    assert set(chosen) <= set(nodes.tolist())
    assert len(nodes) <= 2 * len(chosen) + len(set(nodes[parent < 0].tolist()))

    def way(k):
        found = [k]
        while tree[found[-1]] >= 0:
            found.append(int(tree[found[-1]]))
        return found

    for row, (node, above) in enumerate(zip(nodes, parent, strict=True)):
        assert above < row
        down = chains[row]
        assert down[-1] == node
        top = tree[down[0]]
        assert top == (nodes[above] if above >= 0 else -1)
        upward = way(int(node))
        assert upward[: len(down)] == down[::-1]


def dense_cavity(tree, centre, precision):
    """Return the same by matrices: z ~ N(0, 1), every step tells z - z_reference."""
    n = len(tree)
    mean, variance = np.zeros(n), np.full(n, 2.0)
    rows = np.zeros((n, n))
    for k in range(n):
        rows[k, k] = 1.0
        if tree[k] >= 0:
            rows[k, tree[k]] = -1.0
    for k in range(n):
        if tree[k] < 0:
            continue
        sure = np.eye(n)
        pull = np.zeros(n)
        for j in range(n):
            if j != k and tree[j] >= 0:
                sure += precision[j] * np.outer(rows[j], rows[j])
                pull += precision[j] * centre[j] * rows[j]
        cov = np.linalg.inv(sure)
        mean[k] = rows[k] @ cov @ pull
        variance[k] = rows[k] @ cov @ rows[k]
    return mean, variance


@given(seed=st.integers(0, 10_000), n=st.integers(1, 15))
def test_messages_agree_with_dense_algebra(seed, n):
    rng = np.random.default_rng(seed)
    tree = random_tree(rng, n)
    centre = rng.normal(0, 2, n)
    precision = rng.exponential(1, n) * (rng.random(n) < 0.8)
    found = luck_cavity(tree, depth_order(tree), centre, precision)
    expected = dense_cavity(tree, centre, precision)
    np.testing.assert_allclose(found[0], expected[0], atol=1e-9)
    np.testing.assert_allclose(found[1], expected[1], atol=1e-9)


def test_two_children_of_one_reference_by_hand():
    # z0 - z_ref = 3 with precision 1: z_ref has mean -1, variance 2/3; so z1 - z_ref
    # has mean 1 and variance 1 + 2/3.
    tree = np.array([-1, 0, 0])
    mean, variance = luck_cavity(
        tree, depth_order(tree), np.array([0.0, 3.0, 0.0]), np.array([0.0, 1.0, 0.0])
    )
    np.testing.assert_allclose([mean[2], variance[2]], [1.0, 5 / 3], rtol=1e-12)
    np.testing.assert_allclose([mean[1], variance[1]], [0.0, 2.0], rtol=1e-12)
