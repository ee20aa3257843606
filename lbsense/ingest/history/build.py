"""Drafts of all pages to the submissions of one entrant, in time order."""

from __future__ import annotations

import functools
import math
import re
from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

from lbsense._typing import CvSource
from lbsense.ingest.cv.reading import CvReading, parse_cv
from lbsense.ingest.history.drafts import Draft, ReadTable
from lbsense.ingest.history.parents import declared_parents
from lbsense.ingest.history.several import Choice
from lbsense.model import Order, Reading, RowIssue, Submission, UnusedColumn


def without_overlap(tables: Sequence[ReadTable]) -> tuple[list[Draft], list[RowIssue]]:
    """Return the drafts of all pages, each submission once.

    Pages that were fetched while new submissions came in overlap. A row is the same
    as an earlier one if it has its reference and no other time; without references, if
    an export gives it the same second, file name and description. Of two, the one that
    says more is kept, in the place of the first.
    """
    kept: dict[Hashable, Draft] = {}
    issues: list[RowIssue] = []
    twins = _Twins()
    page: int | None = None
    for table in tables:
        hand_made = table.export.hand_made
        if table.page != page:
            twins, page = _Twins(), table.page
        for draft in table.drafts:
            key = _identity(draft, hand_made=hand_made)
            key = (twins.key_of(draft) if hand_made else None) or key
            first = kept.get(key)
            if first is not None and _times_differ(first, draft):
                key, first = id(draft), None  # references that a spreadsheet rounded
            if first is None:
                kept[key] = draft
                continue
            better, other = first, draft
            if _content(draft) > _content(first):
                better, other = draft, first
            kept[key] = better
            named = draft.reference or (_own_name(draft) if hand_made else "")
            issue = RowIssue(
                source=other.source,
                line=other.line,
                found=f"submission {named or draft.submitted_at} again",
                expected="each submission once",
                action=f"row merged with line {better.line} of {better.source}",
            )
            issues.append(issue)
        if hand_made and len(tables) > 1:
            twins.add([draft for draft in table.drafts if id(draft) in kept])
    return list(kept.values()), issues


def build_submissions(
    drafts: list[Draft], *, cv_pattern: str | None
) -> tuple[list[Submission], list[RowIssue]]:
    """Return the submissions of the drafts, with CV scores from text where needed.

    Parameters
    ----------
    drafts : list of Draft
        In time order.
    cv_pattern : str, optional
        Regular expression that replaces the rules for CV scores in text.
    """
    names = _identifiers(drafts)
    parents, issues = declared_parents(drafts, names)
    submissions = []
    for draft, name, parent in zip(drafts, names, parents, strict=True):
        cv = _cv_fields(draft, cv_pattern)
        submissions.append(
            Submission(
                submission_id=name,
                submitted_at=draft.submitted_at,
                title=draft.experiment and clean_title(draft.experiment),
                file_name=draft.file_name,
                description=draft.description,
                status=draft.status,
                status_detail=draft.status_detail,
                public_score=draft.public,
                private_score=draft.private,
                selected=draft.selected,
                parent_id=parent,
                content_hash=draft.content_hash,
                source_file=draft.source,
                source_line=draft.line,
                **cv,
            )
        )
    return submissions, issues


def _identity(draft: Draft, *, hand_made: bool) -> Hashable:
    """Return what two rows of the same submission share."""
    if not hand_made and draft.reference is not None:
        return draft.reference
    time, named = draft.submitted_at, draft.file_name or draft.description
    if hand_made or time is None or not named or not (time.hour or time.minute):
        return id(draft)
    return time, draft.file_name, draft.description


_MOST_ALIKE = 50  # rows of one name that a later one is compared with


class _Twins:
    """The rows of the tables before, by their names: a later table may repeat them."""

    def __init__(self) -> None:
        self._named: dict[str, list[Draft]] = {}

    def add(self, drafts: Sequence[Draft]) -> None:
        """Remember the rows of a table that has been read."""
        for draft in drafts:
            alike = self._named.setdefault(_own_name(draft), [])
            if len(alike) < _MOST_ALIKE:
                alike.append(draft)

    def key_of(self, draft: Draft) -> Hashable | None:
        """Return the key of the row that has the same name and the same scores."""
        name = _own_name(draft)
        for other in self._named.get(name, []) if name else []:
            pairs = ((other.public, draft.public), (other.private, draft.private))
            if all(_same_score(one, two) for one, two in pairs):
                return _identity(other, hand_made=True)
        return None


def _own_name(draft: Draft) -> str:
    name = draft.experiment or draft.reference or draft.file_name or draft.description
    return clean_title(name or "").casefold()


