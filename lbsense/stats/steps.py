"""Was a step real? The posterior of every true gain, learned from the whole history.

A step is known through its public gain and, with luck, its CV gain. Both measure one
true gain with independent noise. How large true gains and noise are is learned from all
steps at once, and what cannot be learned is integrated over, not plugged in.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from lbsense._result import Result
from lbsense._typing import ArrayLike, BoolArray, FloatArray
from lbsense._validation import as_float_vector, check_fraction, check_same_length
from lbsense.stats._step_model import Components, FusedSteps, Weighed
from lbsense.stats.noise_grid import NoiseGrid

__all__ = ["StepEvidence", "StepPosteriorResult", "bayes_fdr_list", "step_posterior"]

_NEGLIGIBLE_NOISE = 0.005  # weight below which a noise candidate is not looked at again


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StepPosteriorResult(Result):
    """Posterior of the true gain of every step.

    Attributes
    ----------
    gain : ndarray of shape (n_steps,)
        Posterior mean of the true gain, nan where a step has no evidence.
    gain_se : ndarray of shape (n_steps,)
        Posterior standard deviation of it.
    ci_low, ci_high : ndarray of shape (n_steps,)
        Equal-tailed credible interval at ``confidence_level``.
    p_gain, p_null, p_loss : ndarray of shape (n_steps,)
        Probability that the true gain is above ``rope``, within it, below ``-rope``.
    public_se, cv_se : ndarray of shape (n_steps,)
        Root of the posterior mean of the noise variance of either difference.
    null_share : float
        Posterior mean share of steps that changed next to nothing.
    rope : float
        Half-width of the region of practical equivalence: no change worth naming.
    confidence_level : float
        Of the interval.
    n_obs : int
        Steps with a public gain or a CV gain.
    n_paired : int
        Steps with both.
    """

    gain: FloatArray
    gain_se: FloatArray
    ci_low: FloatArray
    ci_high: FloatArray
    p_gain: FloatArray
    p_null: FloatArray
    p_loss: FloatArray
    public_se: FloatArray
    cv_se: FloatArray
    null_share: float
    rope: float
    confidence_level: float
    n_obs: int
    n_paired: int


def step_posterior(
    public_gain: ArrayLike,
    cv_gain: ArrayLike,
    noise: NoiseGrid,
    *,
    disagreement: ArrayLike | None = None,
    rope: float | None = None,
    confidence_level: float = 0.95,
) -> StepPosteriorResult:
    """Return the posterior of the true gain of every step of one history.

    Parameters
    ----------
    public_gain, cv_gain : array_like of shape (n_steps,)
        Differences to the reference, larger is better, nan where missing.
    noise : NoiseGrid
        What is known of the noise of these differences.
    disagreement : array_like of shape (n_steps,), optional
        What weighs the noise candidates: by default public minus CV gain, better what
        `reference_luck` makes of it.
    rope : float, optional
        Half-width of the region of practical equivalence, in score units. By default a
        quarter of the median public standard error.
    confidence_level : float
        Of the credible interval, in (0, 1).

    Returns
    -------
    StepPosteriorResult

    Notes
    -----
    With noise variances ``a`` and ``b``, the pair of gains is equivalent to their
    precision-weighted mean, of variance ``s2 = 1 / (1/a + 1/b)``, and their difference,
    of variance ``a + b``, which holds no true gain and so weighs the noise candidates.
    A true gain is next to nothing, ``N(0, t0**2)``, with probability ``w``; else it is
    half-normal of width ``t``, upwards with probability ``u``. The four hyperparameters
    and the noise are integrated over a grid. With ``B = t**2 / (s2 + t**2)`` a
    half-normal component has the posterior ``N(B * d, B * s2)`` cut at zero.

    It fails where public and CV noise share a cause, such as a leak into both.

    References
    ----------
    Efron, B. (2010). Large-Scale Inference. Cambridge University Press, chapters 1, 5.
    doi:10.1017/CBO9780511761362

    Examples
    --------
    >>> import numpy as np
    >>> from lbsense.stats import fixed_noise, step_posterior
    >>> gains = np.array([0.030, 0.001, -0.002, 0.002])
    >>> noise = fixed_noise(np.full(4, 0.003), np.full(4, 0.003))
    >>> result = step_posterior(gains, gains, noise)
    >>> bool(result.p_gain[0] > 0.95), bool(result.p_gain[1] < 0.5)
    (True, True)
    """
    check_fraction(confidence_level, name="confidence_level")
    evidence = StepEvidence.of(public_gain, cv_gain, noise, disagreement)
    return evidence.posterior(rope=rope, confidence_level=confidence_level)


@dataclass(frozen=True, slots=True, eq=False)
class StepEvidence:
    """The gains of a history and what is known of their noise, checked.

    What `step_posterior` does in one call, for those who update more than once.
    """

    public: FloatArray
    cv: FloatArray
    apart: FloatArray
    noise: NoiseGrid

    @classmethod
    def of(
        cls,
        public_gain: ArrayLike,
        cv_gain: ArrayLike,
        noise: NoiseGrid,
        disagreement: ArrayLike | None = None,
    ) -> StepEvidence:
        """Return the evidence of these gains, as `step_posterior` takes them."""
        public = as_float_vector(public_gain, name="public_gain")
        cv = as_float_vector(cv_gain, name="cv_gain")
        apart = (
            public - cv
            if disagreement is None
            else as_float_vector(disagreement, name="disagreement")
        )
        check_same_length(public_gain=public, cv_gain=cv, disagreement=apart)
        return cls(public, cv, apart, noise)

    @property
    def seen(self) -> BoolArray:
        """Where a step has a gain at all."""
        return np.asarray(np.isfinite(self.public) | np.isfinite(self.cv))

    def update(
        self, shift: FloatArray | None = None
    ) -> tuple[StepMoments, StepEvidence]:
        """Return moments of every true gain, and the evidence left to look at again.

        Parameters
        ----------
        shift : ndarray of shape (n_steps,), optional
            How far the rest of the history moves the fused gain of every step.
        """
        fused, model, weighed = self._weigh(shift)
        gain, gain_se = Components.moments(*model.worth(weighed.shares))
        weights = weighed.shares.sum(axis=0)
        moments = StepMoments(
            gain=self._spread_out(gain),
            gain_se=self._spread_out(gain_se),
            public_se=self._se(fused.public_var, weights, self.public),
            cv_se=self._se(fused.cv_var, weights, self.cv),
        )
        kept = np.flatnonzero(fused.kept)[weighed.noise > _NEGLIGIBLE_NOISE]
        return moments, replace(self, noise=self.noise.at(kept))

    def posterior(
        self,
        shift: FloatArray | None = None,
        *,
        rope: float | None,
        confidence_level: float,
    ) -> StepPosteriorResult:
        """Return everything that is known of every true gain."""
        if not self.seen.any():
            return _nothing(len(self.public), confidence_level)
        fused, model, weighed = self._weigh(shift)
        weights = weighed.shares.sum(axis=0)
        public_se = self._se(fused.public_var, weights, self.public)
        cv_se = self._se(fused.cv_var, weights, self.cv)
        if rope is None:
            known = public_se[np.isfinite(public_se)]
            known = known if known.size else cv_se[np.isfinite(cv_se)]
            rope = 0.25 * float(np.median(known))
        some, shares = model.worth(weighed.shares)
        gain, gain_se = some.moments(shares)
        summary = some.tails(shares, rope, confidence_level)
        summary |= {"gain": gain, "gain_se": gain_se}
        return StepPosteriorResult(
            **{name: self._spread_out(values) for name, values in summary.items()},
            public_se=public_se,
            cv_se=cv_se,
            null_share=weighed.null_share,
            rope=rope,
            confidence_level=confidence_level,
            n_obs=int(self.seen.sum()),
            n_paired=int((np.isfinite(self.public) & np.isfinite(self.cv)).sum()),
        )

    def _weigh(
        self, shift: FloatArray | None
    ) -> tuple[FusedSteps, Components, Weighed]:
        seen = self.seen
        gains = self.public[seen], self.cv[seen], self.apart[seen]
        fused = FusedSteps.fuse(*gains, self.noise, seen)
        if shift is not None:
            fused = fused.moved(shift[seen])
        model = Components.at(fused)
        return fused, model, model.weigh(fused)

    def _se(
        self, variance: FloatArray, weights: FloatArray, gain: FloatArray
    ) -> FloatArray:
        """Return the root of the mean noise variance of every difference."""
        with np.errstate(invalid="ignore"):
            typical = self._spread_out(np.sqrt((weights * variance).sum(axis=(0, 1))))
        return np.where(np.isfinite(gain), typical, np.nan)

    def _spread_out(self, values: FloatArray) -> FloatArray:
        full = np.full(len(self.public), np.nan)
        full[self.seen] = values
        return full


@dataclass(frozen=True, slots=True, eq=False)
class StepMoments:
    """Mean and standard deviation of every true gain, and the noise behind them."""

    gain: FloatArray
    gain_se: FloatArray
    public_se: FloatArray
    cv_se: FloatArray


def bayes_fdr_list(
    probability: ArrayLike, *, fdr: float = 0.1, at_least: float = 0.8
) -> BoolArray:
    """Return the claims that can be made together at an expected false share ``fdr``.

    Parameters
    ----------
    probability : array_like of shape (n,)
        Posterior probability of every claim; nan is never claimed.
    fdr : float
        Largest expected share of false claims among those made.
    at_least : float
        No claim is made below this probability, however sure the others are.

    Returns
    -------
    ndarray of bool, shape (n,)

    Notes
    -----
    Claims are taken in the order of their probability while the running mean of one
    minus the probability stays within ``fdr`` (Newton et al. 2004).

    References
    ----------
    Newton, M. A., Noueiry, A., Sarkar, D., Ahlquist, P. (2004). Detecting differential
    gene expression with a semiparametric hierarchical mixture method. Biostatistics
    5(2), 155-176. doi:10.1093/biostatistics/5.2.155

    Examples
    --------
    >>> bayes_fdr_list([0.99, 0.6, 0.95, float("nan")]).tolist()
    [True, False, True, False]
    """
    values = as_float_vector(probability, name="probability")
    check_fraction(fdr, name="fdr")
    order = np.argsort(-values)
    running = np.cumsum(1 - values[order]) / np.arange(1, len(values) + 1)
    claimed = np.zeros(len(values), dtype=bool)
    claimed[order] = running <= fdr  # the running mean only grows; nan compares false
    return np.asarray(claimed & (values >= at_least))


def _nothing(n_steps: int, confidence_level: float) -> StepPosteriorResult:
    nan = np.full(n_steps, np.nan)
    names = ("gain", "gain_se", "ci_low", "ci_high", "p_gain", "p_null", "p_loss")
    return StepPosteriorResult(
        **dict.fromkeys(names, nan),
        public_se=nan,
        cv_se=nan,
        null_share=float("nan"),
        rope=float("nan"),
        confidence_level=confidence_level,
        n_obs=0,
        n_paired=0,
    )
