"""What a history shows before its noise is judged: references, CV on one scale, gains.

A submission is compared with what it was made from, which the scores themselves tell
where nobody said it; and every series and scheme of CV has a scale of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import numpy as np

from lbsense._format import plural, shorten
from lbsense._result import Caveat, Missing
from lbsense._typing import BoolArray, FloatArray, IntArray
from lbsense.analysis.predictions import Rows, rows_of
from lbsense.ingest import cv_schemes
from lbsense.model import History, Predictions
from lbsense.stats import (
    CvScaleResult,
    JoinedScales,
    join_scales,
    parent_odds,
    private_rows,
    rank_correlation,
    scheme_breaks,
    typical_step,
)

NO_REFERENCE = -1
_FEWEST_TO_INFER = 8  # submissions with both scores
_OUTLYING = 4.0  # typical gains from which one is cut before scales are compared
# Weights of CV in the sum, whose scale is known no better, and how common the habits
# are.
_WEIGHTS = (1.0, 0.7, 1.4)
_PUBLIC, _CV, _SUM, _LAST = 0.45, 0.2, 0.25, 0.1
FEWEST_PAIRS = 5  # gains of one step in two sources needed to learn their noise
_FEWEST_TO_COMPARE = 8  # pairs before CV is taken to point the other way
_CLOSE = 0.8  # rank correlation of levels that drift alone seldom gives
_LIKELIER = 0.4  # less than minus this, the sum of both correlations tells a sign
_OTHER_SCALE = 3.0  # ratio of typical scores that one scale hardly gives
_SAME = 1e-6  # of the largest gain: a difference that arithmetic makes
_MAIN = "CV"  # name of the first series where nothing gives another one
# Typical distances of CV and public gain that no noise makes, and what, of the larger
# gain, did not move with it (docs/calibration.md, "What was tried").
_BROKEN, _STILL = 12.0, 0.4
_FEWEST_TO_DOUBT = 8  # steps with both

Begin: TypeAlias = Literal["", "words", "scores"]

UNDIRECTED = Missing(
    "direction",
    "Not knowable which score is better: the file does not say it.",
    ("direction",),
)


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
    asked = unnamed & ~repeats(groups)
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


def repeats(groups: IntArray) -> BoolArray:
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


@dataclass(frozen=True, slots=True, eq=False)
class _Series:
    """Scores of one kind under one scheme, oriented; ``begin`` tells what says so."""

    name: str
    scheme: str
    level: FloatArray
    begin: Begin = ""
    sign: float = 1.0
    reason: str = ""

    @property
    def label(self) -> str:
        """Name and scheme in words."""
        return f"{self.name} ({self.scheme})" if self.scheme else self.name


@dataclass(frozen=True, slots=True, eq=False)
class Validation:
    """All CV scores of a history as one, in parts of one scale each.

    ``sign`` is -1 where the series whose scale the last part has falls as the public
    score rises, nan where no CV is used.
    """

    series: tuple[_Series, ...]
    joined: JoinedScales
    caveats: tuple[Caveat, ...]

    @property
    def used(self) -> tuple[_Series, ...]:
        """The series that measure something, in the order of ``joined``."""
        return tuple(item for item in self.series if np.isfinite(item.sign))

    @property
    def sign(self) -> float:
        """Sign of the series whose scale the latest scores have."""
        if not self.used or not len(self.joined.main):
            return float("nan")
        return self.used[int(self.joined.main[-1])].sign

    def parts(self, fresh: BoolArray) -> list[int]:
        """Return the parts with steps enough to learn a scale from."""
        sizes = np.bincount(
            self.joined.part[(self.joined.part >= 0) & fresh],
            minlength=len(self.joined.main),
        )
        fewest = FEWEST_PAIRS if len(sizes) > 1 else 1
        return [int(part) for part in np.flatnonzero(sizes >= fewest)]

    def begins(self, part: int) -> bool:
        """Return whether a part is of a scheme that came later, on whatever scale."""
        members = np.flatnonzero(self.joined.series_part == part)
        return all(self.used[place].begin for place in members.tolist())

    def alike(self, public: FloatArray) -> BoolArray:
        """Return the parts whose scores read as public ones do, in size and sign."""
        told = []
        for part, main in enumerate(self.joined.main.tolist()):
            both = (self.joined.level_part == part) & np.isfinite(public)
            one, other = public[both], self.joined.level[both]
            same = bool(both.any()) and self.used[main].sign > 0
            same = same and bool(np.median(one) * np.median(other) > 0)
            told.append(same and one_scale(one, other))
        return np.array(told, dtype=bool)

    def above(self, public: FloatArray) -> float:
        """Return how far public scores lie above CV that reads alike, nan without."""
        joined, alike = self.joined, np.flatnonzero(self.alike(public))
        apart = (public - joined.level)[np.isin(joined.level_part, alike)]
        apart = apart[np.isfinite(apart)]
        return float(np.median(apart)) if apart.size else float("nan")

    @property
    def current(self) -> BoolArray:
        """Submissions with a score of the series whose scale the latest have."""
        if not len(self.joined.main):
            return np.zeros(len(self.joined.level), dtype=bool)
        return np.isfinite(self.used[int(self.joined.main[-1])].level)

    def at(self, public: FloatArray, reference: IntArray) -> Validation:
        """Return the same for other references."""
        levels = np.array([item.level * item.sign for item in self.used])
        levels = levels.reshape(len(self.used), len(public))
        joined = join_scales(
            levels,
            gains(public, reference),
            reference,
            kinds=[item.name for item in self.used],
        )
        return replace(self, joined=joined)

    def aligned(self, public: FloatArray) -> FloatArray:
        """Return what its entrant saw as CV on one scale, as far as steps tell it.

        That is the series whose scale each part has where it is known.
        """
        level = self.joined.level.copy()
        for part, main in enumerate(self.joined.main.tolist()):
            own = self.used[main].level * self.used[main].sign
            level = np.where(
                np.isfinite(own) & (self.joined.level_part == part), own, level
            )
        seen = replace(self, joined=replace(self.joined, level=level))
        return seen.on_public_scale(public, self.rough_slopes(public))[0]

    def rough_slopes(self, public: FloatArray) -> FloatArray:
        """Return how large steps of CV are against public ones, 1 for one scale."""
        joined, n_parts = self.joined, len(self.joined.main)
        slopes = np.ones(n_parts)
        for part in range(n_parts) if n_parts > 1 else ():
            both = (joined.level_part == part) & np.isfinite(public)
            sizes = [typical_step(np.diff(x[both])) for x in (joined.level, public)]
            slopes[part] = sizes[0] / sizes[1] if min(sizes) > 0 else np.nan
        return slopes

    def on_public_scale(
        self, public: FloatArray, slopes: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Return levels and gains of CV on the scale of the public score.

        Parameters
        ----------
        public : ndarray of shape (n,)
            Public scores, to which earlier parts are shifted as the last one lies.
        slopes : ndarray of shape (n_parts,)
            CV gain that goes with a public gain of 1, nan for a part without it.
        """
        joined = self.joined
        level, gain = joined.level.copy(), joined.gain.copy()
        base = 0.0
        for part in range(len(slopes) - 1, -1, -1):
            of_level, of_gain = joined.level_part == part, joined.part == part
            level[of_level] /= slopes[part]
            gain[of_gain] /= slopes[part]
            apart = (public - level)[of_level]
            apart = apart[np.isfinite(apart)]
            centre = float(np.median(apart)) if apart.size else np.nan
            if part == len(slopes) - 1:
                base = centre
            elif len(slopes) > 1:
                level[of_level] += centre - base
        return level, gain

    def scales(
        self, public_gain: FloatArray, reference: IntArray, slopes: FloatArray
    ) -> tuple[CvScaleResult, ...]:
        """Return every series and scheme with its scale and its agreement."""
        found, used = [], list(self.used)
        for item in self.series:
            known = np.flatnonzero(np.isfinite(item.level))
            place = next((k for k, one in enumerate(used) if one is item), None)
            slope = weight = float("nan")
            reason, level = item.reason, item.level
            if place is not None:
                part = int(self.joined.series_part[place])
                slope = float(item.sign * slopes[part] / self.joined.factor[place])
                level = level * item.sign
                if np.isfinite(slope):
                    weight = float(self.joined.weight[place])
                else:
                    reason = "it has too few steps to learn its scale from"
            ranks = rank_correlation(gains(level, reference), public_gain)
            found.append(
                CvScaleResult(
                    name=item.name,
                    scheme=item.scheme,
                    begin=item.begin,
                    first=int(known[0]) if known.size else -1,
                    last=int(known[-1]) if known.size else -1,
                    n_obs=ranks.n_obs,
                    statistic=ranks.statistic,
                    ci_low=ranks.ci_low,
                    ci_high=ranks.ci_high,
                    slope=slope,
                    weight=weight,
                    reason=reason,
                )
            )
        return tuple(found)