def _same_score(one: float | None, two: float | None) -> bool:
    """Say whether two scores are one, which one of the tables may have rounded."""
    if one is None or two is None:
        return True
    shown = (len(f"{x:.10f}".rstrip("0").partition(".")[2]) for x in (one, two))
    return math.isclose(one, two, rel_tol=0.0, abs_tol=0.5001 * 10.0 ** -min(shown))


def _times_differ(one: Draft, other: Draft) -> bool:
    times = {one.submitted_at, other.submitted_at} - {None}
    return len(times) > 1


def _content(draft: Draft) -> tuple[int, int]:
    """Return how much a row says: a score more than an error, an error than nothing."""
    known = [draft.public, draft.private, draft.description, draft.selected]
    order = ("unknown", "pending", "error", "complete").index(draft.status)
    return order, sum(value is not None for value in known)


def _identifiers(drafts: list[Draft]) -> list[str]:
    """Return the reference of every draft, else its name, else its line.

    Of several names the first that tells the drafts apart is taken. An experiment that
    was sent twice is numbered.
    """
    pages = list(dict.fromkeys(draft.source for draft in drafts))
    given: tuple[list[str | None], ...] = (
        [draft.reference for draft in drafts],
        [draft.experiment for draft in drafts],
        [draft.counter for draft in drafts],
        [draft.model for draft in drafts],
    )
    names = next((names for names in given if _all_differ(names)), None)
    if names is None:
        names = _numbered([draft.experiment for draft in drafts])
    taken = set(names)
    found = []
    for draft, name in zip(drafts, names, strict=True):
        if name is None:
            page = "" if len(pages) == 1 else f"{pages.index(draft.source) + 1}."
            name = f"row{page}{draft.line}"
            while name in taken:  # a second table of the same source
                name += "'"
            taken.add(name)
        found.append(name)
    return found


def clean_title(text: str) -> str:
    """Return a name without the emphasis and the link around it."""
    plain = re.sub(r"!?\[([^\[\]]*)\]\([^()]*\)", r"\1", text)
    return plain.strip("*_`~ ") or text


def _numbered(names: Sequence[str | None]) -> list[str | None]:
    """Return the names, each with its number where it is not the first of its like."""
    counts: Counter[str] = Counter()
    found: list[str | None] = []
    taken = {name for name in names if name is not None}
    for name in names:
        if name is not None:
            counts[name] += 1
            while counts[name] > 1 and f"{name} ({counts[name]})" in taken:
                counts[name] += 1
        again = name is not None and counts[name] > 1
        found.append(f"{name} ({counts[name]})" if again and name else name)
    return found


def _all_differ(names: Sequence[str | None]) -> bool:
    kept = [name for name in names if name is not None]
    return bool(kept) and len(set(kept)) == len(kept)


def _cv_fields(draft: Draft, pattern: str | None) -> dict[str, Any]:
    """Return the CV fields of a submission: from its column, else from its texts."""
    if draft.cv is not None and draft.cv.value is not None:
        return {
            "cv_score": draft.cv.value,
            "cv_std": draft.cv.spread,
            "cv_fold_scores": draft.folds,
            "cv_source": "column",
            "cv_text": draft.cv_text,
            "cv_scheme": draft.cv_scheme,
        }
    sources: tuple[tuple[CvSource, str | None], ...] = (
        ("description", draft.description),
        ("file name", draft.file_name),
    )
    for source, text in sources:
        reading = _parse(text, pattern) if text else None
        if reading is not None:
            return {
                "cv_score": reading.value,
                "cv_std": reading.std,
                "cv_fold_scores": reading.fold_scores,
                "cv_source": source,
                "cv_text": reading.text,
                "cv_scheme": draft.cv_scheme or reading.kind,
                "cv_metric": reading.metric,
            }
    return {"cv_fold_scores": draft.folds, "cv_scheme": draft.cv_scheme}


@functools.lru_cache(maxsize=4096)
def _parse(text: str, pattern: str | None) -> CvReading | None:
    return parse_cv(text, pattern=pattern)


_LAST = datetime.max.replace(tzinfo=UTC)
_FEWEST_SORTED = 4  # rows that fall by chance once in 24
_FEWEST_NAMES = 3
_NUMBER = re.compile(r"\d+(?:\.\d+)*")


