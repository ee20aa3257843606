"""The mixture behind the step posterior: its grid, its updating, its summaries."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import log_ndtr, logsumexp

from lbsense._typing import BoolArray, FloatArray
from lbsense.stats.noise_grid import NoiseGrid

__all__ = ["Components", "FusedSteps"]

_LOG_2PI = float(np.log(2 * np.pi))
_NULL_SHARES = np.array([0.03, 0.15, 0.3, 0.5, 0.7, 0.85, 0.94, 0.985])
_UP_SHARES = np.array([0.2, 0.5, 0.8])
_NULL_WIDTHS = np.array([0.05, 0.25, 0.7])  # in units of the noise of a fused step
# In the same units; the last is that of a collapse.
_GAIN_WIDTHS = np.append(np.geomspace(0.7, 40.0, 8), 1000.0)
# The width of a true change is the common one half of the time, else any of them: a
# history with a few collapses must not make its ordinary steps look like nothing.
_WIDTH_MIX = 0.5 * np.eye(len(_GAIN_WIDTHS)) + 0.5 / len(_GAIN_WIDTHS)
_LOG_SPREADS = np.linspace(-2.4, 2.4, 7)  # log variance of a step against the common
_NEGLIGIBLE_SHARE = 2e-3  # posterior weight below which it adds nothing to a summary
_NEGLIGIBLE = 10.0  # log weight below the best at which a noise candidate is dropped


@dataclass(frozen=True, slots=True)
class FusedSteps:
    """Gains fused under every noise candidate ``g``, spread ``l`` and step ``t``."""

    centre: FloatArray  # (g, t) precision-weighted gain
    variance: FloatArray  # (l, g, t) of it
    log_base: FloatArray  # (l, g, t) density of the disagreement, and weight of l
    public_var: FloatArray  # (l, g, t)
    cv_var: FloatArray  # (l, g, t)
    log_prior: FloatArray  # (g,)
    kept: BoolArray  # which candidates of the noise these are
    unit: FloatArray  # (l, g, t) of the widths of true changes

    @classmethod
    def fuse(
        cls,
        public: FloatArray,
        cv: FloatArray,
        apart: FloatArray,
        noise: NoiseGrid,
        seen: BoolArray,
    ) -> FusedSteps:
        """Return the evidence of the steps that were seen."""
        keep = _plausible(apart, noise, seen)
        public_var = np.where(np.isnan(public), np.inf, noise.public_var[keep][:, seen])
        cv_var = np.where(np.isnan(cv), np.inf, noise.cv_var[keep][:, seen])
        precision = 1 / public_var + 1 / cv_var
        centre = (
            np.nan_to_num(public) / public_var + np.nan_to_num(cv) / cv_var
        ) / precision
        spread = noise.spread[keep]
        uses = _LOG_SPREADS if spread.any() else np.zeros(1)
        log_weight = -0.5 * np.square(uses[:, np.newaxis] / np.maximum(spread, 1e-9))
        log_weight -= logsumexp(log_weight, axis=0)
        scale = np.exp(uses)[:, np.newaxis, np.newaxis]
        public_var, cv_var = scale * public_var, scale * cv_var
        both = np.isfinite(apart) & np.isfinite(public_var + cv_var)
        total = np.where(both, public_var + cv_var, 1.0)
        log_density = -0.5 * (
            _LOG_2PI + np.log(total) + np.nan_to_num(apart) ** 2 / total
        )
        variance = scale / precision
        typical = np.median(np.sqrt(1 / precision), axis=1)  # (g,)
        common = float(np.exp(np.log(typical).mean()))
        return cls(
            unit=common * np.sqrt(variance) / typical[:, np.newaxis],
            centre=centre,
            variance=variance,
            log_base=np.where(both, log_density, 0.0) + log_weight[:, :, np.newaxis],
            public_var=public_var,
            cv_var=cv_var,
            log_prior=noise.log_prior[keep],
            kept=keep,
        )

    def moved(self, shift: FloatArray) -> FusedSteps:
        """Return the evidence with its fused gains moved."""
        return replace(self, centre=self.centre + shift)


@dataclass(frozen=True, slots=True)
class Weighed:
    """Posterior weights of components (c, l, g, t) and noise candidates (g,)."""

    shares: FloatArray
    null_share: float
    noise: FloatArray


@dataclass(frozen=True, slots=True)
class Components:
    """Every component of the prior of a true gain, updated by every step.

    Axis ``c`` runs over null widths, then gains and losses of every width.
    """

    sign: FloatArray  # (c,) 0 null, 1 gain, -1 loss
    mean: FloatArray  # (c, l, g, t) of the uncut posterior
    sd: FloatArray
    log_density: FloatArray

    @classmethod
    def at(cls, evidence: FusedSteps) -> Components:
        """Return the components for this evidence."""
        variance = evidence.variance
        n_null, n_gain = len(_NULL_WIDTHS), len(_GAIN_WIDTHS)
        width = np.concatenate([_NULL_WIDTHS, _GAIN_WIDTHS, _GAIN_WIDTHS])
        sign = np.repeat([0.0, 1.0, -1.0], [n_null, n_gain, n_gain])
        width = width[:, np.newaxis, np.newaxis, np.newaxis]
        prior_var = np.square(width * evidence.unit)
        total = variance + prior_var
        shrink = prior_var / total
        mean = shrink * evidence.centre
        sd = np.sqrt(shrink * variance)
        log_density = -0.5 * (_LOG_2PI + np.log(total) + evidence.centre**2 / total)
        cut = sign[:, np.newaxis, np.newaxis, np.newaxis]
        log_half = np.log(2) + log_ndtr(cut * mean / sd)
        log_density = log_density + evidence.log_base + np.where(cut == 0, 0, log_half)
        return cls(sign=sign, mean=mean, sd=sd, log_density=log_density)

    def weigh(self, evidence: FusedSteps) -> Weighed:
        """Return how much every component and every hyperparameter is believed."""
        peak = self.log_density.max(axis=(0, 1))  # (g, t)
        density = np.exp(self.log_density - peak)
        by_component = density.sum(axis=1)  # (c, g, t)
        n_null, n_gain = len(_NULL_WIDTHS), len(_GAIN_WIDTHS)
        null = by_component[:n_null]
        up = np.einsum("jk,kgt->jgt", _WIDTH_MIX, by_component[n_null:-n_gain])
        down = np.einsum("jk,kgt->jgt", _WIDTH_MIX, by_component[-n_gain:])
        w = _NULL_SHARES[:, np.newaxis, np.newaxis, np.newaxis, np.newaxis, np.newaxis]
        u = _UP_SHARES[:, np.newaxis, np.newaxis, np.newaxis, np.newaxis]
        active = u * up + (1 - u) * down  # (u, 1, c, g, t)
        mixed = w * null[:, np.newaxis] + (1 - w) * active  # (w, u, null, gain, g, t)
        mixed = np.maximum(mixed, 1e-300)
        log_w = 0.5 * np.log(_NULL_SHARES * (1 - _NULL_SHARES)) + np.log(
            np.gradient(_NULL_SHARES)
        )
        log_posterior = np.log(mixed).sum(axis=-1) + peak.sum(axis=-1)
        log_posterior += evidence.log_prior
        log_posterior += log_w[:, np.newaxis, np.newaxis, np.newaxis, np.newaxis]
        hyper = np.exp(log_posterior - log_posterior.max())
        hyper /= hyper.sum()
        ratio = hyper[..., np.newaxis] / mixed
        null_part = np.einsum("wunjgt,w->ngt", ratio, _NULL_SHARES)
        up_part = np.einsum("wunjgt,w,u->jgt", ratio, 1 - _NULL_SHARES, _UP_SHARES)
        up_part = np.einsum("jk,jgt->kgt", _WIDTH_MIX, up_part)
        down_part = np.einsum(
            "wunjgt,w,u->jgt", ratio, 1 - _NULL_SHARES, 1 - _UP_SHARES
        )
        down_part = np.einsum("jk,jgt->kgt", _WIDTH_MIX, down_part)
        factor = np.concatenate([null_part, up_part, down_part])
        shares = factor[:, np.newaxis] * density
        shares /= shares.sum(axis=(0, 1, 2))
        return Weighed(
            shares=shares,
            null_share=float(hyper.sum(axis=(1, 2, 3, 4)) @ _NULL_SHARES),
            noise=hyper.sum(axis=(0, 1, 2, 3)),
        )

    def worth(self, shares: FloatArray) -> tuple[Components, FloatArray]:
        """Return what is left without the noise candidates that hardly count."""
        keep = shares.sum(axis=(0, 1, 3)) > _NEGLIGIBLE_SHARE * shares.shape[-1]
        left = shares[:, :, keep]
        some = replace(
            self,
            mean=self.mean[:, :, keep],
            sd=self.sd[:, :, keep],
            log_density=self.log_density[:, :, keep],
        )
        return some, left / left.sum(axis=(0, 1, 2))

    def moments(self, shares: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return mean and standard deviation of every true gain."""
        first, second = _cut_moments(self.mean, self.sd, self._cut)
        total = (shares * first).sum(axis=(0, 1, 2))
        square = (shares * second).sum(axis=(0, 1, 2))
        return total, np.sqrt(np.maximum(square - total**2, 0.0))

    def tails(
        self, shares: FloatArray, rope: float, confidence_level: float
    ) -> dict[str, FloatArray]:
        """Return tail probabilities and the interval of every step."""
        mean, sd, cut = self.mean, self.sd, self._cut
        above = (shares * _cut_above(rope, mean, sd, cut)).sum(axis=(0, 1, 2))
        below = (shares * (1 - _cut_above(-rope, mean, sd, cut))).sum(axis=(0, 1, 2))
        low, high = _quantiles(
            shares, mean, sd, self.sign[:, np.newaxis], confidence_level
        )
        return {
            "ci_low": low,
            "ci_high": high,
            "p_gain": np.clip(above, 0, 1),
            "p_null": np.clip(1 - above - below, 0, 1),
            "p_loss": np.clip(below, 0, 1),
        }

    @property
    def _cut(self) -> FloatArray:
        return self.sign[:, np.newaxis, np.newaxis, np.newaxis]


