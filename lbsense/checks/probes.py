"""Files and scores that look like questions to the test set: LBS311 to LBS314."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lbsense._format import format_probability, plural
from lbsense._typing import FloatArray
from lbsense.checks.finding import (
    Outcome,
    Text,
    blend_of,
    check,
    file_check,
    flag_if,
    not_applicable,
    wording_of,
)

if TYPE_CHECKING:
    from lbsense.analysis import Analysis
    from lbsense.model import Predictions

_FEW_ROWS, _FEW_SHARE = 20, 0.001
_SEVERAL = 2
_MOVES, _CHANCE = 5, 0.001
_LINE = 4
_WHITEHILL = "Whitehill 2017, arXiv:1707.01825"


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


@file_check(
    "LBS311",
    "Files that differ in a few rows",
    severity="warning",
    reference=_WHITEHILL,
    text=Text(
        "Pairs of files are the same but for a few rows, and their scores differ: the "
        "difference tells about the labels of these rows.",
        "Two files differ in at most 20 rows or one row in a thousand, whichever is "
        "more.",
        "A repair of a few rows, a rule for rare cases, or a late fix of broken values "
        "looks the same. This is a pattern in files, not a verdict on a person.",
        "If it was a repair, nothing. Scores of such pairs tell nothing about models; "
        "many competitions forbid probing.",
    ),
)
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


@file_check(
    "LBS312",
    "Files of one or two values",
    severity="notice",
    reference=_WHITEHILL,
    text=Text(
        "At least two submissions hold hardly any prediction: one value, two values, "
        "or one value but for a few rows; or they are called so, or a probe.",
        "The score of such a file tells about the labels (their mean, or that of a few "
        "rows) and not about a model.",
        "Two constant baselines are common and harmless. Files of labels may hold two "
        "values: for such metrics only constant files count.",
        "Nothing, if they were baselines. Estimate the base rate offline where you "
        "can.",
    ),
)
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


@check(
    "LBS313",
    "Scores that move by single rows",
    severity="notice",
    reference=_WHITEHILL,
    text=Text(
        "More score changes than noise gives are worth exactly one to three rows.",
        "At least five such moves of a score that counts rows, where rounded noise of "
        "a step has a chance below one in a thousand of so many.",
        "Very similar submissions (seeds, thresholds) move few rows honestly; the "
        "noise of a typical step then is too large a yardstick.",
        "If you changed single rows by hand, their scores say nothing about models.",
    ),
)
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


@file_check(
    "LBS314",
    "A line search on the leaderboard",
    severity="notice",
    reference="four points by judgement",
    text=Text(
        "At least four weights of one blend were tried on the leaderboard.",
        "Descriptions that differ only in a weight (`0.3/0.7`, `w=0.4`), or submitted "
        "files that lie on one line.",
        "The weights may have been planned beforehand. A word such as `ratio` may mean "
        "something else than a blend.",
        "Fit the weight on out-of-fold predictions: they have more rows, and the best "
        "of several public scores is inflated.",
    ),
)
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


PROBE_CHECKS = (few_rows, few_values, single_rows, line_search)
