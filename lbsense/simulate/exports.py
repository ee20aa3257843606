"""A simulated competition written in the shapes that platforms export."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import os
import pkgutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from lbsense._files import replace_file
from lbsense._typing import FloatArray
from lbsense.model import History, Submission
from lbsense.simulate.competition import SimulatedCompetition, SimulatedRows, simulate
from lbsense.simulate.scenario import PRESETS

_KAGGLE_STATUS = {"complete": "COMPLETE", "pending": "PENDING", "error": "ERROR"}
_ZINDI_STATUS = {"complete": "successful", "pending": "initial", "error": "failed"}
_TEAM_ID, _USER = 7_301_224, "simulated"
# Enough that scores come out as they were shown, few enough to keep files small.
_PREDICTION_DIGITS = 8


def write_exports(
    simulated: SimulatedCompetition, directory: str | os.PathLike[str]
) -> list[Path]:
    """Write a competition as its entrant would hold it, and the truth beside it.

    Use it to try any reader or command on files in genuine shapes. The data are
    invented; only their form is that of the platforms.

    Parameters
    ----------
    simulated : SimulatedCompetition
        What to write. Files of predictions are written if it kept its rows.
    directory : path
        Folder to write into; made if need be. Files of the same name are replaced.

    Returns
    -------
    list of Path
        The files, in the order in which the folder's README.md explains them.

    See Also
    --------
    simulate : Make a competition.

    Examples
    --------
    >>> import tempfile
    >>> from lbsense.simulate import Scenario, simulate, write_exports
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     files = write_exports(simulate(Scenario(n_submissions=5), rng=0), folder)
    ...     print(files[0].read_text().splitlines()[0])
    ref,fileName,date,description,status,publicScore,privateScore
    """
    folder = Path(directory)
    folder.mkdir(parents=True, exist_ok=True)
    after, before = simulated.history, simulated.before_close()
    texts = {
        "submissions.csv": _kaggle_csv(after),
        "submissions_before_close.csv": _kaggle_csv(before),
        "submissions_old_client.csv": _old_kaggle_csv(after),
        "submissions_old_client_before_close.csv": _old_kaggle_csv(before),
        "submissions.json": _kaggle_json(after),
        "host_submissions.csv": _host_csv(after),
        "zindi.json": _zindi_json(after, closed=True),
        "zindi_before_close.json": _zindi_json(before, closed=False),
        "experiment_log.csv": _experiment_log(simulated),
        "truth.csv": _truth_csv(simulated),
        "README.md": folder_readme(simulated),
    }
    if simulated.rows is not None:
        texts |= _prediction_files(simulated, simulated.rows)
    return [_write(folder / name, text) for name, text in texts.items()]


def write_presets(directory: str | os.PathLike[str]) -> list[Path]:
    """Write every preset into a folder of its own, and return the folders.

    Parameters
    ----------
    directory : path
        Folder to write into; made if need be.

    Returns
    -------
    list of Path
        The folder of each preset.
    """
    folders = []
    for name in PRESETS:
        folder = Path(directory) / name
        folder.mkdir(parents=True, exist_ok=True)
        write_exports(simulate(name), folder)
        folders.append(folder)
    return folders


def _write(path: Path, text: str) -> Path:
    path.parent.mkdir(exist_ok=True)
    replace_file(text, path)
    return path


def _csv(rows: Iterable[Sequence[Any]], *, line_end: str = "\n") -> str:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator=line_end).writerows(rows)
    return buffer.getvalue()


def _newest_first(history: History) -> list[Submission]:
    return list(reversed(history.submissions))


def _time(item: Submission) -> datetime:
    """Return the time as the platforms write it: UTC, without saying so."""
    if item.submitted_at is None:
        msg = f"{item.submission_id} has no time: simulated submissions have one."
        raise ValueError(msg)
    return item.submitted_at.replace(tzinfo=None)


def _shown(history: History, score: float | None, *, blank: str = "") -> str:
    decimals = history.competition.display_decimals
    return blank if score is None else f"{score:.{decimals}f}"


def _sheet(
    history: History, columns: Mapping[str, Callable[[Submission], object]]
) -> str:
    """Return one row per submission, newest first, as the platforms write them."""
    rows = [
        [cell(item) for cell in columns.values()] for item in _newest_first(history)
    ]
    return _csv([list(columns), *rows], line_end="\r\n")


def _kaggle_csv(history: History) -> str:
    """Return what the newest command-line client prints with ``--csv``."""
    return _sheet(history, _kaggle_columns(history))


def _kaggle_columns(history: History) -> dict[str, Callable[[Submission], Any]]:
    return {
        "ref": lambda item: item.submission_id,
        "fileName": lambda item: item.file_name,
        "date": _time,
        "description": lambda item: item.description,
        "status": lambda item: f"SubmissionStatus.{_KAGGLE_STATUS[item.status]}",
        "publicScore": lambda item: _shown(history, item.public_score),
        "privateScore": lambda item: _shown(history, item.private_score),
    }


def _old_kaggle_csv(history: History) -> str:
    """Return what clients up to 1.6 printed: no reference, whole seconds, "None"."""
    return _sheet(
        history,
        {
            "fileName": lambda item: item.file_name,
            "date": lambda item: f"{_time(item):%Y-%m-%d %H:%M:%S}",
            "description": lambda item: item.description,
            "status": lambda item: item.status,
            "publicScore": lambda i: _shown(history, i.public_score, blank="None"),
            "privateScore": lambda i: _shown(history, i.private_score, blank="None"),
        },
    )


def _kaggle_json(history: History) -> str:
    """Return what the newest client prints with ``--format json``."""
    columns = _kaggle_columns(history)
    columns |= {
        "ref": lambda item: int(item.submission_id),
        "date": lambda item: _time(item).isoformat(),
    }
    items = [
        {name: cell(item) for name, cell in columns.items()}
        for item in _newest_first(history)
    ]
    return json.dumps(items, indent=2) + "\n"


def _host_csv(history: History) -> str:
    """Return what the host of a community competition downloads, for one team."""
    return _sheet(
        history,
        {
            "DateSubmitted": lambda item: f"{_time(item):%Y-%m-%d %H:%M:%S}",
            "SubmissionId": lambda item: item.submission_id,
            "TeamId": lambda _: _TEAM_ID,
            "UserName": lambda _: _USER,
            "TeamName": lambda _: _USER,
            "IsSelected": lambda item: bool(item.selected),
            "PublicScore": lambda item: _shown(history, item.public_score),
            "PrivateScore": lambda item: _shown(history, item.private_score),
        },
    )


def _zindi_json(history: History, *, closed: bool) -> str:
    """Return the payload of Zindi; there is no private score before the close."""
    items = []
    for item in _newest_first(history):
        failed = item.status == "error"
        record: dict[str, Any] = {
            "id": int(item.submission_id),
            "status": _ZINDI_STATUS[item.status],
            "filename": item.file_name,
            "created_at": f"{_time(item).isoformat(timespec='milliseconds')}Z",
            "public_score": item.public_score,
            "comment": item.description,
            "status_description": "Missing entries for IDs." if failed else None,
            "chosen": bool(item.selected),
        }
        if closed:
            record["private_score"] = item.private_score
        items.append(record)
    return json.dumps({"data": items}, indent=2) + "\n"


def _experiment_log(simulated: SimulatedCompetition) -> str:
    """Return the entrant's own log: one row per experiment with a CV score."""
    history, n_folds = simulated.history, simulated.scenario.n_folds
    known = simulated.scenario.parents != "withheld"
    names = {item.submission_id: _stem(item) for item in history}
    folds = [f"cv_fold{fold}" for fold in range(1, n_folds + 1)]
    rows: dict[str, list[str]] = {}
    for item, parent in zip(history, simulated.truth.parent, strict=True):
        if item.cv_score is None or _stem(item) in rows:
            continue
        base = names[history[int(parent)].submission_id] if parent >= 0 else ""
        rows[_stem(item)] = [
            _stem(item),
            base if known else "",
            str(item.file_name),
            _shown(history, item.cv_score),
            *(_shown(history, score) for score in item.cv_fold_scores),
        ]
    return _csv([["experiment", "parent", "file", "cv", *folds], *rows.values()])