def one_scale(one: FloatArray, other: FloatArray) -> bool:
    """Return whether two kinds of score are of the same size."""
    sizes = np.abs([np.median(one), np.median(other)])
    return bool(sizes.max() <= _OTHER_SCALE * sizes.min())


def no_validation(n: int) -> Validation:
    """Return that no CV score of ``n`` submissions can be used."""
    nan, alone = np.full(n, np.nan), np.full(n, -1, dtype=np.int64)
    return Validation((), join_scales(np.zeros((0, n)), nan, alone), ())


def validation_of(
    history: History,
    public: FloatArray,
    reference: IntArray,
    *,
    rows: FloatArray | None = None,
) -> Validation:
    """Return what is known of CV, for the references that public scores suggest.

    Parameters
    ----------
    history : History
        The submissions.
    public : ndarray of shape (n,)
        Oriented public scores.
    reference : ndarray of int of shape (n,)
        What each is compared with, -1 for none.
    rows : ndarray of shape (n,), optional
        CV scores that predictions give: then there is one series, of one scheme. Scores
        that the history has come first, but where their scheme changes.
    """
    told = list(_series(history, public))
    caveats: list[Caveat] = []
    if rows is not None:
        own = told[0].level
        if any(item.begin for item in told if item.name == told[0].name):
            own = np.full(len(rows), np.nan)
            caveats.append(
                Caveat(
                    "cv",
                    "The CV scores change their scheme and were not used: CV is the "
                    "score of the out-of-fold predictions.",
                )
            )
        told = [_Series(_MAIN, "", np.where(np.isfinite(own), own, rows))]
    series = []
    for item in told:
        sign, caveat = _cv_sign(
            item.level,
            public,
            reference,
            _MAIN if len(told) == 1 else item.label,
            later=bool(item.begin),
        )
        reason = ""
        if caveat is not None:
            field = "cv" if len(told) == 1 else "cv_scales"
            caveats.append(replace(caveat, field=field))
            reason = caveat.reason.rstrip(".?") if np.isnan(sign) else ""
        series.append(replace(item, sign=sign, reason=reason))
    if len(told) > 1:
        caveats = _as_one(caveats, history, series)
    found = replace(no_validation(len(public)), series=tuple(series))
    return replace(found, caveats=tuple(caveats)).at(public, reference)


