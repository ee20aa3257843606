"""Competitions with a known truth, for trying things out and for calibration."""

from lbsense.simulate._competition import SimulatedCompetition, SimulatedRows, Truth
from lbsense.simulate._exports import write_exports
from lbsense.simulate._presets import PRESETS, Preset, write_presets
from lbsense.simulate._scenario import Scenario
from lbsense.simulate._simulate import simulate

__all__ = [
    "PRESETS",
    "Preset",
    "Scenario",
    "SimulatedCompetition",
    "SimulatedRows",
    "Truth",
    "simulate",
    "write_exports",
    "write_presets",
]
