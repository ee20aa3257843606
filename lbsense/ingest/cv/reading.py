"""Cross-validation scores that competitors write into descriptions and file names."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace

from lbsense._result import Result
from lbsense.ingest.cv.heading import is_of_another, metric_of_heading
from lbsense.ingest.cv.labels import (
    Label,
    end_of_change,
    is_value_first,
    label_after,
    label_before,
    label_of_clause,
    may_take_label_after,
    spread_after,
)
from lbsense.ingest.cv.owner import (
    context_problem,
    folds_after,
    lists_models,
    mean_after,
    series_after,
    shape_problem,
    sign_of,
    whole_number,
)
from lbsense.ingest.cv.words import KEYWORDS, Line, Role
from lbsense.metrics import Metric

TRAILING_NUMBER = r"[_-](\d+\.\d{3,})(?=(?:\.[A-Za-z]\w{0,7}){0,2}$)"
"""Pattern that takes the bare number which ends a file name for its CV score."""

# A file that carries its own time and a score was named before it was submitted: the
# score cannot be the leaderboard's.
_STAMPED = (
    r"_(?:0[1-9]|1[0-2])(?:[0-2]\d|3[01])_(?:[01]\d|2[0-3])[0-5]\d"
    r"_(\d{1,3}\.\d{4,})\.(?:csv|gz|zip|parquet|pkl|npy|csv\.gz|csv\.zip)$"
)
_TITLE = re.compile(r"\s*Notebook .*\| Version \d+\s*", re.DOTALL)
_SOFT = ("no validation word", "it belongs to", "it follows another")
_LED_TO = re.compile(  # "exp3 (cv .81) + lags -> cv .82", "blended OOF .82"
    r"(?:[-=]>|[→⇒➜➡]|\b(?:blend(?:ed)?|ens|ensembled?|stack(?:ed|er)?|merged|combined|final"
    r"|together|after|pooled|overall|now)\b(?!\s+of\b)[\w ]{0,12})\s*$"
    r"|(?:融合|集成|アンサンブル)[后後]\s*$",
    re.IGNORECASE,
)
_OF_ANOTHER = re.compile(
    r"\b(?:baseline|base|before|without|yesterday|bound|best trial|control|old|random"
    r"|leader|champion|anchor)\b"
    r"[\w :(]{0,12}$",
    re.IGNORECASE,
)
_LONGEST_PAIR = 16  # tokens
_LESS_SURE = {"local", "fold", "grid search", "validation"}


@dataclass(frozen=True, slots=True, kw_only=True)
class CvReading(Result):
    """A number in a text, read as a validation score or rejected.

    Attributes
    ----------
    value : float
        The score, as it was written.
    text : str
        The exact part of the input that it was read from, keyword included.
    kind : str
        Keyword family: "cv", "oof", "loo", "holdout", "validation", "local", "fold",
        "grid search"; "stamped" for a file name that ends with time and score;
        "pattern" for the user's own expression; empty if rejected.
    metric : str or None
        Name of the metric written beside it.
    start, end : int
        Place of ``text`` in the input: ``input[start:end] == text``.
    std : float or None
        The spread that was written beside it.
    fold_scores : tuple of float
        Scores of the folds, where they were listed.
    confidence : float
        Order of trust in [0, 1], not a probability; 0 if rejected.
    reason : str
        Why a rejected number is not a validation score; empty if accepted.
    """

    value: float
    text: str
    kind: str
    metric: str | None = None
    start: int
    end: int
    std: float | None = None
    fold_scores: tuple[float, ...] = ()
    confidence: float = 0.0
    reason: str = ""


def parse_cv(
    text: str | None,
    *,
    pattern: str | None = None,
    public_score: float | None = None,
    metric: str | Metric | None = None,
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
        point of a whole number: ``cv 8317`` beside 0.8264 is 0.8317; one below zero
        vouches for the minus of the CV.
    metric : str or Metric, optional
        Metric of the competition. Of several named ones its score is read, and that
        of another metric is not.

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
    candidates = cv_candidates(text, public_score=public_score, metric=metric)
    accepted = [item for item in candidates if item.confidence > 0]
    if metric is not None:
        of_metric = [item for item in accepted if _is_of(item.metric, metric)]
        accepted = of_metric or accepted
    return _the_one(accepted, text) if accepted else _stamped(text)


def cv_candidates(
    text: str,
    *,
    public_score: float | None = None,
    metric: str | Metric | None = None,
) -> tuple[CvReading, ...]:
    """Return every number in a text, read as a validation score or rejected.

    Use it to see why `parse_cv` gave what it gave.

    Parameters
    ----------
    text : str
        What the entrant wrote.
    public_score : float, optional
        As for `parse_cv`.
    metric : str or Metric, optional
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
    line = Line(text, metric_of_heading(metric) if isinstance(metric, str) else metric)
    numbers = [i for i, token in enumerate(line.tokens) if token.kind == "number"]
    if _TITLE.fullmatch(text):
        reason = "the title of a notebook, the same for every version"
        return tuple(_rejected(line, index, reason) for index in numbers)
    return tuple(_read_numbers(line, numbers, near=public_score))


