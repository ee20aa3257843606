"""What is known of each platform: a record of its exports, its words and its quirks.

Adding a platform is adding a record to `PLATFORMS`, its guides to ``formats.toml``, and
its tests. What is known of single competitions are Kaggle's own facts of March 2022.
"""

from __future__ import annotations

import csv
import difflib
import functools
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from importlib import resources
from typing import Literal, NamedTuple

from lbsense._format import format_time
from lbsense._result import Result
from lbsense._typing import Platform as PlatformName
from lbsense._typing import Status
from lbsense.metrics import Metric, find_metric
from lbsense.model import Competition

_ABOUT = "comment cv description file filename model note notes oof publicscore status"
_ABOUT_A_SUBMISSION = frozenset(_ABOUT.split())


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
        How to get each export, from ``formats.toml``.
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
    guides: tuple[FormatGuide, ...] = ()

    def __post_init__(self) -> None:
        own = tuple(replace(item, platform=self.name) for item in self.exports)
        object.__setattr__(self, "exports", own)
        object.__setattr__(self, "guides", _guides()[self.name])


@functools.cache
def _guides() -> Mapping[str, tuple[FormatGuide, ...]]:
    text = resources.files("lbsense.ingest").joinpath("formats.toml").read_text("utf-8")
    return {
        owner: tuple(
            FormatGuide(
                name=guide["name"],
                title=guide["title"],
                how=guide["how"],
                columns=tuple(guide["columns"]),
                caveats=tuple(guide.get("caveats", ())),
            )
            for guide in guides
        )
        for owner, guides in tomllib.loads(text).items()
    }


def _named(**columns: str) -> dict[str, tuple[str, ...]]:
    return {field: tuple(names.split()) for field, names in columns.items()}


def _kaggle_listing(look: Look) -> bool:
    if {"filename", "date", "status"} <= look.keys or "_public_score" in look.columns:
        return True
    names = {name.lstrip("_") for name in look.columns}
    return bool(names & {"publicScore", "privateScore"})


_KAGGLE_PAGES = {
    **dict.fromkeys(
        (20, 50),
        "`lbsense fetch kaggle SLUG` gets all; or export again with `--page-size 200` "
        "(client 1.8 or newer).",
    ),
    200: (
        "`lbsense fetch kaggle SLUG` gets all; or get the other pages in Python, "
        "competition_submissions(slug, "
        "page_number=2, page_size=200) and so on, and give all of them."
    ),
}
_KAGGLE = Platform(
    name="kaggle",
    title="Kaggle",
    exports=(
        Export(
            name="kaggle fetched",  # by us, and so with all pages
            recognises=lambda look: {"fetchedat", "ref"} <= look.keys,
            newest_first=True,
        ),
        Export(
            name="meta kaggle",
            recognises=lambda look: bool(
                {"publicscoreleaderboarddisplay", "publicscorefullprecision"}
                & look.keys
            ),
        ),
        Export(
            name="host",
            recognises=lambda look: (
                {"datesubmitted", "submissionid", "teamid"} <= look.keys
            ),
        ),
        Export(
            name="kaggle page",
            recognises=lambda look: look.shape == "copied page",
            newest_first=True,
            unknown_status="note",
        ),
        Export(
            name="kaggle",
            recognises=_kaggle_listing,
            pages=_KAGGLE_PAGES,
            newest_first=True,
        ),
    ),
    columns=_named(
        submission_id="ref submissionref submissionid id",
        submitted_at="date submissiondate datesubmitted",
        file_name="filename",
        description="description submissionanddescription",
        status="status",
        status_detail="errordescription",
        public_score="""publicscorefullprecision publicscore
            publicscoreleaderboarddisplay""",
        private_score="""privatescorefullprecision privatescore
            privatescoreleaderboarddisplay""",
        selected="isselected",
        team_id="teamid",
        team_name="teamname",
    ),
    statuses={
        "complete": "complete",
        "pending": "pending",
        "error": "error",
        "1": "complete",  # members of the client's enumeration
        "0": "pending",
        "2": "error",
    },
    printed=(
        *("using competition:", "warning:", "next page token", "no submissions found"),
        *("successfully submitted", "looks like you're using", "[$>%!] ?kaggle "),
    ),
    is_leaderboard=lambda look: "teamid" in look.keys and look.has_bare_score,
)

