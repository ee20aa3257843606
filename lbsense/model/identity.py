"""Which submissions are one content, and what their names say that a file holds."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Sequence
from functools import lru_cache
from typing import Literal, NamedTuple, TypeAlias

import numpy as np

from lbsense._format import clean_text, format_number, format_time
from lbsense._typing import IntArray
from lbsense.model.submission import Submission

_ALONE = -1
_LARGEST_GROUP = 5  # more submissions with one score show a coarse score
_DIGITS_OF_ONE, _DIGITS_OF_TWO = 5, 4  # significant digits that are no coincidence
_FEWEST_COMMON = 3  # equal scores that are not called common yet
_SAID = re.compile(
    r"\b(?:re-?submi(?:t|tted|ssion)|re-?sen[dt]|same (?:file|csv|submission)|"
    r"duplicate|exact copy|identical)(?: +(?:of|as|to|with))? +(?P<name>[^\s()]+)",
    re.IGNORECASE,
)
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

    Parameters
    ----------
    submissions : iterable of Submission
        A history, or submissions of one.

    Returns
    -------
    ndarray of shape (n_submissions,)
        -1 for a submission that stands alone.

    Notes
    -----
    The content is the same where the digests are; or, of submissions without a digest,
    where every score that one of them has (public, private, CV) is that of the other to
    the last digit: two different scores of four digits each, or a description or a
    telling file name in common and two scores or one of five digits; or where a
    description says so ("resubmission of exp12") and no score differs. A description
    alone is no proof: a deterministic metric that gives another score was given
    another file. Without digests, a group of more than five, or equal scores that are
    common in the history, show coarse scores rather than one content.

    Examples
    --------
    >>> scores = [0.81243, 0.81307, 0.81243, 0.80011]
    >>> names = ["blend of two", "first", "blend of two", "blend of two"]
    >>> sent = [
    ...     Submission(submission_id=str(i), description=name, public_score=score)
    ...     for i, (name, score) in enumerate(zip(names, scores, strict=True))
    ... ]
    >>> content_groups(sent).tolist()
    [0, -1, 0, -1]
    """
    items = tuple(submissions)
    first = list(range(len(items)))  # of the same content, so far

    def first_of(place: int) -> int:
        while first[place] != place:
            place = first[place]
        return place

    for group in (*_same_digest(items), *_same_scores(items), *_said(items)):
        ends = sorted({first_of(place) for place in group})
        for place in ends:
            first[place] = ends[0]
    labels = np.full(len(items), _ALONE, dtype=np.int64)
    label_of: dict[int, int] = {}
    sizes = Counter(map(first_of, range(len(items))))
    for place in range(len(items)):
        start = first_of(place)
        if sizes[start] > 1:
            labels[place] = label_of.setdefault(start, len(label_of))
    return labels


def _same_digest(items: Sequence[Submission]) -> list[list[int]]:
    return _groups(item.content_hash or None for item in items)


def _same_scores(items: Sequence[Submission]) -> list[list[int]]:
    """Return groups of submissions without digests whose scores are all the same."""
    named, unnamed = zip(*map(_score_keys, items), strict=True) if items else ((), ())
    found = [group for group in _groups(named) if len(group) <= _LARGEST_GROUP]
    bare = [group for group in _groups(unnamed) if len(group) <= _LARGEST_GROUP]
    n_scored = sum(item.public_score is not None for item in items)
    common = sum(map(len, _groups(unnamed))) > max(n_scored / 2, _FEWEST_COMMON)
    return found if common else found + bare


def _score_keys(item: Submission) -> tuple[Hashable | None, Hashable | None]:
    """Return what submissions of one content share: with their name, and without."""
    sides = (item.public_score, item.private_score, item.cv_score)
    given = {side for side in sides if side is not None}
    n_digits = sum(map(_n_digits, given))
    if item.content_hash or not given:
        return None, None
    text = clean_text(item.description or "").casefold()
    stem = file_stem(item.file_name or "")
    telling = bool(text) or (bool(stem) and not _says_kind_alone(stem))
    enough = len(given) > 1 or n_digits >= _DIGITS_OF_ONE
    named = (text, item.file_name, sides) if telling and enough else None
    fine = len(given) > 1 and min(map(_n_digits, given)) >= _DIGITS_OF_TWO
    bare = sides if fine else None
    return named, bare


@lru_cache(maxsize=4096)
def _n_digits(score: float) -> int:
    """Return the significant digits of a score, without zeros at the end."""
    return len(f"{abs(score):.15f}".replace(".", "").strip("0"))


def _says_kind_alone(stem: str) -> bool:
    return file_kind(stem) is not None and plain_stem(stem) == stem


def _said(items: Sequence[Submission]) -> list[list[int]]:
    """Return pairs of which one says that it is the other, and no score differs."""
    claims = [
        (place, found["name"])
        for place, item in enumerate(items)
        if (found := _SAID.search(item.description or "")) is not None
    ]
    if not claims:
        return []
    index = NameIndex(items)
    pairs = []
    for place, name in claims:
        other = index.position(name.strip("'\"`.,:;"))
        if (
            other is not None
            and other < place
            and _may_be_one(items[other], items[place])
        ):
            pairs.append([other, place])
    return pairs


