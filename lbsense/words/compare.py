"""Several histories side by side, in words: each number with its interval or reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from lbsense._format import clean_text, format_number, plural, shorten
from lbsense._result import Missing, Result
from lbsense.facts import Facts
from lbsense.stats import EstimateResult, PooledResult
from lbsense.words.parts import Board, Reader, why

_WIDTH = 24
_FEW = 5  # histories: more make no habit of their own sure, fewer even less


class Figure(NamedTuple):
    """One number of a history: what it is called, and what it is made of.

    Attributes
    ----------
    title : str
        Heading of its row.
    unit : {"share", "correlation", "score"}
        What it counts in; scores of two metrics cannot be compared.
    meaning : str
        What it says, in a sentence.
    """

    title: str
    unit: Literal["share", "correlation", "score"]
    meaning: str


#: What is compared, in the order of reading.
FIGURES: Mapping[str, Figure] = {
    "progress": Figure(
        "Real gains",
        "share",
        "Expected share of true gains among the steps that can be judged.",
    ),
    "gain": Figure(
        "True gain per submission",
        "score",
        "What the way to the best public score truly gained, over all submissions "
        "after the first; more is better.",
    ),
    "guesses": Figure(
        "Guesses",
        "share",
        "Steps that cannot be told from no change at all.",
    ),
    "luck": Figure(
        "Luck in the climb",
        "share",
        "Part of the climb of the public score that is not real.",
    ),
    "agreement": Figure(
        "Agreement of CV and board",
        "correlation",
        "Rank correlation of CV gains and public gains: 1 is full agreement, 0 none.",
    ),
    "regret": Figure(
        "Regret of the selection",
        "score",
        "What the best private score lies above that of the selected ones.",
    ),
    "regret_public": Figure(
        "Regret of the two best public",
        "score",
        "The same, had the two best public scores been selected.",
    ),
    "choice": Figure(
        "Worth of the selection",
        "score",
        "What the selected ones scored above the two best public; more is better.",
    ),
    "learned": Figure(
        "Expected gains that came",
        "share",
        "Steps with a reason written before whose expected gain came, by the ledger.",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Habits(Result):
    """One history in few numbers that can be compared.

    Attributes
    ----------
    name : str
        What it is called beside others: untrusted text.
    facts : Facts
        What was found out about it.
    figures : mapping of str to EstimateResult or Missing
        By the names of `FIGURES`.
    """

    name: str
    facts: Facts
    figures: Mapping[str, EstimateResult | Missing]

    @property
    def short_name(self) -> str:
        """Its name, cut to what a heading can hold."""
        return shorten(self.name, _WIDTH) or "history"


def figure_told(
    key: str, found: EstimateResult | PooledResult | Missing, board: Board | None = None
) -> str:
    """Return a number with its 95% interval; "-" where it is missing.

    Without a board a number in score units is told in standard errors of a score.
    """
    if isinstance(found, Missing):
        return "-"
    value, low, high = (
        _number(key, part, board) for part in (found.value, found.ci_low, found.ci_high)
    )
    if found.ci_low == found.ci_high:
        return value
    return f"{value} ({low} to {high})"


def difference_told(key: str, found: EstimateResult | Missing, board: Board) -> str:
    """Return a difference of two histories with its interval; "-" where missing."""
    if isinstance(found, Missing):
        return "-"
    value, low, high = (
        f"{100 * part:+z.0f}"
        if FIGURES[key].unit == "share"
        else board.gain(part)
        if FIGURES[key].unit == "score"
        else f"{part:+z.2f}"
        for part in (found.value, found.ci_low, found.ci_high)
    )
    unit = " points" if FIGURES[key].unit == "share" else ""
    if found.ci_low == found.ci_high:
        return f"{value.lstrip('+')}{unit}"
    return f"{value}{unit} ({low} to {high})"


def _number(key: str, value: float, board: Board | None) -> str:
    unit = FIGURES[key].unit
    if unit == "share":
        return f"{value:.0%}"
    if unit == "correlation":
        return f"{value:z.2f}"
    if loss := key.startswith("regret"):
        value = max(value, 0.0)
    if board is None:
        return f"{value:{'' if loss else '+'}z.2f} se"
    if loss:
        return board.amount(value) if value else "0"
    return board.gain(value)


def reasons(
    habits: Sequence[Habits],
    pooled: Mapping[str, PooledResult | Missing],
    reader: Reader = "page",
) -> list[str]:
    """Return why numbers are missing, those of one reason together."""
    whose: dict[tuple[str, str], list[str]] = {}
    for key, figure in FIGURES.items():
        if key == "learned" and not any(item.figures[key] for item in habits):
            continue  # nobody kept a ledger: nothing is missing
        for item in habits:
            reason = why(item.figures[key], reader)
            if reason:
                whose.setdefault((item.short_name, reason), []).append(figure.title)
        reason = why(pooled.get(key), reader)
        if reason:
            whose.setdefault(("All together", reason), []).append(figure.title)
    together: dict[tuple[str, str], list[str]] = {}
    for (name, reason), titles in whose.items():
        together.setdefault((", ".join(titles), reason), []).append(name)
    return [
        f"{titles} ({', '.join(names)}): {reason}"
        for (titles, reason), names in together.items()
    ]


def compare_headline(
    habits: Sequence[Habits],
    pooled: Mapping[str, PooledResult | Missing],
    apart: Mapping[str, EstimateResult | Missing],
    *,
    portfolio: bool,
) -> str:
    """Return the answer in one sentence.

    Parameters
    ----------
    habits : sequence of Habits
        Two or more.
    pooled : mapping
        Numbers of all histories together.
    apart : mapping
        Second history minus the first.
    portfolio : bool
        Whether all histories are one person's.
    """
    if portfolio:
        return _pooled_headline(habits, pooled)
    known = [
        (item.short_name, found)
        for item in habits
        if isinstance(found := item.figures["progress"], EstimateResult)
    ]
    if len(known) < 2:
        names = [i.short_name for i in habits if not i.figures["progress"]]
        return (
            f"{plural(len(habits), 'history', 'histories')} side by side; real gains "
            f"cannot be told for {', '.join(names)}."
        )
    known.sort(key=lambda item: (-item[1].value, item[0]))
    (best, most), (worst, least) = known[0], known[-1]
    told = (
        f"{figure_told('progress', most)} of the steps of {best} were real gains, "
        f"{figure_told('progress', least)} of those of {worst}"
    )
    if len(habits) == 2:
        found = apart["progress"]
        if isinstance(found, EstimateResult):
            sure = not found.ci_low <= 0 <= found.ci_high
            if not found.value:
                return f"{told}: no difference."
            verdict = "more than chance" if sure else "that may be chance"
            return f"{told}: {verdict}."
    return f"{told}."


#: How each number was made, for who checks it.
COMPARE_METHODS = (
    "Real gains: the sum of the probabilities of a true gain (private scores taken "
    "into account), with a Poisson binomial interval (Le Cam 1960) that allows for all "
    "of them being off together.",
    "Guesses: Wilson's interval (1927): how far the habit may lie from this share.",
    "Gain and luck: what public scores and CV say of the climb to the best public "
    "score, and private scores where both ends have one, weighed by their variances.",
    "Gain, luck and regret: 1.96 standard errors, luck cut to 0 to 100%; a regret of "
    "one or two standard errors is no mistake.",
    "Agreement: as in the analysis of one history.",
    "Differences: both histories taken for independent (Zou and Donner 2008). Two "
    "teams on one public set share luck: these intervals are rather too wide.",
    "All together: each history counts once; mean with the t interval (Shuster 2010); "
    "scores in standard errors of one public score.",
)


def compare_title(habits: Sequence[Habits], portfolio: bool) -> str:
    """Return what a comparison is called."""
    if portfolio:
        return f"Habits over {plural(len(habits), 'history', 'histories')}"
    if len(habits) > _FEW:
        return f"{plural(len(habits), 'history', 'histories')} side by side"
    names = [item.short_name for item in habits]
    return f"{', '.join(names[:-1])} and {names[-1]} side by side"


def compare_caption() -> str:
    """Return what table and picture show."""
    return (
        "Each number with its 95% interval; - is not known. Where intervals lie apart "
        "the histories differ by more than chance."
    )


def _pooled_headline(
    habits: Sequence[Habits], pooled: Mapping[str, PooledResult | Missing]
) -> str:
    count = plural(len(habits), "history", "histories")
    found = pooled["progress"]
    if not isinstance(found, PooledResult):
        return f"{count} together: too few of them tell how many steps were real gains."
    told = (
        f"Over {plural(found.n_histories, 'history', 'histories')} "
        f"{found.value:.0%} of the steps were real gains (95%: {found.ci_low:.0%} to "
        f"{found.ci_high:.0%})"
    )
    left = len(habits) - found.n_histories
    rest = f"; {left} more cannot tell" if left else ""
    few = (
        " That is few: expect the next one anywhere in between."
        if (found.n_histories < _FEW)
        else ""
    )
    return f"{told}{rest}.{few}"


def compare_entries(
    habits: Sequence[Habits],
    pooled: Mapping[str, PooledResult | Missing],
    apart: Mapping[str, EstimateResult | Missing],
    *,
    portfolio: bool,
) -> list[tuple[str, str]]:
    """Return a heading and a sentence for each number that says something."""
    told = []
    for key, figure in FIGURES.items():
        if portfolio:
            found = pooled[key]
            if isinstance(found, PooledResult):
                told.append((figure.title, _pooled_told(key, found)))
            continue
        if len(habits) == 2:
            between = apart[key]
            told_by_own = key == "regret_public" and habits[0].figures["regret"]
            if not isinstance(between, EstimateResult) or told_by_own:
                continue
            sure = not between.ci_low <= 0 <= between.ci_high
            board = Board(habits[0].facts.history)
            verdict = "more than chance" if sure else "that may be chance"
            text = f"{_apart_told(key, between, board, habits)}: {verdict}."
            told.append((figure.title, text if between.value else "no difference."))
    return told


def _apart_told(
    key: str, found: EstimateResult, board: Board, habits: Sequence[Habits]
) -> str:
    """Return which of two lies above the other, by how much, and how sure that is."""
    over, under = habits[1].short_name, habits[0].short_name
    ends = found.value, found.ci_low, found.ci_high
    if found.value < 0:
        over, under = under, over
        ends = -found.value, -found.ci_high, -found.ci_low
    unit = FIGURES[key].unit
    value, low, high = (
        f"{100 * part:z.0f}"
        if unit == "share"
        else ("-" * (part < 0) + board.amount(part))
        if unit == "score"
        else f"{part:z.2f}"
        for part in ends
    )
    points = " points" if unit == "share" else ""
    return f"{over} lies {value}{points} above {under} (95%: {low} to {high})"


def _pooled_told(key: str, found: PooledResult) -> str:
    text = figure_told(key, found)
    count = plural(found.n_histories, "history", "histories")
    unit = ""
    if FIGURES[key].unit == "score":
        unit = ", in standard errors (se) of one public score"
    spread = ""
    if found.spread > 0:
        size = (
            f"{100 * found.spread:.0f} points"
            if FIGURES[key].unit == "share"
            else format_number(found.spread, digits=2)
        )
        spread = f"; from history to history it varies by {size}"
    return f"{text} over {count}{unit}{spread}."


def history_told(item: Habits) -> str:
    """Return what a history is: its name, its competition, how many submissions."""
    competition = item.facts.history.competition
    parts = [
        clean_text(competition.slug or ""),
        clean_text(competition.metric or ""),
        plural(len(item.facts.steps), "submission"),
        f"level {item.facts.level}",
    ]
    return f"{item.short_name}: {', '.join(part for part in parts if part)}"