def _stem(item: Submission) -> str:
    return str(item.file_name).removeprefix("submission_").removesuffix(".csv")


def _truth_csv(simulated: SimulatedCompetition) -> str:
    truth = simulated.truth
    header = ["submission_id", "kind", "parent_id", "true_score", "true_private_score"]
    header += ["true_cv_score", "true_gain", "is_null", "selected"]
    rows = [
        [
            name,
            truth.kind[position],
            truth.submission_id[parent] if parent >= 0 else "",
            *(
                "" if np.isnan(value) else f"{value:.8f}"
                for value in (
                    truth.score[position],
                    truth.private_score[position],
                    truth.cv_score[position],
                    truth.gain[position],
                )
            ),
            bool(truth.is_null[position]),
            position in simulated.selected,
        ]
        for position, (name, parent) in enumerate(
            zip(truth.submission_id, truth.parent.tolist(), strict=True)
        )
    ]
    return _csv([header, *rows])


def _prediction_files(
    simulated: SimulatedCompetition, rows: SimulatedRows
) -> dict[str, str]:
    """Return labels, submitted files and out-of-fold predictions, each file once."""
    train = {"target": rows.y_train, "fold": rows.fold}
    usage = np.where(rows.public_mask, "Public", "Private")
    solution = {"target": rows.y_test, "Usage": usage}
    if rows.train_group is not None and rows.test_group is not None:
        train["group"] = rows.train_group
        solution["group"] = rows.test_group
    texts = {
        "predictions/train.csv": _columns("train", train),
        "predictions/solution.csv": _columns("test", solution),
    }
    for position, item in enumerate(simulated.history):
        name = f"predictions/{item.file_name}"
        if name in texts:
            continue
        texts[name] = _columns("test", {"target": rows.test[:, position]})
        oof: FloatArray = rows.oof[:, position]
        if not np.isnan(oof[0]):
            path = f"predictions/oof_{_stem(item)}.csv"
            texts[path] = _columns("train", {"target": oof})
    return texts


