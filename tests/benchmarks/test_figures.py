import numpy as np
import pandas as pd
import pytest

from benchmarks.semi_real.figures import area, figures_of, with_rope


def test_figures_by_hand():
    steps = pd.DataFrame(
        {
            "true": [1.0, -1.0, 0.0, 1.0],
            "se": [0.4, 0.4, 0.4, 0.4],
            "p": [0.9, 0.1, 0.3, np.nan],
            "low": [0.5, -0.5, -1.0, np.nan],
            "high": [2.0, 0.5, 1.0, np.nan],
            "verdict": ["progress", "setback", "progress", "unknown"],
        }
    )
    found = figures_of(with_rope(steps))
    # Gains: the first and the last; the last one's chance is the base rate, .5.
    assert found["steps"] == 4
    assert found["answered"] == 0.75
    assert found["base"] == 0.5
    assert found["auc"] == 1.0
    assert found["brier"] == pytest.approx((0.01 + 0.01 + 0.09 + 0.25) / 4)
    assert found["skill"] == pytest.approx(1 - 0.09 / 0.25)
    assert found["interval95"] == pytest.approx(2 / 3)
    assert found["progress"] == {"claims": 2, "precision": 0.5, "recall": 0.5}
    assert found["setback"] == {"claims": 1, "precision": 1.0, "recall": 1.0}
    assert found["bins"] == [[0.05, 1, 0.0], [0.2, 1, 0.0], [0.8, 1, 1.0]]


def test_slope_is_the_regression_of_truth_on_chance():
    rng = np.random.default_rng(0)
    p = rng.random(300)
    gained = rng.random(300) < p
    steps = pd.DataFrame(
        {"true": gained * 1.0, "gained": gained, "lost": False, "p": p, "low": 0.0}
    ).assign(high=1.0, verdict="guess")
    slope = np.polyfit(p, gained, 1)[0]
    assert figures_of(steps)["slope"] == pytest.approx(slope)


def test_a_small_step_is_neither_gain_nor_loss():
    steps = with_rope(pd.DataFrame({"true": [0.2, 0.3, -0.3], "se": [1.0, 1.0, 1.0]}))
    assert steps["gained"].tolist() == [False, True, False]
    assert steps["lost"].tolist() == [False, False, True]


def test_area_counts_pairs():
    p, y = [0.1, 0.4, 0.4, 0.8], [False, True, False, True]
    assert area(p, y) == pytest.approx(3.5 / 4)
    assert np.isnan(area(p, [True] * 4))
