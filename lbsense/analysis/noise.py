"""How noisy are a score and a step, as far as a history and a board tell."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np

from lbsense._format import plural
from lbsense._result import Caveat, Missing
from lbsense._typing import FloatArray, IntArray
from lbsense.facts import NoiseScale
from lbsense.metrics import Metric, find_metric, score_sd, score_sd_on_tables
from lbsense.model import Competition, History, Leaderboard
from lbsense.stats import (
    BoardNoise,
    PairNoiseResult,
    best_first,
    pair_noise,
    published_noise,
    repeat_noise,
)

#: Half the logarithm of 1 - correlation of the row scores of a submission and its
#: reference, for the typical step of a history: median and standard deviation over
#: semi-real histories.
LOG_DISTINCT, LOG_DISTINCT_SD = -2.2, 0.9
#: Share of the noise of a score that teams do not have in common: median of one minus
#: the correlation of the row scores of two teams, and the sd of its logarithm. On real
#: histories it is .08 to .25 (docs/boards.md).
DISTINCT, DISTINCT_LOG_SD = 0.12, 0.8
#: Logarithm of the noise of a score over the stated one of its steps, and how far a
#: history may lie from it, over 224 competitions on real tables (docs/semi_real.md).
_SCORE_OVER_STEP, _SCORE_OVER_STEP_SD = 2.3, 1.35
# Share of histories whose CV lies apart from the public score for other reasons than
# noise, and by how many times as much: other rows, leaks, another way of scoring.
_APART, _APART_BY = 0.2, 10.0
_LOG_SE_REACH, _N_LOG_SE = 5.0, 201  # of the grid of log noise, around its prior
_PUBLIC = 0.3  # public share where nothing tells it
_NEIGHBOURS = 25  # teams whose noise is that of the level
_OFF = 5.0  # standard errors beyond the board at which a score is on another scale


def noise_scale(history: History, groups: IntArray) -> NoiseScale:
    """Return what metric, sizes, repeats and display say about the noise.

    Parameters
    ----------
    history : History
        The submissions.
    groups : ndarray of shape (n_submissions,)
        Labels of repeated content.

    Notes
    -----
    Two scores with standard error ``s`` and correlation ``r`` differ with standard
    error ``s * sqrt(2 * (1 - r))``, at most ``sqrt(2) * s``. The lower bound takes the
    2.5% point of the prior of ``1 - r``.
    """
    competition = history.competition
    raw = history.raw_scores("public")
    sd_low, sd, sd_high, log_sd, basis = metric_sd(competition, raw)
    n_public = competition.n_public
    root = math.sqrt(n_public) if n_public else math.nan
    least = math.exp(2 * (LOG_DISTINCT - 1.96 * LOG_DISTINCT_SD))
    run_sd, n_repeats = repeat_noise(raw, groups)
    decimals = competition.display_decimals
    return NoiseScale(
        score_sd=sd,
        score_se=sd / root,
        score_se_low=sd_low / root,
        score_se_high=sd_high / root,
        score_log_sd=log_sd,
        step_se_low=math.sqrt(2 * least) * sd_low / root,
        step_se_high=math.sqrt(2) * sd_high / root,
        step_se=math.nan,
        rerun_se=math.sqrt(2) * run_sd,
        n_repeats=n_repeats,
        rounding_se=0.0 if decimals is None else 10.0**-decimals / math.sqrt(6),
        n_public=n_public,
        basis=basis,
    )


def score_se(
    noise: NoiseScale, step_se: float, *, above: float = math.nan, ratio: float = 1.0
) -> tuple[float, float]:
    """Return the standard error of one score, and how well its logarithm is known.

    Metric and sizes tell it, and so do the steps: two scores of one entrant correlate
    as those of others do. Where CV reads as the public score does, the distance of both
    is a draw of their noise, unless something else keeps them apart.

    Parameters
    ----------
    noise : NoiseScale
        What metric and sizes say.
    step_se : float
        Standard error of a typical step, nan if unknown.
    above : float
        How far the public scores lie above CV, nan if they cannot be compared.
    ratio : float
        Noise variance of CV over that of the public score.
    """
    told = []
    if np.isfinite(step_se) and step_se > 0:
        told.append((math.log(step_se) + _SCORE_OVER_STEP, _SCORE_OVER_STEP_SD))
    if 0 < noise.score_se < np.inf:
        told.append((math.log(noise.score_se), max(noise.score_log_sd, 0.05)))
    weight = np.array([sd**-2 for _, sd in told])
    centre = float(weight @ [log_se for log_se, _ in told] / weight.sum())
    log_sd = float(weight.sum() ** -0.5)
    if not np.isfinite(above):
        return math.exp(centre), log_sd
    z = np.linspace(-_LOG_SE_REACH, _LOG_SE_REACH, _N_LOG_SE)
    sd = np.exp(centre + log_sd * z) * math.sqrt(1 + ratio)
    by = np.array([[1.0], [_APART_BY]])
    share = np.log([[1 - _APART], [_APART]]) - np.log(by * sd)
    fit = np.logaddexp(*(share - 0.5 * np.square(above / (by * sd))))
    fit -= 0.5 * np.square(z)
    likely = np.exp(fit - fit.max())
    likely /= likely.sum()
    mean = float(likely @ z)
    spread = math.sqrt(float(likely @ np.square(z - mean)))
    return math.exp(centre + log_sd * mean), log_sd * spread


def with_board(
    noise: NoiseScale, history: History, board: Leaderboard
) -> tuple[NoiseScale, Caveat | None]:
    """Return the noise that pairs of a board tell where nothing tells more of it.

    Parameters
    ----------
    noise : NoiseScale
        What metric, sizes, repeats and display say.
    history : History
        The submissions.
    board : Leaderboard
        Public and private scores of all teams.

    Notes
    -----
    Pairs tell the noise of a score less what all teams have in common. The whole of it
    is larger by the root of the share that teams do not have in common, about an
    eighth, and that share is what is least known of it: the wider of metric and board
    gives way to the narrower. It is taken at the level of the best public score.
    """
    competition = history.competition
    stated = replace(
        competition,
        public_fraction=competition.public_fraction
        or board.competition.public_fraction,
        nested=competition.nested or board.competition.nested,
    )
    sign = -1.0 if competition.greater_is_better is False else 1.0
    public, private = sign * board.public, sign * board.private
    pairs = pairs_of_board(stated, public, private)
    scores = sign * history.raw_scores("public")
    if not pairs or not np.isfinite(scores).any():
        reason = getattr(pairs, "reason", "The history has no public score.")
        return noise, Caveat("noise", f"The board tells no noise: {reason}")
    if pairs.two_stage:
        return noise, Caveat(
            "noise",
            "The private board looks like another test: it tells nothing of the noise.",
        )
    known = np.flatnonzero(np.isfinite(pairs.noise))
    best = float(np.nanmax(scores))
    level = np.clip(best, public[known].min(), public[known].max())
    near = known[np.argsort(np.abs(public[known] - best), kind="stable")[:_NEIGHBOURS]]
    se = float(np.median(pairs.noise[near]))
    if abs(level - best) > _OFF * se / math.sqrt(DISTINCT):
        return noise, Caveat(
            "noise",
            "No team of the board has a score like the best of this history: the noise "
            "is not taken from it. Are both of one competition, on one scale?",
        )
    log_sd = math.hypot(pairs.log_sd, DISTINCT_LOG_SD / 2)
    if math.isfinite(noise.score_se) and noise.score_log_sd <= log_sd:
        return noise, None
    whole, wide = se / math.sqrt(DISTINCT), math.exp(1.96 * log_sd)
    least = math.exp(2 * (LOG_DISTINCT - 1.96 * LOG_DISTINCT_SD))
    teams = plural(pairs.n_obs, "team")
    told = replace(
        noise,
        score_sd=whole * math.sqrt(noise.n_public) if noise.n_public else math.nan,
        score_se=whole,
        score_se_low=whole / wide,
        score_se_high=whole * wide,
        score_log_sd=log_sd,
        step_se_low=math.sqrt(2 * least) * whole / wide,
        step_se_high=math.sqrt(2) * se * wide,
        n_board=pairs.n_obs,
        basis=f"Public and private scores of {teams} on the leaderboard.",
    )
    return told, Caveat(
        "noise",
        f"Taken from the public and private scores of {teams} on the leaderboard, of "
        "whose noise teams usually do not share an eighth.",
    )


def pairs_of_board(
    competition: Competition, public: FloatArray, private: FloatArray
) -> PairNoiseResult | Missing:
    """Return what the pairs of scores of all teams say of the noise. Oriented."""
    if not np.isfinite(private).any():
        return Missing("noise", "The private board is not known.", ("private",))
    n_public, perfect, largest = competition.n_public, math.nan, math.nan
    if competition.metric is not None and competition.greater_is_better is not None:
        sign = competition.direction()
        *_, high, _, _ = metric_sd(competition, sign * public)
        largest = high / math.sqrt(n_public) if n_public else math.nan
        metric = metric_of(competition)
        if metric is not None:
            perfect = sign * (metric.high if metric.greater_is_better else metric.low)
    ratio, shared = split_of(competition)
    return pair_noise(
        public,
        private,
        ratio=ratio,
        shared=shared,
        largest_se=largest,
        perfect=perfect,
    )


def board_noise(
    competition: Competition,
    public: FloatArray,
    pairs: PairNoiseResult | Missing,
    told: float | None,
    history: NoiseScale | None,
    notebooks_only: bool | None,
) -> BoardNoise:
    """Return the best that is known of the noise: told, of the pairs, of the metric."""
    teams = best_first(public)
    ratio, shared = split_of(competition)
    given: dict[str, Any] = {
        "ratio": 0.65 if ratio is None else ratio,
        "shared": shared,
    }
    open_ratio = 0.2 if ratio is None else 0.0
    if told is not None:
        flat = np.full(len(teams), told)
        return BoardNoise(noise=flat, log_sd=open_ratio, basis="told", **given)
    if pairs:
        own = pairs.noise[teams]
        known = np.isfinite(own)
        at = np.arange(len(teams))
        own = np.interp(at, at[known], own[known])
        return BoardNoise(
            noise=own, log_sd=pairs.log_sd, basis="pairs", scale=pairs.scale, **given
        )
    basis = "metric"
    _, sd, _, log_sd, _ = metric_sd(competition, competition.direction() * public)
    se = sd / math.sqrt(competition.n_public) if competition.n_public else math.nan
    if history is not None and not math.isfinite(se):
        se, log_sd, basis = history.score_se, history.score_log_sd, "history"
    if math.isfinite(se) and se > 0:
        spread = math.hypot(log_sd, DISTINCT_LOG_SD / 2, open_ratio)
        flat = np.full(len(teams), math.sqrt(DISTINCT) * se)
        return BoardNoise(noise=flat, log_sd=spread, basis=basis, **given)
    return published_noise(competition.public_fraction, notebooks_only=notebooks_only)


def split_of(competition: Competition) -> tuple[float | None, float]:
    """Return noise of unseen over public rows, if told, and the public private rows.

    Under nested rules the private score covers the public rows too, which are taken for
    30% of all where nothing tells how many they are.
    """
    share, ratio = competition.public_fraction, None
    if share is not None and 0 < share < 1:
        ratio = math.sqrt(share / (1 - share))
    else:
        share = _PUBLIC
    return ratio, share if competition.nested else 0.0


def metric_of(competition: Competition) -> Metric | None:
    """Return the metric of a competition, None where it is not named or not known."""
    try:
        return find_metric(competition.metric or "")
    except ValueError:
        return None


def metric_sd(
    competition: Competition, raw: FloatArray
) -> tuple[float, float, float, float, str]:
    """Return low, typical and high sd per row, how open its log is, and the basis."""
    unknown = math.nan, math.nan, math.nan, math.nan
    if competition.metric is None:
        return *unknown, "The metric is not named."
    scored = raw[np.isfinite(raw)]
    if not scored.size:
        return *unknown, "No submission has a public score."
    metric = metric_of(competition)
    if metric is None:
        return *unknown, f"The metric {competition.metric!r} is not registered."
    sign = 1.0 if metric.greater_is_better else -1.0
    best = float(scored[np.argmax(sign * scored)])
    given = score_sd(metric, best)
    shift, log_sd = score_sd_on_tables(metric)
    typical = given.typical * math.exp(shift)
    low = min(given.low, typical * math.exp(-1.96 * log_sd))
    high = max(given.high, typical * math.exp(1.96 * log_sd))
    return low, typical, high, log_sd, given.basis