_ZINDI_PAGES = dict.fromkeys(
    (20, 50, 200),
    "`lbsense fetch zindi SLUG` gets all; or ask again with a larger per_page, such as "
    "per_page=1000.",
)
_ZINDI = Platform(
    name="zindi",
    title="Zindi",
    exports=(
        Export(
            name="zindi fetched",  # by us, and so with all pages
            recognises=lambda look: {"fetchedat", "createdat"} <= look.keys,
            unknown_status="error",
        ),
        Export(
            name="zindi board",
            recognises=lambda look: look.shape == "board",
            pages=_ZINDI_PAGES,
            unknown_status="error",
            reason_as_comment=True,
        ),
        Export(
            name="zindi",
            recognises=lambda look: {"createdat", "filename"} <= look.keys,
            pages=_ZINDI_PAGES,
            unknown_status="error",
        ),
    ),
    columns=_named(
        submission_id="id",
        submitted_at="createdat date",
        file_name="filename",
        description="comment",
        status="status",
        status_detail="statusdescription",
        public_score="publicscore",
        private_score="privatescore",
        score="score",
        selected="chosen",
    ),
    statuses={
        "successful": "complete",
        "initial": "pending",
        "in processing": "pending",
        "failed": "error",
    },
    board=("status", "id", "date", "score", "filename", "comment"),
    is_leaderboard=lambda look: bool(
        look.keys & {"bestpublicscore", "bestprivatescore"}
    ),
    nested_doubt=(
        "On Zindi the private score of older competitions (2018-19) covers all test "
        "rows, the public ones too. Taken as separate here; look at the rules and say "
        "nested=True (--nested) if they are not."
    ),
    score_doubt=(
        "The only score is in a column called score, which Zindi fills with the public "
        "score before the close and with the private score after it. Read as public; "
        "if the competition has closed, pass columns={'private_score': 'score'} "
        "(--columns private_score=score)."
    ),
)


# --- agents and trackers: `history.agents` reads them by the name of the export -------

OUTCOMES = (
    *("status", "decision", "outcome", "verdict", "result", "action", "state"),
    "correctness",
)
"""Columns that say what became of an experiment, in the order of preference."""
FLAGS = ("kept", "keep", "accepted", "accept", "iskept", "isaccepted", "improved")
"""Columns that say by yes or no whether the following ones build on it."""
_KEPT = """
    accept accepted advance baseline improved keep kept merge merged promote
    promoted"""
KEPT = frozenset(_KEPT.split())
"""Words for an experiment that the following ones build on."""
_DROPPED = """
    discard discarded drop dropped reject rejected revert reverted rollback worse"""
DROPPED = frozenset(_DROPPED.split())
"""Words for one that was scored, and given up."""
_FAILED = """
    blocked bug buggy crash crashed diverged error fail failed invalid kill killed
    nan oom refused timeout"""
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


def _own(name: str, recognises: Callable[[Look], bool]) -> Export:
    """Return an export that is read like a table of the entrant's own."""
    return Export(
        name=name, recognises=recognises, unknown_status="note", hand_made=True
    )


def _of_shape(shape: str) -> Export:
    """Return an export that its layout tells, whose name is that of the layout."""
    return Export(name=shape, recognises=lambda look: look.shape == shape)


_AGENTS = (
    Platform(
        name="loop",
        title="an experiment loop",
        exports=(_own("loop", _is_loop), _own("journal", _is_journal)),
        statuses={
            **dict.fromkeys(sorted(KEPT | DROPPED), "complete"),
            **dict.fromkeys(sorted(FAILED), "error"),
        },
    ),
    Platform(
        name="aide",
        title="AIDE",
        exports=(_of_shape("aide"),),
        statuses={"buggy": "error"},
    ),
    Platform(
        name="mle-bench",
        title="MLE-bench",
        exports=(
            Export(
                name="grading report",
                recognises=lambda look: (
                    {"competitionid", "score", "validsubmission"} <= look.keys
                ),
                hand_made=True,
            ),
        ),
    ),
    Platform(name="rd-agent", title="RD-Agent", exports=(_of_shape("rd-agent"),)),
    Platform(name="hydra", title="Hydra", exports=(_of_shape("hydra"),)),
    Platform(
        name="optuna",
        title="Optuna",
        exports=(
            _own(
                "optuna",
                lambda look: (
                    {"number", "state"} <= look.keys
                    and bool(look.keys & {"datetimestart", "datetimecomplete"})
                ),
            ),
        ),
        statuses={"pruned": "error", "waiting": "pending"},
    ),
    Platform(
        name="wandb",
        title="Weights & Biases",
        exports=(
            _own("wandb", lambda look: {"name", "state", "created"} <= look.keys),
        ),
        statuses={"preempted": "error", "preempting": "pending"},
    ),
    Platform(
        name="mlflow",
        title="MLflow",
        exports=(
            _own(
                "mlflow",
                lambda look: (
                    "runid" in look.keys
                    and bool(look.keys & {"experimentid", "starttime", "artifacturi"})
                ),
            ),
        ),
        statuses={"active": "pending"},
    ),
)

PLATFORMS: tuple[Platform, ...] = (_KAGGLE, _ZINDI, *_AGENTS)
"""Every platform whose exports are read."""

