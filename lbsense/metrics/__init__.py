"""Metrics: name -> direction, range, noise of a score, influence of each row."""

from lbsense.metrics._influence import INFLUENCE_FAMILIES, Influence, influence
from lbsense.metrics._metric import Metric
from lbsense.metrics.registry import METRICS, find_metric
from lbsense.metrics.score_noise import ScoreSd, score_sd

__all__ = [
    "INFLUENCE_FAMILIES",
    "METRICS",
    "Influence",
    "Metric",
    "ScoreSd",
    "find_metric",
    "influence",
    "score_sd",
]
