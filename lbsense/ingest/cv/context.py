"""What the phrase around a number says: ours or copied, old or new, gain or score."""

from __future__ import annotations

from lbsense.ingest.cv.labels import REACH, Label, Line, label_after, label_before
from lbsense.ingest.cv.lists import spread_after
from lbsense.ingest.cv.shapes import shape_problem, sign_of
from lbsense.ingest.cv.words import Role

__all__ = ["context_problem", "end_of_change", "is_value_first", "may_take_label_after"]

_BOARD_BARRIERS = ("a leaderboard score", "a score on other data")
_OWNED = {Role.BOARD, Role.SET, Role.DELTA, Role.EARLIER, Role.SPREAD}
_OWNED |= {Role.EXTREME, Role.NEGATION, Role.UNIT, Role.SCHEME}
_DENIALS = {Role.BOARD, Role.NEGATION, Role.EXTREME, Role.SPREAD}
_WEAK = {Role.FILLER, Role.MODEL, Role.METRIC, Role.MEAN}
_CHANGES = {"gap", "delta", "diff", "difference", "drop", "gain", "change", "差"}
_PLACEHOLDERS = {"tbd", "xx", "xxx", "xxxx", "na", "nan", "none", "pending", "unknown"}
_SHARES = {0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.33, 0.35, 0.4, 0.5}


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
    if prefix:
        reason = _owner_problem(line, label)
        if reason:
            return reason
    if _is_foreign_after(line, max(final, label.last)):
        return "somebody else's score"
    token = line.tokens[final]
    if label.kind == "grid search" and token.decimals < 3:
        return "a parameter of a grid search"
    share = label.kind in ("validation", "holdout", "local", "fold")
    if share and token.value in _SHARES and not label.metrics:
        return "it may be the share of the rows held out"
    if sign_of(line, index) == "-" and not (prefix and label.metrics):
        return "a signed difference"
    if _is_followed_by_delta(line, final):
        return "a difference"
    return ""


def _owner_problem(line: Line, label: Label) -> str:
    """Return whose score it is, if a word before the label says it is not ours."""
    near, heading = True, False
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
        heading |= token.text == ":"
        passes = token.text in ("/", "&", ":") or (near and role in _WEAK)
        near = passes and not (heading and token.kind == "word")
    return ""


def _is_foreign_after(line: Line, index: int) -> bool:
    place = line.skip(index + 1, "(,")
    token = line.at(place)
    return token is not None and token.role is Role.FOREIGN


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
