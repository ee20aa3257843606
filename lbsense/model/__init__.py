"""What was observed: competitions, submissions and their history. No statistics."""

from lbsense.model.history import (
    DataWarning,
    History,
    InputFile,
    Order,
    Reading,
    RowIssue,
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
from lbsense.model.predictions import Predictions
from lbsense.model.submission import Competition, Submission

__all__ = [
    "Competition",
    "DataWarning",
    "History",
    "InputFile",
    "NameIndex",
    "Order",
    "Predictions",
    "Reading",
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
