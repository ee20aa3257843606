"""Files, text and API objects to the model: the only reader."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lbsense.ingest.boards.read import read_leaderboard, read_leaderboards
    from lbsense.ingest.boards.sheets import read_field, read_host
    from lbsense.ingest.cv.heading import CvScheme, cv_schemes
    from lbsense.ingest.cv.reading import (
        TRAILING_NUMBER,
        CvReading,
        cv_candidates,
        parse_cv,
    )
    from lbsense.ingest.fetch.listing import (
        Fetched,
        Merged,
        join_listing,
        listing_text,
        read_listing,
    )
    from lbsense.ingest.fetch.servers import TOKEN_VARIABLE, ask_kaggle, ask_zindi
    from lbsense.ingest.ledger import (
        LEDGER_SCHEMA,
        is_ledger,
        join_ledger,
        read_environment,
        read_ledger,
    )
    from lbsense.ingest.log import join_log
    from lbsense.ingest.platforms import FORMATS, FormatGuide
    from lbsense.ingest.predictions import read_predictions
    from lbsense.ingest.readers import (
        ReaderOptions,
        fetch_kaggle,
        fetch_zindi,
        fetched_history,
        read_facts,
        read_kaggle,
        read_submissions,
        read_table,
        read_zindi,
    )
    from lbsense.ingest.tables.source import input_files, is_own_page, own_wheel

#: Where each public name lives.
_HOMES = {
    name: room
    for room, names in {
        "boards.sheets": "read_field read_host",
        "boards.read": "read_leaderboard read_leaderboards",
        "cv.reading": "CvReading TRAILING_NUMBER cv_candidates parse_cv",
        "cv.heading": "CvScheme cv_schemes",
        "fetch.listing": "Fetched Merged join_listing listing_text read_listing",
        "fetch.servers": "TOKEN_VARIABLE ask_kaggle ask_zindi",
        "ledger": ("LEDGER_SCHEMA is_ledger join_ledger read_environment read_ledger"),
        "log": "join_log",
        "platforms": "FORMATS FormatGuide",
        "predictions": "read_predictions",
        "readers": (
            "ReaderOptions fetch_kaggle fetch_zindi fetched_history read_facts "
            "read_kaggle read_submissions read_table read_zindi"
        ),
        "tables.source": "input_files is_own_page own_wheel",
    }.items()
    for name in names.split()
}

__all__ = [
    "FORMATS",
    "LEDGER_SCHEMA",
    "TOKEN_VARIABLE",
    "TRAILING_NUMBER",
    "CvReading",
    "CvScheme",
    "Fetched",
    "FormatGuide",
    "Merged",
    "ReaderOptions",
    "ask_kaggle",
    "ask_zindi",
    "cv_candidates",
    "cv_schemes",
    "fetch_kaggle",
    "fetch_zindi",
    "fetched_history",
    "input_files",
    "is_ledger",
    "is_own_page",
    "join_ledger",
    "join_listing",
    "join_log",
    "listing_text",
    "own_wheel",
    "parse_cv",
    "read_environment",
    "read_facts",
    "read_field",
    "read_host",
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


def __getattr__(name: str) -> Any:
    """Return a public name, loading the module where it lives."""
    if name not in _HOMES:
        msg = f"module 'lbsense.ingest' has no attribute {name!r}"
        raise AttributeError(msg)
    value = getattr(import_module(f"lbsense.ingest.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
