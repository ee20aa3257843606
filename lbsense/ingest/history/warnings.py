"""What weakens a history as a whole: LBS101 to LBS121."""

from __future__ import annotations

import math
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from statistics import median

from lbsense._format import clean_text, format_number, format_time, plural, shorten
from lbsense._typing import IntArray
from lbsense.errors import IngestError
from lbsense.ingest.cv.heading import PARTS_OF_SCHEME, cv_schemes
from lbsense.ingest.history.build import is_sorted
from lbsense.ingest.history.drafts import Draft, ReadTable
from lbsense.ingest.platforms import platform_named
from lbsense.metrics import Metric
from lbsense.model import Competition, DataWarning, History, Submission

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
    try:
        for kind in ("public", "private"):
            scores = [
                score
                for item in history
                if (score := getattr(item, f"{kind}_score")) is not None
            ]
            _check_range(scores, metric, kind)
            if kind == "public":
                _check_size(scores, history.competition, metric)
    except IngestError as error:
        unread = [i for i in history.dropped if i.action in _NOT_UNDERSTOOD]
        if not unread:
            raise
        shown = "".join(f"\n  {issue}" for issue in unread[:5])
        n_unread = plural(len(unread), "row or cell", "rows or cells")
        msg = f"{error}\nBesides, {n_unread} not understood:{shown}"
        raise IngestError(msg, issues=history.dropped) from None


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
            f"{high}, or of another metric. Write them as shares (0.812) or with their "
            f"sign (81.2%), or name no metric but the direction "
            f"(--{direction}-is-better), which takes any unit."
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


# Chosen so that a CV that moves by a tenth while the public score stays within a
# fiftieth is noticed, and the usual drift of a gap is not.
_CV_JUMP = math.log(1.1)
_PUBLIC_STILL = math.log(1.02)


def cv_scheme_change(submissions: Sequence[Submission]) -> str | None:
    """Return what changed about the CV within a history, or None if nothing is seen.

    Parameters
    ----------
    submissions : sequence of Submission
        In time order.

    Returns
    -------
    str or None
        The first change found: of the kind of validation, of the named way to split,
        of the named metric, or a jump of the CV score while the public one stays.

    Notes
    -----
    A jump is a step that moves the CV by more than a tenth, by at least five times
    the median step, while the public score moves by less than a fiftieth.

    Examples
    --------
    >>> scores = [(0.512, 0.519), (0.508, 0.517), (0.601, 0.516), (0.597, 0.515)]
    >>> history = [
    ...     Submission(submission_id=f"s{i}", cv_score=cv, public_score=public)
    ...     for i, (cv, public) in enumerate(scores)
    ... ]
    >>> print(cv_scheme_change(history))
    The CV jumps from 0.508 to 0.601 at submission s2 while the public score stays...
    """
    found = zip(submissions, cv_schemes(submissions), strict=True)
    known = [(item, scheme) for item, scheme in found if scheme is not None]
    for (_, before), (item, after) in pairwise(known):
        for what, words in PARTS_OF_SCHEME.items():
            old, new = getattr(before, what), getattr(after, what)
            if old != new:
                return (
                    f"The {words} changes from {shorten(old, 40)!r} to "
                    f"{shorten(new, 40)!r} at submission {shorten(item.name, 48)}. CV "
                    "scores are comparable only within one scheme: each has a scale "
                    "of its own, and no CV gain is read across the change."
                )
    return _jump([item for item, _ in known])


