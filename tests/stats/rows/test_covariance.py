"""Covariance per row, standard errors of differences, near-identical submissions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from lbsense.stats.rows.joint import difference_se, near_identical, row_covariance

rows = hnp.arrays(
    np.float64,
    st.tuples(st.integers(2, 12), st.integers(1, 4)),
    elements=st.integers(-50, 50).map(float),
)


@given(rows)
def test_row_covariance_is_numpys(psi):
    expected = np.cov(psi, rowvar=False).reshape(psi.shape[1], psi.shape[1])
    np.testing.assert_allclose(row_covariance(psi), expected, atol=1e-8)


@given(rows)
def test_groups_of_one_row_change_nothing(psi):
    single = row_covariance(psi, groups=np.arange(len(psi)))
    np.testing.assert_allclose(single, row_covariance(psi), atol=1e-8)


@given(rows, st.randoms(use_true_random=False))
def test_order_of_rows_does_not_count(psi, random):
    order = list(range(len(psi)))
    random.shuffle(order)
    groups = np.arange(len(psi)) // 2
    if len(np.unique(groups)) < 2:
        return
    np.testing.assert_allclose(
        row_covariance(psi[order], groups=groups[order]),
        row_covariance(psi, groups=groups),
        atol=1e-8,
    )


def test_clustered_variance_by_hand():
    # Sums of the groups are 3, -1, -2; 3 / 2 * (9 + 1 + 4) / 5 rows.
    psi = [1.0, 2.0, -1.0, 1.0, -3.0]
    groups = ["a", "a", "b", "c", "c"]
    assert row_covariance(psi, groups=groups)[0, 0] == pytest.approx(1.5 * 14 / 5)


def test_copied_rows_in_groups_have_the_noise_of_the_originals():
    psi = np.random.default_rng(0).normal(size=(40, 2))
    psi -= psi.mean(axis=0)
    copied = np.repeat(psi, 3, axis=0)
    clustered = row_covariance(copied, groups=np.repeat(np.arange(40), 3)) / 120
    np.testing.assert_allclose(clustered, row_covariance(psi) / 40, rtol=1e-12)


@given(rows)
def test_difference_se_is_that_of_the_differences(psi):
    result = difference_se(row_covariance(psi) / len(psi))
    for a in range(psi.shape[1]):
        for b in range(psi.shape[1]):
            naive = np.std(psi[:, a] - psi[:, b], ddof=1) / np.sqrt(len(psi))
            assert result[a, b] == pytest.approx(naive, abs=1e-5)
    np.testing.assert_array_equal(result, result.T)


def test_difference_of_copies_is_zero_in_spite_of_rounding():
    column = np.random.default_rng(1).normal(size=1000) * 0.1
    psi = np.column_stack([column, column + 1e-17, -column])
    se = difference_se(row_covariance(psi) / 1000)
    assert se[0, 1] == 0
    assert se[0, 2] == pytest.approx(2 * column.std(ddof=1) / np.sqrt(1000))


def test_nan_stays_where_it_is():
    se = difference_se([[1.0, np.nan], [np.nan, np.nan]])
    assert se[0, 0] == 0
    assert np.isnan([se[0, 1], se[1, 0], se[1, 1]]).all()


def test_clusters_need_every_pair_to_be_close():
    # 1 - r is 0.0008 along the chain and 0.0016 from end to end.
    chain = np.array([[1, 0.9992, 0.9984], [0.9992, 1, 0.9992], [0.9984, 0.9992, 1]])
    labels = near_identical(chain)
    assert labels[0] != labels[2]
    assert len(set(near_identical(chain, tolerance=0.002).tolist())) == 1


def test_clusters_are_numbered_by_first_members_whatever_the_scale():
    correlation = np.eye(4)
    correlation[1, 3] = correlation[3, 1] = 0.99999
    scale = np.array([1.0, 5.0, 0.1, 2.0])
    labels = near_identical(correlation * np.outer(scale, scale))
    assert labels.tolist() == [0, 1, 2, 1]


def test_submissions_without_noise_are_alike_and_a_single_one_is_a_cluster():
    assert near_identical(np.diag([0.0, 1.0, 0.0])).tolist() == [0, 1, 0]
    assert near_identical([[2.0]]).tolist() == [0]


@pytest.mark.parametrize(
    ("psi", "groups", "message"),
    [
        (np.zeros((1, 2)), None, "at least 2 rows to tell a spread, got 1"),
        (np.zeros((3, 2)), [1, 1, 1], "at least 2 different groups"),
        (np.zeros((3, 2)), [1, 2], r"groups must have shape \(3,\), got shape \(2,\)"),
        ([[1.0], [np.nan]], None, "psi must be finite"),
        (np.zeros((2, 2, 2)), None, r"psi must have shape \(n,\) or \(n, k\)"),
    ],
)
def test_rows_that_cannot_tell_a_spread_are_refused(psi, groups, message):
    with pytest.raises(ValueError, match=message):
        row_covariance(psi, groups=groups)
