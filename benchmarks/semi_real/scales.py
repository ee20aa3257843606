"""CV whose scheme breaks, and a second CV beside it: what is still found of the steps?

Every competition is analysed as it is, and with its CV changed: broken in the middle,
without a word or told in the descriptions; short and long; and with a further CV.
"""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from benchmarks.semi_real.figures import figures_of
from benchmarks.semi_real.folders import Played, export, read
from benchmarks.semi_real.judging import FORETOLD, known_facts, steps_of

if TYPE_CHECKING:
    from lbsense import Submission

__all__ = ["VARIANTS", "judged_scales", "scales_table"]

Rows = list["Submission"]
Change = Callable[[Rows, Played, np.random.Generator], tuple[Rows, int | None]]
_NEAR = 1  # submissions by which a break may be missed


def _as_it_is(rows: Rows, _played: Played, _rng: np.random.Generator) -> Any:
    return rows, None


def _broken(factor: float, shift: float, *, told: bool = False) -> Change:
    """Return a change of the scheme at a random place in the middle third."""

    def change(rows: Rows, _played: Played, rng: np.random.Generator) -> Any:
        at = int(len(rows) * rng.uniform(0.35, 0.65))
        moved = [
            _with_cv(item, shift + factor * item.cv_score)
            if k >= at and item.cv_score is not None
            else item
            for k, item in enumerate(rows)
        ]
        if told:
            for k, words in ((0, "5fold"), (at, "group kfold")):
                text = f"{moved[k].description} {words}"
                moved[k] = replace(moved[k], description=text)
        return moved, at

    return change


def _other_metric(rows: Rows, played: Played, rng: np.random.Generator) -> Any:
    """Return CV that is better the other way from the middle on."""
    return _broken(-0.4, 2.0)(rows, played, rng)


def _withheld(rows: Rows, _played: Played, rng: np.random.Generator) -> Any:
    """Return the same without CV from the middle on: what a break cost before."""
    at = int(len(rows) * rng.uniform(0.35, 0.65))
    return [replace(x, cv_score=None) if k >= at else x for k, x in enumerate(rows)], at


def _second(base: str, noise: float, *, share: float = 1.0) -> Change:
    """Return a further CV for the last share of the submissions.

    It is the truth, the private score, the CV score or nothing, and noise with the
    covariance of that of public scores: alike submissions have alike noise.
    """

    def change(rows: Rows, played: Played, rng: np.random.Generator) -> Any:
        own = getattr(played, base) if base else np.zeros(len(rows))
        value, vector = np.linalg.eigh(played.cov)
        drawn = vector @ (np.sqrt(np.maximum(value, 0)) * rng.normal(size=len(rows)))
        shown = played.sign * (0.2 + 0.5 * (own + noise * drawn))
        start = len(rows) * (1 - share)
        return [
            replace(item, cv_others=(("second", float(shown[k])),))
            if k >= start
            else item
            for k, item in enumerate(rows)
        ], None

    return change


def _with_cv(item: Submission, score: float) -> Submission:
    return replace(item, cv_score=score, cv_text=None)


#: What is done to CV, by its name.
VARIANTS: dict[str, Change] = {
    "as it is": _as_it_is,
    "broken: .3 + .8 cv": _broken(0.8, 0.3),
    "the same, told": _broken(0.8, 0.3, told=True),
    "broken: 1.2 cv": _broken(1.2, 0.0),
    "better the other way": _other_metric,
    "ends in the middle": _withheld,
    "a holdout beside it": _second("private", 0),
    "a holdout for the last half": _second("private", 0, share=0.5),
    "one as noisy as public": _second("truth", 1),
    "one with twice the noise": _second("truth", 2),
    "one with four times the noise": _second("truth", 4),
    "the same folds, other noise": _second("cv", 1),
    "nearly a copy of it": _second("cv", 0.05),
    "noise alone": _second("", 1),
}


def judged_scales(folder: Path, names: Iterable[str]) -> list[pd.DataFrame]:
    """Return the steps of the competition in ``folder`` under every change."""
    import lbsense as lb

    played = read(folder)
    with tempfile.TemporaryDirectory() as place, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path = Path(place) / "submissions.csv"
        path.write_text(export(played, private=False), encoding="utf-8")
        history = lb.read_kaggle(str(path), **known_facts(played))
        told = []
        for name in names:
            rng = np.random.default_rng(sum(map(ord, played.name)))
            rows, at = VARIANTS[name](list(history), played, rng)
            analysis = lb.analyze(replace(history, submissions=tuple(rows)))
            begins = [
                scale.first
                for scale in (analysis.agreement.scales if analysis.agreement else ())
                if scale.begin
            ]
            steps = steps_of(analysis.to_dict(), played, FORETOLD)
            found = at is not None and any(abs(x - at) <= _NEAR for x in begins)
            told.append(steps.assign(change=name, breaks=len(begins), found=found))
    return told


def scales_table(told: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Return one row a change: what was found of the steps, and of the breaks."""
    rows = {}
    for name, steps in pd.concat(list(told), ignore_index=True).groupby("change"):
        one = figures_of(steps)
        by_history = steps.groupby("history")[["breaks", "found"]].first()
        rows[name] = {
            "AUC": one["auc"],
            "skill": one["skill"],
            "interval": one["interval95"],
            **{
                f"{word} {part}": one[word][part]
                for word in ("progress", "setback")
                for part in ("precision", "recall")
            },
            "histories with a break": float((by_history["breaks"] > 0).mean()),
            "found where it is": float(by_history["found"].mean()),
        }
    return pd.DataFrame(rows).T.reindex([name for name in VARIANTS if name in rows])