def _stamped(text: str) -> CvReading | None:
    """Return the number that ends a file name stamped with month, day and time."""
    reading = _by_pattern(text, _STAMPED)
    return reading and replace(reading, kind="stamped", confidence=0.6)


def _the_one(readings: list[CvReading], text: str) -> CvReading | None:
    """Return the reading that counts, or None if the text does not say which."""
    if not readings:
        return None
    readings = [item for item in readings if item.kind != "fold"] or readings
    same_kind = [item for item in readings if item.kind == readings[0].kind]
    unnamed = [item for item in same_kind if item.metric is None]
    pool = unnamed or same_kind
    named = (item.metric for item in readings if item.metric is not None)
    metrics = {re.sub(r"[\W_]+", "", metric.lower()) for metric in named}
    if not unnamed and len(metrics) > 1:
        return None
    if not all(_agree(item, pool[0]) for item in pool):
        return _told_apart(pool, text)
    fuller = [item for item in pool if item.std is not None or item.fold_scores]
    return (fuller or pool)[0]


def _told_apart(readings: list[CvReading], text: str) -> CvReading | None:
    """Return the one of several that the words before it say is of the whole."""
    before = {
        item.start: text[max(0, item.start - 40) : item.start] for item in readings
    }
    written = [item for item in readings if f"{item.value:g}" in item.text] or readings
    last = [item for item in written if not _OF_ANOTHER.search(before[item.start])]
    led_to = [item for item in last if _LED_TO.search(before[item.start])]
    found = led_to or last
    return found[0] if len(found) == 1 else None


def _is_of(named: str | None, metric: str | Metric) -> bool:
    """Return whether the words beside a score name the metric."""
    ours = metric_of_heading(metric) if isinstance(metric, str) else metric
    if ours is None or named is None or metric_of_heading(named) is None:
        return False
    return not is_of_another(named, ours)


def _agree(one: CvReading, other: CvReading) -> bool:
    """Return whether two readings state one value, perhaps rounded differently."""
    decimals = min(len(repr(item.value).partition(".")[2]) for item in (one, other))
    return abs(one.value - other.value) <= 0.5001 * 10.0**-decimals


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
    line = Line(match.group())
    metric = [token for token in line.tokens if token.role is Role.METRIC]
    return CvReading(
        value=value,
        text=match.group(),
        kind="pattern",
        metric=" ".join(line.text[item.start : item.end] for item in metric) or None,
        start=match.start(),
        end=match.end(),
        confidence=1.0,
    )


# --- every number of a text, accepted or rejected -----------------------------------


def _rejected(line: Line, index: int, reason: str) -> CvReading:
    """Return the number at ``index`` with the reason why it is not a CV."""
    token = line.tokens[index]
    return CvReading(
        value=token.value,
        text=line.text[token.start : token.end],
        kind="",
        start=token.start,
        end=token.end,
        reason=reason,
    )


def _read_numbers(
    line: Line, numbers: list[int], near: float | None = None
) -> list[CvReading]:
    """Return a reading, accepted or rejected, of each number of a text."""
    alone = _mean_and_spread(line, numbers)
    if alone is not None:
        return [alone]
    paired = _paired_numbers(line)
    readings = [
        paired.get(index) or _read_number(line, index, near) for index in numbers
    ]
    return _with_fold_entries(line, numbers, readings)