def _plausible(
    disagreement: FloatArray, noise: NoiseGrid, seen: BoolArray
) -> BoolArray:
    """Return the noise candidates that the disagreements do not rule out.

    Under a spread the disagreements are taken for Student t with 3 degrees of freedom.
    """
    if len(noise.log_prior) == 1:
        return np.ones(1, dtype=bool)
    total = (noise.public_var + noise.cv_var)[:, seen]
    both = np.isfinite(disagreement)
    ratio = np.square(disagreement[both]) / total[:, both]
    like = np.where(noise.spread[:, np.newaxis] > 0, 4 * np.log1p(ratio / 3), ratio)
    fit = -0.5 * (np.log(total[:, both]) + like).sum(axis=1)
    fit += noise.log_prior
    return np.asarray(fit > fit.max() - _NEGLIGIBLE)


def _cut_moments(
    mean: FloatArray, sd: FloatArray, cut: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return first and second moments of a normal cut at zero on the side ``cut``."""
    z = cut * mean / sd
    log_hazard = -0.5 * (z**2 + _LOG_2PI) - log_ndtr(z)
    # Far out the logarithm is lost to rounding, but the hazard stays by its bounds.
    least = np.maximum(-z, 0.0)
    hazard = np.clip(np.exp(np.minimum(log_hazard, 700.0)), least, least + 0.8)
    hazard = np.where(cut == 0, 0.0, hazard)
    first = mean + cut * sd * hazard
    return first, mean * first + sd**2


def _cut_above(
    threshold: float | FloatArray, mean: FloatArray, sd: FloatArray, cut: FloatArray
) -> FloatArray:
    """Return P(x > threshold) of a normal cut at zero on the side ``cut``."""
    beyond = np.where(cut == 0, threshold, cut * np.maximum(cut * threshold, 0.0))
    z = np.where(cut == 0, 1.0, cut) * (mean - beyond) / sd
    inside = np.where(cut == 0, 0.0, log_ndtr(cut * mean / sd))
    tail = np.exp(np.minimum(log_ndtr(z) - inside, 0.0))
    return np.asarray(np.where(cut < 0, 1 - tail, tail))


def _quantiles(
    shares: FloatArray,
    mean: FloatArray,
    sd: FloatArray,
    cut: FloatArray,
    confidence_level: float,
) -> tuple[FloatArray, FloatArray]:
    """Return both ends of the interval, by bisection on one normal per component."""
    weight = shares.sum(axis=(1, 2))  # (c, t)
    safe = np.maximum(weight, 1e-300)
    square = (shares * (sd**2 + mean**2)).sum(axis=(1, 2)) / safe
    mean = (shares * mean).sum(axis=(1, 2)) / safe
    sd = np.sqrt(np.maximum(square - mean**2, 1e-300))
    tail = (1 - confidence_level) / 2
    ends = []
    for target in (1 - tail, tail):
        low, high = (mean - 9 * sd).min(axis=0), (mean + 9 * sd).max(axis=0)
        for _ in range(36):
            middle = (low + high) / 2
            above = (weight * _cut_above(middle, mean, sd, cut)).sum(axis=0)
            low = np.where(above > target, middle, low)
            high = np.where(above > target, high, middle)
        ends.append((low + high) / 2)
    return ends[0], ends[1]
