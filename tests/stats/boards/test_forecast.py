"""Draws of a board: true scores behind it, shared submissions, what is expected."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import norm

from lbsense.stats import (
    board_draws,
    copula_draws,
    expected_shake_up,
    pair_noise,
    shake_up,
    shared_scores,
)


def normal_board(n: int, noise: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    true = rng.normal(size=n)
    return true + noise * rng.normal(size=n), true + noise * rng.normal(size=n)


def shake_up_of_normal(r: float) -> float:
    """Return the mean distance of the ranks of normal scores with correlation r."""
    place = (np.arange(600) + 0.5) / 600
    x, z = norm.ppf(place)[:, np.newaxis], norm.ppf(place)
    other = norm.cdf(r * x + math.sqrt(1 - r * r) * z)
    return float(np.abs(place[:, np.newaxis] - other).mean())


@pytest.mark.parametrize("noise", [0.3, 1.0, 3.0])
def test_a_normal_board_has_the_shake_up_of_its_correlation(noise: float) -> None:
    public, private = normal_board(1500, noise)
    found = expected_shake_up(board_draws(public, noise, n_draws=300))
    r = 1 / (1 + noise**2)  # correlation of public and private
    exact = shake_up_of_normal(r)
    assert found.expected == pytest.approx(exact, abs=0.012)
    assert found.low95 < shake_up(public, private).statistic < found.high95
    assert found.low95 < found.low80 < found.expected < found.high80 < found.high95


def test_plugging_in_the_board_itself_understates() -> None:
    public, _ = normal_board(1500, 1.0)
    rng = np.random.default_rng(5)
    plugged = shake_up(public, public + rng.normal(size=1500)).statistic
    assert expected_shake_up(board_draws(public, 1.0)).expected > plugged + 0.03


def test_a_tail_and_a_gap_change_nothing_at_the_top() -> None:
    public, _ = normal_board(200, 0.5)
    far = np.concatenate([public, [-1e6, -1e9, -11551.955]])
    one = expected_shake_up(board_draws(public, 0.5, n_draws=500))
    other = expected_shake_up(board_draws(far, 0.5, n_draws=500))
    assert other.expected == pytest.approx(one.expected * 200 / 203, abs=0.012)


def test_copies_move_together() -> None:
    public = np.array([0.91234, 0.81021, 0.81021, 0.81021, 0.73427, 0.60012])
    groups = shared_scores(public, public)
    assert groups.tolist() == [0, 1, 1, 1, 2, 3]
    draws = board_draws(public, 0.1, groups=groups, n_draws=50)
    assert (draws.private_rank[:, 1] == draws.private_rank[:, 3]).all()
    assert draws.private_rank.sum(axis=1) == pytest.approx(21)
    assert draws.n_groups == 4


def test_chance_ties_are_no_copies_and_a_popular_notebook_is_one() -> None:
    rng = np.random.default_rng(1)
    rounded = np.round(rng.normal(0, 0.01, 2000), 3)
    assert len(np.unique(shared_scores(rounded))) == 2000
    fine = np.round(rng.normal(0, 0.1, 500), 5)
    crowd = np.concatenate([fine, np.full(80, fine[0])])
    assert len(np.unique(shared_scores(crowd))) <= 500


def test_published_correlations_alone() -> None:
    public, _ = normal_board(800, 0.1)
    draws = copula_draws(public, {0.25: 0.02, 0.5: 0.02001, 0.75: 0.02002}, n_draws=200)
    found = expected_shake_up(draws)
    assert found.spearman == pytest.approx(0.98, abs=0.005)
    exact = shake_up_of_normal(2 * math.sin(math.pi * 0.98 / 6))
    assert found.expected == pytest.approx(exact, abs=0.003)


@pytest.mark.parametrize(
    ("public", "noise", "message"),
    [
        ([1.0], 0.1, "two finite"),
        ([1.0, math.nan], 0.1, "two finite"),
        ([1.0, 2.0], 0.0, "above 0"),
    ],
)
def test_bad_input(public: list[float], noise: float, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        board_draws(public, noise)


def test_all_scores_equal_and_two_teams() -> None:
    alike = expected_shake_up(board_draws(np.ones(30), 0.1, n_draws=400))
    assert alike.expected == pytest.approx(0.25, abs=0.01)  # one public rank for all
    assert expected_shake_up(board_draws([1.0, 0.0], 1e-6)).expected == 0


class TestPairNoise:
    @pytest.mark.parametrize("seed", range(3))
    def test_is_robust(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        true = -np.abs(rng.standard_t(1.5, 1500))
        public = true + 0.2 * rng.normal(size=1500)
        private = 0.7 + true + 0.1 * rng.normal(size=1500)
        private[:60] -= 1e5 * rng.random(60)
        public[300:600], private[300:600] = public[300], private[300]
        found = pair_noise(public, private, ratio=0.5)
        assert found
        assert found.public_se == pytest.approx(0.2, rel=0.15)
        assert found.offset == pytest.approx(0.7, abs=0.05)
        assert found.n_distinct == 1201

    def test_noise_that_differs_along_the_board(self) -> None:
        rng = np.random.default_rng(0)
        true = rng.uniform(0, 10, 3000)
        own = 0.05 + 0.05 * (10 - true)
        found = pair_noise(
            true + own * rng.normal(size=3000),
            true + own * rng.normal(size=3000),
            ratio=1.0,
        )
        assert found
        # The best tenth: noise of 0.05 to 0.1.
        assert found.top_se == pytest.approx(0.08, abs=0.025)
        assert found.public_se > 2 * found.top_se - 0.02

    def test_two_scales(self) -> None:
        public, private = normal_board(1000, 0.3)
        found = pair_noise(100 * public, 0.05 * private, ratio=1.0)
        assert found
        assert found.scale == pytest.approx(0.0005, rel=0.15)
        assert found.public_se == pytest.approx(30, rel=0.15)

    def test_signs_of_two_stages(self) -> None:
        public, private = normal_board(400, 0.3)
        gone = np.where(np.arange(400) % 3, private, math.nan)
        assert pair_noise(public, gone).two_stage == ("gone",)
        piled = np.where(np.arange(400) % 3, private, -9.0)
        assert "pile" in pair_noise(public, piled).two_stage
        assert "sampling" in pair_noise(public, private, largest_se=0.02).two_stage
        assert pair_noise(public, private, ratio=1.0).two_stage == ()
        best = np.where(np.arange(400) < 3, 5.0, public)
        assert "perfect" in pair_noise(best, private, perfect=5.0).two_stage
        other = private + 2 * np.random.default_rng(7).normal(size=400)
        assert "spread" in pair_noise(public, other, ratio=0.7).two_stage

    def test_what_tells_nothing_says_why(self) -> None:
        few = pair_noise([1, 2, 3], [1, 2, 4])
        assert not few
        assert "too few" in few.reason
        same = np.arange(30.0)
        assert "equals the public" in pair_noise(same, same).reason
        assert "one constant" in pair_noise(same, same + 1).reason


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["normal", "tail", "two kinds", "copies"])
def test_intervals_hold_what_they_say(kind: str) -> None:
    from lbsense.simulate import simulate_board

    inside = 0
    for seed in range(60):
        made = simulate_board(kind, n_teams=400, noise=0.4, rng=seed)
        public, private = made.board.public, made.board.private
        groups = shared_scores(public)
        draws = board_draws(
            public, made.noise, ratio=made.ratio, groups=groups, n_draws=300
        )
        found = expected_shake_up(draws)
        happened = shake_up(public, private).statistic
        inside += found.low95 <= happened <= found.high95
    assert inside >= 53  # of 60: 95% less two standard errors
