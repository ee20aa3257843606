"""Whose number is it? Rules over the words around one number, and its phrase."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from lbsense.ingest.cv.words import KEYWORDS, KINDS, REACH, Line, Role, Token

_SEPARATORS = set(":=_~≈'\"`([{*-—@#!")
NO_DELTAS = ("plus", "minus", "reached", "reaches")  # behind a score
# "CV worse: 0.77"
_TURNS = {"worse", "better", "improved", "up", "down", "higher", "lower", "dropped"}
_UP_OR_DOWN = {"↑", "↓", "⬆", "⬇"}
_TABBED = {",", ";", "|"}  # touching the keyword: "CV|0.81|LB|0.80"
_TO = {"to", "到", "至", "para", "a", "à", "auf", "до"}
_FROM = {"from", "de", "von", "с", "从"}
_LINKS = {"now", "から", "에서"}
_LABEL_ROLES = {Role.KEYWORD, Role.METRIC, Role.MEAN, Role.SCHEME}
_PASSABLE = {Role.FILLER, Role.MODEL, Role.METRIC, Role.MEAN, Role.SCHEME}
_BEHIND = {"score", "scores", "set", "split"}
_BETWEEN = "a an of over on in at for my our the best final"
_PREPOSITIONS = frozenset(_BETWEEN.split())
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
_BOARD_BARRIERS = ("a leaderboard score", "a score on other data")
_OWNED = {Role.BOARD, Role.SET, Role.DELTA, Role.EARLIER, Role.SPREAD}
_OWNED |= {Role.EXTREME, Role.NEGATION, Role.UNIT, Role.SCHEME}
WEAK = {Role.FILLER, Role.MODEL, Role.METRIC, Role.MEAN}
_UNKNOWN = 6
_NEITHER = "no validation word near it"
_FOLD_PARTS = ("fold", "折", "分割", "фолд", "폴드", "フォールド")
_FOLD_WORDS = {"kf", "skf", "gkf", "sgkf", "f", "pli", "plis", "dobras", "fach"}
_PLACEHOLDERS = {"tbd", "xx", "xxx", "xxxx", "na", "nan", "none", "pending", "unknown"}
# What a keyword is the first word of: "0.80 cv is running".
_OPENED = {"is", "was", "running", "later", "soon", "scheme", "strategy", "leak"}
_OPENED |= _PLACEHOLDERS
_NOT_OURS = {Role.BOARD, Role.SET, Role.DELTA, Role.EARLIER, Role.SPREAD, Role.UNIT}
_NOT_OURS |= {Role.EXTREME, Role.NEGATION, Role.FOREIGN, Role.COPIED}
_CHOOSES = re.compile(
    r"tun|optimi|chos|select|search|fit|pick|adv|medal|gold|silver|bronze|scale|shrink"
    r"|far$|alone$"
)


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
    counted : bool
        Whether it says how many folds there are, as in "5-fold" and "skf5".
    arrow : bool
        Whether an arrow stands between it and the number.
    fold_index : bool
        Whether it names one fold, as in "fold 3: 0.81".
    chained : bool
        Whether scores of other metrics stand between: "CV auc 0.91, logloss 0.24".
    unknown : int
        Signs of unknown meaning that stand between, in scripts without spaces.
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
    counted: bool = False
    models: bool = False
    arrow: bool = False
    fold_index: bool = False
    chained: bool = False
    unknown: int = 0
    risen_to: bool = False

    @property
    def kind(self) -> str:
        """The keyword family, the most telling one where the label holds several."""
        if not self.kinds:
            told = self.mean or (self.counted and not self.fold_index)
            return "fold" if self.folds and told else ""
        return min(self.kinds, key=KINDS.index)

    def take(self, token: Token) -> None:
        """Note what a word of the label says."""
        role = token.role
        if role is Role.KEYWORD:
            self.kinds.append(KEYWORDS[token.text])
        elif role is Role.METRIC and not self.chained:
            self.metrics.append(token)
        self.mean |= role is Role.MEAN
        self.folds |= role is Role.SCHEME and is_fold_word(token.text)
        self.models |= role is Role.MODEL


def label_before(line: Line, index: int, *, changes: bool = False) -> Label:
    """Return the label to the left of the number at ``index``.

    Only words of known meaning may stand between a keyword and its number; the first
    other word, number or mark is the end of the search. ``changes`` says that an arrow
    leads on from the number: "CV moved 0.810 -> 0.812".
    """
    label = Label(last=index, risen_to=changes)
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
                label.counted |= _counts_folds(line, place, index)
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
    if line.is_times(place) or token.text == "%":
        return ""
    if (
        token.role is Role.KEYWORD
        and label.chained
        and line.tokens[place + 1].text == "_"
    ):
        return "the score of another metric"  # "val_loss 0.31, acc 0.87"
    number = line.tokens[label.last]
    if role is Role.UNKNOWN and token.text >= "\u3000" and label.unknown < _UNKNOWN:
        label.unknown += 1  # scripts that do not divide words: "검증 로그로스 0.44"
        return "" if number.decimals > 2 and number.value >= 0.05 else _NEITHER
    if token.text in _UP_OR_DOWN:  # a change is smaller
        return "" if line.tokens[label.last].value >= 0.1 else "a difference"
    if token.text == "/" and label.metrics and line.tokens[place - 1].text in KEYWORDS:
        return ""  # "val/f1"
    if token.text == "|" and nearest and _is_cell(line, place, label.last):
        return ""
    if token.text in _TABBED and nearest and line.tokens[place - 1].text in KEYWORDS:
        touches = line.tokens[place + 1].kind != "space"
        return "" if touches else f"{token.text!r} stands before it"
    if token.text == "." and line.glued(place) and line.glued(place + 1):
        return ""
    if _is_chained(line, place, label):
        label.chained = True
        return ""
    if token.kind == "number":
        share = line.at(place + 1)
        passed = label.risen_to or line.is_count(place)
        passed |= share is not None and share.text == "%"
        return "" if passed else "it follows another number"
    if label.risen_to and (role is Role.DELTA or token.text in _FROM):
        return ""
    if label.risen_to and role is Role.UNKNOWN and token.kind == "word":
        following = line.at(line.skip(place + 1))
        if following is not None and following.text in _FROM:
            return ""  # "CV subiu de 0,81 para 0,82"
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
        label.risen_to |= nearest and token.text in _TO
        follows = line.at(place + 1)
        weight = number.decimals < 3 and number.value <= 1
        if role is Role.MODEL and weight and follows and follows.text == "=":
            return f"a weight or parameter of {token.text!r}"
        return ""
    if token.text in ("<", ">", "≤", "≥"):
        return "a threshold"
    if token.text in _TURNS and line.tokens[label.last].value >= 0.1:
        follows = line.at(place + 1)
        if nearest and follows is not None and follows.text == ":":
            return ""
    if token.kind == "word":
        return _BARRED.get(role, f"it belongs to {token.text!r}")
    return f"{token.text!r} stands before it"


def _is_cell(line: Line, place: int, index: int) -> bool:
    """Return whether a keyword alone and a number alone stand about a bar."""
    (at, word), *before = (*line.backward(place), (0, None))[:2]
    after = line.at(line.skip(index + 1))
    alone = not before or before[0][1] is None or before[0][1].text == "|"
    keyword = word is not None and word.text in KEYWORDS and at < place
    return keyword and alone and (after is None or after.text == "|")


def _is_chained(line: Line, place: int, label: Label) -> bool:
    """Return whether the score of another metric, or a mark before it, ends here."""
    if line.metric is None or not label.metrics or label.models:
        return False
    token = line.tokens[place]
    if token.text in (",", ";", "/", "|", "and"):
        _, token = next(line.backward(place), (0, token))
    return token.kind == "number" and token.decimals > 1


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
    inside = line.tokens[start + 1 : place]
    if {Role.KEYWORD, Role.BOARD} <= {token.role for token in inside}:
        label.barrier = "it compares two scores"  # "corr(CV, LB) = 0.91"
        return place
    for token in reversed(inside):
        if token.role in (Role.BOARD, Role.SET):
            label.barrier = _BARRED[token.role]
        elif token.role in _LABEL_ROLES:
            label.take(token)
    label.counted |= any(
        _counts_folds(line, at, label.last) for at in range(start + 1, place)
    )
    return start - 1


def _names_fold(line: Line, place: int) -> bool:
    """Return whether the number at ``place`` is the index of a fold, as in "fold 3"."""
    if line.tokens[place].kind != "number":
        return False
    _, before = next(line.backward(place, "-_#"), (0, None))
    if before is None or before.text.endswith(("kfold", "kf")):
        return False
    return is_fold_word(before.text)


def _counts_folds(line: Line, place: int, index: int) -> bool:
    """Return whether the word at ``place`` says how many folds gave the number."""
    word = line.tokens[place]
    if line.tokens[index].decimals < 3 or not is_fold_word(word.text):
        return False
    after = line.at(line.skip(index + 1, "_-*"))
    if after is not None and after.role in (Role.UNIT, Role.BOARD, Role.SET):
        return False
    if word.text.endswith(("kfold", "kf")):
        return True
    _, before = next(line.backward(place, "-_"), (0, None))
    counts = before is not None and before.kind == "number" and not before.decimals
    return counts and before is not None and 2 <= before.value <= 100


def label_of_clause(line: Line, index: int) -> Label:
    """Return the label of a number from all of its clause, if nothing else is in it.

    The only fine number beside a word of validation, in a clause that speaks neither
    of a board nor of a change nor of somebody else, is its score, however it is put.
    """
    first = next((at for at, _ in _to_mark(line, index, -1)), index)
    last = next((at for at, _ in _to_mark(line, index, 1)), index)
    label = Label(first=first, last=index)
    clause = [(at, line.tokens[at]) for at in range(first, last + 1)]
    is_file = not any(token.kind == "space" for token in line.tokens)
    for at, token in clause:
        alone = at == index or token.kind != "number" or line.is_count(at)
        alone |= is_file and token.decimals < 3
        _, named = next(line.backward(at, ":=~_"), (0, token))
        alone |= named.role is Role.UNIT  # "at threshold 0.37"
        follows = line.at(line.skip(at + 1, ":=~_"))
        passes = token.text in NO_DELTAS or (
            token.role is Role.UNIT
            and follows is not None
            and follows.kind == "number"
            and follows is not line.tokens[index]
        )
        barred = token.role in _NOT_OURS and not passes
        if barred or not alone or _CHOOSES.match(token.text):
            return Label(barrier="no validation word near it")
        if token.role in _LABEL_ROLES:
            label.take(token)
    at_before, before = next(line.backward(index, "*`\"'~≈(["), (0, None))
    told = before is not None and (
        before.role in (Role.METRIC, Role.FILLER)
        or _is_named_so(line, at_before, index)
        or (before.text == ":" and any(at < index for at, _ in clause))
        or (is_file and before.text == "_" and line.tokens[index - 2].kind == "number")
    )
    several = len({*label.kinds} - {"local"}) > 1 or not label.kinds
    if not told or several or line.tokens[index].decimals < 3:
        return Label(barrier="no validation word near it")
    return label


def _is_named_so(line: Line, place: int, index: int) -> bool:
    """Return whether a word between a keyword and a fine number names the score."""
    _, before = next(line.backward(place, "_-"), (0, None))
    beside = before is not None and before.role is Role.KEYWORD
    fine = line.tokens[index].decimals > 3 and line.tokens[place + 1].text not in "=@"
    return beside and fine and line.tokens[place].role is Role.UNKNOWN


def _to_mark(line: Line, index: int, step: int) -> Iterator[tuple[int, Token]]:
    """Yield the last token before the mark that ends the clause, once."""
    depth, place = 0, index
    for _ in range(REACH):
        token = line.at(place + step)
        if token is None or token.kind in ("newline", "arrow"):
            break
        depth += token.text in "([{" or -(token.text in ")]}")
        spaced = line.at(place + 2 * step) if step > 0 else line.at(place)
        ends = spaced is None or spaced.kind == "space"
        if not depth and token.text in ",;.|" and ends:
            break
        if not depth and token.text in "/&" and ends and not line.glued(place + step):
            break
        place += step
    else:
        return
    yield place, line.tokens[place]


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
    std, last = spread_after(line, index, line.tokens[index].value)
    place = index + 1 if std is None else last + 1
    in_bracket = False
    while place < min(len(line.tokens), index + REACH) and not label.kinds:
        token = line.tokens[place]
        passable = token.role in (Role.METRIC, Role.MEAN, Role.SCHEME)
        passable |= token.text in _PREPOSITIONS
        passable |= token.kind == "number" and line.is_count(place)
        share = line.at(place + 1) if token.kind == "number" else token
        passable |= share is not None and share.text == "%"  # "on a 15% holdout"
        if token.role in (Role.BOARD, Role.SET) and (
            in_bracket or _ends_phrase(line, place + 1)
        ):
            label.barrier = _BARRED[token.role]
            return label
        if token.role is Role.KEYWORD or passable:
            label.take(token)
            label.counted |= _counts_folds(line, place, index)
            label.last = place
        elif token.text in ("(", "["):
            in_bracket = True
            inside = line.tokens[place : line.closing.get(place, place)]
            roles = {token.role for token in inside}
            if Role.KEYWORD in roles and roles & {Role.BOARD, Role.SET}:
                break
        elif token.kind != "space" and token.text not in "_-*`'\"":
            break
        place += 1
    while label.kinds and place < min(len(line.tokens), index + REACH):
        token = line.tokens[place]
        if token.role in _LABEL_ROLES or token.text in _BEHIND:
            label.take(token)
            label.last = place
        elif token.text not in " _-":
            break
        place += 1
    if not label.kind:
        label.barrier = "no validation word near it"
    elif not (
        in_bracket
        or _ends_phrase(line, label.last + 1)
        or _is_remarked(line, index, label)
    ):
        return Label(barrier="the keyword opens the next phrase")
    return label


def _is_remarked(line: Line, index: int, label: Label) -> bool:
    """Return whether a fine number and its keyword are followed by a mere remark."""
    token = line.at(line.skip(label.last + 1))
    if (
        label.kind not in ("cv", "oof", "loo", "fold")
        or line.tokens[index].decimals < 3
    ):
        return False
    remarks = (Role.UNKNOWN, Role.FILLER, Role.EARLIER)
    plain = token is not None and token.kind == "word" and token.role in remarks
    return plain and token is not None and token.text not in _OPENED


def _ends_phrase(line: Line, place: int) -> bool:
    """Return whether a phrase ends before ``place``."""
    place = line.skip(place)
    token = line.at(place)
    if token is None or token.kind in ("newline", "arrow"):
        return True
    if token.kind == "number":
        return _is_owned_after(line, place)
    if token.text in "-—" and not line.glued(place):
        spaced = line.at(place + 1)
        return spaced is None or spaced.kind == "space"
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
    return word in _FOLD_WORDS or any(part in word for part in _FOLD_PARTS)


# --- the phrase around a number: ours or copied, old or new, gain or score ---------


def may_take_label_after(line: Line, index: int) -> bool:
    """Return whether a keyword on the right may own the number."""
    token = line.tokens[index]
    if token.decimals < 2:
        return False
    place, before = next(line.backward(index, "(*`\"'["), (-1, None))
    if before is None:
        return True
    if before.kind == "number":  # the number of "exp012 0.81 CV"
        word = line.at(place - 1)
        return place < index - 1 and word is not None and word.kind == "word"
    if before.kind == "word":
        glued = place == index - 1
        return before.role not in _OWNED and not glued
    if before.text == "_":
        _, word = next(line.backward(place, "_"), (0, None))
        return token.decimals >= 3 and (word is None or word.role not in _OWNED)
    if before.text == "=":  # "0.79 + 0.81 = 0.82 cv"
        _, summand = next(line.backward(place, "*)"), (0, None))
        return summand is not None and (
            summand.kind == "number"
            or summand.role is Role.METRIC
            or summand.text in ("score", "value", "result")
        )
    return before.text in ",;:.|-—)]~≈&" or before.kind == "arrow"


def is_value_first(line: Line, label: Label, index: int) -> bool:
    """Return whether the text puts each value before its word: "0.81 cv 0.80 lb"."""
    after = label_after(line, index)
    if not after.kinds and after.barrier not in _BOARD_BARRIERS:
        return False
    if label.arrow and not _opens_next(line, index):
        return True
    place, number = next(line.backward(label.first, "_-("), (0, None))
    if number is None or number.kind != "number" or number.decimals < 2:
        return False
    return not label_before(line, place).kind and may_take_label_after(line, place)


def _opens_next(line: Line, index: int) -> bool:
    """Return whether the word behind a number points to the next: "LB➡0.80"."""
    place = line.skip(index + 1)
    arrow = line.at(line.skip(place + 1, ""))
    return arrow is not None and arrow.kind == "arrow" and line.glued(place + 1)


def end_of_change(line: Line, index: int) -> int:
    """Return the number that an arrow leads to; -1 if it leads to a placeholder."""
    for _ in range(REACH):
        place = line.skip(index + 1)
        std, last = spread_after(line, index, line.tokens[index].value)
        if std is not None:
            place = line.skip(last + 1)
        link = line.at(place)
        if link is None:
            return index
        if link.text == ",":
            place = line.skip(place + 1)
            link = line.at(place)
        rises = link is not None and link.text in _TO and _falls_from(line, index)
        if link is None or not (rises or link.kind == "arrow" or link.text in _LINKS):
            return _processed(line, index)
        target = line.skip(place + 1, "*`\"'~≈(")
        token = line.at(target)
        if token is None or token.text in _PLACEHOLDERS or token.text in "?-—":
            return -1 if link.kind == "arrow" else index
        if token.kind != "number":
            target = _past_words(line, target, index)
            token = line.at(target)
        if token is None or token.kind != "number":
            return index
        after = label_after(line, target)
        if after.kinds or after.barrier in _BOARD_BARRIERS:
            return index
        if token.decimals == 0 and line.tokens[index].decimals:
            return -1
        index = target
    return index


def _falls_from(line: Line, index: int) -> bool:
    """Return whether the number is the start of a change: "CV from 0.81 to 0.82"."""
    _, before = next(line.backward(index), (0, None))
    return before is not None and before.text in _FROM


def _past_words(line: Line, place: int, index: int) -> int:
    """Return the place of a score like that at ``index`` behind a few plain words."""
    first = line.tokens[index]
    for _ in range(4):
        token = line.at(place)
        if token is None or token.role not in (*WEAK, Role.KEYWORD):
            break
        place = line.skip(place + 1, "*`\"'~≈:=")
    token = line.at(place)
    if token is None or token.kind != "number" or not token.decimals:
        return -1
    alike = first.value / 2 <= token.value <= first.value * 2
    return place if alike and abs(token.decimals - first.decimals) < 2 else -1


def _processed(line: Line, index: int) -> int:
    """Return the score after a last step: the second of "CV 0.810, with TTA 0.812"."""
    place = line.skip(index + 1, "*,;")
    token = line.at(place)
    if token is None or token.text not in ("with", "after"):
        return index
    word = line.skip(place + 1)
    target = line.skip(word + 1, ":=")
    step, score, first = line.at(word), line.at(target), line.tokens[index]
    if step is None or score is None or score.kind != "number":
        return index
    close = abs(score.value - first.value) < 0.1 * abs(first.value)
    if step.role not in (Role.UNKNOWN, Role.FILLER) or not close:
        return index
    return target if score.decimals >= min(first.decimals, 3) else index


def spread_after(line: Line, index: int, value: float) -> tuple[float | None, int]:
    """Return the spread written after a number, and the index of its last token."""
    place = line.skip(index + 1)
    token = line.at(place)
    if token is not None and token.text == ",":
        place = line.skip(place + 1)
        token = line.at(place)
        if token is None or token.role is not Role.SPREAD:
            return None, index
    close = line.closing.get(place)
    if close is not None:
        place = line.skip(place + 1)
        token = line.at(place)
    named = token is not None and (token.kind == "spread" or token.role is Role.SPREAD)
    if named:
        place = line.skip(place + 1, ":=~_")
        token = line.at(place)
    if token is None or token.kind != "number" or not (named or close is not None):
        return None, index
    if not named and (place != (close or 0) - 1 or token.decimals < 2):
        return None, index
    if not (named or token.value < abs(value) / 2):
        return None, index
    if not math.isfinite(token.value):
        return None, index
    return token.value, place if close is None else close
