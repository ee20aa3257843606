"""Claims in a stream of p-values: by hand, and those of a published package."""

import numpy as np
import pytest

from benchmarks.agents import invested


def test_levels_of_lord_by_hand():
    # Levels q/2 w1; q/2 w2; the second is a claim: q/2 w3 + q/2 w1, then + q w1.
    weights = np.array([0.5, 0.25, 0.125, 0.0625])
    for third, claimed in ((0.0311, True), (0.0313, False)):
        found = invested(np.array([0.03, 0.01, third]), 0.1, weights, adaptive=False)
        assert found == [False, True, claimed]


@pytest.mark.parametrize("seed", range(8))
def test_the_published_package_claims_the_same(seed):
    pytest.importorskip("online_fdr")
    from online_fdr.p_values.investing.lord.plus_plus import LordPlusPlus
    from online_fdr.p_values.investing.saffron.saffron import Saffron

    rng = np.random.default_rng(seed)
    n, q = 300, 0.1
    real = rng.random(n) < 0.3
    p = np.where(real, rng.beta(0.05, 5, n), rng.random(n))
    j = np.arange(1, n + 2)
    log = 0.07720838 * np.log(np.maximum(j, 2)) / (j * np.exp(np.sqrt(np.log(j))))
    power = 0.4374901658 / j**1.6
    for theirs, weights, adaptive in (
        (LordPlusPlus(q, q / 2), log, False),
        (Saffron(q, q / 2, 0.5), power, True),
    ):
        ours = invested(p, q, weights, adaptive=adaptive)
        assert ours == [theirs.test_one(value) for value in p]
        assert sum(ours) > 5