def _series(history: History, public: FloatArray) -> Iterator[_Series]:
    """Yield every kind of CV, cut where its scheme changes by words or by scores."""
    kinds = history.cv_series()
    some = any(np.isfinite(level).any() for level in kinds.values())
    for number, (name, level) in enumerate(kinds.items()):
        if some and not np.isfinite(level).any():
            continue
        # Another number of folds alone is hardly another scale: a jump would show it.
        schemes = [
            scheme and scheme._replace(n_folds="")
            for scheme in (cv_schemes(history.submissions) if number == 0 else ())
        ]
        known = dict.fromkeys(scheme for scheme in schemes if scheme is not None)
        for count, scheme in enumerate(known or [None]):
            own = level
            if scheme is not None:
                same = np.array([one == scheme for one in schemes], dtype=bool)
                own = np.where(same, level, np.nan)
            words = str(scheme) if scheme is not None and len(known) > 1 else ""
            begin: Begin = "words" if count else ""
            start = 0
            # Who names schemes names all of them.
            jumps = [] if len(known) > 1 else scheme_breaks(own, public).tolist()
            for stop in (*jumps, len(own)):
                inside = np.arange(len(own))
                inside = (inside >= start) & (inside < stop)
                yield _Series(name, words, np.where(inside, own, np.nan), begin)
                start, begin = stop, "scores"


