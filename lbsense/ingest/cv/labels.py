"""Whose number is it? Rules over the words around one number, and its phrase."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from lbsense.ingest.cv.shapes import (
    series_after,
    shape_problem,
    sign_of,
    spread_after,
)
from lbsense.ingest.cv.words import KEYWORDS, KINDS, REACH, Line, Role, Token

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
_BOARD_BARRIERS = ("a leaderboard score", "a score on other data")
_OWNED = {Role.BOARD, Role.SET, Role.DELTA, Role.EARLIER, Role.SPREAD}
_OWNED |= {Role.EXTREME, Role.NEGATION, Role.UNIT, Role.SCHEME}
_DENIALS = {Role.BOARD, Role.NEGATION, Role.EXTREME, Role.SPREAD}
_WEAK = {Role.FILLER, Role.MODEL, Role.METRIC, Role.MEAN}
_CHANGES = {"gap", "delta", "diff", "difference", "drop", "gain", "change", "差"}
# Verbs and nouns between the owner of a score and the score.
_CARRIERS = {"reports", "report", "says", "states", "had", "has", "submission", "run"}
_GONE_BY = ({"previous", "prev", "former", "earlier", "last"}, {"submission", "run"})
_PAST = (("last", "time"), ("last", "run"), ("so", "far"), ("to", "beat"))
# "than exp9 (CV", "exp9 had CV", "public notebook, CV"
_OWNERS_BEFORE = (
    re.compile(
        r"\b(?:against|of|from|than|over|vs\.?|versus|like|unlike|as|replac\w+|beats?"
        r"|to|with|on|after|for|by|remains|stays|still|keeps?)"
        r"\s+(?:(?:sub|submission|exp|experiment|run|version|attempt|node|iter|trial|step)\s*#?\s*\d+\w*|#\d+"
        r"|[`'\"]?(?=[\w.-]*\d)(?=[\w.-]*[^\W\d_])[\w.-]+[`'\"]?)\s*[(\[]\s*$"
    ),
    re.compile(
        r"(?<![\w.-])(?=[\w.-]*\d)(?=[\w.-]*[^\W\d_])[\w.-]++\s+had\s+(?:an?\s+)?$"
    ),
    re.compile(r"\b(?:notebook|kernel|paper|discussion|writeup),\s+$"),
    re.compile(r"\b(?:version|file|submission|run|one)\s+with\s+(?:an?\s+)?$"),
    re.compile(r"'s\s*[(\[]\s*$"),
    re.compile(
        r"\S\s*[(\[]\s*(?:sub|submission|exp|experiment|run|version|model|v)[ _#-]?"
        r"\d+\w*\s+$"
    ),
    re.compile(
        r"\b(?:previous|earlier|last|current|old|former|standing|reigning)\s+"
        r"(?:best|champion|one|leader|sub\w*)\s*[(\[]\s*$"
    ),
    re.compile(
        r"\b(?:margin|lead|edge|advantage|gap|difference|offset|distance)\b[^.,;:(]{0,40}$"
    ),
    re.compile(r"\b(?:parent|champion)\b[^.,;:|(]{0,20}$"),
    re.compile(
        r"(?<![\w.-])[\w.-]{0,20}\d\s+(?:lowered|raised|hurt|dropped|pushed)\s+(?:the\s+)?$"
    ),
    re.compile(r"\badv(?:ersarial|\.)?\s*$"),
    re.compile(
        r"\b(?:weights?|coef\w*|thresholds?|cutoffs?|ci|interval|band|quantiles?)\s+"
        r"(?:\w+\s+)?(?:on|from|by|via|of|for)\s+(?:the\s+|my\s+|our\s+)?$"
    ),
    re.compile(
        r"\b(?:base|baseline|parent|champion|original|reference|old)(?:\s+(?:model|run|one"
        r"|sub|submission|version))?\s+(?:had|has|was|got|gave|with|at|scored)\s+"
        r"(?:an?\s+)?(?:\w+\s+)?$"
    ),
    re.compile(
        r"\b(?:each|every|both|all|individual(?:ly)?|singles?|members?|others?|another"
        r"|rest|either)(?:\s+(?:with|has|have|had|at|of\s+(?:them|which)|\w+'s|model|run"
        r"|member|solo))*+\s*+[:(]?\s*+(?:an?\s++)?$"
    ),
    re.compile(
        r"\b(?:tuned|optimi[sz]ed|chosen|selected|fitted|fit|searched|calibrated|picked"
        r"|set|learned|learnt|weighted)\s+(?:on|by|with|using|from|via|to)\s+"
        r"(?:the\s+|my\s+|our\s+)?$"
    ),
)
_NAMES_ANOTHER = re.compile(
    r"[(\[](?:sub|submission|exp|experiment|run|ver|version|model|trial|v)[ _#-]?\d+\w*"
    r"[)\]]"
)
_IS_WRONG = re.compile(
    r"[*`)\]]*\s+(?:is|was|looks?|seems?)\s+(?:\w+\s+)?(?:suspicious|leak\w*|wrong"
    r"|invalid|broken|overfit\w*|inflated|optimistic|buggy|misleading|not\s+comparable"
    r"|too\s+(?:good|high|low))"
)
_WAS_ANOTHER = re.compile(
    r"[^.;)\]]{0,40}[)\]]\s+(?:was|is|were)\s+(?:sub|submission|exp|experiment|run|version)"
    r"\s*#?\d"
)
_SITS = re.compile(
    r"\b(?:is|was|are|sits|lies|lands|ends|came|comes|stays)\s+(?:\w+\s+)?$"
)
_OFF = re.compile(
    r"\s+(?:below|above|under|over|worse|better|lower|higher|behind|short|off|ahead"
    r"|away|more|less)\b"
)
_CHANGE_IN = re.compile(
    r"\b(?:improvement|gain|increase|decrease|drop|change|difference|rise|fall)s?\s+"
    r"(?:in|of|for|on|over)\s+(?:the\s+|my\s+|our\s+)?$"
)
_NO_CV = re.compile(
    r"\b(?:no|without)\s+(?:an?\s+|its\s+|my\s+|our\s+)?(?:own\s+)?(?:local\s+)?(?:cv|oof|validation)(?:\s+score)?"
    r"(?:\s+(?:of\s+its\s+own|of\s+(?:my|our|their)\s+own|yet|here|done|run|available))?"
    r"\s*(?:[,;.|)]|$)"
)
_PLACEHOLDERS = {"tbd", "xx", "xxx", "xxxx", "na", "nan", "none", "pending", "unknown"}
_TOLD_AFTER = 60  # characters behind a number that tell what it is
_SHARES = {0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.33, 0.35, 0.4, 0.5}


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
        self.folds |= role is Role.SCHEME and _is_fold_word(token.text)
        self.models |= role is Role.MODEL


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
    return counted or _is_fold_word(line.tokens[place].text)


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
    return start - 1


def _names_fold(line: Line, place: int) -> bool:
    """Return whether the number at ``place`` is the index of a fold, as in "fold 3"."""
    if line.tokens[place].kind != "number":
        return False
    _, before = next(line.backward(place, "-_#"), (0, None))
    return before is not None and _is_fold_word(before.text)


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
            in_bracket or _ends_phrase(line, place + 1)
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
    elif not (in_bracket or _ends_phrase(line, label.last + 1)):
        return Label(barrier="the keyword opens the next phrase")
    return label


def _ends_phrase(line: Line, place: int) -> bool:
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


def _is_fold_word(word: str) -> bool:
    """Return whether a word speaks of folds."""
    return "fold" in word or "折" in word or "фолд" in word


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
    return before.text in ",;:.|-—)]~≈&" or before.kind == "arrow"


def is_value_first(line: Line, label: Label, index: int) -> bool:
    """Return whether the text puts each value before its word: "0.81 cv 0.80 lb"."""
    after = label_after(line, index)
    if not after.kinds and after.barrier not in _BOARD_BARRIERS:
        return False
    if label.arrow:
        return True
    place, number = next(line.backward(label.first, "_-("), (0, None))
    if number is None or number.kind != "number" or number.decimals < 2:
        return False
    return not label_before(line, place).kind and may_take_label_after(line, place)


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
        if link is None or not (link.kind == "arrow" or link.text in ("now", "から")):
            return index
        target = line.skip(place + 1, "*`\"'~≈(")
        token = line.at(target)
        if token is None or token.text in _PLACEHOLDERS or token.text in "?-—":
            return -1
        if token.kind != "number":
            return index
        after = label_after(line, target)
        if after.kinds or after.barrier in _BOARD_BARRIERS:
            return index
        if token.decimals == 0 and line.tokens[index].decimals:
            return -1
        index = target
    return index


def context_problem(
    line: Line, label: Label, index: int, final: int, *, prefix: bool
) -> str:
    """Return why the phrase is not about this entrant's own score; else empty."""
    if final < 0:
        return "what it changed to is not written"
    if final != index:
        reason = shape_problem(line, final)
        if reason:
            return reason
    if "coefficient of variation" in line.folded:
        return "a coefficient of variation"
    if _NO_CV.search(line.folded):
        return "the text says that there is no CV"
    if prefix:
        reason = _owner_problem(line, label)
        if reason:
            return reason
    token = line.tokens[final]
    after = line.folded[token.end : token.end + _TOLD_AFTER]
    if _IS_WRONG.match(after):
        return "the text says that it is wrong"
    if _WAS_ANOTHER.match(after):
        return "the score of another submission, named behind it"
    if prefix:
        named = line.folded[line.tokens[label.first].start : token.start]
        if _NAMES_ANOTHER.search(named):
            return "the score of another submission, named before it"
        if _SITS.search(named) and _OFF.match(after):
            return "a difference"
    if _is_foreign_after(line, max(final, label.last)):
        return "somebody else's score"
    if label.kind == "grid search" and token.decimals < 3:
        return "a parameter of a grid search"
    share = label.kind in ("validation", "holdout", "local", "fold")
    if share and token.value in _SHARES and not label.metrics:
        return "it may be the share of the rows held out"
    if _opens_range(line, final):
        return "a range"
    if _opens_list(line, final):
        return "several numbers, and not said which one counts"
    if sign_of(line, index) == "-" and not (prefix and label.metrics):
        return "a signed difference"
    if _is_followed_by_delta(line, final):
        return "a difference"
    return ""


