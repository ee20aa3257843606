"""Competitions with a known truth, for trying things out and for calibration."""

from lbsense.simulate.competition import (
    SimulatedCompetition,
    SimulatedRows,
    Truth,
    simulate,
)
from lbsense.simulate.exports import write_exports, write_presets
from lbsense.simulate.scenario import PRESETS, Preset, Scenario

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