def _as_one(
    caveats: Sequence[Caveat], history: History, series: Sequence[_Series]
) -> list[Caveat]:
    """Return one caveat of all that is to be said of several scales."""
    told = [item.reason for item in caveats]
    for item in series:
        if not item.begin:
            continue
        first = int(np.flatnonzero(np.isfinite(item.level))[0])
        name = shorten(history[first].name, 40)
        why = (
            f"{item.label}, by its words"
            if item.begin == "words"
            else (f"the level of {item.name} jumps there against the public score")
        )
        told.append(
            f"A new scale of CV begins at #{first + 1} {name}: {why}. CV before and "
            "after it counts on a scale of its own, and no CV difference is taken "
            "across."
        )
    return [Caveat("cv_scales", " ".join(told))] if told else []


def _cv_sign(
    cv: FloatArray,
    public: FloatArray,
    reference: IntArray,
    name: str,
    *,
    later: bool,
) -> tuple[float, Caveat | None]:
    """Return the sign of oriented CV scores, nan to withhold them.

    Their scale is learned with the steps; here it is asked whether they measure
    anything, and whether they point the other way. Gains decide, or levels that agree
    closely: levels drift, and drifts correlate moderately without a cause. Of a scheme
    that came ``later`` the sign is open, and what is likelier is enough.
    """
    steps = gains(cv, reference), gains(public, reference)
    both = np.isfinite(steps[0]) & np.isfinite(steps[1])
    if both.sum() >= 2 and _is_copy(steps[0][both], steps[1][both]):
        return np.nan, Caveat(
            "cv",
            f"{name} moves exactly as the public score in all {int(both.sum())} steps: "
            "it is no second measurement and was not used. Is it the public score "
            "copied?",
        )
    if both.sum() >= 2 and not steps[0][both].any() and steps[1][both].any():
        return np.nan, Caveat(
            "cv",
            f"{name} is the same in all {plural(int(both.sum()), 'step')} while the "
            "public score moves: it measures nothing and was not used.",
        )
    if both.sum() < _FEWEST_TO_COMPARE:
        return 1.0, None
    of_gains = rank_correlation(*steps, confidence_level=0.998)
    of_levels = rank_correlation(cv, public)
    likelier = np.nansum([of_gains.statistic, of_levels.statistic]) < -_LIKELIER
    falls = of_gains.ci_high < 0 or of_levels.statistic <= -_CLOSE
    if falls or (later and likelier):
        return -1.0, Caveat(
            "cv",
            f"{name} falls where the public score rises (rank correlation of the "
            f"scores {of_levels.statistic:.2f}, of the gains {of_gains.statistic:.2f}, "
            f"n={of_gains.n_obs}): it was taken to be better the other way, as a loss "
            "beside a score is. If it is not, validation leaks.",
            ("cv_direction",),
        )
    return 1.0, None


