"""Whose number is it? Small rules over the tokens around one number."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from lbsense.ingest.cv.tokens import Token, tokenize
from lbsense.ingest.cv.words import KEYWORDS, KINDS, Role

__all__ = [
    "REACH",
    "Label",
    "Line",
    "ends_phrase",
    "is_fold_word",
    "label_after",
    "label_before",
]

# Tokens that a rule looks at on one side of a number: the reader stays linear.
REACH = 24
_SEPARATORS = set(":=_~≈'\"`([{*-—@#")
_LABEL_ROLES = {Role.KEYWORD, Role.METRIC, Role.MEAN, Role.SCHEME}
_PASSABLE = {Role.FILLER, Role.MODEL, Role.METRIC, Role.MEAN, Role.SCHEME}
_PREPOSITIONS = {"on", "in", "at", "for", "my", "our", "the", "best", "final"}
_FOLLOWING = """
    and but with without on using after for at in so now from vs then than while when
    this to as or by via still"""
_FOLLOWERS = frozenset(_FOLLOWING.split())
_BARRED = {
    Role.BOARD: "a leaderboard score",
    Role.SET: "a score on other data",
    Role.DELTA: "a difference",
    Role.EARLIER: "a value to compare with",
    Role.SPREAD: "a spread",
    Role.EXTREME: "an extreme over folds",
    Role.NEGATION: "the word before it denies it",
    Role.UNIT: "a parameter or a count",
}


@dataclass(slots=True)
class Label:
    """The words that own a number, or the reason why no validation word does.

    Attributes
    ----------
    kinds : list of str
        Keyword families met.
    metrics : list of Token
        Metric words, in the order that they were met.
    first, last : int
        Index of the outermost and innermost token of the label.
    barrier : str
        Why the search stopped without a keyword; empty when it found one.
    mean, folds, models : bool
        Whether it speaks of a mean, of folds, of a model.
    arrow : bool
        Whether an arrow stands between it and the number.
    fold_index : bool
        Whether it names one fold, as in "fold 3: 0.81".
    risen_to : bool
        Whether the number is the end of a change, as in "improved to 0.81".
    """

    kinds: list[str] = field(default_factory=list)
    metrics: list[Token] = field(default_factory=list)
    first: int = -1
    last: int = -1
    barrier: str = ""
    mean: bool = False
    folds: bool = False
    models: bool = False
    arrow: bool = False
    fold_index: bool = False
    risen_to: bool = False

    @property
    def kind(self) -> str:
        """The keyword family, the most telling one where the label holds several."""
        if not self.kinds:
            return "fold" if self.folds and self.mean else ""
        return min(self.kinds, key=KINDS.index)

    def take(self, token: Token) -> None:
        """Note what a word of the label says."""
        role = token.role
        if role is Role.KEYWORD:
            self.kinds.append(KEYWORDS[token.text])
        elif role is Role.METRIC:
            self.metrics.append(token)
        self.mean |= role is Role.MEAN
        self.folds |= role is Role.SCHEME and is_fold_word(token.text)
        self.models |= role is Role.MODEL


class Line:
    """One text and its tokens, with their brackets paired."""

    __slots__ = ("closing", "folded", "opening", "text", "tokens")

    def __init__(self, text: str) -> None:
        self.text = text
        self.folded = text.lower()
        self.tokens = tokens = tokenize(text)
        self.opening: dict[int, int] = {}
        self.closing: dict[int, int] = {}
        stack: list[int] = []
        for index, token in enumerate(tokens):
            if token.kind == "newline":
                stack.clear()
            elif token.text in ("(", "[", "{"):
                stack.append(index)
            elif token.text in (")", "]", "}") and stack:
                start = stack.pop()
                self.opening[index], self.closing[start] = start, index

    def at(self, index: int) -> Token | None:
        """Return the token at ``index``, or None beyond either end."""
        return self.tokens[index] if 0 <= index < len(self.tokens) else None

    def glued(self, index: int) -> bool:
        """Return whether a token touches the one before without a space."""
        before = self.at(index - 1)
        return before is not None and before.kind not in ("space", "newline")

    def joined_by_hyphen(self, index: int) -> bool:
        """Return whether a hyphen joins the word at ``index`` to one before it."""
        mark, word = self.at(index - 1), self.at(index - 2)
        if mark is None or word is None:
            return False
        return mark.text == "-" and word.kind == "word"

    def skip(self, index: int, marks: str = "*`\"'") -> int:
        """Return the next index at or after ``index`` that is not a space or mark."""
        for place in range(index, index + REACH):
            token = self.at(place)
            if token is None or (token.kind != "space" and token.text not in marks):
                return place
        return index + REACH

    def backward(self, index: int, marks: str = "") -> Iterator[tuple[int, Token]]:
        """Yield the tokens before ``index``, nearest first, within reach."""
        for place in range(index - 1, max(-1, index - 1 - REACH), -1):
            token = self.tokens[place]
            if token.kind == "newline":
                return
            if token.kind != "space" and token.text not in marks:
                yield place, token

    def is_count(self, index: int) -> bool:
        """Return whether a whole number counts folds or seeds, or follows an "@"."""
        token = self.tokens[index]
        if token.decimals or len(token.text) > 4:
            return False
        before, after = self.at(index - 1), self.at(index + 1)
        if before is not None and before.text == "@":
            return True
        if before is not None and before.kind == "word" and len(token.text) <= 3:
            return before.role in (Role.KEYWORD, Role.METRIC, Role.SCHEME)
        if before is not None and before.text == "(" and after and after.text == ")":
            return True
        if len(token.text) < 3 and self.joined_by_hyphen(index):  # "CV-5"
            return self.tokens[index - 2].role in (Role.KEYWORD, Role.SCHEME)
        neighbours = [self.at(self.skip(index + 1, "-_"))]
        neighbours += [token for _, token in self.backward(index, "-_=:(#")][:1]
        return any(near is not None and near.role is Role.SCHEME for near in neighbours)


def label_before(line: Line, index: int) -> Label:
    """Return the label to the left of the number at ``index``.

    Only words of known meaning may stand between a keyword and its number; the first
    other word, number or mark is the end of the search.
    """
    label = Label(last=index)
    nearest = True
    place = index - 1
    stop = max(-1, index - 1 - REACH)
    while place > stop and not label.kinds:
        token = line.tokens[place]
        if token.text in (")", "]", "}"):
            place = _read_group(line, place, label)
        else:
            label.barrier = _barrier(line, place, token, label, nearest=nearest)
            label.arrow |= token.kind == "arrow"
            if not label.barrier and token.kind in ("word", "number"):
                label.fold_index |= nearest and _names_fold(line, place)
                label.take(token)
                label.first = place
            place -= 1
        nearest &= label.first < 0
        if label.barrier:
            break
    if label.kinds or label.kind:
        label.barrier = ""
        _extend(line, label)
    elif not label.barrier:
        label.barrier = "no validation word near it"
    return label


def _barrier(
    line: Line, place: int, token: Token, label: Label, *, nearest: bool
) -> str:
    """Return why the search to the left ends at this token; empty when it goes on."""
    role = token.role
    if token.kind in ("space", "arrow") and nearest:
        return ""
    if token.kind == "space" or token.text in _SEPARATORS:
        return ""
    if token.text == "." and line.glued(place) and line.glued(place + 1):
        return ""
    if token.kind == "number":
        passed = label.risen_to or line.is_count(place)
        return "" if passed else "it follows another number"
    if label.risen_to and (role is Role.DELTA or token.text == "from"):
        return ""
    if token.text == "s" and line.tokens[place - 1].text == "'":
        return ""  # "valid_0's auc"
    if nearest and token.text == "から":
        label.risen_to = True
        return ""
    if token.text in ("over", "above", "below") and nearest:
        return "a threshold"
    if role is Role.SCHEME and nearest and not _is_counted(line, place):
        return f"a parameter, {token.text!r}"
    if role is Role.KEYWORD or role in _PASSABLE:
        label.risen_to |= nearest and token.text == "to"
        follows = line.at(place + 1)
        number = line.tokens[label.last]
        weight = number.decimals < 3 and number.value <= 1
        if role is Role.MODEL and weight and follows and follows.text == "=":
            return f"a weight or parameter of {token.text!r}"
        return ""
    if token.text in ("<", ">", "≤", "≥"):
        return "a threshold"
    if token.kind == "word":
        return _BARRED.get(role, f"it belongs to {token.text!r}")
    return f"{token.text!r} stands before it"


def _is_counted(line: Line, place: int) -> bool:
    """Return whether a word such as "seeds" speaks of folds or follows its count."""
    _, before = next(line.backward(place, "-_"), (0, None))
    counted = before is not None and before.kind == "number"
    return counted or is_fold_word(line.tokens[place].text)


def _read_group(line: Line, place: int, label: Label) -> int:
    """Read a bracket that closes at ``place``; return the place before it."""
    start = line.opening.get(place)
    if start is None or place - start > REACH:
        label.barrier = "a bracket stands before it"
        return place
    label.first = start
    for token in reversed(line.tokens[start + 1 : place]):
        if token.role in (Role.BOARD, Role.SET):
            label.barrier = _BARRED[token.role]
        elif token.role in _LABEL_ROLES:
            label.take(token)
    return start - 1


def _names_fold(line: Line, place: int) -> bool:
    """Return whether the number at ``place`` is the index of a fold, as in "fold 3"."""
    if line.tokens[place].kind != "number":
        return False
    _, before = next(line.backward(place, "-_#"), (0, None))
    return before is not None and is_fold_word(before.text)


def _extend(line: Line, label: Label) -> None:
    """Widen a label that holds its keyword to the words joined on its left."""
    for place, token in line.backward(label.first, "-_"):
        if token.kind == "word" and token.role in _LABEL_ROLES:
            label.take(token)
        elif not (token.kind == "number" and line.is_count(place)):
            break
        label.first = place
    if line.joined_by_hyphen(label.first):  # "tip-cv" is one name
        label.first -= 2


def label_after(line: Line, index: int) -> Label:
    """Return the label to the right of the number at ``index``.

    A keyword on the right owns the number only if it is the last word of its phrase
    ("15.21 OOF, ..."), not if it opens the next one ("0.5 CV: 0.81", "0.5 OOF weight").
    """
    label = Label(first=index, last=index)
    place = index + 1
    in_bracket = False
    while place < min(len(line.tokens), index + REACH) and not label.kinds:
        token = line.tokens[place]
        passable = token.role in (Role.METRIC, Role.MEAN, Role.SCHEME)
        passable |= token.text in _PREPOSITIONS
        passable |= token.kind == "number" and line.is_count(place)
        if token.role in (Role.BOARD, Role.SET) and (
            in_bracket or ends_phrase(line, place + 1)
        ):
            label.barrier = _BARRED[token.role]
            return label
        if token.role is Role.KEYWORD or passable:
            label.take(token)
            label.last = place
        elif token.text in ("(", "["):
            in_bracket = True
        elif token.kind != "space" and token.text not in "_-*`'\"":
            break
        place += 1
    while label.kinds and place < min(len(line.tokens), index + REACH):
        token = line.tokens[place]
        if token.role in _LABEL_ROLES or token.text in ("score", "scores"):
            label.take(token)
            label.last = place
        elif token.text not in " _-":
            break
        place += 1
    if not label.kind:
        label.barrier = "no validation word near it"
    elif not (in_bracket or ends_phrase(line, label.last + 1)):
        return Label(barrier="the keyword opens the next phrase")
    return label


def ends_phrase(line: Line, place: int) -> bool:
    """Return whether a phrase ends before ``place``."""
    place = line.skip(place)
    token = line.at(place)
    if token is None or token.kind in ("newline", "arrow"):
        return True
    if token.kind == "number":
        return _is_owned_after(line, place)
    if token.text in (":", "="):
        return False
    if token.kind == "mark":
        following = line.at(line.skip(place + 1))
        loose = token.text not in "_-#@<>~≈" or following is None
        return loose and not (token.text in "([" and _opens_value(line, place + 1))
    if token.role is Role.BOARD or token.text in KEYWORDS:
        return True
    return token.text in _FOLLOWERS


def _is_owned_after(line: Line, place: int) -> bool:
    """Return whether the word after a number is the name of its score, and ends."""
    word = line.skip(place + 1, "_-*(")
    token = line.at(word)
    if token is None or token.role not in (Role.KEYWORD, Role.BOARD, Role.SET):
        return False
    following = line.at(line.skip(word + 1, ")*"))
    return following is None or following.text in ",;|/."


def _opens_value(line: Line, place: int) -> bool:
    """Return whether a bracket holds nothing but the number that belongs to a label."""
    token = line.at(line.skip(place))
    return token is not None and token.kind == "number" and token.decimals > 0


def is_fold_word(word: str) -> bool:
    """Return whether a word speaks of folds."""
    return "fold" in word or "折" in word or "фолд" in word
