"""Which candidate to send first, and what would settle which of two is better."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.special import ndtr

from lbsense._result import Result
from lbsense._validation import check_kind
from lbsense.analysis.evidence import CV_EXCESS
from lbsense.analysis.gate import gate
from lbsense.facts import Facts, GateResult
from lbsense.stats import (
    SettleKind,
    SettleResult,
    SettleWay,
    needed_to_settle,
    p_settled,
    repeated_noise,
)

_SURE = 0.95
#: Share of the noise of a CV difference that its rows make, where sizes do not tell.
_BY_ROWS = math.exp(-CV_EXCESS[0])
_LEAST_REFIT = 0.05  # share that refits make at least


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanResult(Result):
    """Which of several candidates to send first, and what settles two of them.

    Attributes
    ----------
    names : tuple of str
        The candidates, the one that is worth most first.
    gates : tuple of GateResult
        What is known of each.
    n_left : int or None
        Submissions left.
    settle : SettleResult or None
        What was asked about two.
    """

    names: tuple[str, ...]
    gates: tuple[GateResult, ...]
    n_left: int | None = None
    settle: SettleResult | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the candidates in their order, and what settles the two."""
        return {
            "schema": 1,
            "n_left": self.n_left,
            "candidates": [
                {"name": name, **gate.to_dict()}
                for name, gate in zip(self.names, self.gates, strict=True)
            ],
            "settle": None if self.settle is None else self.settle.to_dict(),
        }


def plan(
    analysis: Facts,
    candidates: Mapping[str, float] | None = None,
    *,
    parents: Mapping[str, str] | None = None,
    settle: tuple[str, str] | None = None,
    n_left: int | None = None,
    at_least: float = 0.5,
) -> PlanResult:
    """Return which candidates are worth a submission, the one worth most first.

    Parameters
    ----------
    analysis : Analysis
        Of the history so far, as `analyze` or `footing` gives it.
    candidates : mapping of str to float, optional
        Name to CV score, raw. By default the rows of the history that have a CV score
        and no public one, and did not fail.
    parents : mapping of str to str, optional
        Candidate to the submission that it was made from, where it is not the one that
        `gate` finds.
    settle : tuple of str, optional
        Two submissions or candidates: what would settle which is better?
    n_left : int, optional
        Submissions left.
    at_least : float
        As in `gate`.

    Returns
    -------
    PlanResult

    Raises
    ------
    ValueError
        If a score is not finite, or a name that is to be settled is of no candidate and
        no submission whose level is known.

    See Also
    --------
    lbsense.stats.value_of_look : What a submission is worth.
    lbsense.stats.needed_to_settle : How many repetitions settle it.

    Notes
    -----
    The order is that of ``value``: the expected true gain of who submits the candidate
    and then takes it or the best submission, whichever looks better. A sure small gain
    and a bold one are so put on one scale; values of several do not add up.

    The CV noise of a difference is taken apart: rows ``r`` (the noise of the public
    step times public over training rows) and refits ``f`` (the rest, 5% at least). With
    ``k`` more seeds of both the noise is ``r + f / (k + 1)``, with ``c`` times the rows
    ``r / c + f``; a public score of both adds a look with the noise of a public step.
    What CV says already stays, so that only what is added counts.

    Examples
    --------
    >>> from lbsense.analysis import analyze
    >>> from lbsense.simulate import Scenario, simulate
    >>> simulated = simulate(
    ...     Scenario(n_submissions=30, step_size=0.1, policy="both"), rng=1
    ... )
    >>> analysis = analyze(simulated.history)
    >>> best = max(item.cv_score for item in simulated.history)
    >>> found = plan(analysis, {"bold": best + 0.01, "shy": best - 0.01})
    >>> found.names, [gate.decision for gate in found.gates]
    (('bold', 'shy'), ['spend', 'keep'])
    """
    check_kind(analysis, Facts, name="analysis")
    made_from = dict(parents or {})
    if candidates is None:
        candidates, declared = _pending(analysis)
        made_from = declared | made_from
    gates = {
        name: gate(
            analysis,
            score,
            parent=made_from.get(name),
            at_least=at_least,
            n_left=n_left,
        )
        for name, score in candidates.items()
    }
    order = sorted(gates, key=lambda name: -_worth(gates[name]))
    asked = None
    if settle is not None:
        asked = _settled(analysis, candidates, made_from, *settle)
    return PlanResult(
        names=tuple(order),
        gates=tuple(gates[name] for name in order),
        n_left=n_left,
        settle=asked,
    )


def _worth(result: GateResult) -> float:
    """Return what a candidate is ordered by; what is not known comes last."""
    for value in (result.value, result.gain):
        if math.isfinite(value):
            return value
    return -math.inf


