"""The one bridge from what was observed to what can be said about it."""

from lbsense.analysis.analyze import analyze
from lbsense.analysis.gate import GateResult, gate
from lbsense.analysis.noise import NoiseScale
from lbsense.analysis.predictions import bootstrap_of, noise_of, unlabelled_noise_of
from lbsense.analysis.result import SCHEMA, Analysis, Step
from lbsense.analysis.retrospective import OWN_PICKS, SELECTED, Retrospective

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
    "bootstrap_of",
    "gate",
    "noise_of",
    "unlabelled_noise_of",
]
