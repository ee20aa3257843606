"""What was tried, why and with what: written down while it happens."""

from lbsense.ledger.record import (
    Run,
    check_ledger,
    experiment,
    find_experiment,
    log_experiment,
    log_scores,
    next_name,
)

__all__ = [
    "Run",
    "check_ledger",
    "experiment",
    "find_experiment",
    "log_experiment",
    "log_scores",
    "next_name",
]
