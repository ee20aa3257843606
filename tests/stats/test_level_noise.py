"""Noise that submissions share: small trees by hand, loops over paths, properties."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lbsense.stats.level_noise import LevelNoise, row_noise, tree_noise

NAN = float("nan")


def random_tree(rng, k):
    """Return parents, each before its children, with more than one root at times."""
    parent = np.array([-1, *(rng.integers(-1, i) for i in range(1, k))])
    parent[1:][rng.random(k - 1) < 0.1] = -1
    return parent


def path(parent, t):
    found = [t]
    while parent[found[-1]] >= 0:
        found.append(int(parent[found[-1]]))
    return found


def with_children(parent):
    return np.flatnonzero(parent >= 0)


def naive_tree(parent, public_step, cv_step, score_var, cv_score_var):
    """Walk every pair up to where the two paths meet, without any matrix algebra."""
    k, child = len(parent), with_children(parent)
    apart = public_step / (2 * score_var)
    common = min(max(1 - 2 * float(np.median(apart[child])), 0.0), 0.7)
    keep = np.clip(1 - apart / (1 - common), 0, 1)
    inner = np.zeros((k, k))
    passed_on = np.zeros((k, k))
    excess = np.maximum(cv_step - 2 * apart * cv_score_var, 0.0)
    for i in range(k):
        for j in range(k):
            one, two = path(parent, i), path(parent, j)
            shared = set(one) & set(two)
            if shared:
                moved = [t for t in set(one) ^ set(two) if parent[t] >= 0]
                inner[i, j] = np.prod([keep[t] for t in moved])
            passed_on[i, j] = sum(excess[t] / 2 for t in shared if parent[t] >= 0)
    shared = common + (1 - common) * inner
    own = np.where(parent >= 0, excess, np.median(excess[child])) / 4
    cv = cv_score_var * shared + passed_on + np.diag(own)
    return score_var * shared, cv


@pytest.mark.parametrize("seed", range(6))
def test_tree_agrees_with_a_walk_along_every_pair_of_paths(seed):
    rng = np.random.default_rng(seed)
    k = 9
    parent = random_tree(rng, k)
    parent[1] = 0
    public_step, cv_step = rng.uniform(0.05, 0.6, (2, k))
    public, cv = naive_tree(parent, public_step, cv_step, 1.3, 0.4)
    noise = tree_noise(
        parent,
        step_public_var=public_step,
        step_cv_var=cv_step,
        score_public_var=1.3,
        score_cv_var=0.4,
    )
    np.testing.assert_allclose(noise.public, public, atol=1e-12)
    floor = 1e-4 * np.median(cv_step[parent >= 0])
    np.testing.assert_allclose(noise.cv, cv + floor * np.eye(k), atol=1e-12)
    assert noise.score_public_var == 1.3


def test_chain_of_three_by_hand():
    # 1 - rho = .05 and .1 with the parents. Median .075, so that the common part is the
    # largest, .7; kept are 1 - .05/.3 = 5/6 and 1 - .1/.3 = 2/3.
    noise = tree_noise(
        [-1, 0, 1], step_public_var=[NAN, 1e-4, 2e-4], score_public_var=1e-3
    )
    far = 0.7 + 0.3 * (5 / 6) * (2 / 3)
    expected = [[1, 0.95, far], [0.95, 1, 0.9], [far, 0.9, 1]]
    np.testing.assert_allclose(noise.public_corr, expected)
    np.testing.assert_allclose(np.diag(noise.public), 1e-3)
    assert noise.cv is None


def test_large_steps_leave_less_in_common():
    # 1 - rho = .4: at most 1 - 2 * .4 = .2 can be common. Two children of one parent
    # keep 1 - .4/.8 = .5 of the rest, hence .2 + .8 * .25 between them.
    noise = tree_noise([-1, 0, 0], step_public_var=[NAN, 0.8, 0.8], score_public_var=1)
    np.testing.assert_allclose(noise.public_corr[1, 2], 0.4)
    np.testing.assert_allclose(noise.public_corr[0, 1], 0.6)


def test_one_large_step_among_small_ones_keeps_the_common_part():
    # 1 - rho = .5, but .7 of the noise of a score is common to all of the entrant.
    noise = tree_noise(
        [-1, 0, 0, 0], step_public_var=[NAN, 0.1, 0.1, 1.0], score_public_var=1.0
    )
    np.testing.assert_allclose(noise.public_corr[0], [1, 0.95, 0.95, 0.7])


def test_roots_share_the_common_part_alone():
    noise = tree_noise(
        [-1, 0, -1], step_public_var=[NAN, 0.1, NAN], score_public_var=1.0
    )
    np.testing.assert_allclose(noise.public_corr[2, :2], [0.7, 0.7])


def test_differences_have_the_noise_that_was_given():
    tree = np.array([-1, 0, 1, 0, -1])
    public_step = np.array([NAN, 0.1, 0.3, 0.2, NAN])
    cv_step = np.array([NAN, 0.2, 0.3, 0.4, NAN])
    noise = tree_noise(
        tree,
        step_public_var=public_step,
        step_cv_var=cv_step,
        score_public_var=1.0,
        score_cv_var=0.5,
    )
    public, cv = noise.step_var(tree)
    np.testing.assert_allclose(public, public_step)
    # Half the excess is passed on; a quarter is drawn anew on either side.
    excess = cv_step - 0.5 * public_step
    typical = np.nanmedian(excess)
    anew = np.array([typical, *excess[1:4], typical]) / 4
    by_hand = 0.5 * public_step + excess / 2 + anew + anew[tree]
    np.testing.assert_allclose(cv[1:4], by_hand[1:4], rtol=1e-3)
    assert np.isnan(cv[[0, 4]]).all()


def test_cv_differences_have_the_noise_that_was_given_where_steps_are_alike():
    tree = np.array([-1, 0, 1, 0])
    noise = tree_noise(
        tree,
        step_public_var=[NAN, 0.1, 0.1, 0.1],
        step_cv_var=[NAN, 0.3, 0.3, 0.3],
        score_public_var=1.0,
        score_cv_var=1.0,
    )
    np.testing.assert_allclose(noise.step_var(tree)[1][1:], 0.3, rtol=1e-3)


def test_defaults_by_hand():
    # A typical step has 1 - rho = .05, hence score variance .2 / .1; of CV noise 60%
    # is the choice of rows, so that half of a step's CV noise over public is .6 * 3.
    noise = tree_noise(
        [-1, 0, 1], step_public_var=[NAN, 0.2, 0.2], step_cv_var=[NAN, 0.6, 0.6]
    )
    np.testing.assert_allclose(noise.score_public_var, 2.0)
    np.testing.assert_allclose(noise.public_corr[0, 1], 0.95)
    cv = noise.step_var(np.array([-1, 0, 1]))[1]
    np.testing.assert_allclose(cv[1:], 0.6, rtol=1e-3)


def test_gaps_take_the_median_and_zeros_a_trace():
    tree = np.array([-1, 0, 0, 0, 0])
    noise = tree_noise(
        tree, step_public_var=[NAN, 0.1, 0.2, NAN, 0.0], score_public_var=1.0
    )
    np.testing.assert_allclose(
        noise.step_var(tree)[0][1:], [0.1, 0.2, 0.15, 0.15e-4], rtol=1e-9
    )


def test_steps_noisier_than_two_scores_keep_what_is_common_to_all():
    noise = tree_noise([-1, 0], step_public_var=[NAN, 9.0], score_public_var=1.0)
    np.testing.assert_array_equal(noise.public_corr, np.eye(2))


def test_steps_without_noise_beside_noisy_scores_can_still_be_inverted():
    noise = tree_noise(
        [-1, *range(19)],
        step_public_var=np.full(20, 1e-24),
        step_cv_var=np.full(20, 1e-24),
        score_public_var=1e-4,
        score_cv_var=1e-4,
    )
    np.linalg.cholesky(noise.public)
    np.linalg.cholesky(noise.cv)


def test_roots_alone_need_no_steps_but_the_noise_of_a_score():
    noise = tree_noise([-1, -1], step_public_var=[NAN, NAN], score_public_var=1.0)
    np.testing.assert_allclose(noise.public_corr[0, 1], 0.7)
    with pytest.raises(ValueError, match="score_public_var must be given where no"):
        tree_noise([-1, -1], step_public_var=[NAN, NAN])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"step_public_var": [NAN, -1.0]}, "step_public_var must be 0 or more"),
        ({"step_public_var": [NAN, NAN]}, "step_public_var must be 0 or more"),
        ({"step_public_var": [NAN, 0.0]}, "step_public_var must be 0 or more"),
        ({"step_cv_var": [NAN, -1.0]}, "step_cv_var must be 0 or more"),
        ({"step_public_var": [1.0]}, "Arrays must have one length"),
        ({"score_public_var": 0.0}, "score_public_var must be a finite number above 0"),
        ({"score_cv_var": 0.0}, "score_cv_var must be a finite number above 0"),
        ({"score_cv_var": NAN}, "score_cv_var must be a finite number above 0"),
        ({"parent": [1, 0]}, "parent leads in a circle"),
    ],
)
def test_says_what_is_wrong_with_an_argument(change, message):
    options = {
        "parent": [-1, 0],
        "step_public_var": [NAN, 1.0],
        "step_cv_var": [NAN, 1.0],
    } | change
    with pytest.raises(ValueError, match=message):
        tree_noise(**options)


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    k=st.integers(2, 12),
    unit=st.sampled_from([1e-8, 1.0, 1e4]),
)
def test_every_noise_is_a_covariance_that_follows_order_and_unit(seed, k, unit):
    rng = np.random.default_rng(seed)
    parent = random_tree(rng, k)
    parent[1] = 0
    steps = rng.exponential(0.3, (2, k))
    plain = tree_noise(
        parent, step_public_var=steps[0], step_cv_var=steps[1], score_public_var=1.0
    )
    for matrix in (plain.public, plain.cv):
        np.testing.assert_array_equal(matrix, matrix.T)
        assert np.linalg.eigvalsh(matrix).min() > -1e-12
    order = rng.permutation(k)
    place = np.append(np.argsort(order), -1)
    moved = tree_noise(
        place[parent[order]],
        step_public_var=unit * steps[0][order],
        step_cv_var=unit * steps[1][order],
        score_public_var=unit,
    )
    grid = np.ix_(order, order)
    np.testing.assert_allclose(moved.public, unit * plain.public[grid], rtol=1e-9)
    np.testing.assert_allclose(moved.cv, unit * plain.cv[grid], rtol=1e-9)


def predicted_rows(rng, k, n_rows=400, own=0.3):
    """Return what every row adds to every score, along a chain with own parts."""
    base = rng.normal(0, 1, n_rows)
    return np.array([base + own * i * rng.normal(0, 1, n_rows) for i in range(k)])


@pytest.mark.parametrize("seed", range(3))
def test_rows_agree_with_a_loop_over_pairs(seed):
    rng = np.random.default_rng(seed)
    k, n_public, n_train = 6, 500, 800
    parent = random_tree(rng, k)
    parent[1] = 0
    rows = np.cov(predicted_rows(rng, k))
    excess = rng.uniform(1e-4, 1e-3, k)
    noise = row_noise(
        parent,
        rows,
        n_public=n_public,
        n_train=n_train,
        cv_excess_var=excess,
        other_var=1e-5,
    )
    typical = np.median(excess[parent >= 0])
    for i in range(k):
        for j in range(k):
            shared = set(path(parent, i)) & set(path(parent, j))
            handed = sum(excess[t] / 2 for t in shared if parent[t] >= 0)
            own = (excess[i] if parent[i] >= 0 else typical) / 4 if i == j else 0.0
            public = rows[i, j] / n_public + (1e-5 if i == j else 0.0)
            np.testing.assert_allclose(noise.public[i, j], public, rtol=1e-6)
            cv = rows[i, j] / n_train + handed + own
            np.testing.assert_allclose(noise.cv[i, j], cv, rtol=1e-6)
    np.testing.assert_allclose(
        noise.score_public_var, np.median(np.diag(rows)) / n_public + 1e-5
    )


def test_rows_along_the_tree_keep_the_exact_noise_of_every_step():
    rng = np.random.default_rng(5)
    tree = np.array([-1, 0, 0, 2])
    rows = np.cov(predicted_rows(rng, 4, own=0.1))
    options = {"n_public": 1000, "n_train": 2000}
    exact = row_noise(tree, rows, **options)
    along = row_noise(tree, rows, **options, along_tree=True)
    np.testing.assert_allclose(
        along.step_var(tree)[0], exact.step_var(tree)[0], rtol=1e-6
    )
    np.testing.assert_allclose(
        along.step_var(tree)[1][1:], exact.step_var(tree)[1][1:], rtol=2e-3
    )
    assert along.public[1, 3] != exact.public[1, 3]


def test_a_submission_without_rows_shares_what_the_others_share():
    # The two with rows have variance 4 and correlation .75; the third is like them.
    rows = np.full((3, 3), NAN)
    rows[:2, :2] = [[4.0, 3.0], [3.0, 4.0]]
    noise = row_noise([-1, 0, 1], rows, n_public=4, n_train=4)
    expected = [[1, 0.75, 0.5625], [0.75, 1, 0.75], [0.5625, 0.75, 1]]
    np.testing.assert_allclose(noise.public, expected, rtol=1e-6)


def test_a_chain_without_rows_drifts_away_step_by_step():
    rows = np.full((4, 4), NAN)
    rows[:2, :2] = [[1.0, 0.5], [0.5, 1.0]]
    noise = row_noise([-1, 0, 1, 2], rows, n_public=1, n_train=1)
    np.testing.assert_allclose(noise.public[3], [0.125, 0.25, 0.5, 1], rtol=1e-6)


def test_rows_of_one_submission_are_taken_to_be_typical():
    rows = np.full((3, 3), NAN)
    rows[0, 0] = 2.0
    noise = row_noise([-1, 0, -1], rows, n_public=1, n_train=1)
    np.testing.assert_allclose(noise.public[0, 1], 2 * 0.95, rtol=1e-6)
    assert noise.public[0, 2] == 0.0
    np.testing.assert_allclose(np.diag(noise.public), 2.0, rtol=1e-6)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), n_missing=st.integers(0, 4))
def test_completed_rows_are_still_a_covariance(seed, n_missing):
    rng = np.random.default_rng(seed)
    k = 6
    parent = np.array([-1, *(rng.integers(-1, i) for i in range(1, k))])
    rows = np.cov(predicted_rows(rng, k))
    gone = rng.choice(k, n_missing, replace=False)
    rows[gone] = rows[:, gone] = NAN
    noise = row_noise(parent, rows, n_public=10, n_train=20)
    assert np.isfinite(noise.public).all()
    assert np.linalg.eigvalsh(noise.public).min() > 0


@pytest.mark.parametrize("along_tree", [False, True])
def test_the_same_file_twice_has_one_noise(along_tree):
    noise = row_noise(
        [-1, 0],
        np.ones((2, 2)),
        n_public=10,
        n_train=10,
        other_var=1e-6,
        along_tree=along_tree,
    )
    public, _ = noise.step_var(np.array([-1, 0]))
    np.testing.assert_allclose(public[1], 2e-6, rtol=0.01)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"row_covariance": np.ones((3, 3))},
            r"must have shape \(2, 2\), got \(3, 3\)",
        ),
        ({"row_covariance": np.full((2, 2), NAN)}, "at least one submission, got none"),
        ({"n_public": 0}, "n_public must be a finite number above 0"),
        ({"n_train": NAN}, "n_train must be a finite number above 0"),
    ],
)
def test_says_what_is_wrong_with_rows(change, message):
    options = {"row_covariance": np.eye(2), "n_public": 10, "n_train": 10} | change
    with pytest.raises(ValueError, match=message):
        row_noise([-1, 0], options.pop("row_covariance"), **options)


def test_inputs_are_left_alone_and_outputs_are_closed():
    rows = np.full((2, 2), NAN)
    rows[0, 0] = 1.0
    before = rows.copy()
    noise = row_noise([-1, 0], rows, n_public=10, n_train=10)
    np.testing.assert_array_equal(rows, before)
    assert not noise.public.flags.writeable
    assert not noise.cv.flags.writeable


def test_steps_of_a_noise_without_cv_have_none():
    noise = LevelNoise(public=np.eye(2), cv=None, score_public_var=1.0)
    public, cv = noise.step_var(np.array([-1, 0]))
    np.testing.assert_array_equal(public, [NAN, 2.0])
    assert np.isnan(cv).all()
