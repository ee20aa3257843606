"""The one bridge from what was observed to what can be said about it."""

from lbsense.analysis._analyze import analyze
from lbsense.analysis._gate import GateResult, gate
from lbsense.analysis._noise import NoiseScale
from lbsense.analysis._results import SCHEMA, Analysis, Step

__all__ = ["SCHEMA", "Analysis", "GateResult", "NoiseScale", "Step", "analyze", "gate"]
