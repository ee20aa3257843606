"""The one bridge from what was observed to what can be said about it."""

from lbsense.analysis._analyze import analyze
from lbsense.analysis._gate import GateResult, gate
from lbsense.analysis._noise import NoiseScale
from lbsense.analysis._results import SCHEMA, Analysis, Step
from lbsense.analysis._retrospective import OWN_PICKS, SELECTED, Retrospective

__all__ = [
    "OWN_PICKS",
    "SCHEMA",
    "SELECTED",
    "Analysis",
    "GateResult",
    "NoiseScale",
    "Retrospective",
    "Step",
    "analyze",
    "gate",
]
