"""What is known of a competition: what the user says, and what its name alone tells.

The options of every reader are one record; the facts are those of Kaggle, March 2022.
"""

from __future__ import annotations

import csv
import dataclasses
import difflib
import functools
import inspect
import os
import re
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import resources
from typing import Any, ParamSpec, TypedDict, TypeVar

from lbsense._format import format_time, shorten
from lbsense._typing import Platform
from lbsense._validation import check_kind
from lbsense.errors import IngestError
from lbsense.ingest.history.choose import TableName
from lbsense.ingest.tables.dates import read_dates
from lbsense.ingest.tables.read import read_tables
from lbsense.ingest.tables.sheet import ColumnNames
from lbsense.metrics import Metric, find_metric
from lbsense.model import Competition

CATALOGUE_DATE = "March 2022"
_FILE = "competitions_2022_03.csv"


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueEntry:
    """The facts of one competition; None is what is not known.

    Attributes
    ----------
    slug : str
        The name in the competition's address.
    deadline : datetime
        Its end, UTC.
    metric : str
        The metric as Kaggle calls it.
    greater_is_better : bool or None
        Direction of the scores. None where Kaggle's word on it is known to be wrong.
    public_fraction : float or None
        Share of the test rows behind the public score.
    n_selections : int or None
        Submissions that count in the end.
    """

    slug: str
    deadline: datetime
    metric: str
    greater_is_better: bool | None
    public_fraction: float | None
    n_selections: int | None


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


def find_entry(slug: str) -> CatalogueEntry | None:
    """Return the facts of a competition, None if it is not in the catalogue."""
    return _entries().get(slug_of(slug).casefold())


def close_slugs(slug: str) -> list[str]:
    """Return up to three names of the catalogue that are written much like this one."""
    names = _entries()
    close = difflib.get_close_matches(slug_of(slug).casefold(), names, n=3, cutoff=0.8)
    return [names[name].slug for name in close]


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
    _take_metric(competition, entry, found, told)
    if competition.public_fraction is None and entry.public_fraction is not None:
        found["public_fraction"] = entry.public_fraction
        told.append(f"{entry.public_fraction:.0%} of the test rows public")
    if competition.deadline is None:
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
    filled = dataclasses.replace(competition, **found)  # type: ignore[arg-type]
    return filled, sentence


def _take_metric(
    competition: Competition,
    entry: CatalogueEntry,
    found: dict[str, object],
    told: list[str],
) -> None:
    """Take metric and direction together, or neither: they must not contradict."""
    if competition.metric is not None or entry.greater_is_better is None:
        return
    stated = competition.greater_is_better
    if stated is not None and stated != entry.greater_is_better:
        return
    metric = known_metric(entry.metric)
    found["metric"] = entry.metric if metric is None else metric.name
    found["greater_is_better"] = entry.greater_is_better
    direction = "higher" if entry.greater_is_better else "lower"
    told.append(f"metric {found['metric']} ({direction} is better)")


@functools.cache
def _entries() -> Mapping[str, CatalogueEntry]:
    text = resources.files("lbsense.ingest").joinpath(_FILE).read_text("utf-8")
    entries = (_entry(row) for row in csv.DictReader(text.splitlines()))
    return {entry.slug.casefold(): entry for entry in entries}


def _entry(row: Mapping[str, str]) -> CatalogueEntry:
    share, n_selections = row["public_percent"], row["n_selections"]
    return CatalogueEntry(
        slug=row["slug"],
        deadline=datetime.fromisoformat(row["deadline"]).replace(tzinfo=UTC),
        metric=row["metric"],
        greater_is_better={"+": True, "-": False}.get(row["better"]),
        public_fraction=float(share) / 100 if share else None,
        n_selections=int(n_selections) if n_selections else None,
    )


_P = ParamSpec("_P")
_R = TypeVar("_R")
_STAND_IN = "**options : ReaderOptions\n    What the user says."


