"""What each submission is compared with, and which submissions are one and the same."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable

import numpy as np

from lbsense._format import clean_text
from lbsense._typing import FloatArray, IntArray
from lbsense.model import History, Submission

__all__ = ["NO_REFERENCE", "references", "repeat_groups"]

NO_REFERENCE = -1
_LARGEST_GROUP = 5  # more submissions under one text share a lazy name, not a content


def repeat_groups(history: History) -> IntArray:
    """Return a label per submission, equal for the same content scored again.

    Content is the same where its digest is, or, without digests, where a description
    specific enough to name one submission and the file name recur and CV does not
    differ. A submission that stands alone has the label -1.
    """
    members: dict[Hashable, list[int]] = defaultdict(list)
    for index, item in enumerate(history):
        key = _content_key(item)
        if key is not None:
            members[key].append(index)
    labels = np.full(len(history), NO_REFERENCE, dtype=np.int64)
    groups = [
        group
        for key, group in members.items()
        if len(group) > 1 and (len(group) <= _LARGEST_GROUP or _is_digest(key))
    ]
    for label, group in enumerate(groups):
        labels[group] = label
    return labels


def references(history: History, public: FloatArray, groups: IntArray) -> IntArray:
    """Return the index of the submission that each one is compared with, or -1.

    That is its declared parent, else for a repeat the first of its kind, else the
    incumbent: the best public score before it.

    Parameters
    ----------
    history : History
        The submissions.
    public : ndarray of shape (n_submissions,)
        Oriented public scores, nan where missing.
    groups : ndarray of shape (n_submissions,)
        Labels of `repeat_groups`.
    """
    index_of = {item.submission_id: index for index, item in enumerate(history)}
    found = np.full(len(history), NO_REFERENCE, dtype=np.int64)
    first_of: dict[int, int] = {}
    incumbent = NO_REFERENCE
    for index, item in enumerate(history):
        parent = index_of.get(item.parent_id or "", NO_REFERENCE)
        group = int(groups[index])
        if parent not in (NO_REFERENCE, index) and np.isfinite(public[parent]):
            found[index] = parent
        else:
            found[index] = first_of.get(group, incumbent) if group >= 0 else incumbent
        if not np.isfinite(public[index]):
            continue
        if group >= 0:
            first_of.setdefault(group, index)
        if incumbent == NO_REFERENCE or public[index] > public[incumbent]:
            incumbent = index
    return found


def _content_key(item: Submission) -> Hashable | None:
    if item.content_hash:
        return ("digest", item.content_hash)
    text = clean_text(item.description or "").casefold()
    names_one = len(text) >= 8 and (any(map(str.isdigit, text)) or " " in text)
    if not names_one:
        return None
    return ("text", text, item.file_name, item.cv_score)


def _is_digest(key: Hashable) -> bool:
    return isinstance(key, tuple) and key[0] == "digest"
