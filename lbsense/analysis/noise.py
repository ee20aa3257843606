"""How noisy are the public score and one step of it, as far as this history tells."""

from __future__ import annotations

import math

import numpy as np

from lbsense._typing import FloatArray, IntArray
from lbsense.facts import NoiseScale
from lbsense.metrics import find_metric, score_sd, score_sd_on_tables
from lbsense.model import Competition, History
from lbsense.stats import repeat_noise

#: Half the logarithm of 1 - correlation of the row scores of a submission and its
#: reference, for the typical step of a history: median and standard deviation over
#: semi-real histories.
LOG_DISTINCT, LOG_DISTINCT_SD = -2.2, 0.9


def noise_scale(history: History, groups: IntArray, *, step_se: float) -> NoiseScale:
    """Return what metric, sizes, repeats and display say about the noise.

    Parameters
    ----------
    history : History
        The submissions.
    groups : ndarray of shape (n_submissions,)
        Labels of repeated content.
    step_se : float
        Estimate from the step posterior, nan where there is none.

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
        step_se=step_se,
        rerun_se=math.sqrt(2) * run_sd,
        n_repeats=n_repeats,
        rounding_se=0.0 if decimals is None else 10.0**-decimals / math.sqrt(6),
        n_public=n_public,
        basis=basis,
    )


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
    try:
        metric = find_metric(competition.metric)
    except ValueError:
        return *unknown, f"The metric {competition.metric!r} is not registered."
    sign = 1.0 if metric.greater_is_better else -1.0
    best = float(scored[np.argmax(sign * scored)])
    given = score_sd(metric, best)
    shift, log_sd = score_sd_on_tables(metric)
    typical = given.typical * math.exp(shift)
    low = min(given.low, typical * math.exp(-1.96 * log_sd))
    high = max(given.high, typical * math.exp(1.96 * log_sd))
    return low, typical, high, log_sd, given.basis
