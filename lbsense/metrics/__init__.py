"""Metrics: name -> direction, range, noise of a score, influence of each row."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from lbsense.metrics.record import METRICS, Metric, find_metric

if TYPE_CHECKING:
    from lbsense.metrics.noise import (
        INFLUENCE_FAMILIES,
        Influence,
        ScoreSd,
        influence,
        score_sd,
        score_sd_on_tables,
    )

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


def __getattr__(name: str) -> Any:
    """Return a name of what measures, which is loaded with its first use."""
    if name not in __all__:
        msg = f"module 'lbsense.metrics' has no attribute {name!r}"
        raise AttributeError(msg)
    value = getattr(import_module("lbsense.metrics.noise"), name)
    globals()[name] = value
    return value