def _read_number(line: Line, index: int, near: float | None) -> CvReading:
    reason = shape_problem(line, index)
    if reason:
        return _rejected(line, index, reason)
    changes = end_of_change(line, index) != index
    label, prefix = label_before(line, index, changes=changes), True
    if label.kind and is_value_first(line, label, index):
        label = Label(barrier="a score of the word after it")
    if (label.kind or label.folds) and not label.fold_index:
        places = series_after(line, index)
        if len(places) > 2:
            return _read_series(line, label, places)
    if not label.kind and may_take_label_after(line, index):
        after = label_after(line, index)
        if after.kind:
            label, prefix = after, False
    if not label.kind and label.barrier.startswith(_SOFT):
        wide = label_of_clause(line, index)
        label = wide if wide.kind else label
    if not label.kind:
        return _rejected(line, index, label.barrier)
    final = end_of_change(line, index) if prefix else index
    reason = context_problem(line, label, index, final, prefix=prefix, near=near)
    if not reason and label.models and lists_models(line, final):
        reason = "several models, and not said which one counts"
    if reason:
        return _rejected(line, index, reason)
    return _accept(line, label, index, final, prefix=prefix, near=near)


def _accept(
    line: Line,
    label: Label,
    index: int,
    final: int,
    *,
    prefix: bool,
    near: float | None,
) -> CvReading:
    token, metric = line.tokens[final], _metric(line, label, final)
    if metric and line.metric and is_of_another(metric, line.metric):
        return _rejected(line, index, "the score of another metric")
    std, last = spread_after(line, final, token.value)
    folds, last = folds_after(line, last)
    value = -token.value if sign_of(line, index) == "-" else token.value
    if token.decimals == 0 and "e" not in token.text.lower():
        value, reason = whole_number(token, metric, std, near)
        if reason:
            return _rejected(line, index, reason)
    elif near and 1 < 2 * near < value and abs(value / 100 - near) < near / 5:
        value = float(f"{token.text}e-2")  # 81.23 beside 0.8034
    start = line.tokens[label.first if prefix else index].start
    end = line.tokens[last if prefix else max(last, label.last)].end
    return CvReading(
        value=value,
        text=line.text[start:end],
        kind=label.kind,
        metric=metric,
        start=start,
        end=end,
        std=std,
        fold_scores=folds,
        confidence=_confidence(line, label, index, final, prefix=prefix),
    )


def _read_series(line: Line, label: Label, places: list[int]) -> CvReading:
    """Read a list of folds: its mean as written, else as it follows from the list."""
    index, last = places[0], places[-1]
    problem = context_problem(line, label, index, index, prefix=True)
    if problem and label.kind:
        return _rejected(line, index, problem)
    folds = tuple(line.tokens[place].value for place in places)
    value, total = math.fsum(folds) / len(folds), mean_after(line, last)
    if total is not None:
        value, last = line.tokens[total].value, total
    elif not (label.folds or line.tokens[index - 1].text in "[("):
        reason = "several numbers, and not said which one counts"
        return _rejected(line, index, reason)
    return _of_folds(line, label, last, value, folds)


def _of_folds(
    line: Line, label: Label, last: int, value: float, folds: tuple[float, ...]
) -> CvReading:
    start, end = line.tokens[label.first].start, line.tokens[last].end
    return CvReading(
        value=value,
        text=line.text[start:end],
        kind=label.kind or "fold",
        metric=_metric(line, label, last),
        start=start,
        end=end,
        fold_scores=folds,
        confidence=0.75,
    )


def _with_fold_entries(
    line: Line, numbers: list[int], readings: list[CvReading]
) -> list[CvReading]:
    """Gather "fold0 0.81 fold1 0.82 mean 0.815" into one reading."""
    entries = _fold_entries(line, numbers)
    if len(entries) < 2:
        return readings
    folds = tuple(line.tokens[index].value for index in entries)
    by_number = dict(zip(numbers, readings, strict=True))
    label = label_before(line, entries[0])
    for index in entries:
        by_number[index] = _rejected(line, index, "the score of one fold")
    stated = [index for index in numbers if by_number[index].confidence > 0]
    if stated:
        first = by_number[stated[0]]
        by_number[stated[0]] = replace(first, fold_scores=first.fold_scores or folds)
        return list(by_number.values())
    total = mean_after(line, entries[-1])
    last = entries[-1] if total is None else total
    mean = math.fsum(folds) / len(folds)
    value = mean if total is None else line.tokens[total].value
    by_number[last] = _of_folds(line, label, last, value, folds)
    return list(by_number.values())


