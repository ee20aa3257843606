"""What changes from one description to the next: its wording, or one number of it."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import PurePath

from lbsense._format import clean_text
from lbsense.model import Submission

# A counter names a submission, a score tells its result: neither is a setting of it.
_REFERENCE = re.compile(r"#\s?\d+|#")
_COUNTER = re.compile(
    r"\b(?:exp(?:eriment)?|v(?:er(?:sion)?)?|sub(?:mission)?|model|run|try|attempt|no|"
    r"nb|notebook|kernel)[ _.#-]?\d+\b(?!\.\d)|^#?\d+\s*[:.)-](?!\d)"
)
_SCORE = re.compile(
    r"\b(?:cv|oof|loo|holdout|local|lb|public|private|score|auc|rmse|mae|f1"
    r"|(?:val|acc)(?:\w*+(?=\W{1,3}\d*+\.\d)|[^\W\d]*+))"
    r"\W{0,3}\d*+\.\d++(?:\s*+(?:\+/?-|±)\s*+\d*+\.\d++)?"
)
# The digits of resnet50 or seed42 belong to a name, those of w0.3 do not.
_NUMBER = re.compile(
    r"(?:(?<![a-z\d])\d++(?:\.\d++)?|(?:(?<!\d)\d++)?\.\d++)(?:e-?\d++)?"
)
_PLACE = "\x00"  # of a number that was taken out: clean text has no such character
_WEIGHT = re.compile(
    rf"(?:\bw|weights?|alpha|blend|mix|ratio|coef)\w*+[^\w{_PLACE}]{{0,3}}{_PLACE}"
)
_WHOLES = (1.0, 10.0, 100.0)

#: A text with its numbers taken out, and these numbers.
Wording = tuple[str, tuple[float, ...]]


def wording_of(item: Submission) -> Wording | None:
    """Return the wording of a submission, None where it says nothing.

    Counters such as ``exp12``, references such as ``#3`` and scores such as
    ``CV 0.8123`` are left out.
    """
    text = clean_text(item.description or "")
    if not text:
        text = PurePath(clean_text(item.file_name or "")).stem
    text = text.casefold()
    if item.cv_text:
        text = text.replace(clean_text(item.cv_text).casefold(), " ")
    text = _REFERENCE.sub(" ", _COUNTER.sub(" ", _SCORE.sub(" ", text)))
    numbers = tuple(float(found) for found in _NUMBER.findall(text))
    shape = re.sub(r"\s+", " ", _NUMBER.sub(_PLACE, text)).strip(" :;,|-")
    return (shape, numbers) if shape.strip("#") or numbers else None


def differ_in_one_number(one: Wording | None, other: Wording | None) -> bool:
    """Say whether two texts are the same up to one number, or one pair of weights."""
    if one is None or other is None or one[0] != other[0]:
        return False
    pairs = [(a, b) for a, b in zip(one[1], other[1], strict=False) if a != b]
    if len(one[1]) != len(other[1]) or not 1 <= len(pairs) <= 2:
        return False
    before, after = (sum(side) for side in zip(*pairs, strict=True))
    return len(pairs) == 1 or abs(before - after) < 1e-9


def blend_of(wording: Wording) -> tuple[str, tuple[float, ...], float] | None:
    """Return what is blended and the weight of the first part, None for no blend.

    Weights are two neighbouring numbers that sum to 1, 10 or 100, or one number
    between 0 and 1 behind a word such as ``w``, ``weight`` or ``blend``.
    """
    shape, numbers = wording
    for place, (a, b) in enumerate(pairwise(numbers)):
        whole = next((w for w in _WHOLES if abs(a + b - w) < 0.005 * w), None)
        if whole is not None and a > 0 and b > 0:
            return shape, numbers[:place] + numbers[place + 2 :], a / whole
    found = _WEIGHT.search(shape)
    if found is not None:
        place = shape.count(_PLACE, 0, found.end() - 1)
        if 0 < numbers[place] < 1:
            return shape, numbers[:place] + numbers[place + 1 :], numbers[place]
    return None
