"""After the end: where gaps came from, whether bands held, what rules had won."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
from lbsense.stats.history.outlook import open_quantile
from lbsense.stats.history.picks import usual_rules
from lbsense.stats.history.spread import Covariance

_FAR = 5.0  # robust standard deviations from which a gap is not one of the others
_TO_SD = 1.4826  # median absolute deviation of a normal, inverted
_TIED = 1e-9  # share of the largest deviation that is rounding
_SURE_OF_SHIFT = 0.995  # one-sided: one random split in a hundred claims a shift
_Z80, _Z95 = float(ndtri(0.9)), float(ndtri(0.975))


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
    ci_low, ci_high : ndarray of shape (k,)
        Interval of the true gain.
    p_gain, p_null, p_loss : ndarray of shape (k,)
        Probability of a true gain, of no change worth naming, and of a true loss.
    rope : float
        Gain that is not worth naming.
    """

    private_gain: FloatArray
    private_gain_se: FloatArray
    gain: FloatArray
    gain_se: FloatArray
    ci_low: FloatArray
    ci_high: FloatArray
    p_gain: FloatArray
    p_null: FloatArray
    p_loss: FloatArray
    rope: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleOutcome(Result):
    """What one way to select would have scored.

    Attributes
    ----------
    rule : str
        How the submissions were chosen.
    positions : tuple of int
        The submissions, one or two or as many as were selected.
    score : float
        Private score of the best of them, larger is better.
    regret : float
        Best private score of all submissions minus that.
    regret_se : float
        Standard error of that difference by the luck of the private rows; nan where the
        noise is not known. The best of many is partly lucky, so that a regret of one or
        two of these is no mistake.
    """

    rule: str
    positions: tuple[int, ...]
    score: float
    regret: float
    regret_se: float


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
        As `lbsense.stats.outlook.private_rows` gives them.
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


def rule_outcomes(
    private: ArrayLike,
    *,
    public: ArrayLike,
    cv: ArrayLike,
    chosen: Mapping[str, Sequence[int]],
    noise_cov: ArrayLike | Covariance | None = None,
) -> tuple[RuleOutcome, ...]:
    """Return what the usual rules and given choices would have scored.

    Parameters
    ----------
    private, public, cv : array_like of shape (k,)
        Scores in time order, larger is better, nan where missing. Submissions without a
        private score are no candidates.
    chosen : mapping of str to sequence of int
        Further choices by name, such as the submissions that were selected: told as
        they are, without those that have no private score.
    noise_cov : array_like of shape (k, k), optional
        Covariance of the noise of private scores.

    Returns
    -------
    tuple of RuleOutcome
        Given choices first, then rules for one submission, then rules for two; without
        rules that cannot be followed.

    Raises
    ------
    ValueError
        If shapes disagree or there is no private score.

    Examples
    --------
    >>> outcomes = rule_outcomes(
    ...     [0.70, 0.73, 0.71], public=[0.70, 0.71, 0.74], cv=[0.6, 0.7, 0.65],
    ...     chosen={},
    ... )
    >>> [(item.rule, round(item.regret, 3)) for item in outcomes][:2]
    [('best public', 0.02), ('best CV', 0.0)]
    """
    final = as_float_vector(private, name="private")
    shown = as_float_vector(public, name="public")
    validated = as_float_vector(cv, name="cv")
    check_same_length(private=final, public=shown, cv=validated)
    known = np.isfinite(final)
    if not known.any():
        msg = "private must hold at least one number, got none."
        raise ValueError(msg)
    best = int(np.nanargmax(final))
    noise = noise_cov
    if noise is not None:
        noise = Covariance.of(noise, len(final), name="noise_cov")

    def outcome(rule: str, positions: Sequence[int]) -> RuleOutcome:
        kept = tuple(int(index) for index in positions if known[index])
        reached = max(kept, key=lambda index: final[index])
        regret_se = float("nan")
        if noise is not None:
            regret_se = float(np.sqrt(noise.apart(best, reached)))
        return RuleOutcome(
            rule=rule,
            positions=kept,
            score=float(final[reached]),
            regret=float(final[best] - final[reached]),
            regret_se=regret_se,
        )

    rules: dict[str, Sequence[int]] = {
        name: positions
        for name, positions in chosen.items()
        if any(known[index] for index in positions)
    }
    shown, validated = (
        np.where(known, shown, np.nan),
        np.where(known, validated, np.nan),
    )
    for name, scores in (("best public", shown), ("best CV", validated)):
        if np.isfinite(scores).any():
            rules[name] = (int(np.nanargmax(scores)),)
    place = np.flatnonzero(known)
    pairs = usual_rules(shown[known], validated[known])
    rules |= {name: [int(place[i]) for i in pair] for name, pair in pairs.items()}
    return tuple(outcome(name, positions) for name, positions in rules.items())


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
