"""Which earlier submission one says that it was derived from: the one home of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from lbsense._format import shorten
from lbsense.ingest.history.drafts import Draft
from lbsense.ingest.log import numbered_names
from lbsense.model import RowIssue, file_kind, file_stem, names_of_file, plain_stem

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

    def of(self, key: str) -> list[int]:
        """Return the submissions that go by a name, in one way or the other."""
        return [*self.whole.get(key, ()), *self.labels.get(key, ())]


def declared_parents(
    drafts: list[Draft], names: list[str]
) -> tuple[list[str | None], list[RowIssue]]:
    """Return the earlier submission that each draft says it was derived from.

    Parameters
    ----------
    drafts : list of Draft
        In time order.
    names : list of str
        The identifier of each.

    Returns
    -------
    list of str or None
        Identifiers of the parents.
    list of RowIssue
        Cells of a parent column that name no earlier submission, or several.

    Notes
    -----
    A column of parents is believed, and nothing else then. In prose, "from", "based
    on", "= exp12", "exp12 + more", "exp12 with" and "vs exp12" declare a parent where
    the name is that of exactly one earlier submission, as a whole word. Where it says
    several, a blend, or that only data or weights were taken, nothing is declared. What
    was sent again under the same names with the same scores is one submission here.
    """
    known = _Known({}, {})
    sent: set[tuple[object, ...]] = set()
    parents: list[str | None] = []
    issues: list[RowIssue] = []
    n_known = 0
    for position, draft in enumerate(drafts):
        text = (draft.description or "")[:_MAX_TEXT]
        if draft.parent is None and not any(
            pattern.search(text) for pattern in _SAY_SOMETHING
        ):
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
    first = re.match(r"\W*+(\w(?:[\w.-]*\w)?)", description)
    label = None if first is None else first.group(1)
    if len(description) <= 80:
        whole.add(description)
    texts = {text.strip().casefold() for text in whole if text}
    texts |= {name for text in texts for name in _numbered_alone(text)}
    for text in texts:
        known.whole.setdefault(text, []).append(position)
    if label is not None:
        forms = {label.casefold(), *(numbered_names(description[: len(label) + 8])[:1])}
        for text in forms - texts:
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