def _may_be_one(one: Submission, other: Submission) -> bool:
    """Say whether no digest and no score speaks against one content."""
    names = ("content_hash", "public_score", "private_score", "cv_score")
    pairs = [(getattr(one, name), getattr(other, name)) for name in names]
    return all(a == b for a, b in pairs if a is not None and b is not None)


def _groups(keys: Iterable[Hashable | None]) -> list[list[int]]:
    """Return the places that share a key, None being none."""
    members: dict[Hashable, list[int]] = defaultdict(list)
    for place, key in enumerate(keys):
        if key is not None:
            members[key].append(place)
    return [group for group in members.values() if len(group) > 1]


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


@lru_cache(maxsize=1024)
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
    name = name.strip()
    return name[max(name.rfind("/"), name.rfind("\\")) + 1 :]


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


# "linear probe" is a model, "probe set" are data, a "negative probe" is an experiment:
# the word alone says nothing of the leaderboard.
_BOARD = r"(?:lb|leader[ _-]?board|(?:test[ _-])?labels?)"
_PROBE = re.compile(
    rf"\b{_BOARD}[ _-]?prob(?:e|es|ing)\b"
    rf"|\bprob(?:e|ing)[ _-](?:the[ _-])?{_BOARD}\b"
    r"|\bprobe[ _-](?:rows?|ids?|index|segment|slice|class|prior|base[ _-]rate)\b"
    r"|^\W*probe[ _#-]*\d*\W*$",
    re.IGNORECASE,
)
_VALUE = r"(?:zeros?|ones?|0s|1s|[01]|\d*\.\d+|nan|the[ ]same[ ]value)"
_ONE_VALUE = re.compile(
    rf"""
    ^\W*(?:(?:lb|leaderboard)[ _-])?
    (?:probe\W+|baseline\W+|submi\w+\W+(?:of\W+|with\W+)?|predict\w*\W+|test\W+)?
    (?:
        (?:all|only|just|every(?:thing|[ ]row)?)
            (?:[ ](?:rows?|predictions?|targets?|labels?))?
            (?:[ _-]|\W+(?:are|is|set[ ]to|to|=)\W+|\W*=\W*){_VALUE}
        | (?:zeros|ones)
        | const(?:ant)?(?:[ ](?:prediction|value|score|submission|file|baseline))?s?
            (?:[ ]of)?\W*{_VALUE}
    )
    (?= \W*$ | \W*[,;:|()] | [ ][+-]
        | [ ](?:baseline|submission|prediction|probe|everywhere|for)\b)
    """,
    re.IGNORECASE | re.VERBOSE,
)
_NEUTRAL_LIST = """
    probe probes probing all sub subs submission submissions test pred preds prediction
    predictions baseline const constant value lb only just my file the"""
_NEUTRAL = frozenset(_NEUTRAL_LIST.split())
_CONSTANT = {"zeros", "zeroes", "ones", "allzeros", "allones", "0s", "1s"}


class StatedContent(NamedTuple):
    """What the names say: the kind of content, and the words that say it."""

    kind: Literal["one value", "probe"]
    words: str


def stated_content(
    description: str | None, file_name: str | None
) -> StatedContent | None:
    """Return what a submission says that it holds, where that is no model.

    Parameters
    ----------
    description, file_name : str or None
        As the entrant gave them.

    Returns
    -------
    StatedContent or None
        "one value" for a file of zeros, of ones or of another constant; "probe" for one
        that is called a probe of the leaderboard or of its labels.

    Examples
    --------
    >>> stated_content(None, "probe_const_0.10.csv")
    StatedContent(kind='one value', words='probe_const_0.10')
    >>> stated_content("negative probe, smaller lexicon", "c.csv") is None
    True
    """
    text, stem = clean_text(description or ""), clean_text(file_stem(file_name or ""))
    if _ONE_VALUE.search(text):
        return StatedContent("one value", text)
    if _names_one_value(stem):
        return StatedContent("one value", stem)
    for given in (text, stem.replace("_", " ")):
        found = _PROBE.search(given)
        if found is not None:
            return StatedContent("probe", found.group().strip())
    return None


def _names_one_value(stem: str) -> bool:
    """Say whether the name of a file is that of a constant and nothing else."""
    parts = [part for part in re.split(r"[_\-\s]+", stem.casefold()) if part]
    left = [part for part in parts if part not in _NEUTRAL]
    if len(left) != 1:
        return False
    spelt = left[0] in _CONSTANT or (left[0] in ("zero", "one") and "all" in parts)
    number = re.fullmatch(r"(?:const|constant|all)?(?:\d*\.\d+|0p\d+|[01])", left[0])
    stated = {"const", "constant", "all"} & {*parts} or re.match("const|all", left[0])
    return spelt or (number is not None and bool(stated))