def _jump(with_cv: list[Submission]) -> str | None:
    """Return the first step that moves the CV far and the public score hardly."""
    steps = []
    for before, after in pairwise(with_cv):
        moved = _log_ratio(before.cv_score, after.cv_score)
        public = _log_ratio(before.public_score, after.public_score)
        if moved is not None and public is not None:
            steps.append((moved, public, before, after))
    usual = sorted(moved for moved, *_ in steps)[(len(steps) - 1) // 2 :][:1]
    for moved, public, before, after in steps:
        alone = len(steps) < 3 or moved > 5 * usual[0]
        if moved > _CV_JUMP and public < _PUBLIC_STILL and alone:
            old, new = map(format_number, (before.cv_score, after.cv_score))
            public_old = format_number(before.public_score)
            public_new = format_number(after.public_score)
            return (
                f"The CV jumps from {old} to {new} at submission "
                f"{shorten(after.name, 48)} while the public score stays "
                f"({public_old} to {public_new}): another split or another metric? "
                "CV scores are comparable only within one scheme."
            )
    return None


def _log_ratio(before: float | None, after: float | None) -> float | None:
    """Return the size of a change as a log ratio, where both have one sign."""
    if not before or not after or before * after < 0:
        return None
    return abs(math.log(after / before))


# Neighbouring scores inside nine genuine histories of one metric are at most 1.3 apart,
# single bad ones at most 6.6, and no score is above 5 times the median.
_SCALE_RATIO = 10.0
_EXTREME_RATIO = 100.0
_NOT_UNDERSTOOD = ("row skipped", "line skipped", "cell taken as missing")


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What the warnings look at: a history, and what it was made of."""

    history: History
    tables: Sequence[ReadTable]
    drafts: Sequence[Draft]
    metric: Metric | None
    nested_stated: bool  # whether the user said how public and private rows overlap
    catalogued: str | None  # which facts of the competition come from the catalogue
    now: datetime  # UTC
    groups: IntArray  # of `content_groups`

    @property
    def public(self) -> list[float]:
        """Public scores in time order, without the missing ones."""
        found = (item.public_score for item in self.history)
        return [score for score in found if score is not None]

    @property
    def both(self) -> list[tuple[float, float]]:
        """Public and private scores of the submissions that have both."""
        return [
            (item.public_score, item.private_score)
            for item in self.history
            if item.public_score is not None and item.private_score is not None
        ]


def warnings_of(seen: Seen) -> tuple[DataWarning, ...]:
    """Return what weakens the history, in the order of the codes."""
    found = ((code, check(seen)) for code, check in _CHECKS.items())
    return tuple(
        DataWarning(code=code, message=message)
        for code, message in found
        if message is not None
    )


def _truncated(seen: Seen) -> str | None:
    sizes = [len(table.drafts) for table in seen.tables]
    if any(len(table.drafts) not in table.export.pages for table in seen.tables):
        return None
    largest = max(seen.tables, key=lambda table: len(table.drafts))
    return (
        f"The export has exactly {sizes[-1]} rows, a full page: older submissions are "
        f"probably missing. {largest.export.pages[len(largest.drafts)]}"
    )


def _two_scales(seen: Seen) -> str | None:
    groups = _split_by_scale(seen.public)
    if groups is None:
        return None
    small, large = groups
    return (
        f"The public scores fall into two groups far apart: {_range_of(small)} and "
        f"{_range_of(large)}. Two metrics or two scales seem to share this history; "
        "give each its own file."
    )


def _split_by_scale(scores: list[float]) -> tuple[list[float], list[float]] | None:
    """Return two groups of sizes that no score lies between, or None."""
    ordered = sorted((score for score in scores if score != 0), key=abs)
    least = max(2, len(ordered) // 10)
    for at in range(least, len(ordered) - least + 1):
        if abs(ordered[at]) > _SCALE_RATIO * abs(ordered[at - 1]):
            return ordered[:at], ordered[at:]
    return None


def _range_of(scores: list[float]) -> str:
    low, high = format_number(min(scores)), format_number(max(scores))
    return f"{len(scores)} from {low} to {high}"


def _public_is_private(seen: Seen) -> str | None:
    both = seen.both
    if len(both) < 3 or any(public != private for public, private in both):
        return None
    return (
        f"Public and private score are equal on all {len(both)} submissions that have "
        "both: they are one score shown twice, so nothing can be learned from their "
        "difference."
    )


def _coarse(seen: Seen) -> str | None:
    scored = [
        (item.public_score, group)
        for item, group in zip(seen.history, seen.groups.tolist(), strict=True)
        if item.public_score is not None
    ]
    steps = [
        (before, after)
        for (before, group), (after, next_group) in pairwise(scored)
        if group < 0 or group != next_group
    ]
    ties = sum(before == after for before, after in steps)
    if len(steps) < 5 or 2 * ties <= len(steps):
        return None
    return (
        f"{ties} of {len(steps)} steps left the public score exactly as it was: it is "
        "rounded so coarsely, or has so few rows behind it, that most changes do not "
        "show. Judge by CV."
    )


def _duplicates(seen: Seen) -> str | None:
    groups = seen.groups
    n_repeated, n_groups = int((groups >= 0).sum()), int(groups.max(initial=-1)) + 1
    if not n_groups:
        return None
    return (
        f"{plural(n_repeated, 'submission')} in {plural(n_groups, 'group')} "
        "have the same content, by their digest, by every score or by their own word: "
        "they are one model sent again, not independent trials."
    )


def _complete_without_score(seen: Seen) -> str | None:
    rows = [d for d in seen.drafts if d.status_stated and d.status == "complete"]
    n_empty = sum(draft.public is None and draft.private is None for draft in rows)
    if not n_empty:
        return None
    return (
        f"{plural(n_empty, 'submission')} marked complete without a score. They are "
        "kept and not judged; look them up on the site."
    )


def _nested(seen: Seen) -> str | None:
    platform = platform_named(seen.history.competition.platform)
    if platform is None or seen.nested_stated:
        return None
    return platform.nested_doubt or None


def _scheme_change(seen: Seen) -> str | None:
    change = cv_scheme_change(seen.history.submissions)
    scores = [item.cv_score for item in seen.history if item.cv_score is not None]
    groups = _split_by_scale(scores)
    if change is not None or groups is None:
        return change
    small, large = groups
    return (
        f"The CV scores fall into two groups far apart: {_range_of(small)} and "
        f"{_range_of(large)}. They seem to be of two metrics or scales."
    )


def _dates(seen: Seen) -> str | None:
    times = [item.submitted_at for item in seen.history]
    known = [time for time in times if time is not None]
    if not known:
        return f"No submission has a date{_undated(seen)}"
    parts = []
    future = [time for time in known if time > seen.now]
    if future:
        parts.append(
            f"{plural(len(future), 'date')} in the future (the last is "
            f"{format_time(max(future))} UTC): local times, or a wrong clock"
        )
    if len(known) < len(times):
        parts.append(
            f"{plural(len(times) - len(known), 'submission')} without a date, put last"
        )
    dates = [table.dates for table in seen.tables if table.dates is not None]
    if any(d.n_naive for d in dates) and any(d.n_aware for d in dates):
        parts.append("dates with and without a time zone, the latter taken as UTC")
    if any(d.assumed_month_first for d in dates):
        parts.append(
            "day and month that cannot be told apart, the month taken first; write "
            "dates as 2026-07-28 if that is wrong"
        )
    if any(_is_unordered(table.drafts) for table in seen.tables):
        parts.append("rows that were not listed in the order of their dates, sorted")
    return None if not parts else f"The dates need a look: {'; '.join(parts)}."


def _undated(seen: Seen) -> str:
    """Return how submissions without dates were put in order, as the end of a line."""
    reading = seen.history.reading
    match reading and reading.order:
        case "score":
            return (
                ", and the list is sorted by score, the best first: in which order the "
                "submissions were sent is not known, and what is said of steps holds "
                "only if it is the order of the list. Add a column of dates or of "
                "numbers."
            )
        case "counter":
            named = reading.columns.get("order") if reading else None
            of = repr(shorten(named, 60)) if named else "their numbers"
            drafts = [draft for table in seen.tables for draft in table.drafts]
            upward = seen.history.competition.greater_is_better
            by = ", which is sorted by score" if is_sorted(drafts, upward) else ""
            return (
                f": the rows are taken in the order of {of}, which is not that of the "
                f"list{by}. For days and bursts, write dates as 2026-07-28."
            )
        case "newest first":
            platform = platform_named(seen.tables[0].export.platform)
            lists = "" if platform is None else f", as {platform.title} lists them"
            return f": the rows are taken in their order, the oldest last{lists}."
        case _:
            return ": the rows are taken in their order, the oldest first."


def _several_tables(seen: Seen) -> str | None:
    reading = seen.history.reading
    return None if reading is None else " ".join(reading.why) or None


def _is_unordered(drafts: list[Draft]) -> bool:
    times = [d.submitted_at for d in drafts if d.submitted_at is not None]
    rises = any(later > earlier for earlier, later in pairwise(times))
    return rises and any(later < earlier for earlier, later in pairwise(times))


def _extreme(seen: Seen) -> str | None:
    endless = [i for i in seen.history.dropped if i.expected == "a finite number"]
    found = [issue.found for issue in endless]
    scores = seen.public
    size = median(map(abs, scores)) if scores else 0.0
    for score in scores:
        beyond = seen.metric is not None and not (
            seen.metric.low <= score <= seen.metric.high
        )
        far = len(scores) > 2 and size > 0 and abs(score) > _EXTREME_RATIO * size
        if beyond or far:
            found.append(format_number(score))
    n_zero = sum(score == 0 for score in scores)
    if 0 < n_zero < len(scores) / 2:
        found += ["0"] * n_zero
    if not found:
        return None
    shown = ", ".join(dict.fromkeys(found[:5]))
    bounds = ""
    if seen.metric is not None:
        low, high = format_number(seen.metric.low), format_number(seen.metric.high)
        bounds = f" {seen.metric.name} lies between {low} and {high}."
    return (
        f"{plural(len(found), 'extreme score')} ({shown}).{bounds} Infinite ones are "
        "taken as missing, the others are kept; blank the cell where the number stands "
        "for a missing score."
    )


def _not_understood(seen: Seen) -> str | None:
    issues = [i for i in seen.history.dropped if i.action in _NOT_UNDERSTOOD]
    if not issues:
        return None
    return (
        f"{plural(len(issues), 'row or cell', 'rows or cells')} not understood, such "
        f"as {clean_text(str(issues[0]))} All are in history.dropped."
    )


def _other_scale(seen: Seen) -> str | None:
    both = [pair for pair in seen.both if 0 not in pair]
    if len(both) < 3:
        return None
    ratio = median(private / public for public, private in both)
    if 0.5 <= ratio <= 2:
        return None
    return (
        f"Private scores are {format_number(ratio, digits=3)} times the public ones "
        "(median): the two are on different scales, or on very different data, and "
        "their differences are not comparable."
    )


def _bare_score(seen: Seen) -> str | None:
    platform = platform_named(seen.history.competition.platform)
    if platform is None or not any(table.bare_score for table in seen.tables):
        return None
    return platform.score_doubt or None


def _unread_cv(seen: Seen) -> str | None:
    names = list(dict.fromkeys(n for table in seen.tables for n in table.unread_cv))
    if not names or all(item.cv_score is not None for item in seen.history):
        return None
    shown = ", ".join(repr(shorten(name, 60)) for name in names)
    return (
        f"No CV score was read from a column; {plural(len(names), 'column')} may hold "
        f"it: {shown}. Say which: columns={{'cv_score': {names[0]!r}}} "
        f"(--columns {shlex.quote(f'cv_score={names[0]}')})."
    )


def _percent(seen: Seen) -> str | None:
    factors = {table.cv_factor for table in seen.tables} - {1.0}
    if not factors:
        return None
    if 0.01 in factors:
        return (
            "The CV scores are in percent, the public ones are not: they were divided "
            "by 100."
        )
    return (
        "The public scores are in percent, the CV scores are not: the latter were "
        "multiplied by 100."
    )


_CHECKS: dict[str, Callable[[Seen], str | None]] = {
    "LBS101": _truncated,
    "LBS102": _two_scales,
    "LBS103": _public_is_private,
    "LBS104": _coarse,
    "LBS105": _duplicates,
    "LBS106": _complete_without_score,
    "LBS107": _nested,
    "LBS108": _scheme_change,
    "LBS109": _dates,
    "LBS110": _extreme,
    "LBS111": _not_understood,
    "LBS112": _other_scale,
    "LBS114": _bare_score,
    "LBS115": _unread_cv,
    "LBS116": _percent,
    "LBS117": _several_tables,
    "LBS120": lambda seen: seen.catalogued,
}