OWN_TABLE = _own("table", lambda _look: True)
"""Any other table of submissions."""

FORMATS: tuple[FormatGuide, ...] = (
    *(guide for platform in PLATFORMS for guide in platform.guides),
    *_guides()["own"],
)
"""Every kind of input, in the order in which most people need it."""


def platform_named(name: str | None) -> Platform | None:
    """Return the record of a platform."""
    return next((item for item in PLATFORMS if item.name == name), None)


def is_leaderboard(look: Look) -> bool:
    """Say whether a table is the leaderboard of some platform, not a history."""
    ranked = bool(look.keys & {"rank", "publicrank", "privaterank"})
    known = any(platform.is_leaderboard(look) for platform in PLATFORMS)
    return known or (ranked and look.has_bare_score)


def recognise(look: Look) -> Export:
    """Return what kind of listing a table is; of the later platforms first.

    Kaggle's marks are the commonest words, so it is asked last.
    """
    exports = (item for platform in reversed(PLATFORMS) for item in platform.exports)
    return next((item for item in exports if item.recognises(look)), OWN_TABLE)


# --- single competitions -------------------------------------------------------------

CATALOGUE_DATE = "March 2022"
_FILE = "competitions_2022_03.csv"


def slug_of(name: str) -> str:
    """Return the name of a competition, from its name or its address.

    Examples
    --------
    >>> slug_of("https://www.kaggle.com/competitions/titanic/overview")
    'titanic'
    >>> slug_of(" titanic ")
    'titanic'
    """
    parts = [part for part in name.strip().split("?")[0].split("/") if part]
    for mark in ("competitions", "c"):
        if mark in parts[:-1]:
            return parts[parts.index(mark) + 1]
    return parts[-1] if parts else ""


def find_entry(slug: str) -> Competition | None:
    """Return what is known of a competition, None if it is not in the catalogue.

    The direction is None where Kaggle's word on it is known to be wrong.
    """
    return _entries().get(slug_of(slug).casefold())


def close_slugs(slug: str) -> list[str]:
    """Return up to three names of the catalogue that are written much like this one."""
    names = _entries()
    close = difflib.get_close_matches(slug_of(slug).casefold(), names, n=3, cutoff=0.8)
    return [names[name].slug or name for name in close]


def known_metric(name: str | None) -> Metric | None:
    """Return the metric that Kaggle calls so, None where it is not registered."""
    try:
        return None if name is None else find_metric(name)
    except ValueError:
        return None


def fill_from_catalogue(competition: Competition) -> tuple[Competition, str | None]:
    """Return the competition with what nobody said, and the sentence that tells it.

    Whatever the competition states already stays: what the user or the platform says
    is newer.
    """
    entry = None if competition.slug is None else find_entry(competition.slug)
    if entry is None or competition.platform == "zindi":
        return competition, None
    found: dict[str, object] = {}
    told: list[str] = []
    better = entry.greater_is_better
    agree = competition.greater_is_better in (None, better) and better is not None
    if competition.metric is None and agree:  # both together, or neither
        metric = known_metric(entry.metric)
        found["metric"] = entry.metric if metric is None else metric.name
        found["greater_is_better"] = better
        direction = "higher" if better else "lower"
        told.append(f"metric {found['metric']} ({direction} is better)")
    if competition.public_fraction is None and entry.public_fraction is not None:
        found["public_fraction"] = entry.public_fraction
        told.append(f"{entry.public_fraction:.0%} of the test rows public")
    if competition.deadline is None and entry.deadline is not None:
        found["deadline"] = entry.deadline
        told.append(f"deadline {format_time(entry.deadline)}")
    if competition.n_selections is None and entry.n_selections is not None:
        found["n_selections"] = entry.n_selections
        told.append(f"{entry.n_selections} to select")
    if not told:
        return competition, None
    sentence = (
        f"Nobody said it, so it is taken from Kaggle's own facts of {CATALOGUE_DATE} "
        f"for {entry.slug}: {', '.join(told)}. Whatever you say wins."
    )
    filled = replace(competition, **found)  # type: ignore[arg-type]
    return filled, sentence


@functools.cache
def _entries() -> Mapping[str, Competition]:
    text = resources.files("lbsense.ingest").joinpath(_FILE).read_text("utf-8")
    entries = [
        Competition(
            slug=row["slug"],
            deadline=datetime.fromisoformat(row["deadline"]).replace(tzinfo=UTC),
            metric=row["metric"],
            greater_is_better={"+": True, "-": False}.get(row["better"]),
            public_fraction=float(share) / 100
            if (share := row["public_percent"])
            else None,
            n_selections=int(row["n_selections"]) if row["n_selections"] else None,
        )
        for row in csv.DictReader(text.splitlines())
    ]
    return {str(entry.slug).casefold(): entry for entry in entries}
