"""What was observed: competitions, submissions and their history. No statistics."""

from lbsense.model.experiment import (
    Card,
    CardCheck,
    Environment,
    Expectation,
    Experiment,
    Lack,
    Ledger,
    ReasonedStep,
    ReasonOutcome,
)
from lbsense.model.history import (
    DataWarning,
    History,
    Order,
    Reading,
    UnusedColumn,
)
from lbsense.model.identity import (
    NameIndex,
    StatedContent,
    content_groups,
    display_names,
    file_kind,
    file_stem,
    names_of_file,
    plain_stem,
    stated_content,
)
from lbsense.model.leaderboard import HostExport, Leaderboard
from lbsense.model.predictions import CANDIDATE, Columns, Predictions
from lbsense.model.submission import Competition, InputFile, RowIssue, Submission

__all__ = [
    "CANDIDATE",
    "Card",
    "CardCheck",
    "Columns",
    "Competition",
    "DataWarning",
    "Environment",
    "Expectation",
    "Experiment",
    "History",
    "HostExport",
    "InputFile",
    "Lack",
    "Leaderboard",
    "Ledger",
    "NameIndex",
    "Order",
    "Predictions",
    "Reading",
    "ReasonOutcome",
    "ReasonedStep",
    "RowIssue",
    "StatedContent",
    "Submission",
    "UnusedColumn",
    "content_groups",
    "display_names",
    "file_kind",
    "file_stem",
    "names_of_file",
    "plain_stem",
    "stated_content",
]
