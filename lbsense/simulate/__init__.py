"""Competitions with a known truth, for trying things out and for calibration."""

from lbsense.simulate.competition import (
    SimulatedCompetition,
    SimulatedRows,
    Truth,
    simulate,
)
from lbsense.simulate.exports import write_exports, write_presets
from lbsense.simulate.scenario import (
    PRESETS,
    Preset,
    Scenario,
    SimulatedBoard,
    simulate_board,
)

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
