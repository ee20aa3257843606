"""One simulated history, analysed and compared with the truth."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from benchmarks.calibration.cells import Cell
from lbsense import Analysis, analyze
from lbsense.model import Predictions
from lbsense.simulate import Scenario, SimulatedCompetition, simulate

__all__ = ["one_history", "true_gains"]


def one_history(cell: Cell, seed: int) -> dict[str, Any]:
    """Return what lbsense said of one history, beside what was true."""
    with_rows = cell.level in ("D", "F")
    rng = np.random.default_rng([seed, *cell.name.encode()])  # no two cells share one
    simulated = simulate(Scenario(**cell.options()), rng=rng, keep_rows=with_rows)
    predictions = _predictions(simulated, cell.level) if with_rows else None
    start = time.perf_counter()
    analysis = analyze(simulated.history, predictions)
    record: dict[str, Any] = {
        "cell": cell.name,
        "seed": seed,
        "level": analysis.level,
        "rule": analysis.parents,
        "seconds": round(time.perf_counter() - start, 4),
    }
    record |= _steps(analysis, true_gains(simulated, analysis))
    record |= _bands(simulated, analysis)
    record |= _luck(simulated, analysis)
    record |= _picks(simulated, analysis)
    return record


def true_gains(simulated: SimulatedCompetition, analysis: Analysis) -> np.ndarray:
    """Return the true gain of every step over the reference it was compared with."""
    score = _true_scores(simulated)
    place = {item.submission_id: i for i, item in enumerate(simulated.history)}
    return np.array(
        [
            np.nan
            if step.reference_id is None
            else score[index] - score[place[step.reference_id]]
            for index, step in enumerate(analysis.steps)
        ]
    )


def _true_scores(simulated: SimulatedCompetition) -> np.ndarray:
    sign = simulated.history.competition.direction()
    truth = dict(
        zip(simulated.truth.submission_id, sign * simulated.truth.score, strict=True)
    )
    return np.array([truth[item.submission_id] for item in simulated.history])


def _predictions(simulated: SimulatedCompetition, level: str) -> Predictions:
    rows = simulated.rows
    if rows is None:
        msg = "The simulation kept no rows."
        raise ValueError(msg)
    names = tuple(simulated.truth.submission_id)
    if level == "F":
        return Predictions(test_names=names, test=rows.test)
    return Predictions(oof_names=names, oof=rows.oof, labels=rows.y_train)


def _steps(analysis: Analysis, truth: np.ndarray) -> dict[str, Any]:
    judged = np.array([step.p_gain is not None for step in analysis.steps])
    steps = [step for step in analysis.steps if step.p_gain is not None]
    truth = truth[judged]
    rope = analysis.posterior.rope if analysis.posterior else np.nan
    claim = {"progress": 1, "setback": -1}
    return {
        "rope": float(rope),
        "truth": _short(truth),
        "p_gain": _short([step.p_gain for step in steps]),
        "covered": [
            int(step.gain_low <= gain <= step.gain_high)
            for step, gain in zip(steps, truth, strict=True)
        ],
        "claim": [claim.get(step.verdict, 0) for step in steps],
    }


def _bands(simulated: SimulatedCompetition, analysis: Analysis) -> dict[str, Any]:
    outlook = analysis.outlook
    if not outlook:
        return {}
    sign = simulated.history.competition.direction()
    private = simulated.history.raw_scores("private")
    known = np.isfinite(private) & np.isfinite(outlook.mean)
    cover95 = (outlook.ci95_low <= private) & (private <= outlook.ci95_high)
    cover80 = (outlook.ci80_low <= private) & (private <= outlook.ci80_high)
    best = outlook.best_public
    public = simulated.history.raw_scores("public")
    return {
        "cover95": float(cover95[known].mean()),
        "cover80": float(cover80[known].mean()),
        "best95": int(cover95[best]),
        "best80": int(cover80[best]),
        "best_error": sign * float(outlook.mean[best] - private[best]),
        "best_naive_error": sign * float(public[best] - private[best]),
    }


def _luck(simulated: SimulatedCompetition, analysis: Analysis) -> dict[str, Any]:
    luck = analysis.luck
    if not luck or not luck.positions.size:
        return {}
    score = _true_scores(simulated)
    rise = score[luck.positions] - score[luck.previous]
    return {
        "bests": int(luck.positions.size),
        "luck_stated": float(luck.expected_luck),
        "luck_true": int((rise <= luck.rope).sum()),
        "climb_stated": float(luck.true_climb),
        "climb_true": float(score[luck.positions[-1]] - score[luck.previous[0]]),
        "climb_public": float(luck.public_climb),
    }


def _picks(simulated: SimulatedCompetition, analysis: Analysis) -> dict[str, Any]:
    picks = analysis.picks
    if not picks:
        return {}
    private = simulated.history.scores("private")
    best = float(np.nanmax(private))
    regret = {
        pair.rule: best - float(np.nanmax(private[[pair.first, pair.second]]))
        for pair in picks.rules
    }
    own = picks.best
    regret["lbsense"] = best - float(np.nanmax(private[[own.first, own.second]]))
    return {"regret": {rule: round(value, 7) for rule, value in regret.items()}}


def _short(values: Any) -> list[float]:
    return [float(f"{value:.6g}") for value in values]