def _is_copy(cv_gain: FloatArray, public_gain: FloatArray) -> bool:
    """Return whether one column of gains is a multiple of the other, up to rounding."""
    largest = int(np.argmax(np.abs(public_gain)))
    if public_gain[largest] == 0 or cv_gain[largest] == 0:
        return not (cv_gain.any() or public_gain.any())
    scaled = cv_gain * (public_gain[largest] / cv_gain[largest])
    return bool(
        len(cv_gain) > 2
        and np.abs(public_gain - scaled).max() <= _SAME * abs(public_gain[largest])
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """What a history shows before its noise is judged, by submission in time order.

    Scores and gains are oriented. CV is on scales of its own, one a part, until their
    slopes are known. ``reference`` is what each is compared with, or -1; ``fresh`` says
    where one is not the content of that once more. ``cv_sign`` is -1 where CV was
    found to fall as the public score rises, nan without CV; ``cv_parts`` have steps
    enough to learn a scale from; ``broken_cv`` marks steps whose CV contradicts the
    public score as no noise does. ``unseen`` are scores on the private rows that public
    ones do not cover, of which there are ``unseen_rows`` times as many.
    """

    groups: IntArray
    parents: Parents
    reference: IntArray
    fresh: BoolArray
    public: FloatArray
    validation: Validation
    cv: FloatArray
    cv_sign: float
    cv_parts: list[int]
    broken_cv: BoolArray
    public_gain: FloatArray
    cv_gain: FloatArray
    unseen: FloatArray
    unseen_gain: FloatArray
    unseen_rows: float
    rows: Rows | Missing


def observe(
    history: History, predictions: Predictions | None, groups: IntArray
) -> Observed:
    """Return scores, references and gains; nan where nobody says what is better."""
    n, competition = len(history), history.competition
    directed = competition.greater_is_better is not None
    public = unseen = np.full(n, np.nan)
    unseen_rows = 1.0
    rows: Rows | Missing = replace(UNDIRECTED, field="predictions")
    parents = Parents.sure(np.full(n, NO_REFERENCE, dtype=np.int64), "none")
    validation = no_validation(n)
    if directed:
        public = history.scores("public")
        sizes = competition.n_public, competition.n_private
        unseen_rows, shared = private_rows(*sizes, nested=bool(competition.nested))
        unseen = (history.scores("private") - shared * public) / (1 - shared)
        rows = rows_of(history, predictions)
        simple = find_parents(history, public, None, groups)
        own = rows.cv if rows and rows.n_train is not None else None
        validation = validation_of(history, public, simple.reference, rows=own)
        parents = find_parents(history, public, validation.aligned(public), groups)
        validation = validation.at(public, parents.reference)
    reference, joined = parents.reference, validation.joined
    same = (groups >= 0) & (reference >= 0)
    same &= groups[reference] == groups
    public_gain = gains(public, reference)
    return Observed(
        groups=groups,
        parents=parents,
        reference=reference,
        fresh=~same,
        public=public,
        validation=validation,
        cv=joined.level,
        cv_sign=validation.sign,
        cv_parts=validation.parts(~same),
        broken_cv=_broken_cv(public_gain, joined.gain, joined.part),
        public_gain=public_gain,
        cv_gain=joined.gain,
        unseen=unseen,
        unseen_gain=gains(unseen, reference),
        unseen_rows=unseen_rows,
        rows=rows,
    )


def _broken_cv(public: FloatArray, cv: FloatArray, part: IntArray) -> BoolArray:
    """Return steps whose CV gain is no measure of what the public score measured.

    A fold that failed, the score of another model, a slip of the pen, a fault in what
    was sent that validation did not see: errors of CV have no bound, those of a public
    score have one.
    """
    broken = np.zeros(len(public), dtype=bool)
    for one in np.unique(part[part >= 0]):
        moved = (part == one) & (public * cv != 0) & np.isfinite(public * cv)
        if moved.sum() < _FEWEST_TO_DOUBT:
            continue
        own = cv * (np.median(np.abs(public[moved])) / np.median(np.abs(cv[moved])))
        apart = np.abs(own - public)
        limit = _BROKEN * float(np.median(apart[moved]))
        if limit == 0:  # CV agrees exactly: one step apart shows no typical distance
            continue
        # A public score that rises alone may be luck or a leak, which CV denies.
        fell = (public < 0) & (own > _STILL * public) & (apart > limit)
        alone = (np.abs(public) < _STILL * np.abs(own)) & (apart > 2 * limit)
        broken |= (part == one) & (fell | alone)
    return broken
