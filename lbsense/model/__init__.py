"""What was observed: competitions, submissions and their history. No statistics."""

from lbsense.model.competition import Competition
from lbsense.model.content import StatedContent, stated_content
from lbsense.model.history import History
from lbsense.model.identity import (
    NameIndex,
    content_groups,
    display_names,
    file_kind,
    file_stem,
    names_of_file,
    plain_stem,
)
from lbsense.model.input import DataWarning, InputFile, RowIssue
from lbsense.model.predictions import Predictions
from lbsense.model.reading import Order, Reading, UnusedColumn
from lbsense.model.submission import Submission

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
