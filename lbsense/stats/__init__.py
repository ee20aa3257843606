"""Arrays in, results out: no history, no path and no picture is known here."""

from lbsense.stats.agreement import RankCorrelationResult, rank_correlation
from lbsense.stats.fusion import fuse_history
from lbsense.stats.level_noise import LevelNoise, row_noise, tree_noise
from lbsense.stats.levels import LevelPosteriorResult, level_posterior
from lbsense.stats.noise_grid import (
    PRIOR_DISTINCTNESS,
    NoiseGrid,
    fixed_noise,
    known_noise,
    learned_noise,
    prior_noise,
    reference_luck,
    repeat_noise,
)
from lbsense.stats.steps import StepPosteriorResult, bayes_fdr_list, step_posterior

__all__ = [
    "PRIOR_DISTINCTNESS",
    "LevelNoise",
    "LevelPosteriorResult",
    "NoiseGrid",
    "RankCorrelationResult",
    "StepPosteriorResult",
    "bayes_fdr_list",
    "fixed_noise",
    "fuse_history",
    "known_noise",
    "learned_noise",
    "level_posterior",
    "prior_noise",
    "rank_correlation",
    "reference_luck",
    "repeat_noise",
    "row_noise",
    "step_posterior",
    "tree_noise",
]
