"""What was tried, why and with what: written down while it happens."""

from lbsense.ledger.card import check_card, make_card
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
    "check_card",
    "check_ledger",
    "experiment",
    "find_experiment",
    "log_experiment",
    "log_scores",
    "make_card",
    "next_name",
]
