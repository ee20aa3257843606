"""What measures a step: precision-weighted gains, contrasts, scales and ratios."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lbsense.stats import Source, StepNoise
from lbsense.stats.steps.sources import candidates

NAN = np.nan


def found_of(sources, unit=None):
    gains = np.array([source.gain for source in sources])
    unit = np.ones(gains.shape[1]) if unit is None else np.asarray(unit)
    return candidates(sources, gains, unit)


def test_two_sources_by_hand():
    # CV has 4 times the noise variance: weights 4/5 and 1/5.
    public = Source(name="public", gain=np.array([1.0, 2.0]))
    cv = Source(name="cv", gain=np.array([6.0, NAN]), log_ratio=np.log(4.0))
    found = found_of([public, cv])
    np.testing.assert_allclose(found.fused, [[2.0, 2.0]], rtol=1e-12)
    np.testing.assert_allclose(found.fused_ratio, [[0.8, 1.0]], rtol=1e-12)
    contrast = found.contrasts[0]
    assert contrast.seen.tolist() == [True, False]
    np.testing.assert_allclose(contrast.value[0, 0], 5.0, rtol=1e-12)
    np.testing.assert_allclose(contrast.ratio[0, 0], 5.0, rtol=1e-12)


def test_fused_and_contrasts_are_the_sources_turned():
    """The three have the same joint normal density as the fused and the contrasts."""
    rng = np.random.default_rng(3)
    ratios, gains = np.array([1.0, 2.5, 0.4]), rng.normal(0, 1, 3)
    sources = [
        Source(name=str(m), gain=gains[m : m + 1], log_ratio=float(np.log(r)))
        for m, r in enumerate(ratios)
    ]
    found = found_of(sources)
    for true in (-1.0, 0.3, 2.0):
        direct = np.sum(np.square(gains - true) / ratios + np.log(ratios))
        fused = np.square(found.fused[0, 0] - true) / found.fused_ratio[0, 0]
        turned = fused + np.log(found.fused_ratio[0, 0])
        for item in found.contrasts:
            turned += np.square(item.value[0, 0]) / item.ratio[0, 0]
            turned += np.log(item.ratio[0, 0])
        np.testing.assert_allclose(turned, direct, rtol=1e-12)


@given(factor=st.floats(1e-3, 1e3))
def test_a_scale_that_is_learned_leads_to_the_same_candidates(factor):
    rng = np.random.default_rng(0)
    public = Source(name="public", gain=rng.normal(0, 1, 12))
    gain = rng.normal(0, 2, 12)

    def cv(values):
        return Source(name="cv", gain=values, log_ratio_sd=1.0, slope_known=False)

    plain, scaled = (found_of([public, cv(g)]) for g in (gain, factor * gain))
    np.testing.assert_allclose(scaled.fused, plain.fused, rtol=1e-9)
    np.testing.assert_allclose(scaled.slope[:, 1], factor * plain.slope[:, 1])


def test_a_ratio_that_differs_from_step_to_step_is_mixed():
    public = Source(name="public", gain=np.ones(3))
    cv = Source(name="cv", gain=np.ones(3), log_ratio_sd=1.0, spread=1.0)
    found = found_of([public, cv])
    np.testing.assert_allclose(found.mixing.sum(axis=1), 1, rtol=1e-12)
    apart = np.subtract.outer(np.log(found.ratio[:, 1]), np.log(found.ratio[:, 1]))
    weight = np.exp(-0.5 * apart**2)
    np.testing.assert_allclose(
        found.mixing, weight / weight.sum(axis=1, keepdims=True), rtol=1e-12
    )
    steady = Source(name="cv", gain=np.ones(3), log_ratio_sd=1.0)
    assert found_of([public, steady]).mixing is None


def test_some_candidates_and_some_steps():
    public = Source(name="public", gain=np.arange(4.0))
    cv = Source(name="cv", gain=np.arange(4.0), log_ratio_sd=1.0, spread=0.5)
    found = found_of([public, cv])
    kept = np.arange(len(found.ratio)) % 2 == 0
    fewer = found.at(kept)
    np.testing.assert_array_equal(fewer.fused, found.fused[kept])
    np.testing.assert_allclose(fewer.mixing.sum(axis=1), 1, rtol=1e-12)
    some = found.of(np.array([1, 3]))
    np.testing.assert_array_equal(some.fused, found.fused[:, [1, 3]])
    np.testing.assert_array_equal(
        some.contrasts[0].value, found.contrasts[0].value[:, [1, 3]]
    )


@pytest.mark.parametrize("gain", [np.zeros(5), np.full(5, NAN), [0, 0, 0, 0, 1.0]])
def test_a_source_that_says_little_has_finite_candidates(gain):
    public = Source(name="public", gain=np.linspace(-1, 1, 5))
    cv = Source(
        name="cv", gain=np.asarray(gain, float), log_ratio_sd=1.0, slope_known=False
    )
    found = found_of([public, cv])
    assert np.isfinite(found.fused).all()
    assert np.isfinite(found.contrasts[0].value).all()
    assert (found.slope > 0).all()


def test_noise_is_known_or_not():
    assert not StepNoise().known
    assert StepNoise(log_sd=-3.0, log_sd_sd=0.5).known
