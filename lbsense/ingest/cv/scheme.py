"""Notice that the CV scores of a history are not of one scheme or one metric."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from itertools import pairwise

from lbsense._format import format_number, shorten
from lbsense.model import Submission

# Two names for scores that people compare freely, and rightly: one family.
_FAMILY = {"local": "cv", "fold": "cv", "pattern": "cv", "oof": "cv"}
_SPLITTER = re.compile(
    r"(stratified[ _-]?group|stratified|group|time[ _-]?series|purged|repeated)"
    r"[ _-]?(?:k[ _-]?fold|split)|(s?gkf|skf)(?![a-z])|(?<![a-z])(k-?fold)",
    re.IGNORECASE,
)
_SHORT_NAMES = {
    "sgkf": "stratifiedgroup",
    "gkf": "group",
    "skf": "stratified",
    "kfold": "k-fold",
}
# Chosen so that a CV that moves by a tenth while the public score stays within a
# fiftieth is noticed, and the usual drift of a gap is not.
_CV_JUMP = math.log(1.1)
_PUBLIC_STILL = math.log(1.02)


def cv_scheme_change(submissions: Sequence[Submission]) -> str | None:
    """Return what changed about the CV within a history, or None if nothing is seen.

    Parameters
    ----------
    submissions : sequence of Submission
        In time order.

    Returns
    -------
    str or None
        The first change found: of the kind of validation, of the named way to split,
        of the named metric, or a jump of the CV score while the public one stays.

    Notes
    -----
    A jump is a step that moves the CV by more than a tenth, by at least five times
    the median step, while the public score moves by less than a fiftieth.

    Examples
    --------
    >>> scores = [(0.512, 0.519), (0.508, 0.517), (0.601, 0.516), (0.597, 0.515)]
    >>> history = [
    ...     Submission(submission_id=f"s{i}", cv_score=cv, public_score=public)
    ...     for i, (cv, public) in enumerate(scores)
    ... ]
    >>> print(cv_scheme_change(history))
    The CV jumps from 0.508 to 0.601 at submission s2 while the public score stays...
    """
    with_cv = [item for item in submissions if item.cv_score is not None]
    named: tuple[tuple[str, Callable[[Submission], str | None]], ...] = (
        ("kind of validation", _kind),
        ("way of splitting", _splitter),
        ("metric of the CV", _metric),
    )
    for what, read in named:
        known = [(name, item) for item in with_cv if (name := read(item)) is not None]
        for (before, _), (after, item) in pairwise(known):
            if before != after:
                return (
                    f"The {what} changes from {shorten(before, 40)!r} to "
                    f"{shorten(after, 40)!r} at submission "
                    f"{shorten(item.name, 48)}. CV scores are comparable only "
                    "within one scheme: do not read a gain or a loss across the change."
                )
    return _jump(with_cv)


def _kind(item: Submission) -> str | None:
    if item.cv_scheme is None:
        return None
    kind = item.cv_scheme.strip().lower()
    return _FAMILY.get(kind, kind) or None


def _splitter(item: Submission) -> str | None:
    """Return the splitter that the texts of a submission name last."""
    found = None
    for text in (item.file_name, item.description):
        for match in _SPLITTER.finditer(text or ""):
            found = re.sub(r"[ _-]", "", next(filter(None, match.groups()))).lower()
    return None if found is None else _SHORT_NAMES.get(found, found)


def _metric(item: Submission) -> str | None:
    """Return the metric that stood beside the CV score, in one way of writing."""
    return re.sub(r"[\W_]+", "", item.cv_metric or "").lower() or None


def _jump(with_cv: list[Submission]) -> str | None:
    """Return the first step that moves the CV far and the public score hardly."""
    steps = []
    for before, after in pairwise(with_cv):
        moved = _log_ratio(before.cv_score, after.cv_score)
        public = _log_ratio(before.public_score, after.public_score)
        if moved is not None and public is not None:
            steps.append((moved, public, before, after))
    usual = sorted(moved for moved, *_ in steps)[(len(steps) - 1) // 2 :][:1]
    for moved, public, before, after in steps:
        alone = len(steps) < 3 or moved > 5 * usual[0]
        if moved > _CV_JUMP and public < _PUBLIC_STILL and alone:
            old, new = map(format_number, (before.cv_score, after.cv_score))
            public_old = format_number(before.public_score)
            public_new = format_number(after.public_score)
            return (
                f"The CV jumps from {old} to {new} at submission "
                f"{shorten(after.name, 48)} while the public score stays "
                f"({public_old} to {public_new}): another split or another metric? "
                "CV scores are comparable only within one scheme."
            )
    return None


def _log_ratio(before: float | None, after: float | None) -> float | None:
    """Return the size of a change as a log ratio, where both have one sign."""
    if not before or not after or before * after < 0:
        return None
    return abs(math.log(after / before))
