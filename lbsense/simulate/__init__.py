"""Competitions with a known truth, for trying things out and for calibration."""

from lbsense.simulate.board import SimulatedBoard, simulate_board
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
    "SimulatedBoard",
    "SimulatedCompetition",
    "SimulatedRows",
    "Truth",
    "simulate",
    "simulate_board",
    "write_exports",
    "write_presets",
]
