"""What is known of competitions by their name alone: facts of Kaggle, March 2022."""

from __future__ import annotations

import csv
import dataclasses
import difflib
import functools
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import resources

from lbsense._format import format_time
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
