"""What was sent, by words and files: bursts, and questions to the test set (LBS31n)."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from pathlib import PurePath
from typing import TYPE_CHECKING

from lbsense._format import clean_text, format_probability, plural
from lbsense._typing import FloatArray
from lbsense.checks.finding import (
    Outcome,
    check,
    file_check,
    flag_if,
    not_applicable,
)

if TYPE_CHECKING:
    from lbsense.analysis import Analysis, Step
    from lbsense.model import Predictions, Submission

_FEW_ROWS, _FEW_SHARE = 20, 0.001
_SEVERAL = 2
_MOVES, _CHANCE = 5, 0.001
_LINE = 4
_LONG_RUN = 5
_SOON = timedelta(minutes=15)
_REAL = ("progress", "setback", "unscored")

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


@check("LBS307")
def tweak_burst(analysis: Analysis) -> Outcome:
    """Flag a run of submissions that differ in one number or came at once (LBS307)."""
    scored = [i for i, s in enumerate(analysis.steps) if s.verdict != "unscored"]
    steps = [analysis.steps[index] for index in scored]
    if len(steps) < _LONG_RUN:
        return not_applicable(
            f"Needs {_LONG_RUN} scored submissions.", n_obs=len(steps)
        )
    wordings = [wording_of(analysis.history[index]) for index in scored]
    if not any(wordings) and all(step.submitted_at is None for step in steps):
        return not_applicable("Needs descriptions or dates.", n_obs=len(steps))
    clock = len({step.submitted_at.time() for step in steps if step.submitted_at}) > 1
    length = longest = end = 1
    for place in range(1, len(steps)):
        linked = differ_in_one_number(wordings[place - 1], wordings[place])
        linked = linked or (clock and _came_soon(steps[place - 1], steps[place]))
        length = length + 1 if linked else 1
        if length > longest:
            longest, end = length, place
    first, last = steps[end - longest + 1], steps[end]
    return flag_if(
        longest >= _LONG_RUN,
        (
            f"The longest run of submissions that differ in one number or came within "
            f"{_SOON.seconds // 60} minutes without a real change has {longest}"
            + (
                f" ({first.short_name} to {last.short_name})."
                if longest >= _LONG_RUN
                else "."
            )
        ),
        value=longest,
        threshold=_LONG_RUN,
        n_obs=len(steps),
    )


def _came_soon(before: Step, after: Step) -> bool:
    """Say whether two submissions came at once and nothing changed for real."""
    if before.submitted_at is None or after.submitted_at is None:
        return False
    soon = after.submitted_at - before.submitted_at <= _SOON
    return soon and after.verdict not in _REAL and after.public_gain is not None


@dataclass(frozen=True, slots=True)
class _Files:
    """Submitted files of scored submissions: a column each, in time order.

    ``table`` has a row for every test row and output; ``places`` are positions in the
    history.
    """

    table: FloatArray
    places: tuple[int, ...]
    n_rows: int


def _files_of(analysis: Analysis, predictions: Predictions | None) -> _Files | None:
    """Return the files of the submissions that have a public score, None without."""
    import numpy as np

    from lbsense.model import NameIndex

    if predictions is None or predictions.test is None:
        return None
    steps = analysis.steps
    names = predictions.test_names
    named = {
        place: names.index(name)
        for name, place in NameIndex(analysis.history).places(names).items()
        if steps[place].public_score is not None
    }
    if not named:
        return None
    places = tuple(sorted(named))
    test = predictions.test[:, [named[index] for index in places]]
    if test.ndim == 3:
        test = np.moveaxis(test, 1, 2).reshape(-1, len(places))
    return _Files(
        table=np.asarray(test, dtype=np.float64),
        places=places,
        n_rows=predictions.n_test,
    )


@file_check("LBS311")
def few_rows(analysis: Analysis, predictions: Predictions | None) -> Outcome:
    """Flag pairs of files that differ in a few rows and in their score (LBS311)."""
    from lbsense.stats import few_row_pairs

    files = _files_of(analysis, predictions)
    if files is None or len(files.places) < 2:
        return not_applicable("Needs the submitted files of two scored submissions.")
    most = _few(files)
    scores = [analysis.steps[index].public_score for index in files.places]
    pairs = few_row_pairs(files.table, most=most)
    moved = [pair for pair in pairs.tolist() if scores[pair[0]] != scores[pair[1]]]
    names = [
        " and ".join(
            analysis.steps[files.places[column]].short_name for column in pair[:2]
        )
        for pair in moved[:3]
    ]
    return flag_if(
        bool(moved),
        (
            f"{plural(len(moved), 'pair')} among {len(files.places)} files differ in "
            f"at most {most} rows and in the score"
            + (f", such as {', '.join(names)}." if names else ".")
        ),
        value=len(moved),
        threshold=1,
        n_obs=len(files.places),
    )


@file_check("LBS312")
def few_values(analysis: Analysis, predictions: Predictions | None) -> Outcome:
    """Flag files that hold hardly any prediction, or say that they do (LBS312)."""
    files = _files_of(analysis, predictions)
    said = {i for i, step in enumerate(analysis.steps) if step.verdict == "probe"}
    if files is None and not said:
        return not_applicable(
            "Needs submitted files; no name speaks of one value or a probe either."
        )
    seen = set() if files is None else _bare_files(analysis, files)
    found = sorted(said | seen)
    names = ", ".join(analysis.steps[index].short_name for index in found[:3])
    return flag_if(
        len(found) >= _SEVERAL,
        (
            f"{plural(len(found), 'submission')} of one or two values, or a probe, by "
            "the file or by its own name"
            + (f": {names}{', ...' if len(found) > 3 else ''}." if found else ".")
        ),
        value=len(found),
        threshold=_SEVERAL,
        n_obs=len(analysis.steps) if files is None else len(files.places),
    )


def _bare_files(analysis: Analysis, files: _Files) -> set[int]:
    """Return the submissions whose file is constant, or nearly so."""
    import numpy as np

    from lbsense.stats import value_counts

    distinct, common = value_counts(files.table)
    bare = distinct == 1
    if not _predicts_labels(analysis):
        bare |= (distinct == 2) | (len(files.table) - common <= _few(files))
    return {files.places[column] for column in np.flatnonzero(bare)}


def _predicts_labels(analysis: Analysis) -> bool:
    """Say whether honest files of this metric may hold two values."""
    from lbsense.metrics import find_metric

    name = analysis.history.competition.metric
    try:
        return name is None or find_metric(name).prediction in ("label", "labels")
    except ValueError:
        return True


@check("LBS313")
def single_rows(analysis: Analysis) -> Outcome:
    """Flag more moves of one to three rows than noise gives (LBS313)."""
    import numpy as np

    from lbsense.stats import few_row_moves

    noise, competition = analysis.noise, analysis.history.competition
    counts_rows = competition.metric is not None and _is_accuracy(competition.metric)
    if not counts_rows or noise.n_public is None:
        return not_applicable(
            "Needs a share of rows, such as accuracy, and the number of public rows."
        )
    step_se = noise.step_se
    if not math.isfinite(step_se):
        step_se = math.sqrt(noise.step_se_low * noise.step_se_high)
    gains = [
        step.public_gain
        for step in analysis.steps
        if step.public_gain is not None and step.verdict != "repeat"
    ]
    if not step_se > 0 or len(gains) < _MOVES:
        return not_applicable(f"Needs {_MOVES} steps.", n_obs=len(gains))
    moves = few_row_moves(np.array(gains), n_rows=noise.n_public, change_se=step_se)
    if not moves.whole:
        return not_applicable(
            f"The changes are no whole numbers of {noise.n_public} rows: is the size "
            "of the public set right, and does the board show enough decimals?",
            n_obs=moves.n_obs,
        )
    return flag_if(
        moves.n_moves >= _MOVES and moves.pvalue < _CHANCE,
        (
            f"{moves.n_moves} of {moves.n_obs} changes are worth one to three rows, "
            f"where the noise of a step gives {moves.expected:.1f} "
            f"(by chance alone {format_probability(moves.pvalue)})."
        ),
        value=moves.n_moves,
        threshold=_MOVES,
        n_obs=moves.n_obs,
    )


def _is_accuracy(name: str) -> bool:
    from lbsense.metrics import find_metric

    try:
        return find_metric(name).is_share
    except ValueError:
        return False


@file_check("LBS314")
def line_search(analysis: Analysis, predictions: Predictions | None) -> Outcome:
    """Flag several weights of one blend, by their words or by their files (LBS314)."""
    from lbsense.stats import longest_line

    history = analysis.history
    wordings = {
        index: wording
        for index, item in enumerate(history)
        if item.public_score is not None and (wording := wording_of(item)) is not None
    }
    files = _files_of(analysis, predictions)
    if not wordings and files is None:
        return not_applicable("Needs descriptions or submitted files.")
    weights: dict[object, dict[float, int]] = defaultdict(dict)
    for index, wording in wordings.items():
        blend = blend_of(wording)
        if blend is not None:
            weights[blend[:2]].setdefault(blend[2], index)
    lines = [sorted(line.values()) for line in weights.values()]
    if files is not None:
        lines.append([files.places[column] for column in longest_line(files.table)])
    longest = max(lines, key=len, default=[])
    names = ", ".join(analysis.steps[index].short_name for index in longest[:4])
    return flag_if(
        len(longest) >= _LINE,
        (
            f"{plural(len(longest), 'submission')} with different weights of one blend"
            + (
                f" ({names}{', ...' if len(longest) > 4 else ''}): a pattern of "
                "choosing the weight by the public score."
                if len(longest) >= _LINE
                else "."
            )
        ),
        value=len(longest),
        threshold=_LINE,
        n_obs=len(set(wordings) | set(files.places if files else ())),
    )


def _few(files: _Files) -> int:
    return max(_FEW_ROWS, round(_FEW_SHARE * files.n_rows))
