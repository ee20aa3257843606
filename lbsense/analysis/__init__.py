"""The one bridge from what was observed to what can be said about it."""

from lbsense._result import Missing
from lbsense.analysis.analyze import analyze
from lbsense.analysis.board import (
    BoardAnalysis,
    FieldAnalysis,
    HostAnalysis,
    analyze_board,
    analyze_field,
    analyze_host,
    medal_picks,
)
from lbsense.analysis.compare import Comparison, compare
from lbsense.analysis.gate import footing, gate
from lbsense.analysis.plan import PlanResult, plan
from lbsense.analysis.predictions import bootstrap_of, noise_of, unlabelled_noise_of
from lbsense.analysis.result import SCHEMA, Analysis
from lbsense.facts import (
    OWN_PICKS,
    SELECTED,
    GateResult,
    NoiseScale,
    Outlook,
    Retrospective,
    Step,
)

__all__ = [
    "OWN_PICKS",
    "SCHEMA",
    "SELECTED",
    "Analysis",
    "BoardAnalysis",
    "Comparison",
    "FieldAnalysis",
    "GateResult",
    "HostAnalysis",
    "Missing",
    "NoiseScale",
    "Outlook",
    "PlanResult",
    "Retrospective",
    "Step",
    "analyze",
    "analyze_board",
    "analyze_field",
    "analyze_host",
    "bootstrap_of",
    "compare",
    "footing",
    "gate",
    "medal_picks",
    "noise_of",
    "plan",
    "unlabelled_noise_of",
]
