"""What a reveal will do to a ranking: true scores behind a board, and draws of it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from scipy.special import ndtri

from lbsense._result import Result
from lbsense._typing import ArrayLike, FloatArray, IntArray, RandomState
from lbsense._validation import as_float_vector, check_count, check_positive, read_only
from lbsense.stats.boards.shakeup import mean_ranks, top_decile

_STEP = 0.2  # of the grid, in standard errors
_REACH = 5.0  # standard errors beyond which a true score does not lie
_GAP = 2 * _REACH + 2.0  # a wider gap between scores is as good as this one
_SMOOTHS = (0.05, 0.1, 0.15, 0.25, 0.4, 0.8)  # standard errors
_SPLITS = 2
_ROUGHER = 1  # steps rougher than the halves foretell best
_PASSES = 40  # of the deconvolution, which begins smooth
_MANY_CELLS = 30_000
_CELLS = 2_000_000  # teams times draws
_DOUBT = 1.15
_NODES = (-1.7320508, 0.0, 1.7320508)  # three-point Gauss-Hermite
_WEIGHTS = (1 / 6, 2 / 3, 1 / 6)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BoardDraws(Result):
    """Joint draws of the places of all teams: true ones, and after the reveal.

    Attributes
    ----------
    public_rank : ndarray of shape (n_teams,)
        Places by public score, ties by their mean.
    true_rank, private_rank : ndarray of shape (n_draws, n_teams)
        Places by true score and by a private score, for every draw.
    private_score : ndarray of shape (n_draws, n_teams) or None
        Private scores on the scale of the public ones, where noise has that scale.
    copies : ndarray of shape (n_teams,)
        Teams that share the submission of each, itself included.
    basis : str
        What the noise rests on.
    n_groups : int
        Scores that are not copies of one another.
    doubt : float
        Factor by which the spread of the draws is to be widened for what is not known
        of the law of true scores; chosen on simulated boards (docs/boards.md).
    """

    public_rank: FloatArray = field(repr=False)
    true_rank: FloatArray = field(repr=False)
    private_rank: FloatArray = field(repr=False)
    private_score: FloatArray | None = field(repr=False)
    copies: IntArray = field(repr=False)
    basis: str
    n_groups: int
    doubt: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedShakeUpResult(Result):
    """The shake-up that noise alone gives, with its interval.

    Attributes
    ----------
    expected : float
        Mean over the draws.
    low80, high80, low95, high95 : float
        Central 80% and 95% of the draws.
    top_expected, top_low80, top_high80, top_low95, top_high95 : float
        The same over the best tenth of the private board.
    spearman : float
        Mean rank correlation of public and private.
    n_obs, n_draws : int
        Teams and draws.
    basis : str
        What the noise rests on.
    """

    expected: float
    low80: float
    high80: float
    low95: float
    high95: float
    top_expected: float
    top_low80: float
    top_high80: float
    top_low95: float
    top_high95: float
    spearman: float
    n_obs: int
    n_draws: int
    basis: str


def shared_scores(public: ArrayLike, private: ArrayLike | None = None) -> IntArray:
    """Return a label for every team, the same for teams that share a submission.

    Parameters
    ----------
    public, private : array_like of shape (n_teams,)
        Scores. With both, teams share a submission if both are equal. With the public
        one alone, if more teams have a score than its neighbourhood would let meet by
        rounding (four standard deviations of a Poisson count above the expected one).

    Notes
    -----
    Teams that submit one public notebook have one score and one noise: they move
    together, and the reveal has fewer independent parts than teams.

    Examples
    --------
    >>> shared_scores([0.9, 0.8, 0.8], [0.7, 0.6, 0.6]).tolist()
    [0, 1, 1]
    """
    x = as_float_vector(public, name="public")
    if private is not None:
        pairs = np.column_stack([x, as_float_vector(private, name="private")])
        _, label = np.unique(pairs, axis=0, return_inverse=True)
        return _in_order(np.ravel(label))
    levels, label, counts = np.unique(x, return_inverse=True, return_counts=True)
    if len(levels) < 3:
        return np.arange(len(x)) if len(levels) == len(x) else _in_order(label)
    step = float(np.diff(levels).min())
    reach = min(25, max(3, len(levels) // 20))
    at = np.arange(len(levels))
    low, high = np.maximum(at - reach, 0), np.minimum(at + reach, len(levels) - 1)
    total = np.r_[0, np.cumsum(counts)]
    near = total[high + 1] - total[low] - counts
    width = np.maximum((levels[high] - levels[low]) / step, 1.0)
    chance = near / width
    is_shared = (counts > 1) & (counts > 1 + chance + 4 * np.sqrt(chance))
    own = len(levels) + np.arange(len(x))
    return _in_order(np.where(is_shared[label], label, own))


def _in_order(label: np.ndarray) -> IntArray:
    """Return labels that count up as they first occur."""
    _, first, back = np.unique(label, return_index=True, return_inverse=True)
    number = np.empty(len(first), dtype=np.int64)
    number[np.argsort(first)] = np.arange(len(first))
    return np.asarray(number[np.ravel(back)])


def board_draws(
    public: ArrayLike,
    noise: ArrayLike,
    *,
    ratio: float = 1.0,
    log_sd: float = 0.0,
    groups: IntArray | None = None,
    basis: str = "told",
    n_draws: int | None = None,
    rng: RandomState = 0,
) -> BoardDraws:
    """Return draws of the true places and of the places after the reveal.

    Parameters
    ----------
    public : array_like of shape (n_teams,)
        Public scores, larger is better, all finite.
    noise : float or array_like of shape (n_teams,)
        Standard error of a public score, less what all teams have in common; for every
        team where it differs with the level.
    ratio : float
        Standard error of a private score over that of the public one of the same
        submission: the root of the public over the private rows.
    log_sd : float
        How well the noise is known: standard deviation of its logarithm.
    groups : ndarray of shape (n_teams,), optional
        Labels of `shared_scores`: teams of one label share their true score and noise.
    basis : str
        What the noise rests on.
    n_draws : int, optional
        By default 2,000, fewer on boards of more than 2,000 teams.
    rng : int or numpy.random.Generator
        Source of the draws.

    Returns
    -------
    BoardDraws

    Notes
    -----
    The scores are brought to a scale on which the noise has standard deviation 1, gaps
    that no noise bridges are cut short, and the law of the true scores is found there
    by Richardson-Lucy iterations (the EM algorithm of the nonparametric maximum
    likelihood of Kiefer and Wolfowitz), stopped early. A draw takes a true score of
    every team from its posterior and adds fresh noise. Plugging in the observed scores
    themselves would understate the shake-up by far: the top of a board is its luck.

    References
    ----------
    Kiefer, J., Wolfowitz, J. (1956). Consistency of the maximum likelihood estimator in
    the presence of infinitely many incidental parameters. Annals of Mathematical
    Statistics 27(4), 887-906. doi:10.1214/aoms/1177728066

    Richardson, W. H. (1972). Bayesian-based iterative method of image restoration.
    Journal of the Optical Society of America 62(1), 55-59. doi:10.1364/JOSA.62.000055
    """
    x = as_float_vector(public, name="public")
    check_positive(ratio, name="ratio")
    if len(x) < 2 or not np.isfinite(x).all():
        msg = "public must hold two finite scores at least."
        raise ValueError(msg)
    s = np.broadcast_to(np.asarray(noise, dtype=np.float64), x.shape)
    if not (np.isfinite(s) & (s > 0)).all():
        msg = f"noise must be above 0, got {float(np.nanmin(s)):g}."
        raise ValueError(msg)
    label = np.arange(len(x)) if groups is None else np.asarray(groups)
    _, first, back = np.unique(label, return_index=True, return_inverse=True)
    back = np.ravel(back)
    total = (
        _n_draws(len(x)) if n_draws is None else check_count(n_draws, name="n_draws")
    )
    generator = np.random.default_rng(rng)
    parts = [(1.0, total)]
    if log_sd > 0:
        shares = [max(1, round(total * weight)) for weight in _WEIGHTS]
        scales = [math.exp(log_sd * node) for node in _NODES]
        parts = list(zip(scales, shares, strict=True))
    truths, privates = [], []
    for scale, count in parts:
        one = _Deconvolved.of(x[first], s[first] * scale)
        spread = log_sd / 2 if log_sd > 0 else 0.0
        true, private = one.draw(count, ratio, spread, generator)
        truths.append(true)
        privates.append(private)
    true, private = np.concatenate(truths), np.concatenate(privates)
    sizes = np.bincount(back)
    return BoardDraws(
        public_rank=read_only(mean_ranks(x)),
        true_rank=read_only(_ranks(true, sizes)[:, back]),
        private_rank=read_only(_ranks(private, sizes)[:, back]),
        private_score=read_only(private[:, back]),
        copies=read_only(sizes[back]),
        basis=basis,
        n_groups=len(first),
        doubt=_DOUBT,
    )


def true_score_draws(
    scores: FloatArray, noise: FloatArray, *, n_draws: int, rng: RandomState = 0
) -> FloatArray:
    """Return draws of the true scores behind a board, of shape (n_draws, n_teams)."""
    made = _Deconvolved.of(scores, noise)
    return made.draw(n_draws, 1.0, 0.0, np.random.default_rng(rng))[0]


def _law_of_truth(cells: IntArray, n_cells: int) -> FloatArray:
    """Return the law of true scores on the grid, as rough as the data bear out.

    Each pass of the EM algorithm is followed by a smoothing (EMS, Silverman et al.
    1990), whose width is the one under which one half of the teams foretells the other
    best.
    """
    passes = _PASSES if n_cells <= _MANY_CELLS else 10
    counts = np.bincount(cells, minlength=n_cells).astype(np.float64)
    if len(cells) < 40 or n_cells > _MANY_CELLS:
        return _smoothed_em(counts, 0.15, passes)
    rng = np.random.default_rng(len(cells))
    told = np.zeros(len(_SMOOTHS))
    for _ in range(_SPLITS):
        half = rng.binomial(counts.astype(np.int64), 0.5).astype(np.float64)
        for one, other in ((half, counts - half), (counts - half, half)):
            for number, width in enumerate(_SMOOTHS):
                law = _smoothed_em(one, width, passes)
                fitted = np.convolve(law / law.sum(), _kernel(1.0), mode="same")
                told[number] += float(other @ np.log(np.maximum(fitted, 1e-12)))
    best = max(0, int(np.argmax(told)) - _ROUGHER)
    return _smoothed_em(counts, _SMOOTHS[best], passes)


def _kernel(width: float) -> FloatArray:
    near = np.arange(-round(_REACH / _STEP), round(_REACH / _STEP) + 1) * _STEP
    kernel = np.exp(-0.5 * np.square(near / width))
    return np.asarray(kernel / kernel.sum())


def _smoothed_em(counts: FloatArray, width: float, passes: int) -> FloatArray:
    kernel, smooth = _kernel(1.0), _kernel(width)
    law = np.convolve(counts, kernel, mode="same") + 1e-12
    for _ in range(passes):
        fitted = np.convolve(law, kernel, mode="same")
        share = np.divide(counts, fitted, out=np.zeros_like(fitted), where=counts > 0)
        law = law * np.convolve(share, kernel, mode="same") + 1e-300
        law = np.convolve(law, smooth, mode="same")
    return np.asarray(law)


def _ranks(scores: FloatArray, sizes: IntArray) -> FloatArray:
    """Return the mean rank of the teams of every group, the largest score first."""
    order = np.argsort(-scores, axis=1)
    weight = sizes[order]
    placed = np.cumsum(weight, axis=1) - (weight - 1) / 2
    ranks = np.empty(scores.shape)
    np.put_along_axis(ranks, order, placed, axis=1)
    return ranks


def _n_draws(n_teams: int) -> int:
    return int(np.clip(_CELLS // n_teams, 200, 2_000))


@dataclass(frozen=True, slots=True)
class _Deconvolved:
    """Posteriors of the true scores on a grid of noise units."""

    to_score: tuple[FloatArray, FloatArray]  # places on the compressed axis, scores
    unit: FloatArray  # noise of each team in score units
    low: FloatArray  # first grid cell of each team's posterior
    flat: FloatArray  # cumulative posteriors, one after the other, each plus its number
    n_near: int

    @classmethod
    def of(cls, x: FloatArray, s: FloatArray) -> _Deconvolved:
        order = np.argsort(x, kind="stable")
        ordered, noise = x[order], s[order]
        gaps = np.diff(ordered) * 2 / (noise[1:] + noise[:-1])
        place = np.r_[0.0, np.cumsum(np.minimum(gaps, _GAP))] + _REACH + _STEP
        n_cells = int((place[-1] + _REACH) / _STEP) + 2
        centre = np.rint(place / _STEP).astype(np.int64)
        near = np.arange(-round(_REACH / _STEP), round(_REACH / _STEP) + 1)
        prior = _law_of_truth(centre, n_cells)
        cells = centre[:, None] + near[None, :]
        weight = prior[np.clip(cells, 0, n_cells - 1)]
        weight *= np.exp(-0.5 * (cells * _STEP - place[:, None]) ** 2)
        weight = np.cumsum(weight, axis=1)
        weight /= weight[:, -1:]
        back = np.argsort(order, kind="stable")
        return cls(
            to_score=(place, ordered),
            unit=s,
            low=(centre[back] + near[0]).astype(np.float64),
            flat=np.ravel(weight[back] + np.arange(len(x), dtype=np.float64)[:, None]),
            n_near=len(near),
        )

    def draw(
        self, count: int, ratio: float, log_sd: float, rng: np.random.Generator
    ) -> tuple[FloatArray, FloatArray]:
        """Return true and private scores, each of shape (count, n_groups)."""
        n = len(self.unit)
        at = np.arange(n)
        sample = at + rng.random((count, n)) * (1 - 1e-12)
        cell = np.searchsorted(self.flat, sample.ravel()).reshape(count, n)
        cell = cell - at * self.n_near
        place = (self.low + cell + rng.random((count, n)) - 0.5) * _STEP
        true = self._scores(place)
        scale = np.exp(log_sd * rng.standard_normal((count, 1)))
        noise = ratio * scale * rng.standard_normal((count, n))
        return true, true + noise * self.unit

    def _scores(self, place: FloatArray) -> FloatArray:
        """Return scores at places; beyond both ends the axis goes on as it ended."""
        known, scores = self.to_score
        found = np.interp(place, known, scores)
        ends = (
            float(self.unit[np.argmin(scores)]),
            float(self.unit[np.argmax(scores)]),
        )
        found += np.minimum(place - known[0], 0) * ends[0]
        found += np.maximum(place - known[-1], 0) * ends[1]
        return np.asarray(found)


def copula_draws(
    public: ArrayLike,
    quantiles: dict[float, float],
    *,
    groups: IntArray | None = None,
    basis: str = "published",
    n_draws: int | None = None,
    rng: RandomState = 0,
) -> BoardDraws:
    """Return draws of places where only rank correlations of other boards are known.

    Parameters
    ----------
    public : array_like of shape (n_teams,)
        Public scores, larger is better.
    quantiles : mapping of float to float
        Quantiles of one minus Spearman's correlation over finished competitions.
    groups : ndarray of shape (n_teams,), optional
        Labels of `shared_scores`.
    basis : str
        What the quantiles rest on.
    n_draws, rng
        As in `board_draws`.

    Notes
    -----
    Every draw takes a correlation from the quantiles, straight in its logarithm
    between them, and draws normal scores of the private ranks with it.
    """
    x = as_float_vector(public, name="public")
    total = _n_draws(len(x)) if n_draws is None else n_draws
    generator = np.random.default_rng(rng)
    label = np.arange(len(x)) if groups is None else np.asarray(groups)
    _, first, back = np.unique(label, return_index=True, return_inverse=True)
    rank = mean_ranks(x)
    normal = -ndtri((rank[first] - 0.5) / len(x))
    levels = np.array(sorted(quantiles))
    logs = np.log(np.maximum([quantiles[level] for level in levels], 1e-4))
    at = ndtri(levels)
    drawn = generator.standard_normal(total)
    slope = (logs[-1] - logs[0]) / (at[-1] - at[0])
    spread = np.interp(drawn, at, logs)
    spread += slope * (np.minimum(drawn - at[0], 0) + np.maximum(drawn - at[-1], 0))
    spearman = 1 - np.minimum(np.exp(spread), 1.5)
    r = 2 * np.sin(np.pi * spearman / 6)[:, None]
    kept = np.sqrt(np.maximum(r, 0))
    own = np.sqrt(np.maximum(1 - np.square(kept), 0))
    true = kept * normal + own * generator.standard_normal((total, len(first)))
    fresh = generator.standard_normal((total, len(first)))
    private = kept * true + own * fresh
    against = np.minimum(r, 0)
    private += against * normal - (1 - np.sqrt(1 - against**2)) * fresh
    back = np.ravel(back)
    sizes = np.bincount(back)
    return BoardDraws(
        public_rank=read_only(rank),
        true_rank=read_only(_ranks(true, sizes)[:, back]),
        private_rank=read_only(_ranks(private, sizes)[:, back]),
        private_score=None,
        copies=read_only(sizes[back]),
        basis=basis,
        n_groups=len(first),
    )


def expected_shake_up(draws: BoardDraws) -> ExpectedShakeUpResult:
    """Return what the draws say of the shake-up.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> board = rng.normal(0, 1, 500) + rng.normal(0, 1, 500)
    >>> expected_shake_up(board_draws(board, 1.0)).low95 > 0.15
    True
    """
    moved = np.abs(draws.private_rank - draws.public_rank)
    n = moved.shape[1]
    whole = moved.mean(axis=1) / n
    top = top_decile(draws.private_rank)
    best = (moved * top).sum(axis=1) / top.sum(axis=1) / n
    gap = np.square(draws.private_rank - draws.public_rank).mean(axis=1)
    spread = draws.private_rank.var(axis=1) + draws.public_rank.var()
    low95, low80, high80, high95 = _ends(whole, draws.doubt)
    top95, top80, above80, above95 = _ends(best, draws.doubt)
    return ExpectedShakeUpResult(
        expected=float(whole.mean()),
        low80=low80,
        high80=high80,
        low95=low95,
        high95=high95,
        top_expected=float(best.mean()),
        top_low80=top80,
        top_high80=above80,
        top_low95=top95,
        top_high95=above95,
        spearman=float((1 - gap / np.maximum(spread, 1e-300)).mean()),
        n_obs=n,
        n_draws=len(whole),
        basis=draws.basis,
    )


def _ends(values: FloatArray, doubt: float) -> list[float]:
    """Return 2.5, 10, 90 and 97.5% points, moved away from the middle by a factor."""
    middle = float(np.median(values))
    ends = np.quantile(values, [0.025, 0.1, 0.9, 0.975])
    return [max(0.0, float(middle + doubt * (end - middle))) for end in ends]
