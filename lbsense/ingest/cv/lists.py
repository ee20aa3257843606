"""What may stand after a score: its spread, a list of folds, a list of models."""

from __future__ import annotations

import math

from lbsense.ingest.cv.labels import Line, label_before
from lbsense.ingest.cv.shapes import is_number
from lbsense.ingest.cv.words import Role

__all__ = [
    "fold_entries",
    "folds_after",
    "lists_models",
    "mean_after",
    "series_after",
    "spread_after",
]


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


def fold_entries(line: Line, numbers: list[int]) -> list[int]:
    """Return the numbers that are each named as one fold's score: "fold3: 0.81"."""
    if "fold" not in line.folded:
        return []
    return [
        index
        for index in numbers
        if line.tokens[index].decimals > 1 and label_before(line, index).fold_index
    ]
