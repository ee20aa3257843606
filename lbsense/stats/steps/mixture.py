"""The likelihood of gains under every noise, scale and width of true steps.

Under noise ``s`` and a half-normal part of width ``t`` a fused gain ``d`` has density
``2 N(d; 0, v + t**2) Phi(+-m / sd)`` with ``B = t**2 / (v + t**2)``, ``m = B d``, ``sd
= sqrt(B v)``, and the true step the posterior ``N(m, sd**2)`` cut at zero.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from scipy.special import erfcx, ndtr

from lbsense._typing import BoolArray, FloatArray, IntArray
from lbsense.stats.steps.sources import Candidates

#: Share of a step's noise that a submission draws anew and hands to its children's
#: steps, from the covariances of semi-real competitions (median .2 over them).
FRESH = 0.2
_NIL = 1e-12  # weight of a part that no end of an interval feels


def _hazard(z: FloatArray) -> FloatArray:
    """Return how many standard deviations the mean of a normal rises by a cut at 0.

    ``z`` is its mean in standard deviations: ``phi(z) / Phi(z)``.
    """
    return np.asarray(np.sqrt(2 / np.pi) / erfcx(-z / np.sqrt(2)))


@dataclass(frozen=True, slots=True, eq=False)
class Luck:
    """What the other steps say of the shared luck in each: one row a latent of it.

    The first is that of the fused gain, the others those of the contrasts.
    """

    mean: FloatArray  # (latents, n)
    variance: FloatArray

    @property
    def share(self) -> FloatArray:
        """Noise variance of every step that is left, in units of ``s**2``."""
        return 1 - 2 * FRESH + FRESH * self.variance

    def of(self, steps: IntArray) -> Luck:
        """Return that of some steps."""
        return Luck(self.mean[:, steps], self.variance[:, steps])


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """Likelihoods of ``n`` steps: noise ``s``, candidate ``g``, part ``c``.

    Parts are widths upwards, then the same downwards.
    """

    scale: FloatArray  # (s, g, n) standard error of the fused gain
    contrast_scale: tuple[FloatArray, ...]
    likelihood: FloatArray  # (s, g, c, n) up to a factor per step
    centre: FloatArray  # (s, g, t, n) of the uncut posterior
    sd: FloatArray  # (s, g, t, n)
    up: FloatArray  # (s, g, t, n) its part above zero

    @classmethod
    def of(
        cls, found: Candidates, luck: Luck, noise: FloatArray, width: FloatArray
    ) -> Cells:
        """Return the cells of steps.

        Parameters
        ----------
        found : Candidates
            Gains under every scale and ratio.
        luck : Luck
            What is known of the luck in them.
        noise : ndarray of shape (n_noise,)
            Standard errors of the public difference.
        width : ndarray of shape (n_noise, n_widths)
            Widths of true steps under each.
        """
        share, root = luck.share, np.sqrt(FRESH)
        sized = noise[:, np.newaxis, np.newaxis]
        scale = sized * np.sqrt(found.fused_ratio)
        shown = found.fused - scale * (root * luck.mean[0])
        noise_sd = scale * np.sqrt(share[0])
        log_base = np.broadcast_to(found.log_jacobian, scale.shape).copy()
        scales = []
        for j, contrast in enumerate(found.contrasts, 1):
            own = sized * np.sqrt(contrast.ratio)
            left = np.square(own) * share[j]
            value = contrast.value - own * (root * luck.mean[j])
            fit = -0.5 * (np.square(value) / left + np.log(left))
            log_base += np.where(contrast.seen, fit, 0.0)
            scales.append(own)
        n_widths = width.shape[1]
        wide = width[:, np.newaxis, :, np.newaxis]
        # Along the parts in place: these arrays are what the time goes into.
        sure = np.square(noise_sd)[:, :, np.newaxis] + np.square(wide)
        np.sqrt(sure, out=sure)
        np.divide(1.0, sure, out=sure)
        fit = sure * shown[:, :, np.newaxis]
        np.square(fit, out=fit)
        fit *= -0.5
        fit += log_base[:, :, np.newaxis]
        fit -= fit.max(axis=(0, 1, 2))
        np.exp(fit, out=fit)
        fit *= sure
        root_keep = np.multiply(sure, wide, out=sure)
        centre = np.square(root_keep)
        centre *= shown[:, :, np.newaxis]
        up = root_keep * (shown / noise_sd)[:, :, np.newaxis]
        ndtr(up, out=up)
        sd = root_keep
        sd *= noise_sd[:, :, np.newaxis]
        both = np.empty((*scale.shape[:2], 2 * n_widths, scale.shape[2]))
        np.multiply(fit, up, out=both[:, :, :n_widths])
        np.subtract(fit, both[:, :, :n_widths], out=both[:, :, n_widths:])
        return cls(scale, tuple(scales), both, centre, sd, up)

    def at(self, kept: BoolArray) -> Cells:
        """Return those of some of the candidates."""
        return Cells(
            self.scale[:, kept],
            tuple(own[:, kept] for own in self.contrast_scale),
            *(
                np.ascontiguousarray(values[:, kept])
                for values in (self.likelihood, self.centre, self.sd, self.up)
            ),
        )

    def luck_moments(
        self, weight: FloatArray, found: Candidates
    ) -> tuple[FloatArray, FloatArray]:
        """Return mean and variance of the standardised noise of every step and latent.

        Where a contrast is not seen its variance is infinite.
        """
        n_widths = self.centre.shape[2]
        above, below = weight[:, :, :n_widths], weight[:, :, n_widths:]
        whole = above + below
        # A part is as likely as the share of its normal beyond the cut, which so
        # leaves the hazard of the cut: what is lost where no share is left is nil.
        cut = self.centre / self.sd
        np.square(cut, out=cut)
        cut *= -0.5
        np.exp(cut, out=cut)
        cut *= self.sd / np.sqrt(2 * np.pi)
        up = np.maximum(self.up, 1e-300)
        cut *= above / up - below / np.maximum(1 - self.up, 1e-300)
        first = whole * self.centre
        first += cut
        second = self.centre * first
        whole *= np.square(self.sd)
        second += whole
        by_candidate = weight.sum(axis=2)
        first, second = first.sum(axis=2), second.sum(axis=2)
        fused = found.fused
        mean = ((by_candidate * fused - first) / self.scale).sum(axis=(0, 1))
        square = by_candidate * np.square(fused) - 2 * fused * first + second
        square /= np.square(self.scale)
        means = [mean]
        variances = [square.sum(axis=(0, 1)) - mean**2]
        for own, contrast in zip(self.contrast_scale, found.contrasts, strict=True):
            shown = contrast.value / own
            mean = (by_candidate * shown).sum(axis=(0, 1))
            spread = (by_candidate * np.square(shown)).sum(axis=(0, 1)) - mean**2
            means.append(np.where(contrast.seen, mean, 0.0))
            variances.append(np.where(contrast.seen, spread, np.inf))
        return np.array(means), np.maximum(np.array(variances), 1e-9)


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """The parts of the posterior of every step: normals cut at zero."""

    weight: FloatArray  # (p, n), columns sum to 1
    mean: FloatArray
    sd: FloatArray
    sign: FloatArray  # 1 above zero, -1 below
    inside: FloatArray  # share of the uncut normal on that side

    @classmethod
    def of(cls, cells: Cells, weight: FloatArray, *, n_noises: int) -> Parts:
        """Return the parts of every step, noises and candidates that are alike as one.

        Each of ``n_noises`` runs of the grid of noise keeps one normal a part, with
        the weight, mean and variance of what it stands for.
        """
        n_noise, _, n_parts, _ = weight.shape
        n_widths = n_parts // 2
        bounds = np.linspace(0, n_noise, min(n_noises, n_noise) + 1).astype(np.int64)
        first, square = cells.centre, np.square(cells.sd) + np.square(cells.centre)
        shares, means, sds = [], [], []
        for start, stop in pairwise(bounds.tolist()):
            for side in (slice(0, n_widths), slice(n_widths, n_parts)):
                share = weight[start:stop, :, side]
                total = np.maximum(share.sum(axis=(0, 1)), 1e-300)
                mean = (share * first[start:stop]).sum(axis=(0, 1)) / total
                spread = (share * square[start:stop]).sum(axis=(0, 1)) / total
                shares.append(total)
                means.append(mean)
                sds.append(np.sqrt(np.maximum(spread - np.square(mean), 1e-300)))
        sign = np.repeat([1.0, -1.0] * (len(bounds) - 1), n_widths)[:, np.newaxis]
        mean, sd = np.concatenate(means), np.concatenate(sds)
        share = np.concatenate(shares)
        return cls(
            share / share.sum(axis=0),
            mean,
            sd,
            np.broadcast_to(sign, mean.shape),
            np.maximum(ndtr(sign * mean / sd), 1e-300),
        )

    def scaled(self, unit: FloatArray) -> Parts:
        """Return the parts of steps in other units."""
        return replace(self, mean=self.mean * unit, sd=self.sd * unit)

    @staticmethod
    def join(parts: list[Parts]) -> Parts:
        """Return the parts of all steps."""
        return Parts(
            *(
                np.concatenate([getattr(item, name) for item in parts], axis=1)
                for name in ("weight", "mean", "sd", "sign", "inside")
            )
        )

    def above(self, threshold: FloatArray | float) -> FloatArray:
        """Return P(true step > threshold) of every step."""
        beyond = self.sign * np.maximum(self.sign * threshold, 0.0)
        tail = ndtr(self.sign * (self.mean - beyond) / self.sd) / self.inside
        tail = np.minimum(tail, 1.0)
        return np.asarray(
            (self.weight * np.where(self.sign < 0, 1 - tail, tail)).sum(axis=0)
        )

    def moments(self) -> tuple[FloatArray, FloatArray]:
        """Return mean and standard deviation of every true step."""
        hazard = _hazard(self.sign * self.mean / self.sd)
        first = self.mean + self.sign * self.sd * hazard
        second = self.mean * first + np.square(self.sd)
        mean = (self.weight * first).sum(axis=0)
        variance = (self.weight * second).sum(axis=0) - np.square(mean)
        return mean, np.sqrt(np.maximum(variance, 0.0))

    def interval(
        self, confidence_level: float, *, stretch: float
    ) -> tuple[FloatArray, FloatArray]:
        """Return the equal-tailed interval, each end ``stretch`` times as far.

        An end that lies beyond zero stays on its side.
        """
        ends = [
            self._quantile(1 - level)
            for level in (0.5, (1 + confidence_level) / 2, (1 - confidence_level) / 2)
        ]
        median, upper, lower = ends
        low, high = (median + stretch * (end - median) for end in (lower, upper))
        # A sign that is known is not taken back.
        low = np.where(lower > 0, np.maximum(low, 0.0), low)
        return low, np.where(upper < 0, np.minimum(high, 0.0), high)

    def _quantile(self, beyond: float) -> FloatArray:
        """Return what every true step is above with that probability, by bisection.

        Only parts on its side of zero tell where it is.
        """
        up = self.sign > 0
        upward = np.where(up, self.weight, 0.0).sum(axis=0) > beyond
        weight = np.where(up == upward, self.weight, 0.0)
        found = np.empty(len(upward))
        for side in (True, False):
            steps = np.flatnonzero(upward == side)
            if not steps.size:
                continue
            left = beyond if side else 1 - beyond
            told = np.flatnonzero(weight[:, steps].max(axis=1) > _NIL)
            at = np.ix_(told, steps)
            sd, mean = self.sd[at], self.sign[at] * self.mean[at]
            share, near, sure = weight[at] / self.inside[at], mean / sd, 1 / sd
            low, high = np.zeros(steps.size), np.abs(mean).max(axis=0)
            high += 9 * sd.max(axis=0)
            for _ in range(36):
                middle = (low + high) / 2
                tail = ndtr(near - sure * middle)
                more = np.einsum("pn,pn->n", share, tail) > left
                low = np.where(more, middle, low)
                high = np.where(more, high, middle)
            found[steps] = (low + high) / 2 if side else -(low + high) / 2
        return found
