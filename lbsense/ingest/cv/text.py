"""Cross-validation scores that competitors write into descriptions and file names."""

from __future__ import annotations

import math
import re
from dataclasses import replace

from lbsense.ingest.cv.labels import Line
from lbsense.ingest.cv.reading import CvReading, read_numbers, rejected

__all__ = ["TRAILING_NUMBER", "CvReading", "cv_candidates", "parse_cv"]

TRAILING_NUMBER = r"[_-](\d+\.\d{3,})(?=(?:\.[A-Za-z]\w{0,7}){0,2}$)"
"""Pattern that takes the bare number which ends a file name for its CV score."""

# A file that carries its own time and a score was named before it was submitted: the
# score cannot be the leaderboard's.
_STAMPED = (
    r"_(?:0[1-9]|1[0-2])(?:[0-2]\d|3[01])_(?:[01]\d|2[0-3])[0-5]\d"
    r"_(\d{1,3}\.\d{4,})\.(?:csv|gz|zip|parquet|pkl|npy|csv\.gz|csv\.zip)$"
)
_TITLE = re.compile(r"\s*Notebook .*\| Version \d+\s*", re.DOTALL)


def parse_cv(
    text: str | None, *, pattern: str | None = None, public_score: float | None = None
) -> CvReading | None:
    r"""Return the validation score that a text states, or None.

    Use it on one description or file name. It reads a number only beside a word that
    says validation (cv, oof, loo, val, holdout, local, fold mean, ...), and would
    rather give nothing than a wrong value. For a column of scores no rule is needed:
    name the column instead.

    Parameters
    ----------
    text : str or None
        What the entrant wrote.
    pattern : str, optional
        Regular expression of your own, used instead of every rule. Its group "value",
        else its first group, else the whole match is the score. `TRAILING_NUMBER` is
        one for file names such as ``lgb_0.83127.csv``.
    public_score : float, optional
        Public score of the same submission. It is only used to find the lost decimal
        point of a whole number: ``cv 8317`` beside 0.8264 is 0.8317.

    Returns
    -------
    CvReading or None
        None if the text states no validation score, or several and not which counts.

    Raises
    ------
    TypeError
        If ``text`` is neither a string nor None.
    ValueError
        If ``pattern`` is not a regular expression.

    See Also
    --------
    cv_candidates : Every number of a text, with the reason if it was rejected.

    Notes
    -----
    Of a change, the value after the arrow is read. Of several values the first counts
    if they are of different kinds ("LOO 7.16, matched-CV 7.54"); several of one kind
    that differ, or of several named metrics, give None. Not taken for a score:
    percentages, signed differences, baselines (vs, was, previous), leaderboard and
    training scores, bare numbers, what is said to be somebody else's, counts, weights,
    versions, and the title of a notebook, which stays the same from version to version.
    The one bare number that is read ends a file name behind month, day, hour and
    minute, as in ``lgb_1104_2217_0.83127.gz``: it was written before there was a public
    score.

    Examples
    --------
    >>> parse_cv("v8: wider gate (LOO 9.402->9.211)").value
    9.211
    >>> reading = parse_cv("lgb, CV RMSE: 0.4471 (+/- 0.0031), LB 0.4502")
    >>> reading.value, reading.std, reading.kind, reading.metric
    (0.4471, 0.0031, 'cv', 'RMSE')
    >>> reading.text
    'CV RMSE: 0.4471 (+/- 0.0031)'
    >>> parse_cv("tip-cv +0.70") is None
    True
    >>> parse_cv("lgb_0.83127.csv") is None
    True
    >>> parse_cv("lgb_0.83127.csv", pattern=TRAILING_NUMBER).value
    0.83127
    """
    if text is None:
        return None
    if not isinstance(text, str):
        msg = f"text must be a str or None, got {type(text).__name__}."
        raise TypeError(msg)
    if pattern is not None:
        return _by_pattern(text, pattern)
    candidates = cv_candidates(text, public_score=public_score)
    accepted = [item for item in candidates if item.confidence > 0]
    return _the_one(accepted) if accepted else _stamped(text)


def cv_candidates(
    text: str, *, public_score: float | None = None
) -> tuple[CvReading, ...]:
    """Return every number in a text, read as a validation score or rejected.

    Use it to see why `parse_cv` gave what it gave.

    Parameters
    ----------
    text : str
        What the entrant wrote.
    public_score : float, optional
        As for `parse_cv`.

    Returns
    -------
    tuple of CvReading
        In the order of the text. A rejected number has ``confidence`` 0, no ``kind``,
        and says why in ``reason``.

    Examples
    --------
    >>> for item in cv_candidates("T=0.135, CV 9.21 vs 9.40"):
    ...     print(item.value, item.kind or item.reason)
    0.135 it belongs to 't'
    9.21 cv
    9.4 a value to compare with
    """
    line = Line(text)
    numbers = [i for i, token in enumerate(line.tokens) if token.kind == "number"]
    if _TITLE.fullmatch(text):
        reason = "the title of a notebook, the same for every version"
        return tuple(rejected(line, index, reason) for index in numbers)
    return tuple(read_numbers(line, numbers, near=public_score))


def _stamped(text: str) -> CvReading | None:
    """Return the number that ends a file name stamped with month, day and time."""
    reading = _by_pattern(text, _STAMPED)
    return reading and replace(reading, kind="stamped", confidence=0.6)


def _the_one(readings: list[CvReading]) -> CvReading | None:
    """Return the reading that counts, or None if the text does not say which."""
    if not readings:
        return None
    same_kind = [item for item in readings if item.kind == readings[0].kind]
    unnamed = [item for item in same_kind if item.metric is None]
    pool = unnamed or same_kind
    metrics = {_plain(item.metric) for item in readings if item.metric is not None}
    if not unnamed and len(metrics) > 1:
        return None
    if not all(_agree(item, pool[0]) for item in pool):
        return None
    fuller = [item for item in pool if item.std is not None or item.fold_scores]
    return (fuller or pool)[0]


def _agree(one: CvReading, other: CvReading) -> bool:
    """Return whether two readings state one value, perhaps rounded differently."""
    decimals = min(len(repr(item.value).partition(".")[2]) for item in (one, other))
    return abs(one.value - other.value) <= 0.5001 * 10.0**-decimals


def _plain(metric: str) -> str:
    return re.sub(r"[\W_]+", "", metric.lower())


def _by_pattern(text: str, pattern: str) -> CvReading | None:
    try:
        match = re.search(pattern, text)
    except re.error as error:
        msg = (
            f"pattern must be a regular expression, got {pattern!r} ({error}). "
            r"An example that reads 'score 0.8123': r'score (\d+\.\d+)'."
        )
        raise ValueError(msg) from error
    if match is None:
        return None
    names = match.re.groupindex
    group = names.get("value", 1 if match.re.groups else 0)
    try:
        value = float((match.group(group) or "").strip())
    except ValueError:
        return None
    if not math.isfinite(value):
        return None
    return CvReading(
        value=value,
        text=match.group(),
        kind="pattern",
        start=match.start(),
        end=match.end(),
        confidence=1.0,
    )
