"""Sets of ranks against a naive second way, tie groups, medals, chances of places."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lbsense.stats import (
    board_draws,
    medal_places,
    places,
    rank_sets,
    standing,
    tie_groups,
)

# PISA 2018, mathematics, OECD countries: mean score and its standard error, as they
# stand in the documentation of the R package csranks (Mogstad et al. 2024).
PISA = """
Australia 491.3600 1.939833|Austria 498.9423 2.970999|Belgium 508.0703 2.262662|
Canada 512.0169 2.357476|Chile 417.4066 2.415888|Colombia 390.9323 2.989559|
Czechia 499.4677 2.460662|Denmark 509.3984 1.735002|Estonia 523.4146 1.743602|
Finland 507.3014 1.967920|France 495.4076 2.320214|Germany 500.0438 2.647083|
Greece 451.3703 3.091228|Hungary 481.0826 2.319597|Iceland 495.1874 1.953083|
Ireland 499.6329 2.198621|Israel 463.0345 3.498563|Italy 486.5899 2.780046|
Japan 526.9733 2.471475|Korea 525.9330 3.121394|Latvia 496.1263 1.962767|
Lithuania 481.1912 1.953282|Luxembourg 483.4215 1.097632|Mexico 408.8015 2.493226|
Netherlands 519.2310 2.632278|NewZealand 494.4897 1.705943|Norway 500.9638 2.219045|
Poland 515.6479 2.602085|Portugal 492.4874 2.684570|Slovakia 486.1649 2.555596|
Slovenia 508.8975 1.363878|Spain 481.3926 1.462418|Sweden 502.3877 2.654251|
Switzerland 515.3147 2.908004|Turkey 453.5078 2.260407|UK 501.7699 2.564428|
US 478.2447 3.235444
"""
ROWS = [row.split() for row in PISA.replace("\n", "").split("|")]
NAMES = [row[0] for row in ROWS]
MATH, MATH_SE = np.array([row[1:] for row in ROWS], dtype=float).T


def naive(
    x: np.ndarray, s: np.ndarray, asked: list[int], level: float, seed: int
) -> list[tuple[int, int]]:
    """Follow the paper word by word: pairs, a bound, and again without the sure ones."""
    error = np.random.default_rng(seed).standard_normal((1000, len(x))) * s
    pairs = {(j, i) for j in asked for i in range(len(x)) if i != j}
    left = set(pairs)
    while left:
        largest = np.max(
            [abs(error[:, j] - error[:, i]) / np.hypot(s[j], s[i]) for j, i in left],
            axis=0,
        )
        bound = np.quantile(largest, level)
        sure = {
            (j, i) for j, i in left if abs(x[j] - x[i]) > bound * np.hypot(s[j], s[i])
        }
        if not sure:
            break
        left -= sure
    found = []
    for j in asked:
        above = sum((j, i) not in left and x[i] > x[j] for i in range(len(x)) if i != j)
        below = sum((j, i) not in left and x[i] < x[j] for i in range(len(x)) if i != j)
        found.append((1 + above, len(x) - below))
    return found


class TestRankSets:
    def test_pisa_simultaneous_by_the_method_of_the_paper(self) -> None:
        sets = rank_sets(MATH, MATH_SE, n_draws=1000, rng=3)
        expected = naive(MATH, MATH_SE, list(range(len(MATH))), 0.95, 3)
        assert list(zip(sets.low, sets.high, strict=True)) == expected
        best = NAMES.index("Japan")
        assert sets.low[best] == 1
        assert NAMES[int(np.argmax(sets.low))] == "Colombia"
        assert (sets.low[NAMES.index("Colombia")], sets.high[-1]) >= (37, 25)

    @pytest.mark.parametrize("name", ["UK", "Japan", "Mexico"])
    def test_pisa_marginal(self, name: str) -> None:
        j = NAMES.index(name)
        one = rank_sets(
            MATH, MATH_SE, simultaneous=False, indices=[j], n_draws=1000, rng=3
        )
        assert (one.low[0], one.high[0]) == naive(MATH, MATH_SE, [j], 0.95, 3)[0]
        all_at_once = rank_sets(MATH, MATH_SE, n_draws=1000)
        assert one.low[0] >= all_at_once.low[j]
        assert one.high[0] <= all_at_once.high[j]

    @given(st.lists(st.integers(0, 30), min_size=2, max_size=12), st.integers(0, 9))
    def test_equal_noise_has_a_faster_way_to_the_same_sets(
        self, scores: list[int], seed: int
    ) -> None:
        x = np.array(scores, dtype=float)
        sets = rank_sets(x, 1.7, n_draws=1000, rng=seed)
        expected = naive(x, np.full(len(x), 1.7), list(range(len(x))), 0.95, seed)
        assert list(zip(sets.low, sets.high, strict=True)) == expected

    def test_without_step_down_sets_are_wider(self) -> None:
        whole = rank_sets(MATH, MATH_SE, step_down=False)
        assert (
            whole.high - whole.low
            >= rank_sets(MATH, MATH_SE).high - rank_sets(MATH, MATH_SE).low
        ).all()

    def test_bad_input(self) -> None:
        with pytest.raises(ValueError, match="noise above 0"):
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
    one = standing(draws, found, rank_sets(public, 0.2), 3, n_alike=9, group=1)
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
