"""One submission as it was recorded, its competition, and which are one content."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Literal, NamedTuple, TypeAlias

import numpy as np

from lbsense._format import clean_text, format_number, format_time
from lbsense._result import Result
from lbsense._typing import CvSource, IntArray, Platform, Status
from lbsense._validation import check_count, check_fraction
from lbsense.errors import DirectionUnknownError


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission(Result):
    """One submission; scores are raw, as the platform showed them.

    Attributes
    ----------
    submission_id : str
        The platform's reference, or the name that the input gives, ``row<line>`` where
        it gives none.
    submitted_at : datetime or None
        Timezone-aware, UTC.
    title : str or None
        What the entrant called the experiment, run or version, where a column says it.
    file_name, description : str or None
        As the entrant gave them: untrusted text, never changed.
    status : {"complete", "pending", "error", "unknown"}
        Whether the platform scored it; unknown where a table of your own has no score
        and says no more: perhaps it was never submitted.
    status_detail : str or None
        The platform's own word on a failure.
    public_score, private_score, cv_score : float or None
        None when missing.
    cv_others : tuple of (str, float)
        Names and scores of further kinds of CV, such as a holdout beside the OOF score.
    cv_std : float or None
        The spread that stood beside the CV score, as in ``0.7052 (0.0641)``.
    cv_fold_scores : tuple of float
        Score of every fold; empty when unknown.
    cv_source : {"column", "description", "file name", "log"} or None
        Where the CV score came from.
    cv_text : str or None
        The very text that the CV score was read from.
    cv_scheme : str or None
        What kind of validation it was, as far as the text says ("cv", "oof", "loo").
    cv_metric : str or None
        The metric that stood beside the CV score, as it was written there.
    selected : bool or None
        Whether it was chosen for the final ranking.
    parent_id : str or None
        The submission that this one was derived from, where declared.
    content_hash : str or None
        Digest of the submitted file.
    source_file : str or None
        File that the row was read from.
    source_line : int or None
        Its line there, the first line being 1.
    """

    submission_id: str
    submitted_at: datetime | None = None
    title: str | None = None
    file_name: str | None = None
    description: str | None = None
    status: Status = "complete"
    status_detail: str | None = None
    public_score: float | None = None
    private_score: float | None = None
    cv_score: float | None = None
    cv_others: tuple[tuple[str, float], ...] = ()
    cv_std: float | None = None
    cv_fold_scores: tuple[float, ...] = ()
    cv_source: CvSource | None = None
    cv_text: str | None = None
    cv_scheme: str | None = None
    cv_metric: str | None = None
    selected: bool | None = None
    parent_id: str | None = None
    content_hash: str | None = None
    source_file: str | None = None
    source_line: int | None = None

    @property
    def name(self) -> str:
        """What the entrant called it: untrusted text, the identifier for want of it."""
        told = self.description or (None if self.title else self.file_name)
        title = self.title
        if title and told and not told.casefold().startswith(title.casefold()):
            return f"{title}: {told}"
        return told or self.title or self.submission_id

    def __post_init__(self) -> None:
        if self.submitted_at is not None and self.submitted_at.tzinfo is None:
            msg = (
                f"submitted_at of {self.submission_id} has no time zone: "
                f"{self.submitted_at!r}. Kaggle and Zindi export UTC: use "
                "value.replace(tzinfo=datetime.UTC)."
            )
            raise ValueError(msg)
        for name in ("public_score", "private_score", "cv_score"):
            value = getattr(self, name)
            if value is not None and not math.isfinite(value):
                msg = f"{name} of {self.submission_id} must be finite or None: {value}."
                raise ValueError(msg)
        for name, value in self.cv_others:
            if not math.isfinite(value):
                msg = f"CV {name!r} of {self.submission_id} must be finite: {value}."
                raise ValueError(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class Competition(Result):
    """What is known about a competition; everything may be unknown.

    Attributes
    ----------
    slug : str or None
        The name in the competition's address.
    platform : str or None
        Where the history comes from: ``kaggle``, ``zindi``, or an agent or a tracker,
        such as ``loop``, ``aide`` or ``optuna``.
    metric : str or None
        Registered name of the metric, as ``lbsense.metrics.find_metric`` gives it, or
        the user's own name for a metric that is not registered.
    greater_is_better : bool or None
        Direction of the scores. None when nobody said: it is never guessed.
    cv_greater_is_better : bool or None
        Direction of the CV scores where it differs from that of the leaderboard.
    train_size, test_size : int or None
        Rows of the training set and of the whole test set.
    public_fraction : float or None
        Share of the test rows behind the public score, in (0, 1].
    nested : bool
        Whether the private score covers the public rows too (old Zindi rules).
    deadline : datetime or None
        End of the competition, UTC.
    display_decimals : int or None
        Decimals that the leaderboard shows.
    n_selections : int or None
        Submissions that an entrant may select for the final ranking.
    """

    slug: str | None = None
    platform: Platform | None = None
    metric: str | None = None
    greater_is_better: bool | None = None
    cv_greater_is_better: bool | None = None
    train_size: int | None = None
    test_size: int | None = None
    public_fraction: float | None = None
    nested: bool = False
    deadline: datetime | None = None
    display_decimals: int | None = None
    n_selections: int | None = None

    def __post_init__(self) -> None:
        for name in ("train_size", "test_size", "n_selections"):
            value = getattr(self, name)
            if value is not None:
                check_count(value, name=name)
        if self.public_fraction is not None:
            check_fraction(
                self.public_fraction, name="public_fraction", high_open=False
            )

    @property
    def n_public(self) -> int | None:
        """Test rows behind the public score, or None when a size is unknown."""
        if self.test_size is None or self.public_fraction is None:
            return None
        return max(1, round(self.test_size * self.public_fraction))

    @property
    def n_private(self) -> int | None:
        """Test rows behind the private score; all of them under nested rules.

        None when a size is unknown, or the public score leaves no row unseen.
        """
        if self.test_size is None or self.n_public is None:
            return self.test_size if self.nested else None
        if self.n_public >= self.test_size:
            return None
        return self.test_size if self.nested else self.test_size - self.n_public

    @property
    def better(self) -> str:
        """Which score is better, in words; empty when nobody said."""
        if self.greater_is_better is None:
            return ""
        return "higher is better" if self.greater_is_better else "lower is better"

    def direction(self) -> int:
        """Return 1 when a greater score is better and -1 when a smaller one is.

        Raises
        ------
        DirectionUnknownError
            If ``greater_is_better`` is None.
        """
        if self.greater_is_better is None:
            msg = (
                "The direction of the metric is not known. Name the metric "
                "(metric='roc_auc', --metric roc_auc), or say greater_is_better=True "
                "or False (--higher-is-better, --lower-is-better)."
            )
            raise DirectionUnknownError(msg)
        return 1 if self.greater_is_better else -1

    def cv_direction(self) -> int:
        """Return the direction of the CV scores, that of the metric unless told."""
        if self.cv_greater_is_better is None:
            return self.direction()
        return 1 if self.cv_greater_is_better else -1


@dataclass(frozen=True, slots=True, kw_only=True)
class InputFile(Result):
    """A file and the digest of its bytes.

    Attributes
    ----------
    name : str
        Its name, without the folder.
    sha256 : str
        Digest of its bytes, in hexadecimal.
    n_bytes : int
        Its size.
    """

    name: str
    sha256: str
    n_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RowIssue(Result):
    """Something in the input that was not understood, and what became of it.

    Attributes
    ----------
    source : str
        File or object that it was found in.
    line : int or None
        Line, the first being 1.
    column : str or None
        Column, where one cell is to blame.
    found : str
        What stood there.
    expected : str
        What would have been understood.
    action : str
        What was done: "row skipped", "cell taken as missing", ...
    """

    source: str
    line: int | None = None
    column: str | None = None
    found: str
    expected: str
    action: str

    def __str__(self) -> str:
        where = self.source if self.line is None else f"{self.source}:{self.line}"
        column = "" if self.column is None else f" {self.column} is"
        return clean_text(
            f"{where}:{column} {self.found!r}, expected {self.expected}; {self.action}."
        )


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

    for group in (
        *_groups(item.content_hash or None for item in items),
        *_same_scores(items),
        *_said(items),
    ):
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
    kind_alone = file_kind(stem) is not None and plain_stem(stem) == stem
    telling = bool(text) or (bool(stem) and not kind_alone)
    enough = len(given) > 1 or n_digits >= _DIGITS_OF_ONE
    named = (text, item.file_name, sides) if telling and enough else None
    fine = len(given) > 1 and min(map(_n_digits, given)) >= _DIGITS_OF_TWO
    bare = sides if fine else None
    return named, bare


@lru_cache(maxsize=4096)
def _n_digits(score: float) -> int:
    """Return the significant digits of a score, without zeros at the end."""
    return len(f"{abs(score):.15f}".replace(".", "").strip("0"))


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