def _mean_and_spread(line: Line, numbers: list[int]) -> CvReading | None:
    """Read a text that is nothing but a mean and its spread: "0.8121 (0.0421)"."""
    if len(numbers) != 2 or line.skip(0) != numbers[0]:
        return None
    first = line.tokens[numbers[0]]
    std, last = spread_after(line, numbers[0], first.value)
    if std is None or first.decimals < 3 or line.at(line.skip(last + 1)) is not None:
        return None
    start, end = first.start, line.tokens[last].end
    return CvReading(
        value=first.value,
        text=line.text[start:end],
        kind="cv",
        start=start,
        end=end,
        std=std,
        confidence=0.6,
    )


def _paired_numbers(line: Line) -> dict[int, CvReading]:
    """Return the readings of lists such as "CV/LB 0.812/0.805", by number."""
    found: dict[int, CvReading] = {}
    for index, token in enumerate(line.tokens):
        if token.role not in (Role.KEYWORD, Role.BOARD, Role.SET) or index in found:
            continue
        words = _listed(line, index, "word")
        if len(words) < 2:
            continue
        numbers = _listed(line, line.skip(words[-1] + 1, ":=([)]"), "number")
        if len(numbers) != len(words):
            numbers = _listed_before(line, index)
        if len(numbers) != len(words):
            continue
        for word, place in zip(words, numbers, strict=True):
            found[place] = _from_pair(line, index, word, place)
    return found


def _listed_before(line: Line, index: int) -> list[int]:
    """Return the numbers of ".812/.805 (CV/LB)", in their order."""
    for first in range(max(0, index - _LONGEST_PAIR), index):
        found = _listed(line, first, "number")
        if len(found) > 1 and line.skip(found[-1] + 1, "([") == index:
            return found
    return []


def _listed(line: Line, index: int, kind: str) -> list[int]:
    """Return the indices of words or numbers joined by "/", "|", "vs" or an arrow."""
    places = [index]
    first = line.at(index)
    if first is None or first.kind != kind:
        return []
    while len(places) < 5:
        link = line.skip(places[-1] + 1)
        token = line.at(link)
        if token is None:
            break
        joins = token.text in ("/", "|", ",", "vs", "&", "and") or token.kind == "arrow"
        following = line.skip(link + 1)
        token = line.at(following)
        if not joins or token is None or token.kind != kind:
            break
        if kind == "word" and token.role not in (Role.KEYWORD, Role.BOARD, Role.SET):
            break
        places.append(following)
    return places


def _from_pair(line: Line, first: int, word: int, place: int) -> CvReading:
    token, number = line.tokens[word], line.tokens[place]
    if token.text not in KEYWORDS:
        return _rejected(line, place, "a leaderboard score")
    if number.decimals == 0 or number.value == 0:
        return _rejected(line, place, "a whole number in a list of scores")
    start = line.tokens[first].start
    return CvReading(
        value=number.value,
        text=line.text[start : number.end],
        kind=KEYWORDS[token.text],
        start=start,
        end=number.end,
        confidence=0.8,
    )


def _metric(line: Line, label: Label, final: int) -> str | None:
    """Return the name of the metric beside the number, as it was written."""
    tokens = sorted(label.metrics, key=lambda token: token.start)
    if not tokens:
        place = line.skip(final + 1, "*")
        after, beyond = line.at(place), line.at(line.skip(place + 1, ""))
        prefixed = beyond is not None and (
            beyond.kind == "number" or beyond.text in "_:=" or beyond.text in KEYWORDS
        )
        if place == final + 1 or after is None or prefixed:
            return None
        if after.role is not Role.METRIC:
            return None
        tokens = [after]
    return " ".join(line.text[token.start : token.end] for token in tokens)


def _confidence(
    line: Line, label: Label, index: int, final: int, *, prefix: bool
) -> float:
    """Return an order of trust: what is doubtful in the way it was written."""
    token = line.tokens[final]
    approximate = line.tokens[index - 1].text in "~≈" if index else False
    doubts = 0.1 * (not prefix) + 0.1 * label.models + 0.1 * (token.decimals < 3)
    doubts += 0.2 * approximate + 0.1 * (label.kind in _LESS_SURE)
    return round(0.95 - doubts, 2)


def _fold_entries(line: Line, numbers: list[int]) -> list[int]:
    """Return the numbers that are each named as one fold's score: "fold3: 0.81"."""
    if "fold" not in line.folded:
        return []
    return [
        index
        for index in numbers
        if line.tokens[index].decimals > 1 and label_before(line, index).fold_index
    ]
