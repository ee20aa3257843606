"""Files, text and API objects to the model: the only reader."""

from lbsense.ingest.cv.reading import (
    TRAILING_NUMBER,
    CvReading,
    cv_candidates,
    parse_cv,
)
from lbsense.ingest.log.join import join_log
from lbsense.ingest.options import ReaderOptions
from lbsense.ingest.platforms import FORMATS, FormatGuide
from lbsense.ingest.predictions.read import read_predictions
from lbsense.ingest.readers import (
    read_kaggle,
    read_submissions,
    read_table,
    read_zindi,
)
from lbsense.ingest.tables.source import input_files

__all__ = [
    "FORMATS",
    "TRAILING_NUMBER",
    "CvReading",
    "FormatGuide",
    "ReaderOptions",
    "cv_candidates",
    "input_files",
    "join_log",
    "parse_cv",
    "read_kaggle",
    "read_predictions",
    "read_submissions",
    "read_table",
    "read_zindi",
]
