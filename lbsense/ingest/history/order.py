"""In which order the submissions were sent, and what tells it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from itertools import pairwise

from lbsense.ingest.history.drafts import Draft, ReadTable
from lbsense.model import Order

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
    ranked = _is_sorted(drafts, greater_is_better)
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


def _is_sorted(drafts: Sequence[Draft], greater_is_better: bool | None) -> bool:
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
