"""Flags about a history as a whole, each with its number, threshold and sample size."""

from lbsense.checks._finding import Finding, Findings
from lbsense.checks._history import CHECKS, run_checks

__all__ = ["CHECKS", "Finding", "Findings", "run_checks"]
