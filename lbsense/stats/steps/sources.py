"""What measures a step: public, CV and private score, each with its own scale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import TypeAlias

import numpy as np

from lbsense._typing import BoolArray, FloatArray, IntArray

_REACH = 2.0  # standard deviations of a prior that its grid covers
_OTHER_WAY = -2.2  # log odds that a score whose sign nobody knows falls, one in ten
_SLOPE_SD = 0.6  # of the log slope around the ratio of the spreads of the gains


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Source:
    """Gains of one kind of score, and what is known of its scale and noise.

    Attributes
    ----------
    name : str
        "public", "cv", "private" or what else it is.
    gain : ndarray of shape (n_steps,)
        Differences to the reference, larger is better, nan where missing.
    log_ratio, log_ratio_sd : float
        Logarithm of its noise variance over that of the first source, on the scale of
        that source: prior mean and standard deviation, 0 where it is known.
    spread : float
        Standard deviation of the same between the steps of one history.
    slope_known : bool
        Whether a true gain shows in it unchanged. Else its scale is learned.
    sign_known : bool
        Whether its scale, where it is learned, rises with that of the first source.
    alike : bool
        Whether its scores read as those of the first source do. How much larger its
        gains are then tells what a gain of that source is worth.
    unit : ndarray of shape (n_steps,), optional
        Known factors of its noise variance from step to step.
    n_ratios, n_slopes : int
        Points of the grid.
    """

    name: str
    gain: FloatArray
    log_ratio: float = 0.0
    log_ratio_sd: float = 0.0
    spread: float = 0.0
    slope_known: bool = True
    sign_known: bool = True
    alike: bool = False
    unit: FloatArray | None = None
    n_ratios: int = 6
    n_slopes: int = 3


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StepNoise:
    """What is known of the noise of public differences before they are looked at.

    Attributes
    ----------
    log_sd, log_sd_sd : float
        Logarithm of the standard error of a typical step: prior mean and standard
        deviation; nan where nothing is known.
    widths, width_shares : tuple of float
        How far steps of one history differ in log standard error, and prior shares.
        Where it is learned, steps that hardly differ are of one sort, and mostly change
        nothing.
    unit : ndarray of shape (n_steps,), optional
        Known standard error of every step; ``log_sd`` is then that of a factor.
    floor : float
        Least standard error that a difference can have, from rounding and re-running.
    """

    log_sd: float = np.nan
    log_sd_sd: float = np.nan
    widths: tuple[float, ...] = (0.15, 0.6, 1.3)
    width_shares: tuple[float, ...] = (0.08, 0.4, 0.52)
    unit: FloatArray | None = None
    floor: float = 0.0

    @property
    def known(self) -> bool:
        """Whether anything is known."""
        return bool(np.isfinite(self.log_sd))


@dataclass(frozen=True, slots=True, eq=False)
class Contrast:
    """A difference of two sources that holds no true gain, under every candidate."""

    seen: BoolArray  # (n,)
    value: FloatArray  # (g, n)
    ratio: FloatArray  # (g, n) its noise variance over that of the public difference


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """Every combination of scales and noise ratios, and the gains seen through each.

    ``mixing`` (g, g) lets the ratio of one step differ from that of the history.
    """

    factor: FloatArray  # (m, n) known factors of the noise variances
    ratio: FloatArray  # (g, m)
    slope: FloatArray  # (g, m)
    log_prior: FloatArray  # (g,)
    mixing: FloatArray | None
    fused: FloatArray  # (g, n) precision-weighted gain
    fused_ratio: FloatArray  # (g, n) its noise variance over that of a public one
    contrasts: tuple[Contrast, ...]
    log_jacobian: FloatArray  # (g, n)

    def at(self, kept: BoolArray) -> Candidates:
        """Return some of the candidates."""
        mixing = self.mixing
        if mixing is not None:
            mixing = mixing[np.ix_(kept, kept)]
            mixing = mixing / mixing.sum(axis=1, keepdims=True)
        return Candidates(
            self.factor,
            self.ratio[kept],
            self.slope[kept],
            self.log_prior[kept],
            mixing,
            self.fused[kept],
            self.fused_ratio[kept],
            tuple(
                Contrast(item.seen, item.value[kept], item.ratio[kept])
                for item in self.contrasts
            ),
            self.log_jacobian[kept],
        )

    def of(self, steps: IntArray) -> Candidates:
        """Return the candidates for some of the steps."""
        return Candidates(
            self.factor[:, steps],
            self.ratio,
            self.slope,
            self.log_prior,
            self.mixing,
            self.fused[:, steps],
            self.fused_ratio[:, steps],
            tuple(
                Contrast(item.seen[steps], item.value[:, steps], item.ratio[:, steps])
                for item in self.contrasts
            ),
            self.log_jacobian[:, steps],
        )


#: Log ratio, slope and log prior of a point of a source's grid.
Point: TypeAlias = tuple[float, float, float]


def candidates(
    sources: Sequence[Source],
    gains: FloatArray,
    unit: FloatArray,
    *,
    points: Sequence[tuple[Point, ...]] | None = None,
) -> Candidates:
    """Return every combination of slopes and noise ratios of the sources.

    Parameters
    ----------
    sources : sequence of Source
        The first is the public score.
    gains : ndarray of shape (n_sources, n_steps)
        Their gains of the steps that are judged.
    unit : ndarray of shape (n_steps,)
        What gains are divided by.
    points : sequence of tuple of Point, optional
        Combinations of points of the sources but the first; by default all.

    Notes
    -----
    A slope that is not known has a prior around the ratio of the median absolute gains,
    so that a source on another scale leads to the same answer.
    """
    seen = np.isfinite(gains)
    scale = np.array([1.0] + [_scale(gains, m, s) for m, s in enumerate(sources) if m])
    value = np.where(seen, gains, 0.0) / (scale[:, np.newaxis] * unit)
    if points is None:
        points = list(product(*(grid_of(source) for source in sources[1:])))
    ratio = np.exp([[0.0, *(p[0] for p in point)] for point in points])
    slope = np.array([[1.0, *(p[1] for p in point)] for point in points])
    log_prior = np.array([sum(p[2] for p in point) for point in points], dtype=float)
    factors = np.array(
        [np.ones_like(unit) if s.unit is None else s.unit for s in sources]
    )
    noise = ratio[:, :, np.newaxis] * factors  # (g, m, n)
    shown = value / slope[:, :, np.newaxis]
    precision = np.cumsum(np.where(seen, 1 / noise, 0.0), axis=1)
    total = np.cumsum(np.where(seen, shown / noise, 0.0), axis=1)
    safe = np.maximum(precision, 1e-300)
    contrasts = []
    for m in range(1, len(sources)):
        both = seen[m] & (precision[0, m - 1] > 0)
        before = np.where(both, total[:, m - 1] / safe[:, m - 1], 0.0)
        contrasts.append(
            Contrast(
                both,
                np.where(both, shown[:, m] - before, 0.0),
                np.where(both, noise[:, m] + 1 / safe[:, m - 1], 1.0),
            )
        )
    jacobian = np.where(seen, -np.log(np.abs(slope))[:, :, np.newaxis], 0.0).sum(axis=1)
    # Variances of what is seen, apart from the factor that all of it shares.
    return Candidates(
        factors,
        ratio,
        slope * scale,
        log_prior,
        _mixing(sources, ratio, slope),
        total[:, -1] / safe[:, -1],
        1 / safe[:, -1],
        tuple(contrasts),
        jacobian,
    )


def _scale(gains: FloatArray, place: int, source: Source) -> float:
    """Return by how much larger the gains of a source are than the public ones."""
    if source.slope_known:
        return 1.0
    both = np.isfinite(gains[0]) & np.isfinite(gains[place])
    sizes = np.abs(gains[:, both])
    for typical in (np.median, np.mean):
        if both.any() and (typical(sizes[0]) > 0) and (typical(sizes[place]) > 0):
            return float(typical(sizes[place]) / typical(sizes[0]))
    return 1.0


def grid_of(source: Source) -> list[Point]:
    """Return every noise ratio and slope that a source may have."""
    sd = source.log_ratio_sd
    reach = np.linspace(-_REACH, _REACH, source.n_ratios) if sd > 0 else np.zeros(1)
    slopes = np.zeros(1)
    if not source.slope_known and source.n_slopes > 1:
        slopes = np.linspace(-1.0, 1.0, source.n_slopes)
    signs = {1.0: 0.0} if source.sign_known else {1.0: 0.0, -1.0: _OTHER_WAY}
    return [
        (
            source.log_ratio + z * sd,
            sign * float(np.exp(b)),
            -0.5 * (z**2 + (b / _SLOPE_SD) ** 2) + log_odds,
        )
        for z in reach
        for b in slopes
        for sign, log_odds in signs.items()
    ]


def _mixing(
    sources: Sequence[Source], ratio: FloatArray, slope: FloatArray
) -> FloatArray | None:
    """Return how the ratio of one step scatters around that of its history."""
    if not any(source.spread > 0 for source in sources):
        return None
    distance = np.zeros((len(ratio), len(ratio)))
    for m, source in enumerate(sources):
        apart = np.subtract.outer(np.log(ratio[:, m]), np.log(ratio[:, m]))
        if source.spread > 0:
            distance += np.square(apart / source.spread)
        else:
            distance[np.abs(apart) > 1e-9] = np.inf
        other = np.abs(np.subtract.outer(slope[:, m], slope[:, m])) > 1e-9
        distance[other] = np.inf
    weight = np.exp(-0.5 * distance)
    return np.asarray(weight / weight.sum(axis=1, keepdims=True))
