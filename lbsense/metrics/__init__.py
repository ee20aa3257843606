"""Metrics: name -> direction, range, noise of a score, influence of each row."""

from lbsense.metrics.names import METRICS, find_metric
from lbsense.metrics.noise import (
    INFLUENCE_FAMILIES,
    Influence,
    ScoreSd,
    influence,
    score_sd,
    score_sd_on_tables,
)
from lbsense.metrics.record import Metric

__all__ = [
    "INFLUENCE_FAMILIES",
    "METRICS",
    "Influence",
    "Metric",
    "ScoreSd",
    "find_metric",
    "influence",
    "score_sd",
    "score_sd_on_tables",
]
