"""Flags about a history as a whole, each with its number, threshold and sample size."""

from lbsense._codes import EXPLANATIONS, Explanation, explain, explanations_page
from lbsense.checks import probes as probes
from lbsense.checks import scores as scores
from lbsense.checks.finding import CHECKS, Finding, Findings, run_checks

__all__ = [
    "CHECKS",
    "EXPLANATIONS",
    "Explanation",
    "Finding",
    "Findings",
    "explain",
    "explanations_page",
    "run_checks",
]
