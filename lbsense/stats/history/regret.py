"""What a rule of selection would have scored in the end, and what it lost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from lbsense._result import Result
from lbsense._typing import ArrayLike, FloatArray
from lbsense._validation import as_float_vector, check_same_length
from lbsense.stats.picks import usual_rules

__all__ = ["RuleOutcome", "rule_outcomes"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleOutcome(Result):
    """What one way to select would have scored.

    Attributes
    ----------
    rule : str
        How the submissions were chosen.
    positions : tuple of int
        The submissions, one or two or as many as were selected.
    score : float
        Private score of the best of them, larger is better.
    regret : float
        Best private score of all submissions minus that.
    regret_se : float
        Standard error of that difference by the luck of the private rows; nan where the
        noise is not known. The best of many is partly lucky, so that a regret of one or
        two of these is no mistake.
    """

    rule: str
    positions: tuple[int, ...]
    score: float
    regret: float
    regret_se: float


def rule_outcomes(
    private: ArrayLike,
    *,
    public: ArrayLike,
    cv: ArrayLike,
    chosen: Mapping[str, Sequence[int]],
    noise_cov: ArrayLike | None = None,
) -> tuple[RuleOutcome, ...]:
    """Return what the usual rules and given choices would have scored.

    Parameters
    ----------
    private, public, cv : array_like of shape (k,)
        Scores in time order, larger is better, nan where missing. Submissions without a
        private score are no candidates.
    chosen : mapping of str to sequence of int
        Further choices by name, such as the submissions that were selected: told as
        they are, without those that have no private score.
    noise_cov : array_like of shape (k, k), optional
        Covariance of the noise of private scores.

    Returns
    -------
    tuple of RuleOutcome
        Given choices first, then rules for one submission, then rules for two; without
        rules that cannot be followed.

    Raises
    ------
    ValueError
        If shapes disagree or there is no private score.

    Examples
    --------
    >>> outcomes = rule_outcomes(
    ...     [0.70, 0.73, 0.71], public=[0.70, 0.71, 0.74], cv=[0.6, 0.7, 0.65],
    ...     chosen={},
    ... )
    >>> [(item.rule, round(item.regret, 3)) for item in outcomes][:2]
    [('best public', 0.02), ('best CV', 0.0)]
    """
    final = as_float_vector(private, name="private")
    shown = as_float_vector(public, name="public")
    validated = as_float_vector(cv, name="cv")
    check_same_length(private=final, public=shown, cv=validated)
    known = np.isfinite(final)
    if not known.any():
        msg = "private must hold at least one number, got none."
        raise ValueError(msg)
    best = int(np.nanargmax(final))
    noise = None if noise_cov is None else np.asarray(noise_cov, dtype=np.float64)

    def outcome(rule: str, positions: Sequence[int]) -> RuleOutcome:
        kept = tuple(int(index) for index in positions if known[index])
        reached = max(kept, key=lambda index: final[index])
        return RuleOutcome(
            rule=rule,
            positions=kept,
            score=float(final[reached]),
            regret=float(final[best] - final[reached]),
            regret_se=_difference_se(noise, best, reached),
        )

    rules: dict[str, Sequence[int]] = {
        name: positions
        for name, positions in chosen.items()
        if any(known[index] for index in positions)
    }
    shown, validated = (
        np.where(known, shown, np.nan),
        np.where(known, validated, np.nan),
    )
    for name, scores in (("best public", shown), ("best CV", validated)):
        if np.isfinite(scores).any():
            rules[name] = (int(np.nanargmax(scores)),)
    place = np.flatnonzero(known)
    pairs = usual_rules(shown[known], validated[known])
    rules |= {name: [int(place[i]) for i in pair] for name, pair in pairs.items()}
    return tuple(outcome(name, positions) for name, positions in rules.items())


def _difference_se(noise: FloatArray | None, first: int, second: int) -> float:
    if noise is None:
        return float("nan")
    square = noise[first, first] + noise[second, second] - 2 * noise[first, second]
    return float(np.sqrt(max(square, 0.0)))
