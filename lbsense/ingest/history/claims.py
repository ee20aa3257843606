"""What the user says of a competition, held against the scores that were read."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import median

from lbsense._format import format_number, plural
from lbsense.errors import IngestError
from lbsense.metrics import Metric
from lbsense.model import Competition, History

# A stated share of the test set may be rounded: this far the public rows may be off.
_SLACK = 0.1
_MOST_SIZES = 2_000  # numbers of rows that are tried
_PERCENT = 5.0  # an impossible share is rather percent from here on


def check_claims(history: History, metric: Metric | None) -> None:
    """Complain of a metric that cannot give the scores, or of a size they contradict.

    Raises
    ------
    IngestError
        If more than half of the scores are outside the range of the metric, or more
        than half of the shares cannot come from so few rows.
    """
    if metric is None:
        return
    for kind in ("public", "private"):
        scores = [
            score
            for item in history
            if (score := getattr(item, f"{kind}_score")) is not None
        ]
        _check_range(scores, metric, kind)
    public = [item.public_score for item in history if item.public_score is not None]
    _check_size(public, history.competition, metric)


def _check_range(scores: Sequence[float], metric: Metric, kind: str) -> None:
    beyond = [score for score in scores if not metric.contains(score)]
    if 2 * len(beyond) <= len(scores):
        return
    low, high = format_number(metric.low), format_number(metric.high)
    shown = ", ".join(format_number(score) for score in dict.fromkeys(beyond[:3]))
    found = f"{len(beyond)} of {plural(len(scores), f'{kind} score')} ({shown})"
    direction = "higher" if metric.greater_is_better else "lower"
    if metric.high == 1 and median(beyond) > _PERCENT and max(beyond) <= 100:
        msg = (
            f"{found} are above 1: percent, where {metric.name} lies between {low} and "
            f"{high}. Write them as shares (0.812) or with their sign (81.2%), or name "
            f"no metric but the direction (--{direction}-is-better), which takes any "
            "unit."
        )
        raise IngestError(msg)
    msg = (
        f"{found} cannot be scores of {metric.name}, which lies between {low} and "
        f"{high}. Is it another metric (`lbsense metrics` lists them), or another "
        f"column (--columns {kind}_score=NAME)? With a score of your own name no "
        "metric but the direction: --higher-is-better or --lower-is-better."
    )
    raise IngestError(msg)


def _check_size(
    scores: Sequence[float], competition: Competition, metric: Metric
) -> None:
    """Complain of more than half of the shares that no count of so few rows gives."""
    size, decimals = competition.test_size, competition.display_decimals
    if not (metric.is_share and scores and size and decimals):
        return
    share = competition.public_fraction
    rows = size if share is None else share * size
    lowest = 1 if share is None else max(1, math.floor((1 - _SLACK) * rows))
    highest = size if share is None else min(size, math.ceil((1 + _SLACK) * rows))
    if highest - lowest > _MOST_SIZES or highest >= 10**decimals:
        return
    unit = 10.0**-decimals  # some boards cut instead of rounding
    odd = min(
        (
            [score for score in scores if abs(score - round(score * n) / n) >= unit]
            for n in range(lowest, highest + 1)
        ),
        key=len,
    )
    if 2 * len(odd) <= len(scores):
        return
    stated = f"test_size={size:,}" + (
        "" if share is None else f" and {share:.0%} public"
    )
    msg = (
        f"{stated}: {metric.name} of so few rows is a whole number of them, which "
        f"{len(odd)} of {plural(len(scores), 'public score')} (such as "
        f"{format_number(odd[0])}) cannot be. The test set must be larger: give its "
        "rows (--test-size), or leave the size out."
    )
    raise IngestError(msg)
