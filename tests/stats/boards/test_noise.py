"""What public and private scores of all teams tell: noise, its use, who is nested."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lbsense.simulate import simulate_board
from lbsense.stats import (
    board_draws,
    covers_public,
    exchanged_shake_up,
    expected_shake_up,
    pair_noise,
    shake_up,
    shared_scores,
)


def boards(
    n: int, noise: float, seed: int = 0, *, public_share: float = 0.5
) -> tuple[np.ndarray, np.ndarray]:
    """Return public and private scores of a normal board, on rows of their own."""
    rng = np.random.default_rng(seed)
    true = rng.normal(size=n)
    ratio = math.sqrt(public_share / (1 - public_share))
    public = true + noise * rng.normal(size=n)
    return public, true + ratio * noise * rng.normal(size=n)


class TestExchange:
    def test_is_what_the_law_gives(self) -> None:
        public, private = boards(1500, 0.4)
        found = exchanged_shake_up(public, private)
        known = expected_shake_up(board_draws(public, 0.4, n_draws=300))
        assert found.expected == pytest.approx(known.expected, abs=0.006)
        assert found.low95 < shake_up(public, private).statistic < found.high95
        assert found.low95 < found.low80 < found.expected < found.high80 < found.high95

    def test_a_naive_way_gives_the_same(self) -> None:
        public, private = boards(300, 0.4, seed=3)
        order = np.argsort(-public)
        x, moved = public[order], (private - public)[order]
        rng = np.random.default_rng(1)
        told = []
        for _ in range(300):
            other = np.clip(np.arange(300) + rng.integers(-25, 26, 300), 0, 299)
            told.append(shake_up(x, x + moved[other]).statistic)
        found = exchanged_shake_up(public, private)
        assert found.expected == pytest.approx(np.mean(told), abs=0.006)

    @given(
        shift=st.floats(-100, 100),
        scale=st.sampled_from([1e-3, 0.5, 7.0]),
        seed=st.integers(0, 5),
    )
    def test_ignores_shift_and_scale(
        self, shift: float, scale: float, seed: int
    ) -> None:
        public, private = boards(80, 0.5, seed=seed)
        one = exchanged_shake_up(public, private, n_draws=100)
        other = exchanged_shake_up(scale * public, scale * private + shift, n_draws=100)
        assert other.expected == pytest.approx(one.expected, abs=0.003)

    def test_copies_move_together_and_widen_the_interval(self) -> None:
        public, private = boards(400, 0.4)
        public[:150], private[:150] = public[0], private[0]
        alone = exchanged_shake_up(public, private)
        groups = shared_scores(public, private)
        together = exchanged_shake_up(public, private, groups=groups)
        assert len(np.unique(groups)) == 251
        wide = together.high95 - together.low95
        assert wide > 2 * (alone.high95 - alone.low95)

    def test_failures_are_no_noise(self) -> None:
        public, private = boards(600, 0.2)
        fallen = private.copy()
        fallen[::12] -= 1e4
        found = exchanged_shake_up(public, fallen)
        assert found.high95 < shake_up(public, fallen).statistic
        whole = exchanged_shake_up(public, private)
        assert found.expected == pytest.approx(whole.expected, abs=0.03)

    def test_two_teams_and_all_alike(self) -> None:
        assert exchanged_shake_up([2.0, 1.0], [2.1, 1.1]).expected == 0
        found = exchanged_shake_up(np.ones(30), np.ones(30))
        assert found.expected == pytest.approx(0.25, abs=0.01)  # one rank for all

    @pytest.mark.parametrize("private", [[], [1.0], [1.0, float("nan")]])
    def test_scores_that_are_missing_are_refused(self, private: list[float]) -> None:
        with pytest.raises(ValueError, match="two finite scores"):
            exchanged_shake_up([2.0, 1.0][: len(private)], private)


class TestNested:
    def test_noise_of_rows_that_are_in_both(self) -> None:
        share = 0.4
        public, unseen = boards(3000, 0.3, public_share=share)
        private = share * public + (1 - share) * unseen
        ratio = math.sqrt(share / (1 - share))
        found = pair_noise(public, private, ratio=ratio, shared=share)
        assert found
        assert found.public_se == pytest.approx(0.3, rel=0.07)
        # All rows are 1 / share times the public ones.
        assert found.private_se == pytest.approx(0.3 * math.sqrt(share), rel=0.07)
        assert not found.like_nested
        wrong = pair_noise(public, private, ratio=ratio)
        assert wrong.public_se < 0.2
        assert wrong.like_nested

    @pytest.mark.parametrize("seed", range(5))
    def test_other_rows_are_not_taken_for_nested(self, seed: int) -> None:
        public, private = boards(2000, 0.6, seed=seed, public_share=0.4)
        assert not covers_public(public, private, ratio=math.sqrt(0.4 / 0.6))
        nested = 0.4 * public + 0.6 * private
        assert covers_public(public, nested, ratio=math.sqrt(0.4 / 0.6))

    def test_draws_keep_the_public_part(self) -> None:
        public, _ = boards(500, 0.5)
        apart = board_draws(public, 0.5, n_draws=200)
        inside = board_draws(public, 0.5, shared=0.5, n_draws=200)
        one, other = expected_shake_up(apart), expected_shake_up(inside)
        assert other.expected < 0.6 * one.expected


class TestSharedScores:
    def test_equal_pairs_of_a_coarse_display_are_chance(self) -> None:
        public, private = boards(2000, 0.3)
        coarse = np.round(public, 1), np.round(private, 1)
        assert len(np.unique(shared_scores(*coarse))) > 1990
        crowd = [values.copy() for values in coarse]
        for values in crowd:
            values[:400] = values[0]
        groups = shared_scores(*crowd)
        assert np.bincount(groups).max() >= 400

    def test_equal_pairs_of_a_fine_display_are_copies(self) -> None:
        public, private = (np.round(values, 5) for values in boards(300, 0.3))
        public[7], private[7] = public[8], private[8]
        groups = shared_scores(public, private)
        assert groups[7] == groups[8]
        assert len(np.unique(groups)) == 299


@pytest.mark.parametrize("sign", ["stretch", "unrelated"])
def test_an_order_and_a_spread_of_another_test(sign: str) -> None:
    public, private = boards(600, 0.3)
    other = {
        "stretch": 1.8 * private,
        "unrelated": np.random.default_rng(1).normal(size=600),
    }[sign]
    assert sign in pair_noise(public, other).two_stage
    assert pair_noise(public, private).two_stage == ()


@pytest.mark.slow
def test_noise_and_shake_up_of_boards_with_everything() -> None:
    near, inside, error = 0, 0, []
    for seed in range(60):
        made = simulate_board("mixed", n_teams=500, noise=0.3, rng=seed)
        public, private = made.board.public, made.board.private
        ratio = pair_noise(public, private).public_se / made.noise
        near += 1 / 1.5 < ratio < 1.5
        groups = shared_scores(public, private)
        found = exchanged_shake_up(public, private, groups=groups, n_draws=100)
        happened = shake_up(public, private).statistic
        inside += found.low80 <= happened <= found.high80
        error.append(abs(found.expected - happened))
    assert near >= 48
    assert inside >= 45
    assert np.mean(error) < 0.015