def _owner_problem(line: Line, label: Label) -> str:
    """Return whose score it is, if a word before the label says it is not ours."""
    near, heading, after = True, False, ""
    if _is_best_fold(line, label):
        return "the score of one fold"
    for place, token in line.backward(label.first, "-_'\"`*"):
        role = token.role
        if token.text in ";,.|()[]" or token.kind in ("arrow", "number"):
            break
        if role is Role.FOREIGN or (near and role in (Role.COPIED, Role.EARLIER)):
            return "somebody else's score, or an earlier one"
        if near and (role in _DENIALS or token.text in _CHANGES):
            return f"{token.text!r} before it makes it another quantity"
        if near and token.text == "s" and line.tokens[place - 1].text == "'":
            return "somebody else's score, or an earlier one"
        if heading and after in _GONE_BY[1] and token.text in _GONE_BY[0]:
            return "somebody else's score, or an earlier one"
        heading |= token.text == ":"
        passes = token.text in ("/", "&", ":") or token.text in _CARRIERS
        passes |= near and role in _WEAK
        near = passes and not (heading and token.kind == "word")
        after = token.text
    before = _text_before(line, label)
    if any(owner.search(before) for owner in _OWNERS_BEFORE):
        return "the score of another submission, named before it"
    if not label.risen_to and _CHANGE_IN.search(before):
        return "a difference"
    return ""


