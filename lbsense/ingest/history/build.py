"""Drafts of all pages to the submissions of one entrant, in order, with parents."""

from __future__ import annotations

import functools
import math
import re
from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any, NamedTuple

from lbsense._format import shorten
from lbsense._typing import CvSource
from lbsense.ingest.cv.reading import CvReading, parse_cv
from lbsense.ingest.history.choose import Choice
from lbsense.ingest.history.drafts import Draft, ReadTable
from lbsense.ingest.log import numbered_names
from lbsense.metrics import Metric
from lbsense.model import (
    Order,
    Reading,
    RowIssue,
    Submission,
    UnusedColumn,
    file_kind,
    file_stem,
    names_of_file,
    plain_stem,
)


class Built(NamedTuple):
    """The submissions of a history, what is said of them, and the rows they are of."""

    submissions: tuple[Submission, ...]
    issues: tuple[RowIssue, ...]
    reading: Reading
    drafts: list[Draft]


def build_submissions(
    tables: Sequence[ReadTable],
    choice: Choice,
    *,
    cv_pattern: str | None,
    metric: Metric | None,
    greater_is_better: bool | None,
) -> Built:
    """Return the submissions of tables in time order, with CV from text where needed.

    Parameters
    ----------
    tables : sequence of ReadTable
        Pages of one history.
    choice : Choice
        Which tables these are of all that there were.
    cv_pattern : str, optional
        Regular expression that replaces the rules for CV scores in text.
    metric : Metric, optional
        Of the competition: the CV of another one is not taken.
    greater_is_better : bool, optional
        Direction of the scores: a list that is sorted by score is seen only with it.
    """
    drafts, overlap = _without_overlap(tables)
    drafts, order = _in_time_order(drafts, tables, greater_is_better)
    names = _identifiers(drafts)
    parents, issues = _declared_parents(drafts, names)
    submissions = []
    for draft, name, parent in zip(drafts, names, parents, strict=True):
        cv = _cv_fields(draft, cv_pattern, metric)
        submissions.append(
            Submission(
                submission_id=name,
                submitted_at=draft.submitted_at,
                title=draft.experiment and _clean_title(draft.experiment),
                file_name=draft.file_name,
                description=draft.description,
                status=draft.status,
                status_detail=draft.status_detail,
                public_score=draft.public,
                private_score=draft.private,
                selected=draft.selected,
                parent_id=parent,
                content_hash=draft.content_hash,
                cv_others=draft.cv_others,
                source_file=draft.source,
                source_line=draft.line,
                **cv,
            )
        )
    if metric is not None and cv_pattern is None:
        issues += _of_other_metrics(drafts, submissions)
    return Built(
        submissions=tuple(submissions),
        issues=(*overlap, *issues),
        reading=_reading_of(tables, choice, order, submissions),
        drafts=drafts,
    )


# --- pages that overlap ---------------------------------------------------------------


def _without_overlap(tables: Sequence[ReadTable]) -> tuple[list[Draft], list[RowIssue]]:
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
    return _clean_title(name or "").casefold()


def _same_score(one: float | None, two: float | None) -> bool:
    """Say whether two scores are one, which one of the tables may have rounded."""
    if one is None or two is None:
        return True
    shown = (len(f"{x:.10f}".rstrip("0").partition(".")[2]) for x in (one, two))
    return math.isclose(one, two, rel_tol=0.0, abs_tol=0.5001 * 10.0 ** -min(shown))


def _times_differ(one: Draft, other: Draft) -> bool:
    return len({one.submitted_at, other.submitted_at} - {None}) > 1


def _content(draft: Draft) -> tuple[int, int]:
    """Return how much a row says: a score more than an error, an error than nothing."""
    known = [draft.public, draft.private, draft.description, draft.selected]
    order = ("unknown", "pending", "error", "complete").index(draft.status)
    return order, sum(value is not None for value in known)


# --- which came first -----------------------------------------------------------------

_LAST = datetime.max.replace(tzinfo=UTC)
_FEWEST_SORTED = 4  # rows that fall by chance once in 24
_FEWEST_NAMES = 3
_NUMBER = re.compile(r"\d+(?:\.\d+)*")


