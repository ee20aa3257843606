"""What each submission is compared with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lbsense._format import plural
from lbsense._result import Caveat
from lbsense._typing import BoolArray, FloatArray, IntArray
from lbsense.model import History
from lbsense.stats import parent_odds

NO_REFERENCE = -1
_FEWEST_TO_INFER = 8  # submissions with both scores
_OUTLYING = 4.0  # typical gains from which one is cut before scales are compared
# Weights of CV in the sum, whose scale is known no better, and how common the habits
# are.
_WEIGHTS = (1.0, 0.7, 1.4)
_PUBLIC, _CV, _SUM, _LAST = 0.45, 0.2, 0.25, 0.1


@dataclass(frozen=True, slots=True)
class Parents:
    """What each submission is compared with, and how that was found.

    ``reference`` holds positions, -1 for none, ``odds`` the probability that each was
    made from it; ``owed`` is what the public and the CV score of a reference owe to
    having been chosen, where it may not be the parent. ``rule`` is "declared",
    "incumbent" or the policy that the scores speak for, which a caveat says.
    """

    reference: IntArray
    rule: str
    odds: FloatArray
    owed: FloatArray  # (2, n)
    caveat: Caveat | None = None

    @classmethod
    def sure(cls, reference: IntArray, rule: str) -> Parents:
        """Return references that are taken for parents."""
        n = len(reference)
        return cls(reference, rule, np.ones(n), np.zeros((2, n)))


def find_parents(
    history: History, public: FloatArray, cv: FloatArray | None, groups: IntArray
) -> Parents:
    """Return what each submission is compared with.

    That is for a repeat the first of its kind that has a score, or nothing where none
    has; else its declared parent, else the submission that the entrant was building
    on. With CV scores the history itself
    speaks for one of four habits: building on the best public score, the best CV
    score, the best sum of both, or the previous submission. Without, the best public
    score before it is taken.

    Parameters
    ----------
    history : History
        The submissions.
    public, cv : ndarray of shape (n_submissions,)
        Oriented scores, nan where missing; ``cv`` on any scale, None where it cannot be
        used.
    groups : ndarray of shape (n_submissions,)
        Labels of `lbsense.model.content_groups`.

    Notes
    -----
    The habit is taken that names most parents by `lbsense.stats.parent_odds`. Who
    builds on any earlier submission alike compares it with one that was chosen for its
    score. What that owes to luck is the share of noise in the spread of scores times
    its distance to their mean (regression to the mean; Efron and Morris 1977), and
    counts as far as nothing else was the parent.

    References
    ----------
    Efron, B., Morris, C. (1977). Stein's paradox in statistics. Scientific American
    236(5), 119-127. doi:10.1038/scientificamerican0577-119
    """
    declared = _declared(history, public)
    unnamed = (declared < 0) & np.isfinite(public)
    n_open = int(unnamed.sum()) - 1
    if n_open <= 0 or cv is None or np.isfinite(public + cv).sum() < _FEWEST_TO_INFER:
        simple = _built_on(public, declared, groups)
        return Parents.sure(simple, "declared" if n_open <= 0 else "incumbent")
    ratio = _spread_ratio(public, cv)
    scores = np.array([public, cv * ratio])
    keys = [
        ("best public", scores[0], _PUBLIC),
        ("best CV", scores[1] + 0 * public, _CV),
        ("the previous one", np.arange(len(public)) + 0 * public, _LAST),
    ]
    keys += [
        ("best sum of public and CV", public + w * scores[1], _SUM / len(_WEIGHTS))
        for w in _WEIGHTS
    ]
    trees = np.array([_built_on(key, declared, groups) for _, key, _ in keys])
    asked = unnamed & ~_repeats(groups)
    *odds, other = parent_odds(scores, trees, [share for *_, share in keys], asked)
    best = int(np.argmax(np.array(odds)[:, asked].sum(axis=1)))
    rule, reference = keys[best][0], trees[best]
    owed = other * _chosen_luck(scores, reference)
    named = int((declared >= 0).sum())
    sentence = (
        f"Compared with what the scores speak for: {rule} before it. "
        f"{plural(n_open, 'submission')} named no parent"
        + (f", {named} did." if named else "; say it ('from v12') where you can.")
    )
    return Parents(
        reference,
        rule,
        odds[best],
        np.array([owed, owed / ratio]),
        Caveat("parents", sentence),
    )


def _chosen_luck(scores: FloatArray, reference: IntArray) -> FloatArray:
    """Return what a reference owes to luck if it is one of many, the best of them."""
    level, apart = scores.mean(axis=0), scores[0] - scores[1]
    known = np.isfinite(level)
    spread = float(np.var(level[known]))
    # Half the difference of two scores has the noise of their mean.
    typical = np.median(np.abs(apart[known] - np.median(apart[known]))) / 0.6745 / 2
    share = min(1.0, float(typical**2) / spread) if spread > 0 else 0.0
    above = np.maximum(level[reference] - level[known].mean(), 0.0)
    return np.where((reference >= 0) & np.isfinite(above), share * above, 0.0)


def _repeats(groups: IntArray) -> BoolArray:
    """Return the submissions whose content came before."""
    again = groups >= 0
    again[np.unique(groups, return_index=True)[1]] = False
    return np.asarray(again)


def gains(scores: FloatArray, reference: IntArray) -> FloatArray:
    """Return every score less that of its reference, nan without one."""
    return np.where(reference >= 0, scores - scores[reference], np.nan)


def _declared(history: History, public: FloatArray) -> IntArray:
    index_of = {item.submission_id: index for index, item in enumerate(history)}
    parent = np.array(
        [index_of.get(item.parent_id or "", NO_REFERENCE) for item in history],
        dtype=np.int64,
    ).reshape(-1)
    own = np.arange(len(parent))
    usable = (parent >= 0) & (parent < own) & np.isfinite(public[parent])
    return np.where(usable, parent, NO_REFERENCE)


def _built_on(key: FloatArray, declared: IntArray, groups: IntArray) -> IntArray:
    """Return declared parents, first repeats, else the largest ``key`` before each."""
    found = declared.copy()
    first_of: dict[int, int] = {}
    incumbent = NO_REFERENCE
    for index, value in enumerate(key):
        group = int(groups[index])
        if group in first_of:
            found[index] = first_of[group]
        elif found[index] < 0:
            found[index] = incumbent
        if group >= 0:  # a repeat of what has no score has nothing to compare with
            first_of.setdefault(group, NO_REFERENCE)
        if not np.isfinite(value):
            continue
        if group >= 0 and first_of[group] < 0:
            first_of[group] = index
        if incumbent == NO_REFERENCE or value > key[incumbent]:
            incumbent = index
    return found


def _spread_ratio(public: FloatArray, cv: FloatArray) -> float:
    """Return what brings CV to the scale of the public score.

    Differences to the submission before tell it, whatever each was built on: a lucky
    one is in two of them and not, as a reference, in many.
    """
    both = np.isfinite(public + cv)
    steps = np.abs(np.diff([public[both], cv[both]], axis=1))
    typical = np.median(steps, axis=1, keepdims=True)
    if not (typical > 0).all():
        return 1.0
    size = np.square(np.minimum(steps, _OUTLYING * typical)).sum(axis=1)
    return float(np.sqrt(size[0] / size[1]))
