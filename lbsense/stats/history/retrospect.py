"""After the end: where the gap of public and private scores came from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from lbsense._result import Result
from lbsense._typing import ArrayLike, BoolArray, FloatArray
from lbsense._validation import (
    as_float_vector,
    check_positive,
    check_same_length,
)
from lbsense.stats.rows.covariance import quadratic_form, square_matrix

__all__ = [
    "GapSplitResult",
    "gap_split",
    "ordinary_gaps",
]

_FAR = 5.0  # robust standard deviations from which a gap is not one of the others
_TO_SD = 1.4826  # median absolute deviation of a normal, inverted
_TIED = 1e-9  # share of the largest deviation that is rounding
_Z95 = float(ndtri(0.975))


@dataclass(frozen=True, slots=True, kw_only=True)
class GapSplitResult(Result):
    """Public minus private score of one submission, in four parts that add up.

    Larger is better throughout, so that a positive gap is a fall.

    Attributes
    ----------
    position : int
        The submission.
    gap : float
        Public minus private score; the sum of the four parts.
    common_luck : float
        What all private scores lie below their expectation and a random split explains.
    shift : float
        What they lie below it beyond that.
    shift_low, shift_high : float
        95% interval of a shift, without the prejudice that there is none.
    common_se : float
        Standard error of ``common_luck + shift`` under a random split.
    selection : float
        Luck in the public score, its own and what it inherited from the lucky ones that
        it was built on: the winner's curse of choosing by public score.
    selection_se : float
        Its standard error.
    foretold, foretold_se : float
        The same as public and CV scores alone foretold it.
    own_luck : float
        Luck of this submission on the private rows, against it if positive.
    n_obs : int
        Submissions behind the common gap.
    n_left_out : int
        Submissions with a gap so far from the others that they are not among these.
    """

    position: int
    gap: float
    common_luck: float
    shift: float
    shift_low: float
    shift_high: float
    common_se: float
    selection: float
    selection_se: float
    foretold: float
    foretold_se: float
    own_luck: float
    n_obs: int
    n_left_out: int


def ordinary_gaps(public: ArrayLike, private: ArrayLike) -> BoolArray:
    """Return which submissions have a gap like the others.

    Parameters
    ----------
    public, private : array_like of shape (k,)
        Scores, nan where missing.

    Returns
    -------
    ndarray of bool of shape (k,)
        False where a score is missing, and where the gap lies more than five robust
        standard deviations from the median gap, as that of a broken submission does.
    """
    gap = as_float_vector(public, name="public") - as_float_vector(
        private, name="private"
    )
    known = np.isfinite(gap)
    if not known.any():
        return np.asarray(known)
    apart = np.abs(gap - np.median(gap[known]))
    scale = _TO_SD * float(np.median(apart[known]))
    # Where more than half of the gaps are equal the median deviation tells nothing.
    if scale <= _TIED * float(np.max(apart[known])):
        scale = float(np.mean(apart[known]))
    return np.asarray(known & (np.nan_to_num(apart) <= _FAR * scale))


def gap_split(
    public: ArrayLike,
    private: ArrayLike,
    position: int,
    *,
    mean: ArrayLike,
    cov: ArrayLike,
    noise_corr: ArrayLike,
    score_public_var: float,
    fresh: float = 1.0,
    seen: float = 0.0,
) -> GapSplitResult:
    """Return the gap of one submission, split into luck, shift and selection.

    Parameters
    ----------
    public, private : array_like of shape (k,)
        Scores, larger is better, nan where missing.
    position : int
        The submission, one with both scores.
    mean, cov : array_like of shape (k,), (k, k)
        Posterior of the true scores from public and CV scores (`level_posterior`).
    noise_corr : array_like of shape (k, k)
        Correlation of the noise of two scores on one test set.
    score_public_var : float
        Noise variance of one public score.
    fresh, seen : float
        As `lbsense.stats.outlook.private_rows` gives them.

    Returns
    -------
    GapSplitResult

    Raises
    ------
    ValueError
        If shapes disagree, or the submission lacks a score or a known level.

    Notes
    -----
    The gap is ``(public - mean) + (mean - private)``: the luck that public and CV
    scores saw in the public score, and a rest (under nested rules the fresh share of
    both). The mean rest ``c`` over all submissions has the variance ``s**2``, that of
    the level and of private noise, by luck alone. ``shift = c * max(0, 1 - s**2 /
    c**2)`` (James and Stein 1961, positive part) and what is left of ``c`` is luck: one
    split is one draw, and more cannot be said.

    What the rest of this submission has above ``c`` is error of its posterior, with
    variance ``v``, and luck on the private rows, with variance ``u``; ``v / (v + u)``
    of it is therefore added to the luck of the public score. Where the rests of all
    submissions scatter more than ``v`` and ``u`` allow, ``v`` is scaled up to fit: the
    posterior was too sure of itself.

    References
    ----------
    James, W., Stein, C. (1961). Estimation with quadratic loss. Proceedings of the
    Fourth Berkeley Symposium 1, 361-379.
    Efron, B. (2011). Tweedie's formula and selection bias. Journal of the American
    Statistical Association 106(496), 1602-1614. doi:10.1198/jasa.2011.tm11181

    Examples
    --------
    >>> import numpy as np
    >>> split = gap_split(
    ...     [0.80, 0.81, 0.83], [0.79, 0.80, 0.79], 2, mean=[0.80, 0.81, 0.80],
    ...     cov=np.eye(3) * 1e-5, noise_corr=np.eye(3) * 0.1 + 0.9,
    ...     score_public_var=1e-4,
    ... )
    >>> round(split.gap, 6), round(split.selection, 3)
    (0.04, 0.03)
    """
    shown = as_float_vector(public, name="public")
    final = as_float_vector(private, name="private")
    level = as_float_vector(mean, name="mean")
    n_scores = check_same_length(public=shown, private=final, mean=level)
    variance = check_positive(score_public_var, name="score_public_var")
    posterior = square_matrix(cov, n_scores, name="cov")
    corr = square_matrix(noise_corr, n_scores, name="noise_corr")
    field = ordinary_gaps(shown, final) & np.isfinite(level)
    gap = (shown - final) / (1 - seen)
    if not np.isfinite(gap[position] + level[position]):
        msg = f"submission {position} needs a public, a private and a true score."
        raise ValueError(msg)
    if not field.any():
        field[position] = True
    keep = 1 - seen
    share = field / field.sum()
    rest = gap - (shown - level)
    common = float(rest[field].mean())
    fresh_noise = variance / fresh * corr
    common_se = float(np.sqrt(quadratic_form(share, posterior + fresh_noise)))
    left = max(0.0, 1 - (common_se / common) ** 2) if common else 0.0
    contrast = -share
    contrast[position] += 1
    own = float(rest[position] - common)
    foretold = float(shown[position] - level[position])
    known_var = quadratic_form(contrast, posterior)
    known_var *= _dispersion(rest[field], field, posterior, fresh_noise)
    fresh_var = quadratic_form(contrast, fresh_noise)
    total = known_var + fresh_var
    weight = known_var / total if total > 0 else 0.0
    selection = foretold + weight * own
    return GapSplitResult(
        position=int(position),
        gap=keep * float(gap[position]),
        common_luck=keep * common * (1 - left),
        shift=keep * common * left,
        shift_low=keep * (common - _Z95 * common_se),
        shift_high=keep * (common + _Z95 * common_se),
        common_se=keep * common_se,
        selection=keep * selection,
        selection_se=keep * float(np.sqrt(weight * fresh_var)),
        foretold=keep * foretold,
        foretold_se=keep * float(np.sqrt(known_var)),
        own_luck=keep * (1 - weight) * own,
        n_obs=int(field.sum()),
        n_left_out=int(np.isfinite(gap).sum() - field.sum()),
    )


def _dispersion(
    rest: FloatArray, field: BoolArray, posterior: FloatArray, noise: FloatArray
) -> float:
    """Return by how much the errors of the posterior exceed what it says, at least 1.

    By moments: the squared distances from the mean rest, less what private noise makes
    of them, over what the posterior makes of them.
    """
    kept = np.ix_(field, field)
    expected, luck = (_spread(matrix[kept]) for matrix in (posterior, noise))
    if not expected > 0:
        return 1.0
    seen = float(np.square(rest - rest.mean()).sum())
    return max(1.0, (seen - luck) / expected)


def _spread(matrix: FloatArray) -> float:
    """Return the expected sum of squares about the mean."""
    return float(np.trace(matrix) - matrix.mean() * len(matrix))
