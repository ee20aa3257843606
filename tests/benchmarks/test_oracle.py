import math
from pathlib import Path

import numpy as np
import pytest

from benchmarks.semi_real.figures import area
from benchmarks.semi_real.folders import Played
from benchmarks.semi_real.oracle import ceiling


def played(seed, n=12):
    rng = np.random.default_rng(seed)
    steps = rng.choice([0.0, 0.3, 2.0, -1.0], n)
    truth = np.cumsum(steps)
    noise = rng.normal(0, 0.7, n)
    return Played(
        folder=Path(str(seed)),
        meta={"metric": "rmse", "n_public": 100, "n_private": 400},
        sign=1,
        cv=truth + rng.normal(0, 0.5, n),
        public=truth + noise,
        private=truth + rng.normal(0, 0.35, n),
        truth=truth,
        parent=np.arange(n) - 1,
        cov=np.eye(n) * 0.49 * rng.uniform(0.5, 1.5, n),
    )


def naive_chances(competitions):
    # Step by step: weigh every true step of the others by how it fits both scores.
    worlds, out = [], []
    for c in competitions:
        se = [c.step_se(k, k - 1) for k in range(1, len(c.truth))]
        worlds.append([d / s for d, s in zip(np.diff(c.truth), se, strict=True)])
    for i, c in enumerate(competitions):
        others = [a for j, w in enumerate(worlds) if j != i for a in w]
        others += [-0.5 * a for a in others if abs(a) < 3]
        se = np.array([c.step_se(k, k - 1) for k in range(1, len(c.truth))])
        true, public, cv = np.diff(c.truth), np.diff(c.public), np.diff(c.cv)
        ratio = max(np.median(np.abs(cv - true) / se) / 0.6745, 0.05)
        rope = 0.25 * np.median(se)
        for t, s in enumerate(se):
            gain = total = 0.0
            for atom in others:
                d = atom * s
                w = math.exp(
                    -(((public[t] - d) / s) ** 2 + ((cv[t] - d) / (ratio * s)) ** 2) / 2
                )
                total += w
                gain += w * (d > rope)
            out.append((gain / total, true[t] > rope))
    return np.array(out)


def test_the_ceiling_is_the_posterior_of_one_who_knows_the_noise():
    competitions = [played(seed) for seed in range(4)]
    found = ceiling(competitions)["public and CV"]
    p, gained = naive_chances(competitions).T
    assert found["steps"] == 4 * 11
    assert found["auc"] == pytest.approx(area(p, gained))
    assert found["brier"] == pytest.approx(np.mean((p - gained) ** 2))


def test_more_sources_know_more():
    found = ceiling([played(seed, n=30) for seed in range(12)])
    assert found["all three"]["skill"] > found["public and CV"]["skill"]
    assert found["public and CV"]["skill"] > found["public alone"]["skill"]
