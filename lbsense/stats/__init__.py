"""Arrays in, results out: no history, no path and no picture is known here."""

from lbsense.stats.agreement import RankCorrelationResult, rank_correlation
from lbsense.stats.noise_grid import (
    PRIOR_DISTINCTNESS,
    NoiseGrid,
    fixed_noise,
    learned_noise,
    reference_luck,
    repeat_noise,
)
from lbsense.stats.steps import StepPosteriorResult, bayes_fdr_list, step_posterior

__all__ = [
    "PRIOR_DISTINCTNESS",
    "NoiseGrid",
    "RankCorrelationResult",
    "StepPosteriorResult",
    "bayes_fdr_list",
    "fixed_noise",
    "learned_noise",
    "rank_correlation",
    "reference_luck",
    "repeat_noise",
    "step_posterior",
]
