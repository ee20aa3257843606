"""Which submissions have one content, and which submission a name means."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable
from typing import Literal, TypeAlias

import numpy as np

from lbsense._format import clean_text, format_number, format_time
from lbsense._typing import IntArray
from lbsense.model.submission import Submission

__all__ = [
    "NameIndex",
    "content_groups",
    "display_names",
    "file_kind",
    "file_stem",
    "names_of_file",
    "plain_stem",
]

_ALONE = -1
_LARGEST_GROUP = 5  # more submissions under one text share a lazy name, not a content
_FEWEST_LETTERS = 8  # of a description that can name one submission
_ENDINGS = re.compile(
    r"(?:\.(?:csv|tsv|txt|gz|zip|bz2|xz|json|parquet|pq|feather|pkl|npy|npz|ipynb|py))+$",
    re.IGNORECASE,
)
_LAST_ENDING = re.compile(r"(?<=[^.])\.[^.]+$")
FileKind: TypeAlias = Literal["oof", "test"]
_KINDS: dict[FileKind, re.Pattern[str]] = {
    "oof": re.compile(r"(?:^|[_\-. ])oofs?(?:[_\-. ]?preds?)?(?=$|[_\-. ])", re.I),
    "test": re.compile(
        r"(?:^|[_\-. ])(?:submissions?|subs?|test[_\-. ]?preds?)(?=$|[_\-. ])", re.I
    ),
}


def content_groups(submissions: Iterable[Submission]) -> IntArray:
    """Return a label per submission, equal for the same content scored again.

    Content is the same where its digest is, or, without digests, where a description
    specific enough to name one submission and the file name recur and CV does not
    differ. A submission that stands alone has the label -1.

    Parameters
    ----------
    submissions : iterable of Submission
        A history, or submissions of one.

    Returns
    -------
    ndarray of shape (n_submissions,)

    Examples
    --------
    >>> names = ["blend of two", "first try 1", "blend of two"]
    >>> sent = [
    ...     Submission(submission_id=str(i), description=name)
    ...     for i, name in enumerate(names)
    ... ]
    >>> content_groups(sent).tolist()
    [0, -1, 0]
    """
    members: dict[tuple[Hashable, ...], list[int]] = defaultdict(list)
    keys = [_content_key(item) for item in submissions]
    for index, key in enumerate(keys):
        if key is not None:
            members[key].append(index)
    labels = np.full(len(keys), _ALONE, dtype=np.int64)
    groups = [
        group
        for key, group in members.items()
        if len(group) > 1 and (key[0] == "digest" or len(group) <= _LARGEST_GROUP)
    ]
    for label, group in enumerate(groups):
        labels[group] = label
    return labels


def _content_key(item: Submission) -> tuple[Hashable, ...] | None:
    if item.content_hash:
        return ("digest", item.content_hash)
    text = clean_text(item.description or "").casefold()
    telling = any(map(str.isdigit, text)) or " " in text
    if len(text) < _FEWEST_LETTERS or not telling:
        return None
    return ("text", text, item.file_name, item.cv_score)


def display_names(submissions: Iterable[Submission]) -> tuple[str, ...]:
    """Return what each submission is called wherever it is shown.

    That is its name; where two are alike, with the date and the score.

    Examples
    --------
    >>> sent = [
    ...     Submission(submission_id=str(i), description="mix", public_score=score)
    ...     for i, score in enumerate((0.8, 0.81))
    ... ]
    >>> display_names(sent)
    ('mix (0.8)', 'mix (0.81)')
    """
    items = list(submissions)
    names = [clean_text(item.name) or item.submission_id for item in items]
    for tell in (_time_and_score, _identifier):
        counts = Counter(names)
        names = [
            name if counts[name] == 1 else f"{name} ({tell(item)})"
            for item, name in zip(items, names, strict=True)
        ]
    return tuple(names)


def _time_and_score(item: Submission) -> str:
    time = format_time(item.submitted_at) if item.submitted_at else ""
    score = item.public_score
    told = "" if score is None else format_number(score, digits=7)
    return ", ".join(text for text in (time, told) if text) or "no score"


def _identifier(item: Submission) -> str:
    return item.submission_id


def file_stem(name: str) -> str:
    """Return the name of a file without its folders and its endings.

    Examples
    --------
    >>> file_stem("out/blend_0.8123.csv.gz"), file_stem("model_v1.2")
    ('blend_0.8123', 'model_v1.2')
    """
    return _ENDINGS.sub("", _without_folders(name)).strip()


def file_kind(name: str) -> FileKind | None:
    """Return whether a file is called out-of-fold or test predictions, if either."""
    stem = file_stem(name)
    return next((kind for kind, word in _KINDS.items() if word.search(stem)), None)


def plain_stem(name: str) -> str:
    """Return the stem of a file without the word that tells its kind.

    Examples
    --------
    >>> plain_stem("submission_lgb7.csv"), plain_stem("oof_lgb7.npy")
    ('lgb7', 'lgb7')
    """
    stem, kind = file_stem(name), file_kind(name)
    left = "" if kind is None else _KINDS[kind].sub("", stem, count=1).strip("_-. ")
    return left or stem


def names_of_file(name: str) -> tuple[str, ...]:
    """Return the names that a file goes by: with its ending, without, as a stem.

    Examples
    --------
    >>> names_of_file("out/sub.csv.gz")
    ('sub.csv.gz', 'sub.csv', 'sub')
    """
    last = _without_folders(name).strip()
    found = (last, _LAST_ENDING.sub("", last), file_stem(name))
    return tuple(dict.fromkeys(text for text in found if text))


def _without_folders(name: str) -> str:
    return re.split(r"[\\/]", name.strip())[-1]


class NameIndex:
    """Which submissions of a history a name means.

    A name is that of a submission, of the file that it sent, with its ending or
    without, or what is left of that without words such as "submission" and "oof".
    The first of these that fits decides; what is written the same before what differs
    in case.

    Parameters
    ----------
    submissions : sequence of Submission
        A history, or submissions of one.

    Examples
    --------
    >>> sent = [Submission(submission_id="7", file_name="submission_lgb7.csv")]
    >>> index = NameIndex(sent)
    >>> [index.position(name) for name in ("7", "submission_lgb7", "lgb7", "xgb")]
    [0, 0, 0, None]
    """

    def __init__(self, submissions: Iterable[Submission]) -> None:
        self._levels: tuple[dict[str, list[int]], ...] = ({}, {}, {}, {}, {})
        for place, item in enumerate(submissions):
            file = item.file_name or ""
            names = names_of_file(file) if file else ()
            folded = [name.casefold() for name in names]
            plain = [plain_stem(file).casefold()] if file else []
            own = item.submission_id
            given = ([own], names, [own.strip().casefold()], folded, plain)
            for level, keys in zip(self._levels, given, strict=True):
                for key in dict.fromkeys(keys):
                    level.setdefault(key, []).append(place)

    def positions(self, name: str) -> tuple[int, ...]:
        """Return the positions of all submissions that the name fits equally well."""
        folded = name.strip().casefold()
        wanted = (name, name, folded, folded, plain_stem(folded))
        for level, key in zip(self._levels, wanted, strict=True):
            if key and key in level:
                return tuple(level[key])
        return ()

    def places(self, names: Iterable[str]) -> dict[str, int]:
        """Return the position of each name that means one submission of its own."""
        found: dict[int, str] = {}
        for name in names:
            place = self.position(name)
            if place is not None:
                found.setdefault(place, name)
        return {name: place for place, name in found.items()}

    def position(self, name: str) -> int | None:
        """Return the position of the one submission that the name means, or None."""
        found = self.positions(name)
        return found[0] if len(found) == 1 else None
