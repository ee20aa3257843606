"""Files, text and API objects to the model: the only reader."""

from lbsense.ingest.boards.read import read_leaderboard, read_leaderboards
from lbsense.ingest.cv.reading import (
    TRAILING_NUMBER,
    CvReading,
    cv_candidates,
    parse_cv,
)
from lbsense.ingest.exports import FormatGuide
from lbsense.ingest.fetch.kaggle import ask_kaggle
from lbsense.ingest.fetch.listing import (
    Fetched,
    Merged,
    join_listing,
    listing_text,
    read_listing,
)
from lbsense.ingest.fetch.zindi import TOKEN_VARIABLE, ask_zindi
from lbsense.ingest.ledger import LEDGER_SCHEMA, is_ledger, join_ledger, read_ledger
from lbsense.ingest.log import join_log
from lbsense.ingest.machine import read_environment
from lbsense.ingest.options import ReaderOptions
from lbsense.ingest.platforms import FORMATS
from lbsense.ingest.predictions.read import read_predictions
from lbsense.ingest.readers import (
    fetch_kaggle,
    fetch_zindi,
    fetched_history,
    read_kaggle,
    read_submissions,
    read_table,
    read_zindi,
)
from lbsense.ingest.tables.source import input_files

__all__ = [
    "FORMATS",
    "LEDGER_SCHEMA",
    "TOKEN_VARIABLE",
    "TRAILING_NUMBER",
    "CvReading",
    "Fetched",
    "FormatGuide",
    "Merged",
    "ReaderOptions",
    "ask_kaggle",
    "ask_zindi",
    "cv_candidates",
    "fetch_kaggle",
    "fetch_zindi",
    "fetched_history",
    "input_files",
    "is_ledger",
    "join_ledger",
    "join_listing",
    "join_log",
    "listing_text",
    "parse_cv",
    "read_environment",
    "read_kaggle",
    "read_leaderboard",
    "read_leaderboards",
    "read_ledger",
    "read_listing",
    "read_predictions",
    "read_submissions",
    "read_table",
    "read_zindi",
]
