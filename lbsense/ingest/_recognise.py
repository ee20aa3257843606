"""What kind of table it is, and a clear word where it is no submission history."""

from __future__ import annotations

import re
from typing import Literal, TypeAlias

from lbsense._format import shorten
from lbsense.errors import IngestError
from lbsense.ingest._columns import field_of, name_key
from lbsense.ingest._raw import RawTable

__all__ = ["Kind", "has_score", "recognise_table"]

Kind: TypeAlias = Literal["kaggle", "host", "meta kaggle", "zindi", "table"]

_CHART_COLUMN = re.compile(r".+ - .+")
_ABOUT_A_SUBMISSION = frozenset(
    ("filename", "file", "description", "comment", "model", "publicscore")
)
_INSTEAD = (
    "Export your own submissions instead: `kaggle competitions submissions -c <slug> "
    "--csv --page-size 200`; see `lbsense formats`."
)


def recognise_table(table: RawTable) -> Kind:
    """Return which export a table is, from its column names.

    Raises
    ------
    IngestError
        If it is a leaderboard, a chart or an experiment log without a public score.
    """
    keys = {name_key(name) for name in table.columns}
    _refuse_leaderboard(table, keys)
    if not table.columns:
        msg = f"{table.source}: no column at all, so no submissions in it."
        raise IngestError(msg)
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
    fields = {found[0] for name in table.columns if (found := field_of(name))}
    return bool(fields & {"public_score", "private_score", "score"})


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
