"""What a record of a platform holds, and the records of agents and trackers.

How those are read is in `history.agents`, by the name of the export.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple

from lbsense._result import Result
from lbsense._typing import Platform as PlatformName
from lbsense._typing import Status

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


@dataclass(frozen=True, slots=True, kw_only=True)
class FormatGuide(Result):
    """One kind of input: how to get it, what it holds and what it lacks.

    Attributes
    ----------
    name : str
        Short name.
    title : str
        What it is.
    how : str
        How to get it.
    columns : tuple of str
        Columns or keys that are read.
    caveats : tuple of str
        What to know before trusting it.
    """

    name: str
    title: str
    how: str
    columns: tuple[str, ...]
    caveats: tuple[str, ...] = ()


class Look(NamedTuple):
    """What a table is recognised by.

    ``keys`` are the letters and digits of its column names, in lower case; ``words``
    those that stand in its columns of outcomes.
    """

    columns: tuple[str, ...]
    keys: frozenset[str]
    shape: str
    words: frozenset[str] = frozenset()

    @property
    def has_bare_score(self) -> bool:
        """Whether it has a score and nothing that is said of a submission."""
        return "score" in self.keys and not self.keys & _ABOUT_A_SUBMISSION


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """One kind of listing of submissions.

    Attributes
    ----------
    name : str
        Short name.
    recognises : callable
        Says by the look of a table whether it is one.
    platform : str or None
        Whose listing it is, which its `Platform` says.
    pages : mapping of int to str
        By the rows of a full page, which may not be the only one, how to get all.
    newest_first : bool
        Whether rows without times are known to be listed so.
    unknown_status : {"complaint", "error", "note"}
        What a status is that nobody knows: a cell to complain of, the platform's word
        on a failure, or a note of the entrant.
    reason_as_comment : bool
        Whether the comment of a failed submission is the reason.
    hand_made : bool
        Whether it is no export but a table of the entrant's own.
    """

    name: str
    recognises: Callable[[Look], bool]
    platform: PlatformName | None = None
    pages: Mapping[int, str] = field(default_factory=dict)
    newest_first: bool = False
    unknown_status: Literal["complaint", "error", "note"] = "complaint"
    reason_as_comment: bool = False
    hand_made: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """Where competitions run.

    Attributes
    ----------
    name : str
        Short name, one of `lbsense._typing.Platform`.
    title : str
        As people write it.
    exports : tuple of Export
        Its listings; the first that recognises a table has it.
    columns : mapping of str to tuple of str
        For each field the names of its columns, as `Look` has them, in the order of
        preference. Names that people use as well belong to `tables.raw`.
    statuses : mapping of str to Status
        Its words, in lower case.
    printed : tuple of str
        Regular expressions of lines that its client prints around a table.
    board : tuple of str
        Columns of the board that its client prints between pipes, if it does.
    is_leaderboard : callable
        Says whether a table is its leaderboard, not a history.
    nested_doubt : str
        What to know of private scores that cover the public rows, where some do.
    score_doubt : str
        What to know of a column that is just called score.
    guides : tuple of FormatGuide
        How to get each export.
    """

    name: PlatformName
    title: str
    exports: tuple[Export, ...]
    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    statuses: Mapping[str, Status] = field(default_factory=dict)
    printed: tuple[str, ...] = ()
    board: tuple[str, ...] = ()
    is_leaderboard: Callable[[Look], bool] = lambda _look: False
    nested_doubt: str = ""
    score_doubt: str = ""
    guides: tuple[FormatGuide, ...]

    def __post_init__(self) -> None:
        own = tuple(replace(item, platform=self.name) for item in self.exports)
        object.__setattr__(self, "exports", own)


OUTCOMES = (
    *("status", "decision", "outcome", "verdict", "result", "action", "state"),
    "correctness",
)
"""Columns that say what became of an experiment, in the order of preference."""
FLAGS = ("kept", "keep", "accepted", "accept", "iskept", "isaccepted", "improved")
"""Columns that say by yes or no whether the following ones build on it."""
_KEPT = """
    accept accepted advance baseline improved keep kept merge merged promote
    promoted
"""
KEPT = frozenset(_KEPT.split())
"""Words for an experiment that the following ones build on."""
_DROPPED = """
    discard discarded drop dropped reject rejected revert reverted rollback worse
"""
DROPPED = frozenset(_DROPPED.split())
"""Words for one that was scored, and given up."""
_FAILED = """
    blocked bug buggy crash crashed diverged error fail failed invalid kill killed
    nan oom refused timeout
