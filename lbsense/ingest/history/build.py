"""Drafts of all pages to the submissions of one entrant, in time order."""

from __future__ import annotations

import functools
import math
import re
from collections import Counter
from collections.abc import Hashable, Sequence
from typing import Any

from lbsense._typing import CvSource
from lbsense.ingest.cv.reading import CvReading, parse_cv
from lbsense.ingest.history.drafts import Draft, ReadTable
from lbsense.ingest.history.parents import declared_parents
from lbsense.model import RowIssue, Submission


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
