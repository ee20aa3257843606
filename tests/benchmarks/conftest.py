import numpy as np
import pandas as pd
import pytest

from benchmarks.semi_real import competition, features
from benchmarks.semi_real.competition import Plan
from benchmarks.semi_real.scoring import METRICS
from benchmarks.semi_real.tables import Table, Target

TOY = Table("toys.Small", (Target("y"), Target("y", above=1.0)), ids=("row",))


@pytest.fixture
def toy(monkeypatch):
    rng = np.random.default_rng(3)
    n = 3000
    x = rng.normal(size=n)
    level = rng.choice(["a", "b", "c"], n)
    frame = pd.DataFrame(
        {
            "row": np.arange(n),
            "x": np.where(rng.random(n) < 0.1, np.nan, x),
            "small": rng.integers(0, 4, n),
            "yes": rng.random(n) < 0.3,
            "level": level,
            "y": np.exp(0.5 * x + 0.4 * (level == "a") + 0.5 * rng.normal(size=n)),
        }
    )
    frame.loc[::50, "y"] = np.nan
    for module in (competition, features):
        monkeypatch.setattr(module, "load", lambda _: frame)
    return TOY


@pytest.fixture
def planned(toy):
    def make(metric="rmse", **changes):
        chosen = METRICS[metric]
        options = {
            "table": toy,
            "target": toy.targets[int(chosen.binary)],
            "metric": chosen,
            "round": 0,
            "n_train": 150,
            "n_public": 100,
            "n_private": 200,
            "n_folds": 2,
            "n_submissions": 8,
            "policy": "lb",
            "guess_rate": 0.5,
            "parents_declared": True,
        }
        return Plan(**options | changes)

    return make