"""
FAILED = frozenset(_FAILED.split())
"""Words for one that gave no score, whatever number stands there."""


def _is_loop(look: Look) -> bool:
    if look.words & (KEPT | DROPPED) and not look.words <= {"baseline"}:
        return True
    counted = bool(look.keys & {"commit", "iteration", "iter"})
    told = bool(look.words & FAILED) or bool(look.keys & {*FLAGS})
    return counted and told


def _is_journal(look: Look) -> bool:
    """Say whether JSON records tell a status, and no score of a leaderboard."""
    told = bool({*OUTCOMES} & look.keys) and look.shape in ("json", "objects")
    scored = any(
        "public" in key or "private" in key or key in ("score", "lb", "lbscore")
        for key in look.keys
    )
    return told and not scored


_LOOP = Platform(
    name="loop",
    title="an experiment loop",
    exports=(
        Export(
            name="loop",
            recognises=_is_loop,
            unknown_status="note",
            hand_made=True,
        ),
        Export(
            name="journal",
            recognises=_is_journal,
            unknown_status="note",
            hand_made=True,
        ),
    ),
    statuses={
        **dict.fromkeys(sorted(KEPT | DROPPED), "complete"),
        **dict.fromkeys(sorted(FAILED), "error"),
    },
    guides=(
        FormatGuide(
            name="loop-results",
            title="results.tsv of an agent that keeps what scores better",
            how="Take results.tsv as it stands beside the code that the agent edits.",
            columns=(
                "commit, experiment, iteration",
                "the score: val_bpb, val_auc, score, ...",
                "status, decision: keep, discard, crash",
                "description, hypothesis",
                "test_..., holdout_...",
            ),
            caveats=(
                "The score that the loop climbs on is the public score: the column "
                "that names the metric, else the first of scores. One of a test or "
                "holdout set is the private score.",
                "keep names the parent of what follows, until the next keep.",
                "A crash is a failure: the 0.000000 beside it is no score.",
            ),
        ),
        FormatGuide(
            name="loop-journal",
            title="A journal of experiments in JSON lines, with a metric and a status",
            how="Give the .jsonl file, one object a line.",
            columns=(
                "name, version, iteration",
                "one score, or several of which one names the metric",
                "status, decision, accepted",
                "test_..., holdout_...",
            ),
            caveats=(
                "metrics may stand inside: {'metrics': {'val_auc': ...}}.",
                "Of several scores --metric or --columns public_score=NAME chooses.",
            ),
        ),
    ),
)

_AIDE = Platform(
    name="aide",
    title="AIDE",
    exports=(Export(name="aide", recognises=lambda look: look.shape == "aide"),),
    statuses={"buggy": "error"},
    guides=(
        FormatGuide(
            name="aide-journal",
            title="journal.json of AIDE and its relatives: a tree of solutions",
            how="Give logs/RUN/journal.json, or the folder that it is in.",
            columns=(
                "nodes: id, step, ctime, plan, analysis",
                "metric: value, maximize",
                "is_buggy",
                "node2parent",
            ),
            caveats=(
                "The metric on the validation set that the search climbs on is the "
                "public score; the direction is the one that most nodes state.",
                "A buggy node has failed. Parents are those that the tree declares.",
            ),
        ),
    ),
)


def _is_grading(look: Look) -> bool:
    return {"competitionid", "score", "validsubmission"} <= look.keys


_MLE_BENCH = Platform(
    name="mle-bench",
    title="MLE-bench",
    exports=(
        Export(
            name="grading report",
            recognises=_is_grading,
            hand_made=True,
        ),
    ),
    guides=(
        FormatGuide(
            name="mle-bench-report",
            title="Grading reports of MLE-bench: one agent's scores on the test set",
            how=(
                "mlebench grade --submission runs.jsonl --output-dir OUT; give the "
                "..._grading_report.json, several of them, or their folder."
            ),
            columns=(
                "competition_id",
                "score",
                "valid_submission, submission_exists",
                "is_lower_better",
                "created_at",
                "submission_path",
            ),
            caveats=(
                "Nobody climbs on this score: it is the private one.",
                "Of several competitions --slug chooses.",
            ),
        ),
    ),
)

_RD_AGENT = Platform(
    name="rd-agent",
    title="RD-Agent",
    exports=(
        Export(
            name="rd-agent",
            recognises=lambda look: look.shape == "rd-agent",
        ),
    ),
    guides=(
        FormatGuide(
            name="rd-agent-folder",
            title="The log folder of a run of RD-Agent",
            how="Give log/RUN, the folder in which Loop_0, Loop_1, ... are.",
            columns=(
                "scores.csv: the row of the ensemble",
                "mle_score: the answer of mlebench grade-sample",
                "feedback: the decision",
            ),
            caveats=(
                "The score on its own validation set is the public score, that of "
                "mlebench the private one.",
                "Pickles can run code and are not loaded: only the texts in them are "
                "looked at. Copy scores.csv of the workspace into its loop.",
                "A loop that feedback approves is the parent of those that follow.",
            ),
        ),
    ),
)

_OPTUNA = Platform(
    name="optuna",
    title="Optuna",
    exports=(
        Export(
            name="optuna",
            recognises=lambda look: (
                {"number", "state"} <= look.keys
                and bool(look.keys & {"datetimestart", "datetimecomplete"})
            ),
            unknown_status="note",
            hand_made=True,
        ),
    ),
    statuses={"pruned": "error", "waiting": "pending"},
    guides=(
        FormatGuide(
            name="optuna-trials",
            title="The trials of an Optuna study",
            how="study.trials_dataframe().to_csv('trials.csv', index=False)",
            columns=(
                "number",
                "value",
                "datetime_start, datetime_complete",
                "params_*",
                "user_attrs_test_..., user_attrs_holdout_...",
                "state",
            ),
            caveats=(
                "value is the public score; a pruned trial was not scored to its end "
                "and has none.",
                "Of several objectives name one: --columns public_score=values_0.",
            ),
        ),
    ),
)

_MLFLOW = Platform(
    name="mlflow",
    title="MLflow",
    exports=(
        Export(
            name="mlflow",
            recognises=lambda look: (
                "runid" in look.keys
                and bool(look.keys & {"experimentid", "starttime", "artifacturi"})
            ),
            unknown_status="note",
            hand_made=True,
        ),
    ),
    statuses={"active": "pending"},
    guides=(
        FormatGuide(
            name="mlflow-runs",
            title="The runs of an MLflow experiment",
            how=(
                "mlflow experiments csv -x ID -o runs.csv, or the download of the "
                "page of runs."
            ),
            columns=("run_id", "start_time", "status", "metrics.*", "mlflow.runName"),
            caveats=(
                "A score of the leaderboard among the metrics is the public score, "
                "else the one score that the search climbs on; test and holdout are "
                "private.",
                "Of several scores --metric or --columns public_score=NAME chooses.",
                "Beside a history of submissions, pass it as --cv-log.",
            ),
        ),
    ),
)

_WANDB = Platform(
    name="wandb",
    title="Weights & Biases",
    exports=(
        Export(
            name="wandb",
            recognises=lambda look: {"name", "state", "created"} <= look.keys,
            unknown_status="note",
            hand_made=True,
        ),
    ),
    statuses={"preempted": "error", "preempting": "pending"},
    guides=(
        FormatGuide(
            name="wandb-runs",
            title="The table of runs of a Weights & Biases project",
            how="On the Table of the project: download, Export as CSV.",
            columns=("Name", "State", "Created", "summary values that name a score"),
            caveats=(
                "The export of a chart, one row per step, is no table of runs.",
                "Of several scores --metric or --columns public_score=NAME chooses.",
                "Beside a history of submissions, pass it as --cv-log.",
            ),
        ),
    ),
)

_HYDRA = Platform(
    name="hydra",
    title="Hydra",
    exports=(
        Export(
            name="hydra",
            recognises=lambda look: look.shape == "hydra",
        ),
    ),
    guides=(
        FormatGuide(
            name="hydra-multirun",
            title="The folder of a multirun of Hydra",
            how="Give multirun/DAY/TIME, the folder in which 0, 1, ... are.",
            columns=(
                ".hydra/overrides.yaml",
                "metrics.json, results.json, scores.json, summary.json",
                "else the last score that the log of the job names",
            ),
            caveats=(
                "A job without a score is shown as failed where its log says so.",
                "Of several scores --metric or --columns public_score=NAME chooses.",
            ),
        ),
    ),
)

AGENTS: tuple[Platform, ...] = (
    _LOOP,
    _AIDE,
    _MLE_BENCH,
    _RD_AGENT,
    _HYDRA,
    _OPTUNA,
    _WANDB,
    _MLFLOW,
)
"""Their records; of these, too, the later ones are asked first."""