class ReaderOptions(TypedDict, total=False):
    """The options of every reader of submissions; None is the default of each.

    Attributes
    ----------
    metric : str, optional
        Name or alias of the metric, which also gives the direction.
    greater_is_better : bool, optional
        Direction of the scores; needed where the metric is not registered.
    cv_greater_is_better : bool, optional
        Direction of the CV scores, where it differs from that of the leaderboard.
    train_size, test_size : int, optional
        Rows of the training set and of the whole test set.
    public_fraction : float, optional
        Share of the test rows behind the public score, in (0, 1].
    nested : bool, optional
        Whether the private score covers the public rows too (old Zindi rules).
    slug : str, optional
        Name of the competition in its address. What nobody says of it (metric and
        direction, public share, deadline, selections) is taken from Kaggle's own facts
        of March 2022 where the competition is in them; warning LBS120 tells which.
    deadline : datetime or str, optional
        End of the competition; UTC where it has no zone.
    n_selections : int, optional
        Submissions that an entrant may select for the final ranking.
    columns : mapping of str to str or list of str, optional
        Our field to your column, as in ``{"public_score": "LB"}``; it wins over what
        is recognised. Short names such as "lb", "cv" and "date" stand for fields too;
        ``cv_fold_scores`` may name several columns, and so may ``cv``, each another
        kind of CV score, the first one first: ``{"cv": ["oof", "holdout"]}``.
    table : int, str or list of these, optional
        Which table of a document, by its number or its heading, where it holds
        several; a list reads several as one history. The default is the fullest.
    team : str, optional
        Identifier or name of the team, where the input holds several.
    cv_pattern : str, optional
        Regular expression for CV scores in descriptions and file names, used instead
        of the rules of `parse_cv`. Its group ``cv``, else the first, is the score.
    cv_log : path, DataFrame or list of dicts, optional
        Experiment log to take CV scores from; see `join_log`. What ``columns`` names
        and only the log has is of the log.
    """

    metric: str | None
    greater_is_better: bool | None
    cv_greater_is_better: bool | None
    train_size: int | None
    test_size: int | None
    public_fraction: float | None
    nested: bool | None
    slug: str | None
    deadline: datetime | str | None
    n_selections: int | None
    columns: ColumnNames | None
    table: TableName | None
    team: str | None
    cv_pattern: str | None
    cv_log: Any


def takes_options(reader: Callable[_P, _R]) -> Callable[_P, _R]:
    """Give a reader the options by name: in its signature, its help and its errors."""
    hints = typing.get_type_hints(ReaderOptions)
    own = inspect.signature(reader, eval_str=True)
    named = [p for p in own.parameters.values() if p.kind is not p.VAR_KEYWORD]
    named += [
        inspect.Parameter(
            name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=hint
        )
        for name, hint in hints.items()
    ]
    known = [item.name for item in named]

    @functools.wraps(reader)
    def named_reader(*args: _P.args, **options: _P.kwargs) -> _R:
        for name in options:
            if name not in known:
                close = difflib.get_close_matches(name, known, n=1)
                hint = f" Did you mean {close[0]!r}?" if close else ""
                msg = f"{reader.__name__}() has no option {name!r}.{hint}"
                raise TypeError(msg)
        return reader(*args, **options)

    del named_reader.__wrapped__
    named_reader.__signature__ = own.replace(  # type: ignore[attr-defined]
        parameters=named
    )
    named_reader.__annotations__ = {
        **{item.name: item.annotation for item in named},
        "return": own.return_annotation,
    }
    # Python 3.13 and later take the indentation from docstrings themselves.
    options_told = inspect.cleandoc(ReaderOptions.__doc__ or "")
    described = options_told.partition("----------\n")[2]
    text = inspect.cleandoc(reader.__doc__ or "")
    named_reader.__doc__ = text.replace(_STAND_IN, described) or None
    return named_reader


def describe_competition(
    options: ReaderOptions, platform: Platform | None
) -> tuple[Competition, Metric | None]:
    """Return the competition as the user describes it, and its registered metric.

    Raises
    ------
    ValueError
        If the metric is not registered and no direction is given, or the deadline is
        no time.
    """
    for name in ("metric", "slug", "team", "cv_pattern"):
        check_kind(options.get(name), str, name=name, optional=True)
    check_kind(options.get("columns"), Mapping, name="columns", optional=True)
    table, upward = options.get("table"), options.get("greater_is_better")
    if table is not None and not isinstance(table, (int, str, Sequence)):
        msg = f"table must be a number, a heading or several of them, got {table!r}."
        raise TypeError(msg)
    if upward is not None and type(upward).__name__ not in ("bool", "bool_"):
        msg = f"greater_is_better must be True, False or None, got {upward!r}."
        raise TypeError(msg)
    metric, greater = options.get("metric"), options.get("greater_is_better")
    found: Metric | None = None
    if metric is not None:
        try:
            found = find_metric(metric)
        except ValueError:
            if greater is None:
                raise
    if found is not None:
        greater = _direction(found, greater)
    competition = Competition(
        slug=options.get("slug"),
        platform=platform,
        metric=metric if found is None else found.name,
        greater_is_better=greater,
        cv_greater_is_better=options.get("cv_greater_is_better"),
        train_size=options.get("train_size"),
        test_size=options.get("test_size"),
        public_fraction=options.get("public_fraction"),
        nested=bool(options.get("nested")),
        deadline=_deadline(options.get("deadline")),
        n_selections=options.get("n_selections"),
    )
    return competition, found