def _columns(prefix: str, columns: dict[str, Any]) -> str:
    cells = [
        [f"{value:.{_PREDICTION_DIGITS}g}" for value in column.tolist()]
        if column.dtype == np.float64
        else column.tolist()
        for column in columns.values()
    ]
    names = [f"{prefix}_{row}" for row in range(len(cells[0]))]
    return _csv([["id", *columns], *zip(names, *cells, strict=True)])


_PREDICTIONS = """\
- `predictions/train.csv`: labels and folds of the training rows.
- `predictions/solution.csv`: labels of the test rows, and which of them are public.
- `predictions/submission_*.csv`, `predictions/oof_*.csv`: submitted and out-of-fold
  predictions of each experiment.
"""


def folder_readme(simulated: SimulatedCompetition) -> str:
    """Return the README of one exported competition."""
    competition, scenario = simulated.history.competition, simulated.scenario
    changed = [
        f"`{field.name}={getattr(scenario, field.name)!r}`"
        for field in dataclasses.fields(scenario)
        if getattr(scenario, field.name) != field.default
    ]
    # Also where the package is imported from a zipped wheel.
    template = pkgutil.get_data("lbsense.simulate", "exports.md")
    assert template is not None
    return (
        template.decode("utf-8")
        .replace("\r\n", "\n")
        .format(
            metric=competition.metric,
            better="higher" if competition.greater_is_better else "lower",
            train_size=competition.train_size,
            test_size=competition.test_size,
            n_public=competition.n_public,
            private="all test rows" if competition.nested else "the others",
            n_submissions=len(simulated.history),
            world=scenario.world,
            changed=", ".join(changed) or "none",
            predictions="" if simulated.rows is None else _PREDICTIONS,
        )
    )