def _in_time_order(
    drafts: list[Draft], tables: Sequence[ReadTable], greater_is_better: bool | None
) -> tuple[list[Draft], Order]:
    """Return the drafts with the oldest first, and what tells their order.

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
    counters = _numbers([draft.counter for draft in drafts])
    if counters is not None and not (ranked and _rises(counters)):
        return _by_number(drafts, counters)
    for field in ("experiment", "reference", "file_name"):
        numbers = _numbers([getattr(draft, field) for draft in drafts])
        if numbers is None or len(drafts) < _FEWEST_NAMES:
            continue
        if _rises(numbers[::-1]) or (ranked and not _rises(numbers)):
            return _by_number(drafts, numbers)
        if _rises(numbers) and counters is None:
            return drafts, "listed"
    return drafts, "score" if ranked else "listed"


_Number = tuple[int, ...]


def _by_number(
    drafts: list[Draft], numbers: list[_Number]
) -> tuple[list[Draft], Order]:
    if _rises(numbers):
        return drafts, "listed"
    paired = sorted(zip(numbers, range(len(drafts)), strict=True))
    return [drafts[place] for _, place in paired], "counter"


def _numbers(names: Sequence[str | None]) -> list[_Number] | None:
    """Return the number in the name of every row, if all have one after one word."""
    found = [_NUMBER.search(name or "") for name in names]
    words = {item.string[: item.start()].casefold() for item in found if item}
    if any(item is None for item in found) or len(words) > 1:
        return None
    numbers = [
        tuple(int(part) for part in item.group().split(".")[:4])
        for item in found
        if item is not None and len(item.group()) < 20
    ]
    return numbers if len(set(numbers)) == len(names) > 1 else None


def _rises(numbers: Sequence[_Number]) -> bool:
    return all(later > earlier for earlier, later in pairwise(numbers))


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


# --- names, and the parents that texts name -------------------------------------------


def _identifiers(drafts: list[Draft]) -> list[str]:
    """Return the reference of every draft, else its name, else its line.

    Of several names the first that tells the drafts apart is taken. An experiment that
    was sent twice is numbered.
    """
    pages = list(dict.fromkeys(draft.source for draft in drafts))
    fields = ("reference", "experiment", "counter", "model")
    given = ([getattr(draft, field) for draft in drafts] for field in fields)
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


def _clean_title(text: str) -> str:
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


_MAX_TEXT = 2000
_NAME = r"""
    [`'"\[(]?(?P<name>
        (?:experiment|exp|run|trial|version|ver|v|submission|sub)
            \.?\ ?\#?\ ?\d{1,6}[a-z]?(?![\w.])
        | \#\d++ | \w++(?:[.-]++\w++)*+
    )[`'"\])]?
"""
_DERIVED = r"""
    parent(?:\ (?:is|was))?\s*[=:]?
    | based\ on | bui(?:lt|lds?|lding)\ (?:up)?on | on\ top\ of | derived\ from
    | (?:start(?:ing|ed)?|forked|branched|continued|copied|fine-?tuned)\ from
    | warm[ -]start(?:ed)?\ from
    | (?:fork|copy|variant|refit|retrain|retrained|retraining|re-?run|tweak)\ of
    | same\ as | extends | extending | from
"""
_COMPARED = r"vs\.? | versus | compared\ (?:to|with) | relative\ to"
_FLAGS = re.IGNORECASE | re.VERBOSE
_SAYS_DERIVED = re.compile(rf"(?<![\w-])(?P<verb>{_DERIVED})\s*{_NAME}", _FLAGS)
_SAYS_COMPARED = re.compile(rf"(?<![\w-])(?:{_COMPARED})\s*{_NAME}", _FLAGS)
# "=exp012", "v14 = v11 + ranks"; "X1h + attach", "exp9 with a longer window".
_EQUALS = re.compile(rf"(?:^|\s|[\w\])])(?<![=<>!])=\s?(?!=){_NAME}", _FLAGS)
_CLAUSE = r"(?:^|[:;|(]|\.\s|\s[-—–]\s)\s*+"
_MORE = r"(?:\+|plus\b|with(?:out)?\b|w/o?\b|but\b|minus\b)"
_GOES_ON = re.compile(rf"{_CLAUSE}{_NAME}\s*+,?\s*+{_MORE}", _FLAGS)
_SAY_SOMETHING = (_SAYS_DERIVED, _SAYS_COMPARED, _EQUALS, _GOES_ON)
_FROM_DATA = re.compile(
    r"""
    \b(?:labels?|pseudo\S*|pred\w*|oofs?|weights?|(?:hyper-?)?param\w*|features?|folds?|seeds?
    |data|embeddings?|prob\w*|targets?|thresholds?|scalers?|config\w*|tokenizers?|taken
    |differ\w*|far|away|borrowed|stolen|reused?|checkpoints?|ideas?|code|rows?|ids?)
    \s+(?:\w+\s+)?$
    """,
    _FLAGS,
)
_DENIED = re.compile(
    r"""
    \b(?:not|unlike|never|no\ longer|instead\ of|isn'?t|corr|correlat\w*|diversity)\b
    [^,;]{0,20}$
    """,
    _FLAGS,
)
_MIXED = re.compile(
    r"""
    \b(?:blend|ensembl|averag|avg|mean\ of|stack|mix|merg|combin|vote|voting)
    """,
    _FLAGS,
)
_ENDS = re.compile(r"\s*(?:$|[,;:.)\]|+(-]|(?:with|but|plus|without|by)\b)", _FLAGS)
_MOVES_ON = re.compile(r"\s*(?:to\b|->|→)", _FLAGS)
_AND_ANOTHER = re.compile(r"\s*(?:and\b|[&,/])\s*\S*\d", _FLAGS)
_WORD = re.compile(r"#?\w++(?:[.-]++\w++)*+")
_GENERIC_LIST = """
    scratch kaggle public private train test data model models submission sub notebook
    kernel best last first previous all new old same blend ensemble final here start
    beginning end above below v run exp version"""
_GENERIC = frozenset(_GENERIC_LIST.split())


class _Known(NamedTuple):
    """Positions of the submissions that go by a name: by a whole one, by a label."""

    whole: dict[str, list[int]]
    labels: dict[str, list[int]]
    parent: dict[int, int | None]

    def of(self, key: str) -> list[int]:
        """Return the submissions that go by a name, in one way or the other."""
        return [*self.whole.get(key, ()), *self.labels.get(key, ())]


def _declared_parents(
    drafts: list[Draft], names: list[str]
) -> tuple[list[str | None], list[RowIssue]]:
    """Return the earlier submission that each draft says it was derived from.

    The issues are cells of a parent column that name no earlier submission, or several.
    A column of parents is believed, and nothing else then. In prose, "from", "based
    on", "= exp12", "exp12 + more", "exp12 with" and "vs exp12" declare a parent where
    exactly one earlier submission has that name, as a whole word; several, a blend, or
    data or weights alone are none. What was sent again is one submission here.
    """
    known = _Known({}, {}, {})
    sent: set[tuple[object, ...]] = set()
    parents: list[str | None] = []
    issues: list[RowIssue] = []
    n_known = 0
    for position, draft in enumerate(drafts):
        text = (draft.description or "")[:_MAX_TEXT]
        if draft.parent is None and not any(p.search(text) for p in _SAY_SOMETHING):
            parents.append(None)
            continue
        for earlier in range(n_known, position):  # what nobody speaks of has no names
            _add(known, sent, drafts[earlier], names[earlier], earlier)
        n_known = position
        if draft.parent is not None:
            places = _places(known, draft.parent, loose=True)
            if len(places) != 1:
                issues.append(_issue(draft, len(places)))
            place = places[0] if len(places) == 1 else None
        else:
            place = _in_prose(text, known)
        known.parent[position] = place
        parents.append(None if place is None else names[place])
    return parents, issues


def _add(
    known: _Known,
    sent: set[tuple[object, ...]],
    draft: Draft,
    name: str,
    position: int,
) -> None:
    """Add a submission to those that are known: what was sent again by its id alone."""
    content = (draft.file_name, draft.description, draft.public, draft.private)
    if draft.public is None or draft.description is None or content not in sent:
        _remember(known, draft, name, position)
    else:
        known.whole.setdefault(name.casefold(), []).append(position)
    sent.add(content)


def _in_prose(text: str, known: _Known) -> int | None:
    """Return the one earlier submission that a text says it was derived from."""
    if not text or not known.whole:
        return None
    derived = set(_derived(text, known))
    if derived:
        return derived.pop() if len(derived) == 1 else None
    patterns = [_SAYS_COMPARED]
    patterns += [] if _MIXED.search(text) else [_EQUALS, _GOES_ON]
    meant = []
    for pattern in patterns:
        for found in pattern.finditer(text):
            if _DENIED.search(text[: found.start("name")]):
                continue
            telling = pattern is _SAYS_COMPARED or re.search(r"\d", found["name"])
            if not telling or not _fits(text, found):
                continue  # "lgb + xgb" is a blend
            meant.append(found["name"])
    named = set(_mentioned(text, known)) if meant else set()
    if len(named) != 1:
        return None  # none, or parts of a blend
    (only,) = named
    return only if any(_places(known, name) == [only] for name in meant) else None


def _derived(text: str, known: _Known) -> Iterator[int]:
    """Yield the submissions behind words such as "based on" and "from"."""
    for found in _SAYS_DERIVED.finditer(text):
        explicit = found["verb"].lower().startswith("parent")
        places = _places(known, found["name"], loose=explicit)
        before, after = text[: found.start()], text[found.end("name") :]
        if len(places) != 1 or not (explicit or _fits(text, found)):
            continue
        taken = found["verb"].lower() == "from" and (
            _FROM_DATA.search(before) or _MOVES_ON.match(after)
        )
        mixed = _AND_ANOTHER.match(after)
        if not (taken or mixed or _DENIED.search(before)):
            yield places[0]


def _fits(text: str, found: re.Match[str]) -> bool:
    """Say whether a name without a digit ends its phrase, as in "from base, more"."""
    name = found["name"]
    if any(char.isdigit() for char in name):
        return True
    after = text[found.end("name") :].lstrip("`'\"])")
    return _ENDS.match(after) is not None


def _mentioned(text: str, known: _Known) -> Iterator[int]:
    """Yield every submission that a text names, by a name that has a digit or alone."""
    for word in _WORD.finditer(text):
        yield from _places(known, word.group())[:1]
    for name in numbered_names(text):
        yield from known.of(name)[:1]


def _places(known: _Known, name: str, *, loose: bool = False) -> list[int]:
    """Return the submissions that a word means; ``loose`` is where it is a name."""
    text = name.strip().strip("`'\"()[].,;:").casefold()
    plain = text.removeprefix("#")
    if loose:
        return known.of(plain) or known.of(file_stem(plain))
    if not any(char.isdigit() for char in text):
        telling = len(text) >= 3 and text not in _GENERIC
        return known.whole.get(text, []) if telling else []
    if (
        plain.isdigit()
        and text == plain
        and not (len(text) > 4 or text.startswith("00"))
    ):
        return []  # a bare number is a number
    if re.fullmatch(r"[\d.]+", plain) and "." in plain:
        return []
    for key in (plain, file_stem(plain), *numbered_names(text)):
        if places := known.of(key):
            return places
    return []


def _remember(known: _Known, draft: Draft, name: str, position: int) -> None:
    """Add the names by which a later row may speak of this one."""
    description = (draft.description or "").strip()
    files = names_of_file(draft.file_name) if draft.file_name else ()
    stems = [plain_stem(stem) for stem in files[-1:] if file_kind(stem)]
    whole = {name, draft.experiment, draft.counter, *files, *stems}
    if len(description) <= 80:
        whole.add(description)
    texts = {text.strip().casefold() for text in whole if text}
    texts |= {name for text in texts for name in _numbered_alone(text)}
    for text in texts:
        known.whole.setdefault(text, []).append(position)
    if first := re.match(r"\W*+(\w(?:[\w.-]*\w)?)", description):
        label = first[1]
        forms = {label.casefold(), *(numbered_names(description[: len(label) + 8])[:1])}
        for text in forms - texts:
            if known.of(text) != [known.parent.get(position)]:  # "exp9 with more"
                known.labels.setdefault(text, []).append(position)


def _numbered_alone(text: str) -> list[str]:
    """Return the one form of a name that is a word and its number, as in "exp 012"."""
    if re.fullmatch(r"[^\W\d_]{1,20}[ _#-]?\d{1,8}[a-z]?", text) is None:
        return []
    return numbered_names(text)[:1]


def _issue(draft: Draft, n_found: int) -> RowIssue:
    return RowIssue(
        source=draft.source,
        line=draft.line,
        column="parent",
        found=shorten(draft.parent or "", 80),
        expected=f"the name of one earlier submission, not of {n_found}",
        action="cell taken as missing",
    )


# --- CV scores, and what was read -----------------------------------------------------


def _cv_fields(
    draft: Draft, pattern: str | None, metric: Metric | None
) -> dict[str, Any]:
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
        reading = _parse(text, pattern, draft.public, metric) if text else None
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
def _parse(
    text: str, pattern: str | None, public: float | None, metric: Metric | None
) -> CvReading | None:
    return parse_cv(text, pattern=pattern, public_score=public, metric=metric)


def _of_other_metrics(
    drafts: list[Draft], submissions: list[Submission]
) -> Iterator[RowIssue]:
    """Yield the issue of texts whose CV is left, being that of another metric."""
    left = []
    for draft, item in zip(drafts, submissions, strict=True):
        if item.cv_score is None and (text := draft.description or draft.file_name):
            reading = _parse(text, None, draft.public, None)
            left += [(draft, reading.text)] if reading and reading.metric else []
    for draft, text in left[:1]:
        yield RowIssue(
            source=draft.source,
            line=draft.line,
            column="description" if draft.description else "file name",
            found=repr(text) + (f" and {len(left) - 1} more" if left[1:] else ""),
            expected="the metric of the competition",
            action="CV of another metric not taken",
        )


def _reading_of(
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
    return Reading(
        source=", ".join(dict.fromkeys(table.source for table in tables)),
        n_submissions=len(submissions),
        table=choice.label,
        columns={
            field: ", ".join(dict.fromkeys(names)) for field, names in columns.items()
        },
        unused=tuple(unused.values()),
        order=order,
        why=(choice.doubt,) if choice.doubt else (),
    )