def in_time_order(
    drafts: list[Draft],
    tables: Sequence[ReadTable],
    *,
    greater_is_better: bool | None = None,
) -> tuple[list[Draft], Order]:
    """Return the drafts with the oldest first, and what tells their order.

    Parameters
    ----------
    drafts : list of Draft
        As they were listed.
    tables : sequence of ReadTable
        Where they stood.
    greater_is_better : bool, optional
        Direction of the scores: a list that is sorted by score is seen only with it.

    Notes
    -----
    Platforms list the newest first: that settles the order of submissions of one
    second, and where such a listing has no times. Without times, a counter does, or
    the numbers in the names where they run down or the list is sorted by score. A list
    sorted by score that has neither tells no order; any other keeps its own.
    """
    times = [draft.submitted_at for draft in drafts if draft.submitted_at is not None]
    if times:
        falls = sum(later < earlier for earlier, later in pairwise(times))
        rises = sum(later > earlier for earlier, later in pairwise(times))
        listed = drafts[::-1] if falls > rises else drafts
        return sorted(listed, key=lambda draft: draft.submitted_at or _LAST), "dates"
    if all(table.export.newest_first for table in tables):
        return drafts[::-1], "newest first"
    ranked = is_sorted(drafts, greater_is_better)
    counters = _numbers(drafts, lambda draft: draft.counter)
    if counters is not None and not (ranked and _rises(counters)):
        return _by_number(drafts, counters)
    for named in (_experiment, _reference, _file):
        numbers = _numbers(drafts, named)
        if numbers is None or len(drafts) < _FEWEST_NAMES:
            continue
        if _falls(numbers) or (ranked and not _rises(numbers)):
            return _by_number(drafts, numbers)
        if _rises(numbers) and counters is None:
            return drafts, "listed"
    return drafts, "score" if ranked else "listed"


_Number = tuple[int, ...]


def _experiment(draft: Draft) -> str | None:
    return draft.experiment


def _reference(draft: Draft) -> str | None:
    return draft.reference


def _file(draft: Draft) -> str | None:
    return draft.file_name


def _by_number(
    drafts: list[Draft], numbers: list[_Number]
) -> tuple[list[Draft], Order]:
    if _rises(numbers):
        return drafts, "listed"
    paired = sorted(zip(numbers, range(len(drafts)), strict=True))
    return [drafts[place] for _, place in paired], "counter"


def _numbers(
    drafts: Sequence[Draft], named: Callable[[Draft], str | None]
) -> list[_Number] | None:
    """Return the number in the name of every row, if all have one after one word."""
    found = [_NUMBER.search(named(draft) or "") for draft in drafts]
    words = {item.string[: item.start()].casefold() for item in found if item}
    if any(item is None for item in found) or len(words) > 1:
        return None
    numbers = [
        tuple(int(part) for part in item.group().split(".")[:4])
        for item in found
        if item is not None and len(item.group()) < 20
    ]
    unique = len(set(numbers)) == len(drafts) > 1
    return numbers if unique else None


def _rises(numbers: Sequence[_Number]) -> bool:
    return all(later > earlier for earlier, later in pairwise(numbers))


def _falls(numbers: Sequence[_Number]) -> bool:
    return all(later < earlier for earlier, later in pairwise(numbers))


def is_sorted(drafts: Sequence[Draft], greater_is_better: bool | None) -> bool:
    """Say whether the list begins with the best score and each is worse than before.

    By the public score or, where there are enough of them, by the private one.
    """
    if greater_is_better is None:
        return False
    sign = 1 if greater_is_better else -1
    for kind in ("public", "private"):
        values = [getattr(draft, kind) for draft in drafts]
        scores = [sign * value for value in values if value is not None]
        if len(set(scores)) >= _FEWEST_SORTED and all(
            later <= earlier for earlier, later in pairwise(scores)
        ):
            return True
    return False


def reading_of(
    tables: Sequence[ReadTable],
    choice: Choice,
    order: Order,
    submissions: Sequence[Submission],
) -> Reading:
    """Return what was read as the history, and why."""
    columns: dict[str, list[str]] = {}
    unused: dict[str, UnusedColumn] = {}
    for table in tables:
        for field, names in table.columns.items():
            columns.setdefault(field, []).extend(names)
        for column in table.unused:
            unused.setdefault(column.name, column)
    for source, field in (("description", "description"), ("file name", "file_name")):
        if any(item.cv_source == source for item in submissions):
            columns.setdefault("cv_score", []).extend(columns.get(field, []))
    sources = dict.fromkeys(table.source for table in tables)
    return Reading(
        source=", ".join(sources),
        n_submissions=len(submissions),
        table=choice.label,
        columns={
            field: ", ".join(dict.fromkeys(names)) for field, names in columns.items()
        },
        unused=tuple(unused.values()),
        order=order,
        why=tuple(text for text in (choice.doubt,) if text),
    )
