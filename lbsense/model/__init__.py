"""What was observed: competitions, submissions and their history. No statistics."""

from lbsense.model.competition import Competition
from lbsense.model.history import DataWarning, History
from lbsense.model.predictions import Predictions
from lbsense.model.submission import RowIssue, Submission

__all__ = [
    "Competition",
    "DataWarning",
    "History",
    "Predictions",
    "RowIssue",
    "Submission",
]
