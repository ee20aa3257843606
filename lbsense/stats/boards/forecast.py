"""What a reveal will do to a ranking: true scores behind a board, and draws of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.special import ndtri

from lbsense._result import Result
from lbsense._typing import ArrayLike, FloatArray, IntArray, RandomState
from lbsense._validation import (
    as_float_vector,
    check_count,
    check_positive,
    read_only,
)
from lbsense.stats.history.pairs import mean_ranks

_STEP = 0.2  # of the grid, in standard errors
_REACH = 5.0  # standard errors beyond which a true score does not lie
_GAP = 2 * _REACH + 2.0  # a wider gap between scores is as good as this one
_SMOOTHS = (0.05, 0.1, 0.15, 0.25, 0.4, 0.8)  # standard errors
_SPLITS = 2
_ROUGHER = 1  # steps rougher than the halves foretell best
_PLAIN, _WIDE = 2, 4  # numbers of the width on boards that tell none, and of half
_PASSES = 40  # of the deconvolution, which begins smooth
# Standard errors below the best score at which a law may end, the last: nowhere.
_ENDS = (*np.arange(0.0, 6.0, 0.6), -100.0)
_DENSE, _DENSE_REACH = 10, 10  # teams within so many cells where halves foretell
_LAWS, _MOST_LAWS = 20_000, 8  # laws times teams and parts, laws
_MANY_CELLS = 30_000
CELLS = 2_000_000  # teams times draws
_DOUBT = 1.15  # factor of the spread of an expected shake-up
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


def board_draws(
    public: ArrayLike,
    noise: ArrayLike,
    *,
    ratio: float = 1.0,
    shared: float = 0.0,
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
        Standard error of the score on rows that the public one does not cover over that
        of the public score: the root of the public over these rows.
    shared : float
        Share of the private rows that are the public ones: 0, but under nested rules.
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
    likelihood of Kiefer and Wolfowitz) with a smoothing after each. How smooth that law
    is, and where it ends at the top, is drawn as the board bears it out, and so are the
    weights of the teams behind it. A draw takes a true score of every team from its
    posterior and adds fresh noise. Plugging in the observed scores
    themselves would understate the shake-up by far: the top of a board is its luck.

    References
    ----------
    Kiefer, J., Wolfowitz, J. (1956). Consistency of the maximum likelihood estimator in
    the presence of infinitely many incidental parameters. Annals of Mathematical
    Statistics 27(4), 887-906. doi:10.1214/aoms/1177728066

    Silverman, B. W., Jones, M. C., Wilson, J. D., Nychka, D. W. (1990). A smoothed EM
    approach to indirect estimation problems. JRSS B 52(2), 271-324.

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
    first, back, sizes = representatives(len(x), groups)
    total = (
        _n_draws(len(x)) if n_draws is None else check_count(n_draws, name="n_draws")
    )
    nodes, shares = (_NODES, _WEIGHTS) if log_sd > 0 else ((0.0,), (1.0,))
    true, unseen = _draw_boards(
        x[first],
        s[first],
        scales=[math.exp(log_sd * node) for node in nodes],
        counts=[max(1, round(total * share)) for share in shares],
        ratio=ratio,
        log_sd=log_sd / 2,
        rng=np.random.default_rng(rng),
    )
    private = shared * x[first] + (1 - shared) * unseen
    return BoardDraws(
        public_rank=read_only(mean_ranks(x)),
        true_rank=read_only(group_ranks(true, sizes)[:, back]),
        private_rank=read_only(group_ranks(private, sizes)[:, back]),
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
    return _draw_boards(
        scores,
        noise,
        scales=(1.0,),
        counts=[n_draws],
        ratio=1.0,
        log_sd=0.0,
        rng=np.random.default_rng(rng),
    )[0]


def _draw_boards(
    x: FloatArray,
    s: FloatArray,
    *,
    scales: Sequence[float],
    counts: Sequence[int],
    ratio: float,
    log_sd: float,
    rng: np.random.Generator,
) -> tuple[FloatArray, FloatArray]:
    """Return true and private scores; every few draws rest on another law of truth."""
    shapes = _Shapes.of(_Axis.of(x, s))
    truths, privates = [], []
    for scale, count in zip(scales, counts, strict=True):
        axis = _Axis.of(x, s * scale)
        n_laws = min(count, max(1, _LAWS // len(x) // len(scales)), _MOST_LAWS)
        for part in np.array_split(np.arange(count), n_laws):
            law = shapes.draw(axis, scale, rng)
            true, private = axis.draw(law, len(part), ratio, log_sd, rng)
            truths.append(true)
            privates.append(private)
    return np.concatenate(truths), np.concatenate(privates)


@dataclass(frozen=True, slots=True)
class _Shapes:
    """How rough the law of true scores may be, and where it may end.

    Each pass of the EM algorithm is followed by a smoothing (EMS, Silverman et al.
    1990). Its width is drawn in proportion to how well one half of the teams foretells
    the other under it. Smoothing alone would draw out the crowd at the best score that
    can be reached, and with it tell apart teams that are alike: the law may end below
    the best public score, where what smoothing carries beyond is put back, and the end
    is drawn in proportion to the likelihood of the board.
    """

    widths: FloatArray  # probability of each of _SMOOTHS
    ends: FloatArray  # probability of each of _ENDS

    @classmethod
    def of(cls, axis: _Axis) -> _Shapes:
        cells, n_cells = axis.cells, axis.n_cells
        counts = np.bincount(cells, minlength=n_cells).astype(np.float64)
        widths, ends = np.zeros(len(_SMOOTHS)), np.zeros(len(_ENDS))
        if len(cells) < 40 or n_cells > _MANY_CELLS:
            widths[_PLAIN] = ends[-1] = 1.0
            return cls(widths, ends)
        passes, top = _passes(n_cells), int(cells.max())
        found = np.array(
            [
                _log_likelihood(
                    counts,
                    _smoothed_em(counts, _SMOOTHS[_WIDE], passes, _last(top, end, 1.0)),
                )
                for end in _ENDS
            ]
        )
        best = _ENDS[int(np.argmax(found))]
        told = _shares(_foretold(counts, passes, _last(top, best, 1.0)))
        # Rougher laws than the halves foretell, for the whole holds twice as much, and
        # up to half of them smooth: what is narrow may be chance.
        smooth = 0.5 * float(told[-1] / told.max())
        widths = np.zeros(len(told))
        rougher = np.maximum(np.arange(len(told)) - _ROUGHER, 0)
        np.add.at(widths, rougher, (1 - smooth) * told)
        widths[_WIDE] += smooth
        return cls(widths, _shares(found))

    def draw(self, axis: _Axis, scale: float, rng: np.random.Generator) -> FloatArray:
        """Return a law, from teams weighted at random (Bayesian bootstrap)."""
        width = _SMOOTHS[rng.choice(len(_SMOOTHS), p=self.widths)]
        end = _ENDS[rng.choice(len(_ENDS), p=self.ends)]
        weight = rng.exponential(size=len(axis.cells))
        counts = np.bincount(axis.cells, weight, axis.n_cells) / weight.mean()
        last = _last(int(axis.cells.max()), end, scale)
        return _smoothed_em(counts, width, _passes(axis.n_cells), last)


def _foretold(counts: FloatArray, passes: int, last: int) -> FloatArray:
    """Return how well one half of the teams foretells the other, by the width."""
    told = np.zeros(len(_SMOOTHS))
    dense = np.convolve(counts, np.ones(2 * _DENSE_REACH + 1), mode="same") >= _DENSE
    rng = np.random.default_rng(int(counts.sum()))
    for _ in range(_SPLITS):
        half = rng.binomial(counts.astype(np.int64), 0.5).astype(np.float64)
        for one, other in ((half, counts - half), (counts - half, half)):
            for number, width in enumerate(_SMOOTHS):
                law = _smoothed_em(one, width, passes, last)
                told[number] += _log_likelihood(other * dense, law) / _SPLITS
    return told


def _shares(told: FloatArray) -> FloatArray:
    share = np.exp(told - told.max())
    return np.asarray(share / share.sum())


def _last(top: int, below: float, scale: float) -> int:
    """Return the last cell of a law that ends standard errors below the best score."""
    return top - round(below / scale / _STEP)


def _passes(n_cells: int) -> int:
    return _PASSES if n_cells <= _MANY_CELLS else 10


def _kernel(width: float) -> FloatArray:
    near = np.arange(-round(_REACH / _STEP), round(_REACH / _STEP) + 1) * _STEP
    kernel = np.exp(-0.5 * np.square(near / width))
    return np.asarray(kernel / kernel.sum())


def _log_likelihood(counts: FloatArray, law: FloatArray) -> float:
    fitted = np.convolve(law / law.sum(), _kernel(1.0), mode="same")
    return float(counts @ np.log(np.maximum(fitted, 1e-300)))


def _smoothed_em(
    counts: FloatArray, width: float, passes: int, last: int
) -> FloatArray:
    """Return a law of true scores that ends at a cell; none beyond the grid."""
    kernel, smooth = _kernel(1.0), _kernel(width)
    law = _folded(np.convolve(counts, kernel, mode="same") + 1e-12, last)
    for _ in range(passes):
        fitted = np.convolve(law, kernel, mode="same")
        share = np.divide(
            counts, fitted, out=np.zeros_like(fitted), where=(counts > 0) & (fitted > 0)
        )
        law = law * np.convolve(share, kernel, mode="same")
        law = _folded(np.convolve(law, smooth, mode="same"), last)
        law *= counts.sum() / law.sum()
    return np.asarray(law + 1e-12)


def _folded(law: FloatArray, last: int) -> FloatArray:
    """Return a law whose part beyond the last cell is put back by reflection."""
    beyond = law[last + 1 : 2 * last + 2][::-1]
    if not len(beyond):
        return law
    law = law.copy()
    law[last + 1 - len(beyond) : last + 1] += beyond
    law[last + 1 :] = 0.0
    return law


def representatives(
    n: int, groups: IntArray | None
) -> tuple[IntArray, IntArray, IntArray]:
    """Return the first team of each group, every team's group, and their sizes."""
    label = np.arange(n) if groups is None else np.asarray(groups)
    _, first, back = np.unique(label, return_index=True, return_inverse=True)
    back = np.ravel(back)
    return first, back, np.bincount(back)