def _direction(metric: Metric, stated: bool | None) -> bool:
    """Return the direction of a metric, which the user cannot contradict."""
    if stated is None or stated == metric.greater_is_better:
        return metric.greater_is_better
    known, other = (
        ("higher", "lower") if metric.greater_is_better else ("lower", "higher")
    )
    msg = (
        f"metric={metric.name!r} is better the {known}, greater_is_better={stated} "
        f"says the {other}. Leave the direction out; for scores with a flipped sign "
        f"name the metric {metric.mirrored().name!r}; for a score of your own leave "
        f"the metric out and keep the direction (--{other}-is-better alone)."
    )
    raise ValueError(msg)


def completed_by(options: ReaderOptions, facts: Mapping[str, object]) -> ReaderOptions:
    """Return the options with what the input itself says of the competition.

    What the user says wins. A metric that is not registered needs a direction, which
    an input does not say.
    """
    stated: dict[str, Any] = {k: v for k, v in options.items() if v is not None}
    found: dict[str, Any] = {}
    for name in ("slug", "deadline", "metric"):
        fact = facts.get(name)
        if isinstance(fact, str) and name not in stated:
            found[name] = fact
    if "metric" in found and known_metric(found["metric"]) is None:
        del found["metric"]
    if "deadline" in found and read_dates([found["deadline"]]).values[0] is None:
        del found["deadline"]
    return ReaderOptions(**{**found, **stated})  # type: ignore[typeddict-item]


def _deadline(deadline: datetime | str | None) -> datetime | None:
    value = read_dates([deadline]).values[0]
    if value is None and deadline is not None:
        msg = f"deadline must be a time such as 2026-07-28 23:59, got {deadline!r}."
        raise ValueError(msg)
    return value


def text_pattern(options: ReaderOptions) -> str | None:
    """Return the user's expression, checked, in the form that `parse_cv` takes.

    Raises
    ------
    ValueError
        If it is no regular expression.
    """
    pattern = options.get("cv_pattern")
    if pattern is None:
        return None
    try:
        re.compile(pattern)
    except re.error as error:
        msg = (
            f"cv_pattern must be a regular expression such as 'cv([0-9.]+)', got "
            f"{pattern!r}: {error}."
        )
        raise ValueError(msg) from error
    return pattern.replace("(?P<cv>", "(?P<value>")


_FACT_TYPES: Mapping[str, Callable[[str], Any]] = {
    "metric": str,
    "slug": str,
    "team": str,
    "deadline": str,
    "cv_pattern": str,
    "train_size": lambda text: int(text.replace(",", "").replace("_", "")),
    "test_size": lambda text: int(text.replace(",", "").replace("_", "")),
    "n_selections": int,
    "public_fraction": lambda text: (
        float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    ),
    **dict.fromkeys(
        ("greater_is_better", "cv_greater_is_better", "nested"),
        lambda text: {"true": True, "yes": True, "false": False, "no": False}[
            text.lower()
        ],
    ),
}


def read_facts(path: str | os.PathLike[str]) -> dict[str, dict[str, Any]]:
    """Return what a table says of several histories, by their files.

    Parameters
    ----------
    path : path
        A table with a column ``history``, the file of each, and any columns named as
        `ReaderOptions` are; an empty cell says nothing.

    Raises
    ------
    IngestError
        If a column or a cell is not understood; the message names it.
    """
    table = read_tables(os.fspath(path))[0]
    columns = [str(name).strip() for name in table.columns]
    unknown = [name for name in columns if name not in (*_FACT_TYPES, "history")]
    if "history" not in columns or unknown:
        found = f"unknown columns {', '.join(unknown)}" if unknown else table.shown
        msg = (
            f"{table.source}: a table of facts has a column history and any of "
            f"{', '.join(_FACT_TYPES)}; found {shorten(found, 200)}."
        )
        raise IngestError(msg)
    facts: dict[str, dict[str, Any]] = {}
    for row in table.rows:
        told: dict[str, Any] = {}
        for name, cell in zip(columns, row.cells, strict=True):
            text = "" if cell is None else str(cell).strip()
            if not text or name == "history":
                continue
            try:
                told[name] = _FACT_TYPES[name](text)
            except (ValueError, KeyError):
                msg = (
                    f"{table.source}:{row.line}: {name} is {shorten(text, 40)!r}, "
                    "which is no such value."
                )
                raise IngestError(msg) from None
        key = str(row.cells[columns.index("history")] or "").strip()
        if key in facts or not key:
            msg = f"{table.source}:{row.line}: every row names one other history."
            raise IngestError(msg)
        facts[key] = told
    return facts
