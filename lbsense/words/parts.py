"""What sentences share: how scores and numbers are said, and what is missing."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

from lbsense._format import decimals_shown, format_number, shorten
from lbsense._result import Caveat, Missing, Result
from lbsense.facts import Facts, Step
from lbsense.model import History
from lbsense.stats import EstimateResult, PooledResult

#: Who reads: a user of Python, a user of the terminal, or anyone who has a page.
Reader: TypeAlias = Literal["python", "terminal", "page"]


class _Need(NamedTuple):
    """One need as a page says it, and where Python and the shell have a name for it."""

    page: str
    python: str = ""
    terminal: str = ""
    brief: str = ""  # on a line of a terminal that names several

    def to(self, reader: Reader) -> str:
        return getattr(self, reader) or self.page


#: Need by its name. An empty text is one that the reason of a result says already.
NEEDS: Mapping[str, _Need] = {
    "metric": _Need("the metric", terminal="--metric"),
    "test_size": _Need("the number of test rows", "test_size", "--test-size"),
    "public_fraction": _Need(
        "the share of them that is public", "public_fraction", "--public-fraction"
    ),
    "train_size": _Need("the number of training rows", "train_size", "--train-size"),
    "direction": _Need(
        "the metric, or whether higher or lower is better",
        "the metric (metric='roc_auc'), or greater_is_better=True or False",
        "the metric (--metric roc_auc), or --higher-is-better or --lower-is-better",
        brief="--metric",
    ),
    "cv": _Need("CV scores"),
    "cv_usable": _Need(
        "CV scores that follow the leaderboard", brief="CV that follows the board"
    ),
    "cv_pairs": _Need("CV scores for at least 5 steps", brief="CV of 5 steps"),
    "cv_direction": _Need(
        "the direction of the CV metric where it does",
        "cv_greater_is_better where it does",
        "--cv-better where it does",
    ),
    "predictions": _Need("predictions"),
    "oof": _Need(
        "out-of-fold predictions",
        "out-of-fold predictions (analyze(history, predictions))",
        "out-of-fold predictions (--predictions)",
        brief="--predictions",
    ),
    "ledger": _Need("a ledger of what was tried and why", terminal="--ledger"),
    "expectations": _Need("the gain that you expect, for at least 3 steps"),
    "private": _Need(""),
    "fewer_submissions": _Need(""),
}
#: What is given in one go.
_TOGETHER = ("metric", "test_size", "public_fraction", "train_size")


def asked(need: Iterable[str], reader: Reader) -> list[str]:
    """Return what to ask for, a few words each."""
    words = (NEEDS[name].to(reader) for name in need)
    return [text for text in words if text]


def briefly(need: Iterable[str]) -> list[str]:
    """Return what to ask for in a terminal in the fewest words."""
    return [NEEDS[name].brief or NEEDS[name].to("terminal") for name in need]


def listed(names: Sequence[str]) -> str:
    """Return names as people list them."""
    return " and ".join([", ".join(names[:-1]), names[-1]] if names[1:] else names)


def ask(need: Iterable[str], reader: Reader) -> str:
    """Return what to ask for as one list: all of the facts, or one of the rest."""
    names = tuple(need)
    facts = asked((name for name in names if name in _TOGETHER), reader)
    rest = " or ".join(asked((n for n in names if n not in _TOGETHER), reader))
    if rest:
        return ", ".join([*facts, f"or {rest}"]) if facts else rest
    return listed(facts)


def asked_in_order(need: Iterable[str], reader: Reader) -> list[str]:
    """Return what to ask for in the order given, facts given in one go together."""
    groups: list[list[str]] = []
    for name in need:
        if groups and name in _TOGETHER and groups[-1][-1] in _TOGETHER:
            groups[-1].append(name)
        else:
            groups.append([name])
    return [ask(group, reader) for group in groups]


def tell(missing: Missing | Caveat, reader: Reader) -> str:
    """Return why a result is missing or weak, and what would help."""
    wanted = ask(missing.need, reader)
    is_whole = missing.reason.endswith((".", "?"))
    if not wanted:
        return missing.reason if is_whole else f"{missing.reason}."
    if is_whole:
        return f"{missing.reason} Give {wanted}."
    return f"{missing.reason}: give {wanted}."


def why(result: object, reader: Reader, otherwise: str = "") -> str:
    """Return why a result is missing; ``otherwise`` where it is there."""
    return tell(result, reader) if isinstance(result, Missing) else otherwise


#: Standard errors within which chance keeps 95 of 100 differences.
TO_95 = 1.96
_RISING = ("rose", "fell")
_EITHER = ("improved", "got worse")  # also where less is better
_DIGITS = 2
_SCORE_DIGITS = 5


class Board:
    """How the scores of one leaderboard are said.

    Parameters
    ----------
    history : History
        Whose scores they are.

    Attributes
    ----------
    sign : int
        What orients a raw score; 1 where the direction is not known.
    decimals : int
        That the board shows.
    rose : str
        What a score does that gets better.
    """

    __slots__ = (
        "_cv", "_cv_decimals", "_cv_scores", "_cv_sign", "_public", "decimals", "rose",
        "sign",
    )  # fmt: skip

    def __init__(self, history: History) -> None:
        competition = history.competition
        known = competition.greater_is_better is not None
        self.sign = competition.direction() if known else 1
        self.decimals = competition.display_decimals or decimals_shown(
            item.public_score for item in history if item.public_score is not None
        )
        self._public = _RISING if competition.greater_is_better else _EITHER
        self._cv_sign = competition.cv_direction() if known else 1
        self._cv = _RISING if known and self._cv_sign > 0 else _EITHER
        self._cv_scores = {item.submission_id: item.cv_score for item in history}
        self._cv_decimals = decimals_shown(
            score for score in self._cv_scores.values() if score is not None
        )
        self.rose = self._public[0]

    def score(self, value: float | None) -> str:
        """Return a raw score as people quote it."""
        return format_number(value, digits=_SCORE_DIGITS)

    def band(self, low: float, high: float) -> str:
        """Return a range of raw scores, in two digits of its half width."""
        half = (high - low) / 2
        if not 0 < half < math.inf:
            return f"{self.score(low)} to {self.score(high)}"
        decimals = self._decimals(half)
        return f"{low:z.{decimals}f} to {high:z.{decimals}f}"

    def amount(
        self, value: float | None, *, like: float | None = None, most: int | None = None
    ) -> str:
        """Return the size of a difference, in two digits and none that no board shows.

        Parameters
        ----------
        value : float or None
            The difference; its sign is left out.
        like : float or None
            A difference whose decimals it gets.
        most : int or None
            Decimals that are shown where it is of other scores than those of the board.
        """
        if value is None or math.isnan(value):
            return "-"
        decimals = self._decimals(abs(like or value), most)
        least = 10.0**-decimals
        if 0 < abs(value) < least / 2 and like is None:
            return f"less than {least:.{decimals}f}"
        return f"{abs(value):,.{decimals}f}"

    def cost(self, value: float) -> str:
        """Return what a choice costs: nothing where it is less than nothing."""
        return self.amount(value).replace("less than ", "<") if value > 0 else "0"

    def gain(self, value: float | None) -> str:
        """Return a difference with its sign; more is better."""
        told = self.amount(value)
        if not value or math.isnan(value) or not told[0].isdigit():
            return "0" if value is not None and not math.isnan(value) else "-"
        return f"{'+' if value > 0 else '-'}{told}"

    def moved(self, gain: float) -> str:
        """Return by how much a public score got better or worse, in words."""
        if not gain:
            return "stayed the same"
        return f"{self._public[gain < 0]} by {self.amount(gain)}"

    def cv_moved(self, step: Step) -> str:
        """Return the same of CV, as the two scores show it where they tell the gain.

        The gain of a step is on the scale of the public score, and of several CV scores
        it may be one that is not shown.
        """
        gain, told = step.cv_gain or 0.0, self._cv_scores
        own, other = told.get(step.submission_id), told.get(step.reference_id or "")
        shown = math.nan
        if own is not None and other is not None:
            shown = self._cv_sign * (own - other)
        if shown * gain > 0 or shown == gain == 0:
            size = self.amount(shown, most=self._cv_decimals)
        elif gain:
            size = f"{self.amount(gain)} on the scale of the public score"
        if not gain:
            return "stayed the same"
        return f"{self._cv[gain < 0]} by {size}"

    def is_nothing(self, value: float) -> bool:
        """Whether a difference is too small for the board to show."""
        return self.amount(value).startswith("less") or not value

    def _decimals(self, size: float, most: int | None = None) -> int:
        """Return the decimals of two digits, at most those of the board."""
        most = self.decimals if most is None else most
        if not size > 0:
            return min(most, 3)
        wanted = _DIGITS - 1 - math.floor(math.log10(float(f"{size:.{_DIGITS - 1}e}")))
        return max(0, min(wanted, most) if most else wanted)


_WIDTH = 24  # characters of the name of a history


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
    ends = found.value, found.ci_low, found.ci_high
    value, low, high = (in_unit(key, part, board, "+") for part in ends)
    unit = " points" if FIGURES[key].unit == "share" else ""
    if found.ci_low == found.ci_high:
        return f"{value.lstrip('+')}{unit}"
    return f"{value}{unit} ({low} to {high})"


def in_unit(key: str, value: float, board: Board, plus: str = "") -> str:
    """Return a difference in the unit of what is compared, plus a plus if wanted."""
    match FIGURES[key].unit:
        case "share":
            return f"{100 * value:{plus}z.0f}"
        case "correlation":
            return f"{value:{plus}z.2f}"
        case _ if plus:
            return board.gain(value)
    return f"{'-' * (value < 0)}{board.amount(value)}"


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
