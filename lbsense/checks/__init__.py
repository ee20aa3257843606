"""Flags about a history as a whole, each with its number, threshold and sample size."""

from lbsense.checks.finding import Finding, Findings
from lbsense.checks.run import (
    CHECKS,
    EXPLANATIONS,
    Explanation,
    explain,
    explanations_page,
    run_checks,
)

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
