"""Sets of ranks against a naive second way, tie groups, medals, chances of places."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lbsense._result import Missing
from lbsense.stats import (
    BoardNoise,
    board_draws,
    board_result,
    medal_places,
    places,
    rank_sets,
    standing,
    tie_groups,
)


def naive(x: np.ndarray, noise: float, seed: int) -> list[tuple[int, int]]:
    """Follow the paper word by word: pairs, a bound, and again without the sure ones."""
    error = np.random.default_rng(seed).standard_normal((1000, len(x))) * noise
    every = range(len(x))
    left = {(j, i) for j in every for i in every if i != j}
    width = np.hypot(noise, noise)
    while left:
        largest = np.max([abs(error[:, j] - error[:, i]) for j, i in left], axis=0)
        bound = np.quantile(largest / width, 0.95)
        sure = {(j, i) for j, i in left if abs(x[j] - x[i]) > bound * width}
        if not sure:
            break
        left -= sure
    found = []
    for j in every:
        above = sum((j, i) not in left and x[i] > x[j] for i in every if i != j)
        below = sum((j, i) not in left and x[i] < x[j] for i in every if i != j)
        found.append((1 + above, len(x) - below))
    return found


class TestRankSets:
    @given(st.lists(st.integers(0, 30), min_size=2, max_size=12), st.integers(0, 9))
    def test_the_windows_are_the_method_of_the_paper_pair_by_pair(
        self, scores: list[int], seed: int
    ) -> None:
        x = np.array(scores, dtype=float)
        sets = rank_sets(x, 1.7, n_draws=1000, rng=seed)
        assert list(zip(sets.low, sets.high, strict=True)) == naive(x, 1.7, seed)

    def test_bad_input(self) -> None:
        with pytest.raises(ValueError, match="noise must be a finite number above 0"):
            rank_sets([1.0, 2.0], 0.0)


def test_tie_groups_are_walked_from_the_top() -> None:
    assert tie_groups([1, 2, 2, 4, 4], [3, 3, 3, 5, 5]).tolist() == [0, 0, 0, 1, 1]
    assert tie_groups([1, 1, 1], [3, 3, 3]).tolist() == [0, 0, 0]
    assert tie_groups([1, 2, 3], [1, 2, 3]).tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    ("n_teams", "gold", "silver", "bronze"),
    [  # kaggle.com/progression
        (10, 1, 2, 4),
        (99, 9, 19, 39),
        (100, 10, 20, 40),
        (249, 10, 49, 99),
        (250, 10, 50, 100),
        (500, 11, 50, 100),
        (999, 11, 50, 100),
        (1000, 12, 50, 100),
        (5000, 20, 250, 500),
    ],
)
def test_medals(n_teams: int, gold: int, silver: int, bronze: int) -> None:
    found = medal_places(n_teams)
    assert (found.gold, found.silver, found.bronze) == (gold, silver, bronze)


def test_chances_add_up_and_follow_the_board() -> None:
    rng = np.random.default_rng(0)
    public = np.sort(rng.normal(size=300))[::-1]
    draws = board_draws(public, 0.2, n_draws=400)
    found = places(draws)
    assert found.p_gold.sum() == pytest.approx(10)
    assert found.p_silver.sum() == pytest.approx(50)
    assert found.p_bronze.sum() == pytest.approx(100)
    assert found.p_first.sum() == pytest.approx(1)
    assert (found.p_gold <= found.p_silver + 1e-12).all()
    assert found.p_bronze[0] > 0.95 > 0.05 > found.p_bronze[-1]
    assert (found.true_low <= found.true_high).all()
    noise = BoardNoise(noise=np.full(300, 0.2), basis="told")
    board = board_result(public, np.full(300, np.nan), noise, Missing("pairs", "None."))
    one = standing(board, 3)
    assert one.p_bin.sum() == pytest.approx(1)
    assert one.p_gold >= sum(one.p_place[:3]) - 1e-9
    assert one.set_low <= one.true_low
    assert one.true_high <= one.set_high


def test_a_tie_across_the_last_place_shares_what_is_left() -> None:
    draws = board_draws(np.zeros(20), 0.1, groups=np.zeros(20, int), n_draws=20)
    assert places(draws).p_gold == pytest.approx(np.full(20, 0.1))


@pytest.mark.slow
def test_intervals_of_places_cover() -> None:
    from lbsense.simulate import simulate_board
    from lbsense.stats.boards.shakeup import mean_ranks

    within, together, chances, happened = [], [], [], []
    for seed in range(60):
        made = simulate_board("normal", n_teams=250, noise=0.4, rng=seed)
        board = made.board
        found = places(board_draws(board.public, 0.4, ratio=made.ratio, n_draws=400))
        true = mean_ranks(made.true)
        within.append(((found.true_low <= true) & (true <= found.true_high)).mean())
        sets = rank_sets(board.public, 0.4)
        together.append(((sets.low <= true) & (true <= sets.high)).all())
        chances.append(found.p_bronze)
        happened.append(mean_ranks(board.private) <= found.medals.bronze)
    assert 0.93 <= np.mean(within) <= 0.975
    assert np.mean(together) >= 0.9
    slope = np.polyfit(np.ravel(chances), np.ravel(happened).astype(float), 1)[0]
    assert 0.9 <= slope <= 1.1
