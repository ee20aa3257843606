"""What lbsense states of each competition, against what is true."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.semi_real.figures import figures_of, with_rope
from benchmarks.semi_real.folders import Played, export, position, read
from benchmarks.semi_real.scoring import METRICS

__all__ = [
    "QUESTIONS",
    "SPOILED",
    "Judged",
    "judge",
    "judged",
    "known_facts",
    "spoiled_regret",
    "steps_of",
]

#: What is asked, and of which fields of a step the answer is read.
QUESTIONS = {
    "foretold": "public and CV scores, metric and sizes",
    "no_sizes": "the same without metric and sizes",
    "hindsight": "public and private scores alone, after the end",
    "rescaled": "foretold once more with CV on another scale",
}
#: What CV may be that does not transfer, beside a name for it.
SPOILED = {
    "easier": "a scheme that gets easier halfway, by two standard deviations",
    "harder": "a scheme that gets harder",
    "noise": "CV that is noise",
    "leaks": "CV that leaks in a fifth of the submissions",
    "turned": "CV turned over",
}
FORETOLD = {"p": "p_gain", "low": "gain_low", "high": "gain_high"}
HINDSIGHT = {
    "p": "hindsight_p_gain",
    "low": "hindsight_low",
    "high": "hindsight_high",
}
COLUMNS = (
    "history",
    "metric",
    "k",
    "reference",
    "true",
    "public",
    "se",
    "verdict",
    "stated_se",
)
NOT_JUDGED = ("repeat", "unscored")


@dataclass(frozen=True, eq=False)
class Judged:
    """What was stated of one competition.

    Attributes
    ----------
    name, metric : str
        Which.
    steps : dict of str to DataFrame
        The steps by question.
    one : dict of str to float
        Figures of the history: ``cover95``, ``cover80``, ``best95`` (share of private
        scores in their bands; whether the best public one's is), ``luck``,
        ``luck_true``, ``climb``, ``climb_true``, ``climb_public``,
        ``score_noise`` and ``step_noise`` (stated over true); those known.
    regret : dict of str to float
        Regret of two picks, as a share of the range of the truth.
    changed : list of bool
        For every step, whether rescaling CV changed its verdict.
    """

    name: str
    metric: str
    steps: dict[str, pd.DataFrame]
    one: dict[str, float]
    regret: dict[str, float] = field(default_factory=dict)
    changed: list[bool] = field(default_factory=list)


def judged(folder: Path, asked: Iterable[str] = tuple(QUESTIONS)) -> Judged:
    """Return what lbsense states of the competition in ``folder``."""
    played, asked = read(folder), set(asked)
    steps: dict[str, pd.DataFrame] = {}
    one: dict[str, float] = {}
    regret: dict[str, float] = {}
    changed: list[bool] = []
    first = None
    if asked & {"foretold", "rescaled"}:
        first = _analysis(export(played, private=False), played, sizes=True)
        steps["foretold"] = steps_of(first, played, FORETOLD)
        one = _bands(first, played) | _luck(first, played, steps["foretold"])
        one |= _noise(first, played, steps["foretold"])
        regret = _regret(first, played)
    if "no_sizes" in asked:
        bare = _analysis(export(played, private=False), played, sizes=False)
        steps["no_sizes"] = steps_of(bare, played, FORETOLD)
    if "hindsight" in asked:
        text = export(played, private=True, cv="none")
        after = _analysis(text, played, sizes=False)
        steps["hindsight"] = steps_of(after, played, HINDSIGHT)
    if "rescaled" in asked and first is not None:
        text = export(played, private=False, cv="rescaled")
        again = _analysis(text, played, sizes=True)
        steps["rescaled"] = steps_of(again, played, FORETOLD)
        said = {s["submission_id"]: s["verdict"] for s in first["steps"]}
        changed = [said[s["submission_id"]] != s["verdict"] for s in again["steps"]]
    return Judged(played.name, played.metric, steps, one, regret, changed)


def spoiled_regret(folder: Path, way: str) -> dict[str, float]:
    """Return the regret of two picks where CV was spoiled on purpose."""
    played = read(folder)
    rng = np.random.default_rng([9, *played.name.encode()])
    cv, sd, n = played.cv, float(np.std(played.cv)), len(played.cv)
    later = np.arange(n) >= n // 2
    made = {
        "easier": lambda: cv + 2 * sd * later,
        "harder": lambda: cv - 2 * sd * later,
        "noise": lambda: cv.mean() + sd * rng.normal(size=n),
        "leaks": lambda: cv + 2 * sd * rng.exponential(size=n) * (rng.random(n) < 0.2),
        "turned": lambda: 2 * np.median(cv) - cv,
    }
    held = replace(played, cv=made[way]())
    text = export(held, private=False, cv="held")
    return _regret(_analysis(text, held, sizes=True), held)


def judge(histories: list[Judged]) -> dict[str, Any]:
    """Return the figures over all histories.

    Returns
    -------
    dict
        For each question what `figures_of` returns; ``private bands``, ``regret``,
        ``luck``, ``noise`` and ``changed by rescaling CV``.
    """
    found: dict[str, Any] = {}
    for question in QUESTIONS:
        told = [h.steps[question] for h in histories if question in h.steps]
        if told and any(len(steps) for steps in told):
            together = pd.concat(told, ignore_index=True)
            found[question] = figures_of(together, verdicts=question != "hindsight")
    one = pd.DataFrame([h.one for h in histories])
    if "cover95" in one:
        found["private bands"] = {
            "histories": int(one["cover95"].notna().sum()),
            **{name: float(one[name].mean()) for name in ("cover95", "cover80")},
            "best95": float(one["best95"].mean()),
        }
    regret = pd.DataFrame([h.regret for h in histories if h.regret])
    if len(regret):
        found["regret"] = {name: float(regret[name].mean()) for name in regret}
    if "luck" in one:
        had = one.dropna(subset=["luck"])
        found["luck"] = {
            "stated": float(had["luck"].mean()),
            "true": float(had["luck_true"].mean()),
            "mean_abs_error": float((had["luck"] - had["luck_true"]).abs().mean()),
            "climb_stated_over_true": float(
                had["climb"].sum() / had["climb_true"].sum()
            ),
            "climb_public_over_true": float(
                had["climb_public"].sum() / had["climb_true"].sum()
            ),
        }
    found["noise"] = {
        name: _ratios(one[name].dropna())
        for name in ("score_noise", "step_noise")
        if name in one
    }
    changed = [c for h in histories for c in h.changed]
    if changed:
        found["changed by rescaling CV"] = float(np.mean(changed))
    return found


def _ratios(stated_over_true: pd.Series) -> dict[str, float]:
    size = np.abs(np.log(stated_over_true))
    return {
        "histories": len(stated_over_true),
        "median": float(stated_over_true.median()),
        "low10": float(stated_over_true.quantile(0.1)),
        "high10": float(stated_over_true.quantile(0.9)),
        "within_1.5": float((size <= np.log(1.5)).mean()),
        "within_2": float((size <= np.log(2)).mean()),
    }


def known_facts(played: Played) -> dict[str, Any]:
    """Return what an entrant knows of a competition, as readers take it."""
    meta = played.meta
    test_size = meta["n_public"] + meta["n_private"]
    return {
        "metric": METRICS[played.metric].lbsense,
        "train_size": meta["n_train"],
        "test_size": test_size,
        "public_fraction": meta["n_public"] / test_size,
    }


def _analysis(text: str, played: Played, *, sizes: bool) -> dict[str, Any]:
    import lbsense as lb

    known: dict[str, Any] = {"greater_is_better": played.meta["higher_is_better"]}
    if sizes:
        known = known_facts(played)
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path = Path(folder) / "submissions.csv"
        path.write_text(text, encoding="utf-8")
        return lb.analyze(lb.read_kaggle(str(path), **known)).to_dict()


def _number(value: Any) -> float:
    return float("nan") if value is None else float(value)


def steps_of(
    stated: dict[str, Any], played: Played, fields: dict[str, str]
) -> pd.DataFrame:
    """Return the steps that are judged: what is stated of each and what is true."""
    rows = []
    for step in stated["steps"]:
        if not step["reference_id"] or step["verdict"] in NOT_JUDGED:
            continue
        k, r = position(step["submission_id"]), position(step["reference_id"])
        se = played.step_se(k, r)
        if se <= 1e-12:  # the same predictions once more: nothing to judge
            continue
        rows.append(
            {
                "history": played.name,
                "metric": played.metric,
                "k": k,
                "reference": r,
                "true": played.truth[k] - played.truth[r],
                "public": played.public[k] - played.public[r],
                "se": se,
                "verdict": step["verdict"],
                "stated_se": _number(step.get("public_gain_se")),
                **{to: _number(step.get(name)) for to, name in fields.items()},
            }
        )
    return with_rope(pd.DataFrame(rows, columns=[*COLUMNS, *fields]))


def _bands(stated: dict[str, Any], played: Played) -> dict[str, float]:
    outlook = stated.get("outlook")
    if not outlook:
        return {}
    best = int(np.argmax(played.public))
    held: dict[int, tuple[bool, bool]] = {}
    for band in outlook["private"]:
        k = position(band["submission_id"])
        raw = played.sign * played.private[k]
        held[k] = (
            band["low95"] <= raw <= band["high95"],
            band["low80"] <= raw <= band["high80"],
        )
    cover95, cover80 = np.mean(list(held.values()), axis=0)
    found = {"cover95": float(cover95), "cover80": float(cover80)}
    if best in held:
        found["best95"] = float(held[best][0])
    return found


def _regret(stated: dict[str, Any], played: Played) -> dict[str, float]:
    truth, top = played.truth, played.truth.max()
    spread = top - truth.min()
    if not stated.get("picks") or spread <= 0:
        return {}
    best = stated["picks"]["best"]
    by_public = np.argsort(-played.public, kind="stable")
    by_cv = np.argsort(-played.cv, kind="stable")
    other = by_cv[0] if by_cv[0] != by_public[0] else by_cv[1]
    pairs = {
        "lbsense": [position(str(best["first"])), position(str(best["second"]))],
        "two best public": by_public[:2],
        "best public and best CV": [by_public[0], other],
        "two best CV": by_cv[:2],
        "last two": [len(truth) - 1, len(truth) - 2],
    }
    return {
        rule: float((top - truth[np.asarray(pair)].max()) / spread)
        for rule, pair in pairs.items()
    }


def _luck(
    stated: dict[str, Any], played: Played, steps: pd.DataFrame
) -> dict[str, float]:
    luck = stated.get("luck")
    if not luck or luck["share"] is None:
        return {}
    before = np.maximum.accumulate(np.r_[-np.inf, played.public[:-1]])
    k = steps["k"].to_numpy(int)
    news = steps[(steps["public"] > 0) & (played.public[k] > before[k])]
    if not len(news):
        return {}
    best = int(np.argmax(played.public))
    return {
        "luck": luck["share"],
        "luck_true": float((~news["gained"].astype(bool)).mean()),
        "climb": luck["true_climb"],
        "climb_true": float(played.truth[best] - played.truth[0]),
        "climb_public": luck["public_climb"],
    }


def _noise(
    stated: dict[str, Any], played: Played, steps: pd.DataFrame
) -> dict[str, float]:
    found = {}
    score_se = (stated.get("noise") or {}).get("score_se")
    true_se = float(np.sqrt(np.median(np.diag(played.cov))))
    if score_se and true_se > 0:
        found["score_noise"] = score_se / true_se
    known = steps[steps["stated_se"] > 0]
    if len(known):
        found["step_noise"] = float(
            np.exp(np.median(np.log(known["stated_se"] / known["se"])))
        )
    return found
