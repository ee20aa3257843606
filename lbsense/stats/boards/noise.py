"""The noise of a competition, told by the public and private scores of its teams."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from lbsense._result import Missing, Result
from lbsense._typing import ArrayLike, FloatArray
from lbsense._validation import (
    as_float_vector,
    check_positive,
    check_same_length,
    read_only,
)

_TO_SD = 1.4826  # median absolute deviation of a normal law to its sd
_FEWEST = 12  # pairs
_FAR = 4.0  # standard errors of what moved more than noise
_SCALE = 1.5  # ratio of spreads from which two boards are on different scales
_PILE = 0.1  # share of teams with one private score that says "not run again"
_GONE = 0.25
_UNLIKE = 3.0  # ratio of the two noises to that which the sizes give
_APART = 3.0  # ratio of noise to what sampling gives, from which it is not sampling


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PairNoiseResult(Result):
    """What differences between public and private scores say of the noise.

    Attributes
    ----------
    public_se, private_se : float
        Typical standard error of a score over the better half of the teams, less what
        all teams have in common.
    top_se : float
        The same of a public score over the best tenth.
    difference_se : float
        Standard error of the difference of two teams' public scores.
    noise : ndarray of shape (n_teams,)
        Public standard error at the level of every team, nan where a score is missing.
    ratio : float
        Private over public standard error that was taken: told by the sizes, or 0.65,
        that of 30% public rows.
    offset : float
        Median of private less public score, on the public scale: luck or shift that
        all have in common.
    scale : float
        Units of the private score in one of the public one; 1 unless the two boards
        are on different scales.
    log_sd : float
        How well the scale of the noise is known: standard deviation of its logarithm.
    n_obs, n_distinct : int
        Teams with both scores, and how many pairs of scores differ.
    far_fraction : float
        Share of pairs that moved by more than four standard errors.
    spread_ratio : float
        Noise of private over public scores by their variances (Grubbs); to be compared
        with ``ratio``. nan of fewer than 30 pairs.
    two_stage : tuple of str
        Signs that the boards are not two samples of one test set: ``"gone"``,
        ``"pile"``, ``"perfect"``, ``"sampling"``, ``"spread"``. Empty where there is
        none.
    """

    public_se: float
    private_se: float
    top_se: float
    difference_se: float
    noise: FloatArray = field(repr=False)
    ratio: float
    offset: float
    scale: float
    log_sd: float
    n_obs: int
    n_distinct: int
    far_fraction: float
    spread_ratio: float
    two_stage: tuple[str, ...]


def pair_noise(
    public: ArrayLike,
    private: ArrayLike,
    *,
    ratio: float | None = None,
    largest_se: float = math.nan,
    perfect: float = math.nan,
) -> PairNoiseResult | Missing:
    """Return the noise of a competition from the pairs of scores of its teams.

    Parameters
    ----------
    public, private : array_like of shape (n_teams,)
        Scores, larger is better, nan where missing.
    ratio : float, optional
        Private over public standard error: the root of the public over the private
        rows. By default that of 30% public rows.
    largest_se : float
        The largest standard error that sampling can give a public score, where metric
        and size tell it.
    perfect : float
        The best score that there is.

    Returns
    -------
    PairNoiseResult or Missing

    Notes
    -----
    With ``x = theta + e`` and ``y = theta + f + shift`` the difference ``y - x`` holds
    no true score. It is taken at the level ``(r**2 x + y) / (1 + r**2)``, which for
    noise in the ratio ``r`` is independent of it, less its running median there, so
    that shift and scale may differ along the board; 1.4826 times the running median of
    what is left over, by ``sqrt(1 + r**2)``, is the noise. Medians are blind to an
    absurd tail, and equal pairs count once: they are copies of one submission, whose
    noise is one.

    References
    ----------
    Grubbs, F. E. (1948). On estimating precision of measuring instruments and product
    variability. JASA 43(242), 243-264. doi:10.1080/01621459.1948.10483261

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> true = rng.normal(0, 1, 4000)
    >>> pairs = true + 0.2 * rng.normal(size=4000), true + 0.1 * rng.normal(size=4000)
    >>> found = pair_noise(*pairs, ratio=0.5)
    >>> round(found.public_se, 2), found.two_stage
    (0.2, ())
    """
    x = as_float_vector(public, name="public")
    y = as_float_vector(private, name="private")
    check_same_length(public=x, private=y)
    taken = 0.65 if ratio is None else check_positive(ratio, name="ratio")
    both = np.isfinite(x) & np.isfinite(y)
    pairs = np.unique(np.column_stack([x[both], y[both]]), axis=0)
    if len(pairs) < _FEWEST:
        return Missing(
            "noise",
            f"{len(pairs)} different pairs of public and private scores are too few to "
            f"tell the noise, {_FEWEST} are needed.",
            ("private_score",),
        )
    if np.array_equal(pairs[:, 0], pairs[:, 1]):
        return Missing(
            "noise",
            "Every private score equals the public one: the boards show the same rows.",
            ("private_score",),
        )
    scale = _scale(pairs)
    first, second = pairs[:, 0], pairs[:, 1] / scale
    level = (taken**2 * first + second) / (1 + taken**2)
    order = np.argsort(level, kind="stable")
    left, offset, sd = _left_over((second - first)[order])
    if not sd.max() > 0:
        return Missing(
            "noise",
            "Public and private scores differ by one constant: nothing tells the noise "
            "from it.",
            ("private_score",),
        )
    sd = np.maximum(sd, 1e-3 * float(np.median(sd[sd > 0])))
    noise = sd / math.hypot(1.0, taken)
    at = np.full(len(x), np.nan)
    own = (taken**2 * x[both] + y[both] / scale) / (1 + taken**2)
    at[both] = np.interp(own, level[order], noise)
    n = len(pairs)
    typical = float(np.median(noise[n // 2 :]))
    far = float(np.mean(np.abs(left) > _FAR * sd))
    spread = _spread_ratio(first, second)
    signs = _signs(x, y, both, typical, largest_se, perfect)
    if ratio is not None and n >= 100 and spread > _UNLIKE * ratio:
        signs += ("spread",)
    return PairNoiseResult(
        public_se=typical,
        private_se=taken * typical,
        top_se=float(np.median(noise[-max(1, n // 10) :])),
        difference_se=math.sqrt(2) * typical,
        noise=read_only(at),
        ratio=taken,
        offset=float(np.median(offset[n // 2 :])),
        scale=scale,
        log_sd=math.hypot(0.1 if ratio is not None else 0.15, 1.2 / math.sqrt(n)),
        n_obs=int(both.sum()),
        n_distinct=n,
        far_fraction=far,
        spread_ratio=spread,
        two_stage=signs,
    )


def _scale(pairs: FloatArray) -> float:
    """Return how many private units go into a public one, 1 unless scales differ."""
    spreads = []
    for values in pairs.T:
        low, high = np.quantile(values, [0.25, 0.9])
        spreads.append(float(high - low))
    if min(spreads) <= 0:
        return 1.0
    found = spreads[1] / spreads[0]
    return found if max(found, 1 / found) > 4 * _SCALE else 1.0


def _left_over(difference: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return differences less their running median, that median, and their sd."""
    import pandas as pd

    n = len(difference)
    width = min(n, max(25, n // 12))
    series = pd.Series(difference)
    options: dict[str, Any] = {"center": True, "min_periods": max(1, width // 2)}
    middle = series.rolling(width, **options).median()
    if n < 3 * width:
        middle = pd.Series(np.full(n, float(np.median(difference))))
    left = series - middle
    size = left.abs().rolling(width, **options).median()
    size = size.rolling(width, center=True, min_periods=1).mean()
    # A running median of few values follows them: what it takes away is given back.
    lost = math.sqrt(1 + 1.57 / width)
    return (
        np.asarray(left),
        np.asarray(middle),
        np.asarray(_TO_SD * lost * size, dtype=np.float64),
    )


def _spread_ratio(x: FloatArray, y: FloatArray) -> float:
    """Return private over public noise by variances, of scores whose tail is cut."""
    if len(x) < 30:
        return math.nan
    cut = []
    for values in (x, y):
        middle = float(np.median(values))
        reach = 4 * _TO_SD * float(np.median(np.abs(values - middle)))
        cut.append(np.clip(values, middle - reach, middle + reach))
    cov = np.cov(np.stack(cut))
    first, second = cov[0, 0] - cov[0, 1], cov[1, 1] - cov[0, 1]
    least = 0.02 * max(cov[0, 0], cov[1, 1])  # below it a variance is chance
    return math.sqrt(max(second, least) / max(first, least))


def _signs(
    x: FloatArray,
    y: FloatArray,
    both: np.ndarray,
    typical: float,
    largest_se: float,
    perfect: float,
) -> tuple[str, ...]:
    """Return what says that the private board is another test, not another sample."""
    found = []
    on_public = np.isfinite(x)
    if 1 - both.sum() / max(1, on_public.sum()) > _GONE:
        found.append("gone")
    _, label, counts = np.unique(y[both], return_inverse=True, return_counts=True)
    pile = np.flatnonzero(np.ravel(label) == int(np.argmax(counts)))
    apart = len(np.unique(x[both][pile])) > 0.5 * len(pile)
    if len(pile) > max(5, _PILE * both.sum()) and apart:
        found.append("pile")
    best = float(x[both].max())
    if best == perfect and float(y[both].max()) != perfect:
        found.append("perfect")
    # Where sampling is known, noise far beyond it is no sampling.
    if typical > _APART * largest_se:
        found.append("sampling")
    return tuple(found)
