"""After the end: whether the bands held, and which steps were real after all."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri

from lbsense._result import Result
from lbsense._typing import ArrayLike, FloatArray
from lbsense._validation import as_float_vector, check_same_length, read_only
from lbsense.stats.rows.covariance import quadratic_form, square_matrix

__all__ = ["BandCoverageResult", "HindsightResult", "band_coverage", "hindsight"]

_Z80, _Z95 = float(ndtri(0.9)), float(ndtri(0.975))


@dataclass(frozen=True, slots=True, kw_only=True)
class BandCoverageResult(Result):
    """How many private scores the bands held that were drawn without them.

    Attributes
    ----------
    n_obs : int
        Submissions with a band and a private score.
    n_in_80, n_in_95 : int
        Those inside either band.
    common_z : float
        Mean distance of private scores from the middle of their bands, in standard
        deviations of that mean: one split moves all scores at once, so that either
        nearly all bands hold or nearly none.
    best_public_z : float
        The same for the best public submission alone; nan without its private score.
    """

    n_obs: int
    n_in_80: int
    n_in_95: int
    common_z: float
    best_public_z: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HindsightResult(Result):
    """The true gain of every step, private scores taken into account.

    Attributes
    ----------
    private_gain, private_gain_se : ndarray of shape (k,)
        Observed private gain and the standard error of its noise.
    gain, gain_se : ndarray of shape (k,)
        Estimated true gain and its standard deviation; nan without a private gain.
    p_gain, p_null, p_loss : ndarray of shape (k,)
        Probability of a true gain, of no change worth naming, and of a true loss.
    """

    private_gain: FloatArray
    private_gain_se: FloatArray
    gain: FloatArray
    gain_se: FloatArray
    p_gain: FloatArray
    p_null: FloatArray
    p_loss: FloatArray


def band_coverage(
    private: ArrayLike,
    *,
    mean: ArrayLike,
    cov: ArrayLike,
    best_public: int,
) -> BandCoverageResult:
    """Return how well expected private scores foretold the true ones.

    Parameters
    ----------
    private : array_like of shape (k,)
        Scores, larger is better, nan where missing.
    mean, cov : array_like of shape (k,), (k, k)
        Expected private scores and their covariance, as `private_outlook` gives them.
    best_public : int
        Position of the best public score, -1 for none.

    Returns
    -------
    BandCoverageResult

    Examples
    --------
    >>> import numpy as np
    >>> found = band_coverage(
    ...     [0.70, 0.75], mean=[0.70, 0.70], cov=np.eye(2) * 1e-4, best_public=1
    ... )
    >>> found.n_in_95, round(found.best_public_z, 1)
    (1, 5.0)
    """
    final = as_float_vector(private, name="private")
    expected = as_float_vector(mean, name="mean")
    n_scores = check_same_length(private=final, mean=expected)
    spread = square_matrix(cov, n_scores, name="cov")
    with np.errstate(divide="ignore", invalid="ignore"):
        z = (final - expected) / np.sqrt(np.diag(spread))
    known = np.isfinite(z)
    common = best = float("nan")
    if known.any():
        share = known / known.sum()
        away = float((final - expected)[known].mean())
        common = away / float(np.sqrt(quadratic_form(share, spread)))
    if best_public >= 0:
        best = float(z[best_public])
    return BandCoverageResult(
        n_obs=int(known.sum()),
        n_in_80=int((np.abs(z[known]) <= _Z80).sum()),
        n_in_95=int((np.abs(z[known]) <= _Z95).sum()),
        common_z=common,
        best_public_z=best,
    )


def hindsight(
    gain: ArrayLike,
    gain_se: ArrayLike,
    private_gain: ArrayLike,
    private_gain_se: ArrayLike,
    *,
    rope: float,
) -> HindsightResult:
    """Return the true gains once the private scores are known.

    Parameters
    ----------
    gain, gain_se : array_like of shape (k,)
        Posterior mean and standard deviation of every true gain from public and CV
        scores (`step_posterior`), nan where a step was not judged.
    private_gain, private_gain_se : array_like of shape (k,)
        Observed private gain and the standard error of its noise.
    rope : float
        Half-width of the region of no change worth naming, 0 or more.

    Returns
    -------
    HindsightResult

    Notes
    -----
    Both are taken for normal: precisions add. The posterior of a step is a mixture with
    heavier tails, so that a private gain far from what was expected is believed
    somewhat less than it deserves.

    Examples
    --------
    >>> found = hindsight([0.0], [0.01], [0.02], [0.01], rope=0.001)
    >>> float(found.gain[0].round(3)), float(found.p_gain[0].round(2))
    (0.01, 0.9)
    """
    before = as_float_vector(gain, name="gain")
    seen = as_float_vector(private_gain, name="private_gain")
    variance = np.square(as_float_vector(gain_se, name="gain_se"))
    noise = np.square(as_float_vector(private_gain_se, name="private_gain_se"))
    check_same_length(
        gain=before, private_gain=seen, gain_se=variance, private_gain_se=noise
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        weight = np.where(variance + noise > 0, variance / (variance + noise), np.nan)
        after = before + weight * (seen - before)
        after_se = np.sqrt(weight * noise)
        p_gain = ndtr((after - rope) / after_se)
        p_loss = ndtr((-rope - after) / after_se)
    return HindsightResult(
        private_gain=read_only(seen),
        private_gain_se=read_only(np.sqrt(noise)),
        gain=read_only(after),
        gain_se=read_only(after_se),
        p_gain=read_only(p_gain),
        p_null=read_only(1 - p_gain - p_loss),
        p_loss=read_only(p_loss),
    )