def _pending(analysis: Facts) -> tuple[dict[str, float], dict[str, str]]:
    """Return CV scores and declared parents of what the history holds unscored."""
    scored = {
        item.submission_id for item in analysis.history if item.public_score is not None
    }
    scores: dict[str, float] = {}
    parents: dict[str, str] = {}
    for item in analysis.history:
        if (
            item.cv_score is None
            or item.public_score is not None
            or item.status == "error"
        ):
            continue
        scores[item.submission_id] = item.cv_score
        if item.parent_id in scored and item.parent_id is not None:
            parents[item.submission_id] = item.parent_id
    return scores, parents


def _settled(
    analysis: Facts,
    candidates: Mapping[str, float],
    parents: Mapping[str, str],
    first: str,
    second: str,
) -> SettleResult:
    """Return what would settle which of two is better."""
    levels = analysis.levels
    places = {step.submission_id: index for index, step in enumerate(analysis.steps)}
    for name in (first, second):
        known = name in candidates or (
            levels and name in places and math.isfinite(levels.mean[places[name]])
        )
        if not known:
            msg = (
                f"{name!r} is no candidate and no submission whose true score can be "
                "told."
            )
            raise ValueError(msg)

    def over(name: str, against: str | None) -> GateResult:
        """Return what is known of a candidate against a submission, or the best one."""
        parent = parents.get(name)
        found = gate(analysis, candidates[name], parent=parent, against=against)
        if found.missing is not None:
            msg = f"Nothing can be told of {name!r}: {found.reason}"
            raise ValueError(msg)
        return found

    asked = [name for name in (first, second) if name in candidates]
    if levels and not asked:
        a, b = places[first], places[second]
        sign = analysis.history.competition.direction()
        gain = sign * float(levels.mean[a] - levels.mean[b])
        se = math.sqrt(levels.spread.apart(a, b))
    elif len(asked) == 1:
        one = over(asked[0], second if asked[0] == first else first)
        gain = one.gain if asked[0] == first else -one.gain
        se = one.gain_se
    else:
        # Both over one submission: what that one is worth drops out of the difference.
        base = over(first, None).parent_id
        one, two = over(first, base), over(second, base)
        gain, se = one.gain - two.gain, math.hypot(one.gain_se, two.gain_se)
    sd = max(se, 1e-300)
    p_first = float(ndtr(gain / sd))
    return SettleResult(
        first=first,
        second=second,
        gain=gain,
        gain_se=se,
        p_first=p_first,
        settled=max(p_first, 1 - p_first) >= _SURE,
        ways=tuple(_ways(analysis, gain, sd, shown=not asked)),
    )


def _ways(
    analysis: Facts, mean: float, sd: float, *, shown: bool
) -> Iterator[SettleWay]:
    """Yield seeds, rows, and submissions if not yet shown, with what each takes."""
    competition, posterior = analysis.history.competition, analysis.posterior
    public_var = cv_var = math.nan
    if posterior:
        public_var = float(np.nanmedian(posterior.public_se)) ** 2
        known = np.isfinite(posterior.cv_se).any()
        cv_var = float(np.nanmedian(posterior.cv_se)) ** 2 if known else public_var

    def way(
        kind: SettleKind, noise_se: Callable[[float], float], one: int
    ) -> SettleWay:
        needed = needed_to_settle(mean, sd, noise_se)
        chance = p_settled(mean, sd, noise_se(one))
        return SettleWay(kind=kind, needed=needed, chance=chance)

    if math.isfinite(cv_var) and cv_var > 0:
        n_train, n_public = competition.train_size, competition.n_public
        rows = cv_var * _BY_ROWS
        if n_train and n_public and math.isfinite(public_var):
            rows = public_var * n_public / n_train
        rows = min(rows, (1 - _LEAST_REFIT) * cv_var)
        refit = cv_var - rows
        yield way(
            "seeds", lambda k: repeated_noise(cv_var, rows + refit / (k + 1)), one=1
        )
        if n_train:
            found = way(
                "rows",
                lambda n: repeated_noise(
                    cv_var, rows * n_train / (n_train + n) + refit
                ),
                one=n_train,
            )
            total = None if found.needed is None else n_train + found.needed
            yield replace(found, needed=total)
    if not shown and math.isfinite(public_var) and public_var > 0:
        # Every further submission of the same two shares the rows of the first.
        share = cv_var - public_var if math.isfinite(cv_var) else 0.0
        rerun = max(min(share, public_var / 2), _LEAST_REFIT * public_var)
        yield way(
            "submissions", lambda k: math.sqrt(public_var - rerun + rerun / k), one=1
        )
