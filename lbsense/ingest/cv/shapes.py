"""What the characters of a number say, and what may stand behind a score."""

from __future__ import annotations

import math

from lbsense.ingest.cv.words import (
    BOUNDED_METRICS,
    KEYWORDS,
    UNBOUNDED_METRICS,
    Line,
    Role,
    Token,
)


def shape_problem(line: Line, index: int) -> str:
    """Return why the number cannot be a score, from its own characters; else empty."""
    token, before, after = line.tokens[index], line.at(index - 1), line.at(index + 1)
    next_token = line.at(line.skip(index + 1))
    if not math.isfinite(token.value):
        return "too large for a score"
    if token.value == 0:
        return "zero stands for a missing score"
    if before is not None and before.text == "@":
        return "a parameter after '@'"
    if line.is_count(index):
        return "a count, of folds or seeds"
    if sign_of(line, index) == "+":
        return "a signed difference"
    if next_token is not None and next_token.text in ("%", "percent", "pct"):
        return "a percentage"
    if _is_version(line, index):
        return "part of a version or a date"
    if after is None:
        return ""
    if after.kind == "word" and not _may_touch(after):
        return f"it runs into {after.text!r}"
    if token.decimals == 0 and after.text == "," and is_number(line, index + 2):
        return "its comma may be a decimal comma or not"
    if _is_product(line, index):
        return "a weight"
    return _unit_problem(line, index)


def is_number(line: Line, index: int) -> bool:
    """Return whether there is a number at ``index``."""
    token = line.at(index)
    return token is not None and token.kind == "number"


def _may_touch(after: Token) -> bool:
    """Return whether a word may follow a number without a space, as in "0.81cv"."""
    return after.text in KEYWORDS or after.role is Role.BOARD or after.text >= "\u3000"


def _is_version(line: Line, index: int) -> bool:
    """Return whether the number is part of 1.2.3, 2024-09-25 or 10:56."""
    token, before, after = line.tokens[index], line.at(index - 1), line.at(index + 1)
    if after is not None and after.kind == "number":
        return True
    if before is not None and before.kind == "number":
        return True
    whole = token.decimals == 0
    for mark, place in ((before, index - 2), (after, index + 2)):
        if whole and mark is not None and mark.text in ":-." and is_number(line, place):
            return True
    return False


def _is_product(line: Line, index: int) -> bool:
    """Return whether the number multiplies something or shares a sum of one."""
    after = line.at(index + 1)
    beyond = line.at(line.skip(index + 2, ""))
    if after is not None and after.text == "*" and beyond is not None:
        return beyond.kind in ("word", "number")
    return _sums_to_one(line, index)


def _sums_to_one(line: Line, index: int) -> bool:
    """Return whether the number is one of weights such as 0.95/0.05."""
    values = [line.tokens[index].value]
    for step in (-2, 2):
        place = index + step
        while len(values) < 8 and is_number(line, place):
            gap = line.at(place - step // 2)
            if gap is None or gap.text not in "/:":
                break
            values.append(line.tokens[place].value)
            place += step
    return len(values) > 1 and math.isclose(sum(values), 1.0, abs_tol=1e-9)


def _unit_problem(line: Line, index: int) -> str:
    place = line.skip(index + 1, "_-")
    token = line.at(place)
    if token is None or token.role is not Role.UNIT or line.tokens[index].decimals > 2:
        return ""
    following = line.at(line.skip(place + 1, ""))
    if following is not None and (following.kind == "number" or following.text in ":="):
        return ""
    return f"a number of {token.text!r}"


def sign_of(line: Line, index: int) -> str:
    """Return "+" or "-" if the number is signed; a joining hyphen is no sign."""
    mark = line.at(index - 1)
    if mark is None or mark.text not in ("+", "-", "\u2212"):
        return ""
    if mark.text != "-":
        return "+" if mark.text == "+" else "-"
    before = line.at(index - 2)
    joins = before is not None and (
        before.kind in ("word", "number") or before.text in "_)]"
    )
    return "" if joins else "-"


def is_negative_score(line: Line, index: int, near: float | None) -> bool:
    """Return whether a minus is that of a score, not of a difference.

    "CV: -6.83" states a score: a difference is rarely written behind a colon, and is
    small. A public score below zero vouches for any.
    """
    if near is not None and near < 0:
        return True
    place = line.skip(index - 1, "")
    _, before = next(line.backward(place, "*`\"'"), (0, None))
    value = line.tokens[index].value
    stated = before is not None and before.text in (":", "=", "score", "is", "of")
    stated &= value >= 0.1
    following = line.at(line.skip(index + 1))
    return stated and (following is None or following.text not in ("vs", "versus"))


def whole_number(
    token: Token, metric: str | None, std: float | None, near: float | None
) -> tuple[float, str]:
    """Return what a number without a decimal point means, or why that is not clear.

    "8317" may be 8317, or 0.8317 or 83.17 without its point. The metric beside it, a
    spread, or a score of the same scale settles it.
    """
    words = set((metric or "").lower().replace("_", " ").split())
    if token.grouped or std is not None or words & UNBOUNDED_METRICS:
        return token.value, ""
    if len(token.text) >= 4 and words & BOUNDED_METRICS:
        return float(f"0.{token.text}"), ""
    if near and len(token.text) >= 4:
        for shift in range(len(token.text) + 1):
            value = float(f"{token.text}e-{shift}")
            if abs(value - near) < abs(near) / 5:
                return value, ""
    return token.value, "a whole number: a count, or a score without its point"


# --- what may stand behind a score: a spread, folds, other models -------------------


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


def folds_after(line: Line, index: int) -> tuple[tuple[float, ...], int]:
    """Return the scores of folds in a bracket after a number, and its end."""
    place = line.skip(index + 1, "*,:=")
    close = line.closing.get(place)
    if close is None:
        return (), index
    first = place + 1
    while (token := line.at(first)) is not None and (
        token.kind == "space" or token.text == ":" or token.role is Role.SCHEME
    ):
        first += 1
    if not is_number(line, first):
        return (), index
    places = series_after(line, first)
    if len(places) < 2 or line.skip(places[-1] + 1) != close:
        return (), index
    return tuple(line.tokens[p].value for p in places), close


def series_after(line: Line, index: int) -> list[int]:
    """Return the indices of a list of alike decimals that begins at ``index``."""
    places = [index]
    size = line.tokens[index].value
    while len(places) < 100:
        place = line.skip(places[-1] + 1, ",;/|")
        token = line.at(place)
        if place == places[-1] + 1 or token is None or token.kind != "number":
            break
        if token.decimals == 0 or not size / 3 <= token.value <= size * 3:
            break
        places.append(place)
    return places


def lists_models(line: Line, index: int) -> bool:
    """Return whether another model and its number follow: "oof lgb 0.81 xgb 0.80"."""
    place = line.skip(index + 1, ",;/")
    token = line.at(place)
    if token is None or token.role is not Role.MODEL:
        return False
    target = line.at(line.skip(place + 1, ":=_"))
    return target is not None and target.kind == "number" and target.decimals > 1


def mean_after(line: Line, index: int) -> int | None:
    """Return the index of the number that a list of folds is summed up with."""
    place = line.skip(index + 1, ",;/|)]:=-—_(")
    named = False
    while (token := line.at(place)) is not None and token.role in (
        Role.MEAN,
        Role.KEYWORD,
        Role.METRIC,
    ):
        named |= token.role is Role.MEAN
        place = line.skip(place + 1, ":=_(*-")
    return place if named and is_number(line, place) else None