def _text_before(line: Line, label: Label) -> str:
    """Return the text before a label, in lower case, within reach."""
    start = max(0, label.first - REACH)
    return line.folded[line.tokens[start].start : line.tokens[label.first].start]


def _is_best_fold(line: Line, label: Label) -> bool:
    """Return whether a label speaks of one fold among others: "best fold CV"."""
    texts = [token.text for token in line.tokens[label.first : label.last]]
    before = [token.text for _, token in line.backward(label.first)][:1]
    extreme = {"best", "worst"} & {*texts, *before}
    return bool(extreme) and any(map(_is_fold_word, texts)) and not label.mean


def _is_foreign_after(line: Line, index: int) -> bool:
    place = line.skip(index + 1, "(,")
    token = line.at(place)
    if token is None:
        return False
    following = line.at(line.skip(place + 1))
    pair = (token.text, "" if following is None else following.text)
    return token.role is Role.FOREIGN or pair in _PAST


def _opens_range(line: Line, index: int) -> bool:
    """Return whether a number is the lower end of "0.84-0.85"."""
    mark, upper = line.at(index + 1), line.at(index + 2)
    if mark is None or upper is None or mark.text not in ("-", "—", "~"):
        return False
    if upper.kind != "number" or upper.decimals < 2:
        return False
    low, high = line.tokens[index].value, upper.value
    owner = line.at(line.skip(index + 3, "_-*("))
    owned = owner is not None and owner.role in (Role.KEYWORD, Role.BOARD, Role.SET)
    return low < high < 2 * low and not owned


def _opens_list(line: Line, index: int) -> bool:
    """Return whether a number is the first of "0.81, 0.82 and 0.83"."""
    places = series_after(line, index)
    place = line.skip(places[-1] + 1)
    link, last = line.at(place), line.at(line.skip(place + 1))
    listed = len(places) > 1 and link is not None and link.text in ("and", "&")
    return listed and last is not None and last.kind == "number"


def _is_followed_by_delta(line: Line, index: int) -> bool:
    """Return whether the next word makes the number a difference: "0.003 better"."""
    place = line.skip(index + 1, "*")
    token = line.at(place)
    if token is None or token.role is not Role.DELTA or token.text in ("plus", "minus"):
        return False
    following = line.at(line.skip(place + 1, ""))
    if following is None:
        return True
    return following.text not in ("from", ":", "=") and following.kind != "number"
