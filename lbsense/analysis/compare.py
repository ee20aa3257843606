"""Two or more histories side by side, and what somebody's habits are over all."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from lbsense._format import shorten
from lbsense._painter import painted
from lbsense._result import (
    Missing,
    Result,
    fragment,
    listing,
    paragraph,
    plain,
    table,
)
from lbsense._validation import check_kind
from lbsense.analysis.analyze import analyze
from lbsense.analysis.result import Analysis
from lbsense.facts import DEFAULT_RULE, SELECTED
from lbsense.model import History
from lbsense.stats import (
    EstimateResult,
    PooledResult,
    RuleOutcome,
    count_estimate,
    count_of,
    estimate_difference,
    pooled_estimate,
    share_estimate,
)
from lbsense.words import (
    FIGURES,
    Board,
    Habits,
    Reader,
    compare_entries,
    compare_headline,
    difference_told,
    figure_told,
    history_told,
    reasons,
)

if TYPE_CHECKING:
    import pandas as pd

COMPARE_SCHEMA = 1
_TO_95 = 1.96
_JUDGED = ("progress", "guess", "chasing", "setback")
_ENDS = {"share": (0.0, 1.0), "correlation": (-1.0, 1.0)}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Comparison(Result):
    """Histories side by side.

    Attributes
    ----------
    habits : tuple of Habits
        Each history in the numbers that are compared, in the order given.
    pooled : mapping of str to PooledResult or Missing
        The same of all histories together, each of which counts once; numbers in
        score units in standard errors of one public score.
    portfolio : bool
        Whether all histories are one person's, so that the pooled numbers are habits.
    """

    habits: tuple[Habits, ...]
    pooled: Mapping[str, PooledResult | Missing]
    portfolio: bool

    @property
    def headline(self) -> str:
        """The answer in one sentence."""
        return compare_headline(
            self.habits, self.pooled, self._apart(), portfolio=self.portfolio
        )

    def difference(
        self, figure: str, one: int = 1, other: int = 0
    ) -> EstimateResult | Missing:
        """Return a number of one history minus that of another, by their positions.

        Of a history and itself it is 0 without an interval.
        """
        first, second = self.habits[one], self.habits[other]
        found, against = first.figures[figure], second.figures[figure]
        for item in (found, against):
            if isinstance(item, Missing):
                return item
        assert isinstance(found, EstimateResult)
        assert isinstance(against, EstimateResult)
        if FIGURES[figure].unit == "score" and not _one_metric(first, second):
            return Missing(
                figure, "Scores of two metrics, or of unknown ones, have no difference."
            )
        if first.facts.history == second.facts.history:
            return replace(found, value=0.0, ci_low=0.0, ci_high=0.0)
        return estimate_difference(found, against)

    def _apart(self) -> dict[str, EstimateResult | Missing]:
        if len(self.habits) != 2:
            return {}
        return {figure: self.difference(figure) for figure in FIGURES}

    def entries(self) -> list[tuple[str, str]]:
        """Return what the comparison says: a heading and a sentence each."""
        return compare_entries(
            self.habits, self.pooled, self._apart(), portfolio=self.portfolio
        )

    def reasons(self, reader: Reader = "page") -> list[str]:
        """Return why numbers are missing, and what would supply them."""
        return reasons(self.habits, self.pooled if self.portfolio else {}, reader)

    def rows(self) -> tuple[list[str], list[list[str]]]:
        """Return the table: headings, and a row for every number with its interval."""
        headings = ["95% intervals", *(item.short_name for item in self.habits)]
        two = len(self.habits) == 2 and not self.portfolio
        headings += ["difference"] * two + ["all together"] * self.portfolio
        boards = [Board(item.facts.history) for item in self.habits]
        counts = ["Submissions", *(str(len(i.facts.steps)) for i in self.habits)]
        body = [counts + ["-"] * (two or self.portfolio)]
        for key, figure in FIGURES.items():
            if not any(item.figures[key] for item in self.habits):
                continue
            cells = [figure.title]
            cells += [
                figure_told(key, item.figures[key], board)
                for item, board in zip(self.habits, boards, strict=True)
            ]
            if two:
                cells.append(difference_told(key, self.difference(key), boards[0]))
            elif self.portfolio:
                cells.append(figure_told(key, self.pooled[key]))
            body.append(cells)
        return headings, body

    def to_dict(self) -> dict[str, Any]:
        """Return all numbers as ``json.dumps`` takes them."""
        pairs = [
            (one, other) for one in range(len(self.habits)) for other in range(one)
        ]
        return {
            "schema": COMPARE_SCHEMA,
            "headline": self.headline,
            "portfolio": self.portfolio,
            "histories": [
                {
                    "name": item.name,
                    "competition": item.facts.history.competition.to_dict(),
                    "n_submissions": len(item.facts.steps),
                    "level": item.facts.level,
                    "figures": {k: _shown(v) for k, v in item.figures.items()},
                }
                for item in self.habits
            ],
            "differences": [
                {
                    "of": self.habits[one].name,
                    "against": self.habits[other].name,
                    "figures": {
                        k: _shown(self.difference(k, one, other)) for k in FIGURES
                    },
                }
                for one, other in pairs
            ],
            "pooled": {k: _shown(found) for k, found in self.pooled.items()},
        }

    def to_frame(self) -> pd.DataFrame:
        """Return one row for every history and number."""
        import pandas as pd

        return pd.DataFrame(
            [
                {"history": item.name, "figure": key, **_shown(found)}
                for item in self.habits
                for key, found in item.figures.items()
            ]
        )

    def __str__(self) -> str:
        headings, body = self.rows()
        shown = [headings, *body]
        widths = [max(map(len, column)) for column in zip(*shown, strict=True)]
        lines = [
            "  ".join(
                f"{cell:{'>' if at else '<'}{width}}"
                for at, (cell, width) in enumerate(zip(row, widths, strict=True))
            ).rstrip()
            for row in shown
        ]
        told = [f"{name}: {text}" for name, text in self.entries()]
        parts = [[self.headline], lines, told, self.reasons()]
        return "\n\n".join("\n".join(part) for part in parts if part)

    def _repr_html_(self) -> str:
        headings, rows = self.rows()
        return fragment(
            paragraph(self.headline, strong=True),
            painted(self),
            table(headings, rows, numeric=range(1, len(headings))),
            listing([f"{name}: {text}" for name, text in self.entries()]),
            listing(self.reasons()),
        )

    def told(self) -> list[str]:
        """Return what each history is."""
        return [history_told(item) for item in self.habits]


def compare(
    *histories: History | Analysis | Mapping[str, History | Analysis],
    names: Sequence[str] | None = None,
    portfolio: bool = False,
) -> Comparison:
    """Return two or more histories side by side, each number with its interval.

    Parameters
    ----------
    *histories : History or Analysis, or one mapping of name to these
        Such as those of two people in one competition, of an agent and a person, or of
        one person in several competitions.
    names : sequence of str, optional
        What each is called; by default A, B, C.
    portfolio : bool
        Whether all are one person's: the numbers of all together are then habits.

    Returns
    -------
    Comparison
        Shares of real gains and of guesses, gain per submission, luck in the climb,
        agreement of CV and board, regret of what was selected.

    Raises
    ------
    TypeError
        If something is neither a history nor an analysis.
    ValueError
        If there are fewer than two, or not as many different names.

    Notes
    -----
    Intervals of a difference take both histories for independent. Two teams on one
    public set share some of their luck: the interval is then rather too wide.

    See Also
    --------
    analyze : One history.

    Examples
    --------
    >>> import lbsense as lb
    >>> from lbsense.simulate import Scenario, simulate
    >>> one, two = (simulate(Scenario(n_submissions=12), rng=r).history for r in (1, 2))
    >>> lb.compare(one, one).difference("guesses").value
    0.0
    >>> len(lb.compare({"ann": one, "bob": two}).habits)
    2
    """
    given: Sequence[Any] = histories
    if len(histories) == 1 and isinstance(histories[0], Mapping):
        names = [*histories[0]] if names is None else names
        given = [*histories[0].values()]
    for item in given:
        if not isinstance(item, Analysis):
            check_kind(item, History, name="histories")
    if len(given) < 2:
        msg = f"compare needs two histories or more, got {len(given)}."
        raise ValueError(msg)
    called = [str(n) for n in (_letters(len(given)) if names is None else names)]
    if len(called) != len(given) or len(set(called)) != len(called):
        msg = (
            f"names must be {len(given)} different ones, one for each history; got "
            f"{shorten(', '.join(called), 80)}."
        )
        raise ValueError(msg)
    habits = tuple(
        _habits(name, item if isinstance(item, Analysis) else analyze(item))
        for name, item in zip(called, given, strict=True)
    )
    return Comparison(
        habits=habits,
        pooled={key: _pooled(key, habits) for key in FIGURES},
        portfolio=portfolio,
    )


def _letters(count: int) -> Iterator[str]:
    for at in range(count):
        yield chr(ord("A") + at) if count <= 26 else f"#{at + 1}"


def _habits(name: str, analysis: Analysis) -> Habits:
    if analysis.history.competition.greater_is_better is None:
        return Habits(
            name=name,
            facts=analysis,
            figures={key: _lacks(analysis.posterior, key, "") for key in FIGURES},
        )
    figures = {
        "progress": _progress(analysis),
        "gain": _gain(analysis),
        "guesses": _guesses(analysis),
        "luck": _luck(analysis),
        "agreement": _agreement(analysis),
        **_regrets(analysis),
        "learned": _learned(analysis),
    }
    return Habits(name=name, facts=analysis, figures=figures)


def _lacks(result: object, key: str, otherwise: str) -> Missing:
    """Return why a result is missing under the name of what needed it."""
    if isinstance(result, Missing):
        return replace(result, field=key)
    return Missing(key, otherwise)


def _judged(analysis: Analysis) -> list[Any]:
    return [step for step in analysis.steps if step.verdict in _JUDGED]


def _progress(analysis: Analysis) -> EstimateResult | Missing:
    chances = [
        step.p_gain if step.hindsight_p_gain is None else step.hindsight_p_gain
        for step in _judged(analysis)
    ]
    found = count_estimate(count_of([p for p in chances if p is not None]))
    return found or _lacks(analysis.posterior, "progress", "No step can be judged.")


def _guesses(analysis: Analysis) -> EstimateResult | Missing:
    steps = _judged(analysis)
    if not steps:
        return _lacks(analysis.posterior, "guesses", "No step can be judged.")
    return share_estimate(sum(s.verdict == "guess" for s in steps), len(steps))


def _gain(analysis: Analysis) -> EstimateResult | Missing:
    luck = analysis.luck
    n_steps = sum(s.public_score is not None for s in analysis.steps) - 1
    if not luck or not math.isfinite(luck.true_climb) or n_steps < 1:
        return _lacks(luck, "gain", "There is no second score.")
    return _normal(luck.true_climb / n_steps, luck.true_climb_se / n_steps, n_steps)


def _luck(analysis: Analysis) -> EstimateResult | Missing:
    luck = analysis.luck
    if not luck or not math.isfinite(luck.climb_share):
        return _lacks(luck, "luck", "The public score did not climb.")
    half = _TO_95 * luck.true_climb_se
    low, high = (
        min(max(1 - (luck.true_climb + side * half) / luck.public_climb, 0.0), 1.0)
        for side in (1, -1)
    )
    return EstimateResult(
        value=luck.climb_share, ci_low=low, ci_high=high, n_obs=len(analysis.steps)
    )


def _agreement(analysis: Analysis) -> EstimateResult | Missing:
    found = analysis.agreement
    if not found or not math.isfinite(found.statistic):
        return _lacks(found, "agreement", "Too few steps have both gains.")
    if not found.testable:
        return Missing("agreement", found.reason)
    return EstimateResult(
        value=found.statistic,
        ci_low=found.ci_low if math.isfinite(found.ci_low) else -1.0,
        ci_high=found.ci_high if math.isfinite(found.ci_high) else 1.0,
        n_obs=found.n_obs,
        confidence_level=found.confidence_level,
    )


def _regrets(analysis: Analysis) -> dict[str, EstimateResult | Missing]:
    """Return what was lost by the selection, by the default, and their difference."""
    found = analysis.retrospective
    unknown = "It is not known which submissions were selected."
    if not found:
        return {
            key: _lacks(found, key, unknown)
            for key in ("regret", "regret_public", "choice")
        }
    own, default = found.outcome_of(SELECTED), found.outcome_of(DEFAULT_RULE)
    regret = _regret("regret", own, found.n_obs, unknown)
    public = _regret("regret_public", default, found.n_obs, "No two public scores.")
    choice: EstimateResult | Missing = Missing("choice", unknown)
    if isinstance(regret, EstimateResult) and isinstance(public, EstimateResult):
        choice = estimate_difference(public, regret)
        if own and default and set(own.positions) == set(default.positions):
            choice = replace(choice, ci_low=0.0, ci_high=0.0)
    elif own:
        choice = _lacks(regret, "choice", "No two public scores.")
    return {"regret": regret, "regret_public": public, "choice": choice}


def _regret(
    key: str, rule: RuleOutcome | None, n_obs: int, otherwise: str
) -> EstimateResult | Missing:
    if rule is None:
        return Missing(key, otherwise)
    if not math.isfinite(rule.regret_se):
        return Missing(key, "The noise of private scores is not known", ("cv",))
    return _normal(rule.regret, rule.regret_se, n_obs)


def _learned(analysis: Analysis) -> EstimateResult | Missing:
    learning = analysis.learning
    found = count_estimate(learning.with_reason) if learning else None
    return found or _lacks(learning, "learned", "No step had a reason written before.")


def _normal(value: float, se: float, n_obs: int) -> EstimateResult:
    half = _TO_95 * se
    return EstimateResult(
        value=value, ci_low=value - half, ci_high=value + half, n_obs=n_obs
    )


def _one_metric(one: Habits, other: Habits) -> bool:
    a, b = one.facts.history.competition, other.facts.history.competition
    if a.greater_is_better != b.greater_is_better or a.greater_is_better is None:
        return False
    same_metric = a.metric is not None and a.metric == b.metric
    return same_metric or (a.slug is not None and a.slug == b.slug)


def _pooled(key: str, habits: Sequence[Habits]) -> PooledResult | Missing:
    unit, known = FIGURES[key].unit, []
    for item in habits:
        found = item.figures[key]
        if isinstance(found, Missing):
            continue
        if unit == "score":
            scale = item.facts.noise.score_se
            if not (math.isfinite(scale) and scale > 0):
                continue
            found = replace(
                found,
                value=found.value / scale,
                ci_low=found.ci_low / scale,
                ci_high=found.ci_high / scale,
            )
        known.append(found)
    low, high = _ENDS.get(unit, (-math.inf, math.inf))
    pooled = pooled_estimate(known, low=low, high=high)
    noise = " with a known noise of its public score" if unit == "score" else ""
    return pooled or Missing(
        key, f"Needs two histories that tell it{noise} (now {len(known)})."
    )


def _shown(found: EstimateResult | PooledResult | Missing) -> dict[str, Any]:
    """Return a number as JSON holds it; what is missing with its reason."""
    if isinstance(found, Missing):
        base: dict[str, Any] = {"value": None, "ci_low": None, "ci_high": None}
        return {**base, "n": None, "missing": found.reason}
    count = found.n_obs if isinstance(found, EstimateResult) else found.n_histories
    return {
        "value": plain(found.value),
        "ci_low": plain(found.ci_low),
        "ci_high": plain(found.ci_high),
        "n": count,
        "missing": None,
    }