def group_ranks(scores: FloatArray, sizes: IntArray) -> FloatArray:
    """Return the mean rank of the teams of every group, the largest score first."""
    order = np.argsort(-scores, axis=1)
    weight = sizes[order]
    placed = np.cumsum(weight, axis=1) - (weight - 1) / 2
    ranks = np.empty(scores.shape)
    np.put_along_axis(ranks, order, placed, axis=1)
    return ranks


def _n_draws(n_teams: int) -> int:
    return int(np.clip(CELLS // n_teams, 200, 2_000))


@dataclass(frozen=True, slots=True)
class _Axis:
    """Scores on a grid on which the noise has standard deviation 1."""

    place: FloatArray  # of every team on the compressed axis
    known: tuple[FloatArray, FloatArray]  # places and scores in order
    unit: FloatArray  # noise of each team in score units
    cells: IntArray
    n_cells: int

    @classmethod
    def of(cls, x: FloatArray, s: FloatArray) -> _Axis:
        order = np.argsort(x, kind="stable")
        ordered, noise = x[order], s[order]
        gaps = np.diff(ordered) * 2 / (noise[1:] + noise[:-1])
        place = np.r_[0.0, np.cumsum(np.minimum(gaps, _GAP))] + _REACH + _STEP
        own = place[np.argsort(order, kind="stable")]
        return cls(
            place=own,
            known=(place, ordered),
            unit=s,
            cells=np.rint(own / _STEP).astype(np.int64),
            n_cells=int((place[-1] + _REACH) / _STEP) + 2,
        )

    def draw(
        self,
        law: FloatArray,
        count: int,
        ratio: float,
        log_sd: float,
        rng: np.random.Generator,
    ) -> tuple[FloatArray, FloatArray]:
        """Return true and private scores, each of shape (count, n_groups)."""
        n = len(self.unit)
        near = np.arange(-round(_REACH / _STEP), round(_REACH / _STEP) + 1)
        cells = self.cells[:, None] + near
        weight = law[np.clip(cells, 0, self.n_cells - 1)]
        weight *= np.exp(-0.5 * (cells * _STEP - self.place[:, None]) ** 2)
        weight = np.cumsum(weight, axis=1)
        weight /= weight[:, -1:]
        # Cumulative posteriors, one after the other, each plus its number.
        at = np.arange(n)
        flat = np.ravel(weight + at[:, None])
        sample = at + rng.random((count, n)) * (1 - 1e-12)
        cell = np.searchsorted(flat, sample.ravel()).reshape(count, n)
        cell = cell - at * len(near) + self.cells + near[0]
        true = self._scores((cell + rng.random((count, n)) - 0.5) * _STEP)
        scale = np.exp(log_sd * rng.standard_normal((count, 1)))
        noise = ratio * scale * rng.standard_normal((count, n))
        return true, true + noise * self.unit

    def _scores(self, place: FloatArray) -> FloatArray:
        """Return scores at places; beyond both ends the axis goes on as it ended."""
        known, scores = self.known
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
    first, back, sizes = representatives(len(x), groups)
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
    return BoardDraws(
        public_rank=read_only(rank),
        true_rank=read_only(group_ranks(true, sizes)[:, back]),
        private_rank=read_only(group_ranks(private, sizes)[:, back]),
        private_score=None,
        copies=read_only(sizes[back]),
        basis="published",
        n_groups=len(first),
    )
