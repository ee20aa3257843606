"""What kind of table it is, and a clear word where it is no submission history."""

from __future__ import annotations

import re
from typing import Literal, TypeAlias

from lbsense._format import shorten
from lbsense.errors import IngestError
from lbsense.ingest.tables.names import known_fields, name_key
from lbsense.ingest.tables.raw import RawTable

__all__ = ["Kind", "has_score", "recognise_table"]

Kind: TypeAlias = Literal["kaggle", "host", "meta kaggle", "zindi", "table"]

_CHART_COLUMN = re.compile(r".+ - .+")
_ABOUT_A_SUBMISSION = frozenset(
    (
        "comment",
        "cv",
        "description",
        "file",
        "filename",
        "model",
        "note",
        "notes",
        "oof",
        "publicscore",
        "status",
    )
)
_INSTEAD = (
    "Export your own submissions instead: `kaggle competitions submissions -c <slug> "
    "--csv --page-size 200`; see `lbsense formats`."
)


def recognise_table(table: RawTable, *, named: bool = False) -> Kind:
    """Return which export a table is, from its column names.

    Parameters
    ----------
    table : RawTable
        The table.
    named : bool, default=False
        Whether the user named the column of the scores, and so knows what it is.

    Raises
    ------
    IngestError
        If it is a leaderboard, a chart or an experiment log without a public score.
    """
    keys = {name_key(name) for name in table.columns}
    if not named:
        _refuse_leaderboard(table, keys)
        _refuse_log(table, keys)
    if {"publicscoreleaderboarddisplay", "publicscorefullprecision"} & keys:
        return "meta kaggle"
    if {"datesubmitted", "submissionid", "teamid"} <= keys:
        return "host"
    if table.shape == "board" or ("createdat" in keys and "filename" in keys):
        return "zindi"
    return "kaggle" if _is_kaggle(table, keys) else "table"


def has_score(table: RawTable) -> bool:
    """Say whether some column holds a score of the leaderboard."""
    scores = {"public_score", "private_score", "score"}
    return bool(known_fields(table.columns) & scores)


def _is_kaggle(table: RawTable, keys: set[str]) -> bool:
    names = {name.lstrip("_") for name in table.columns}
    if {"filename", "date", "status"} <= keys:
        return True
    return bool(names & {"publicScore", "privateScore"}) or "_public_score" in (
        table.columns
    )


def _refuse_leaderboard(table: RawTable, keys: set[str]) -> None:
    scored = "score" in keys and not keys & _ABOUT_A_SUBMISSION
    kaggle = "teamid" in keys and scored
    ranked = bool(keys & {"rank", "publicrank", "privaterank"}) and scored
    zindi = bool(keys & {"bestpublicscore", "bestprivatescore"})
    if kaggle or ranked or zindi:
        shown = ", ".join(shorten(name, 40) for name in table.columns[:8])
        msg = (
            f"{table.source}: a leaderboard ({shown}), with the teams of a "
            f"competition, not the submission history of one. {_INSTEAD}"
        )
        raise IngestError(msg)


def _refuse_log(table: RawTable, keys: set[str]) -> None:
    first, rest = table.columns[0], table.columns[1:]
    steps = name_key(first) in ("step", "globalstep", "epoch") and rest
    if steps and all(_CHART_COLUMN.fullmatch(name) for name in rest):
        msg = (
            f"{table.source}: a chart export (one row per training step of "
            f"{shorten(rest[0], 60)!r}), not a submission history. As a log to join, "
            f"export the table of runs and pass it as cv_log. {_INSTEAD}"
        )
        raise IngestError(msg)
    mlflow = {"runid", "experimentid"} <= keys or {"runid", "starttime"} <= keys
    wandb = {"name", "state", "created"} <= keys
    neptune = any(name.startswith("sys/") for name in table.columns)
    if (mlflow or wandb or neptune) and not has_score(table):
        msg = (
            f"{table.source}: a table of experiment runs without a public score. Give "
            "the submission history first and this one as its log: cv_log=..., or "
            f"--cv-log on the command line. {_INSTEAD}"
        )
        raise IngestError(msg)
