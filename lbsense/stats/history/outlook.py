"""Private scores: what to expect of them, and what gaps and bands say in the end."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.polynomial.hermite import hermgauss
from scipy.special import ndtr, ndtri

from lbsense._result import Result
from lbsense._typing import ArrayLike, BoolArray, FloatArray
from lbsense._validation import (
    as_float_vector,
    check_count,
    check_positive,
    check_same_length,
    read_only,
)
from lbsense.stats.history.levels import Chain, Covariance

_Z80, _Z95 = float(ndtri(0.9)), float(ndtri(0.975))
_FAR = 5.0  # robust standard deviations from which a gap is not one of the others
_TO_SD = 1.4826  # median absolute deviation of a normal, inverted
_TIED = 1e-9  # share of the largest deviation that is rounding
_SURE_OF_SHIFT = 0.995  # one-sided: one random split in a hundred claims a shift


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PrivateOutlookResult(Result):
    """Private scores to expect, before they are known.

    Attributes
    ----------
    mean : ndarray of shape (k,)
        Expected private score, larger is better.
    cov : Covariance
        Covariance of the private scores, what is not known of the true ones included:
        ``numpy.asarray`` of it is a matrix of shape (k, k).
    ci80_low, ci80_high, ci95_low, ci95_high : ndarray of shape (k,)
        Bands in which the private score lies with 80% and 95% probability.
    best_public : int
        Position of the best public score; -1 without any.
    deflation : float
        Best public score minus the posterior mean of its true score: the luck in it.
    deflation_se : float
        The same in standard errors of a public score.
    size_ratio : float
        Private over public test rows; 1 where the sizes are not known.
    sizes_known : bool
        Whether it was.
    nested : bool
        Whether the private score covers the public rows too.
    shift_sd : float
        Allowance for a shift that is common to all private scores.
    score_log_sd : float
        What is not known of the noise of a score: standard deviation of the logarithm
        of its standard error. It is in the bands, not in ``cov``.
    """

    mean: FloatArray
    cov: Covariance = field(repr=False)
    ci80_low: FloatArray
    ci80_high: FloatArray
    ci95_low: FloatArray
    ci95_high: FloatArray
    best_public: int
    deflation: float
    deflation_se: float
    size_ratio: float
    sizes_known: bool
    nested: bool
    shift_sd: float
    score_log_sd: float = 0.0


def private_outlook(
    mean: ArrayLike,
    cov: ArrayLike | Covariance,
    *,
    public: ArrayLike,
    score_public_var: float,
    noise_corr: ArrayLike | Covariance | None = None,
    n_public: int | None = None,
    n_private: int | None = None,
    nested: bool = False,
    shift_sd: float = 0.0,
    score_log_sd: float = 0.0,
) -> PrivateOutlookResult:
    """Return expected private scores with bands, and the luck in the best public one.

    Parameters
    ----------
    mean, cov : array_like of shape (k,), (k, k)
        Posterior of the true scores, as `lbsense.stats.level_posterior` gives it, whose
        ``spread`` stands for the matrix; nan where nothing is known.
    public : array_like of shape (k,)
        Public scores, larger is better, nan where missing.
    score_public_var : float
        Noise variance of one public score.
    noise_corr : array_like of shape (k, k), optional
        Correlation of the noise of two scores on one test set; by default submissions
        share all of it, which does for bands and not for picks.
    n_public, n_private : int, optional
        Test rows behind either score; under nested rules ``n_private`` counts all. With
        either unknown the private set is taken to be as large as the public one, and
        nested rules then as one half of it being public.
    nested : bool
        Whether the private score covers the public rows too.
    shift_sd : float
        Standard deviation of a shift common to all private scores: how far the levels
        of public and private rows may lie apart beyond chance, 0 for a random split.
    score_log_sd : float
        Standard deviation of the logarithm of the standard error of a score, where the
        metric leaves it open: it widens the bands.

    Returns
    -------
    PrivateOutlookResult

    Raises
    ------
    ValueError
        If shapes disagree, the variance is not above 0, or sizes are impossible.

    Notes
    -----
    Given the true scores, private scores on ``r`` fresh rows have noise covariance ``C
    = score_public_var * n_public / r * noise_corr``, independent of everything seen. So
    disjoint private scores are ``N(mean, cov + C)``. Nested ones are known in part:
    with ``f = n_public / n_private`` they are ``f * public + (1 - f) * fresh``. A
    submission without public score is then treated as if its rows were all fresh. A
    common shift adds ``shift_sd**2`` to every entry.

    Conditioning on all scores makes the choice of the best one ignorable; no further
    correction for the winner's curse is due (Dawid 1994).

    References
    ----------
    Dawid, A. P. (1994). Selection paradoxes of Bayesian inference. IMS Lecture Notes
    24, 211-220. doi:10.1214/lnms/1215463797

    Examples
    --------
    >>> outlook = private_outlook(
    ...     [0.80], [[3e-5]], public=[0.81], score_public_var=1e-4,
    ...     n_public=1000, n_private=1000, nested=False,
    ... )
    >>> float(outlook.ci95_low[0].round(4)), float(outlook.ci95_high[0].round(4))
    (0.7777, 0.8223)
    """
    centre = as_float_vector(mean, name="mean")
    scores = as_float_vector(public, name="public")
    n_scores = check_same_length(mean=centre, public=scores)
    posterior = Covariance.of(cov, n_scores, name="cov")
    if noise_corr is None:  # all is that of the first one
        noise_corr = Covariance.along(
            Chain.fading(np.arange(n_scores).clip(max=1) - 1, np.ones(n_scores))
        )
    corr = Covariance.of(noise_corr, n_scores, name="noise_corr")
    variance = check_positive(score_public_var, name="score_public_var")
    if not (np.isfinite(shift_sd) and shift_sd >= 0):
        msg = f"shift_sd must be a finite number of at least 0, got {shift_sd!r}."
        raise ValueError(msg)
    sizes_known = n_public is not None and n_private is not None
    fresh, seen = private_rows(n_public, n_private, nested=nested)
    # Under nested rules a share of every private score is the public score itself.
    known = np.where(np.isfinite(scores), seen, 0.0)
    expected = known * np.nan_to_num(scores) + (1 - known) * centre
    keep = 1 - known
    private_noise = corr.times(keep * np.sqrt(variance / fresh))
    spread = posterior.times(keep).plus(private_noise)
    spread = replace(spread, common=float(shift_sd) ** 2)
    sd = np.sqrt(spread.diagonal())
    reach80, reach95 = (open_quantile(p, score_log_sd) for p in (0.9, 0.975))
    best, deflation = _luck_of_best(scores, centre)
    return PrivateOutlookResult(
        mean=read_only(expected),
        cov=spread,
        ci80_low=read_only(expected - reach80 * sd),
        ci80_high=read_only(expected + reach80 * sd),
        ci95_low=read_only(expected - reach95 * sd),
        ci95_high=read_only(expected + reach95 * sd),
        best_public=best,
        deflation=deflation,
        deflation_se=deflation / float(np.sqrt(variance)),
        size_ratio=fresh / (1 - seen),
        sizes_known=sizes_known,
        nested=nested,
        shift_sd=float(shift_sd),
        score_log_sd=float(score_log_sd),
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DifferenceBandsResult(Result):
    """How far private scores will lie from that of one submission.

    Submissions share most of the luck of a split, so that these bands are far narrower
    than those of the scores.

    Attributes
    ----------
    against : int
        The submission that all are compared with.
    mean : ndarray of shape (k,)
        Expected private score minus that of ``against``, larger is better; nan where
        nothing is known.
    ci80_low, ci80_high, ci95_low, ci95_high : ndarray of shape (k,)
        Bands of the difference.
    p_above : ndarray of shape (k,)
        Probability of a private score above that of ``against``; one half for itself.
    """

    against: int
    mean: FloatArray
    ci80_low: FloatArray
    ci80_high: FloatArray
    ci95_low: FloatArray
    ci95_high: FloatArray
    p_above: FloatArray


def difference_bands(
    mean: ArrayLike, cov: ArrayLike | Covariance, against: int
) -> DifferenceBandsResult:
    """Return bands of the differences between private scores and one of them.

    Parameters
    ----------
    mean, cov : array_like of shape (k,), (k, k)
        Expected private scores, larger is better, and their covariance, as
        `private_outlook` gives them.
    against : int
        Position of the submission that all are compared with: one with a known mean.

    Returns
    -------
    DifferenceBandsResult

    Raises
    ------
    ValueError
        If shapes disagree or nothing is known of ``against``.

    Notes
    -----
    The variance of a difference is ``cov_ii + cov_aa - 2 cov_ia``: what is not known of
    the true difference, and ``2 s**2 (1 - r)`` of private luck with the noise
    correlation ``r``. A shift that all share leaves it alone.

    Examples
    --------
    >>> bands = difference_bands([0.80, 0.81], [[4e-4, 3.9e-4], [3.9e-4, 4e-4]], 1)
    >>> float(bands.ci95_low[0].round(4)), float(bands.ci95_high[0].round(4))
    (-0.0188, -0.0012)
    """
    centre = as_float_vector(mean, name="mean")
    spread = Covariance.of(cov, len(centre), name="cov")
    if not (0 <= against < len(centre) and np.isfinite(centre[against])):
        msg = f"against must be a submission with a known mean, got {against}."
        raise ValueError(msg)
    apart = centre - centre[against]
    sd = np.sqrt(spread.apart(np.arange(len(centre)), against))
    with np.errstate(divide="ignore", invalid="ignore"):
        p_above = ndtr(np.where(apart == 0, 0.0, apart / sd))
    return DifferenceBandsResult(
        against=int(against),
        mean=read_only(apart),
        ci80_low=read_only(apart - _Z80 * sd),
        ci80_high=read_only(apart + _Z80 * sd),
        ci95_low=read_only(apart - _Z95 * sd),
        ci95_high=read_only(apart + _Z95 * sd),
        p_above=read_only(np.where(np.isfinite(apart), p_above, np.nan)),
    )


def open_quantile(probability: float, log_sd: float) -> float:
    """Return the quantile of ``exp(log_sd * a) * b`` for normal ``a`` and ``b``.

    That is a normal deviate whose scale is known up to a log-normal factor.

    Examples
    --------
    >>> round(open_quantile(0.975, 0.0), 2), round(open_quantile(0.975, 0.5), 2)
    (1.96, 2.64)
    """
    if log_sd <= 0:
        return float(ndtri(probability))
    nodes, weights = hermgauss(41)
    scale = np.exp(log_sd * np.sqrt(2) * nodes)
    return mixture_quantile(0 * scale, scale, weights / weights.sum(), probability)


def mixture_quantile(
    means: FloatArray, sds: FloatArray, weight: FloatArray, probability: float
) -> float:
    """Return a quantile of a mixture of normals, by halving."""
    used = weight > 1e-12
    means, sds, weight = means[used], sds[used], weight[used]
    low, high = float((means - 40 * sds).min()), float((means + 40 * sds).max())
    for _ in range(200):
        middle = (low + high) / 2
        if weight @ ndtr((middle - means) / sds) < probability:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def private_rows(
    n_public: int | None, n_private: int | None, *, nested: bool
) -> tuple[float, float]:
    """Return fresh rows per public row, and the public share of the private rows.

    Parameters
    ----------
    n_public, n_private : int or None
        Test rows behind either score, None where unknown: the private set is then
        taken to be as large as the public one.
    nested : bool
        Whether the private score covers the public rows too.

    Returns
    -------
    fresh : float
        Private rows that the public score does not cover, per public row.
    seen : float
        Share of the private rows that it covers, in [0, 1).

    Raises
    ------
    ValueError
        If a size is below 1, or private rows that include the public ones are not more.
    """
    if n_public is None or n_private is None:
        return 1.0, 0.5 if nested else 0.0
    check_count(n_public, name="n_public")
    check_count(n_private, name="n_private")
    if not nested:
        return n_private / n_public, 0.0
    if n_private <= n_public:
        msg = (
            f"n_private must be above n_public under nested rules, where it counts the "
            f"public rows too, got {n_private} and {n_public}."
        )
        raise ValueError(msg)
    return (n_private - n_public) / n_public, n_public / n_private


def _luck_of_best(public: FloatArray, mean: FloatArray) -> tuple[int, float]:
    if not np.isfinite(public).any():
        return -1, float("nan")
    best = int(np.nanargmax(public))
    return best, float(public[best] - mean[best])


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
        99% interval of a shift, without the prejudice that there is none; what is not
        known of the noise of a score is in it.
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


def gap_split(
    public: ArrayLike,
    private: ArrayLike,
    position: int,
    *,
    mean: ArrayLike,
    cov: ArrayLike | Covariance,
    noise_corr: ArrayLike | Covariance,
    score_public_var: float,
    fresh: float = 1.0,
    seen: float = 0.0,
    score_log_sd: float = 0.0,
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
        As `private_rows` gives them.
    score_log_sd : float
        Standard deviation of the logarithm of the standard error of a score: it widens
        the interval of a shift.

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
    posterior = Covariance.of(cov, n_scores, name="cov")
    corr = Covariance.of(noise_corr, n_scores, name="noise_corr")
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
    fresh_noise = corr.times(np.full(n_scores, np.sqrt(variance / fresh)))
    common_se = float(np.sqrt(posterior.form(share) + fresh_noise.form(share)))
    left = max(0.0, 1 - (common_se / common) ** 2) if common else 0.0
    contrast = -share
    contrast[position] += 1
    own = float(rest[position] - common)
    foretold = float(shown[position] - level[position])
    known_var = posterior.form(contrast)
    known_var *= _dispersion(rest[field], field, posterior, fresh_noise)
    fresh_var = fresh_noise.form(contrast)
    total = known_var + fresh_var
    weight = known_var / total if total > 0 else 0.0
    selection = foretold + weight * own
    reach = open_quantile(_SURE_OF_SHIFT, score_log_sd)
    return GapSplitResult(
        position=int(position),
        gap=keep * float(gap[position]),
        common_luck=keep * common * (1 - left),
        shift=keep * common * left,
        shift_low=keep * (common - reach * common_se),
        shift_high=keep * (common + reach * common_se),
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
    rest: FloatArray, field: BoolArray, posterior: Covariance, noise: Covariance
) -> float:
    """Return by how much the errors of the posterior exceed what it says, at least 1.

    By moments: the squared distances from the mean rest, less what private noise makes
    of them, over what the posterior makes of them.
    """
    expected, luck = (_squares(spread, field) for spread in (posterior, noise))
    if not expected > 0:
        return 1.0
    seen = float(np.square(rest - rest.mean()).sum())
    return max(1.0, (seen - luck) / expected)


def _squares(spread: Covariance, field: BoolArray) -> float:
    """Return the expected sum of squares of some about their mean."""
    return float(spread.diagonal()[field].sum() - spread.form(field) / field.sum())


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


def band_coverage(
    private: ArrayLike,
    *,
    mean: ArrayLike,
    cov: ArrayLike | Covariance,
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
    spread = Covariance.of(cov, n_scores, name="cov")
    with np.errstate(divide="ignore", invalid="ignore"):
        z = (final - expected) / np.sqrt(spread.diagonal())
    known = np.isfinite(z)
    common = best = float("nan")
    if known.any():
        share = known / known.sum()
        away = float((final - expected)[known].mean())
        common = away / float(np.sqrt(spread.form(share)))
    if best_public >= 0:
        best = float(z[best_public])
    return BandCoverageResult(
        n_obs=int(known.sum()),
        n_in_80=int((np.abs(z[known]) <= _Z80).sum()),
        n_in_95=int((np.abs(z[known]) <= _Z95).sum()),
        common_z=common,
        best_public_z=best,
    )
