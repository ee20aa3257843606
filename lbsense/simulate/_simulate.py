"""Make a competition whose truth is known."""

from __future__ import annotations

import numpy as np
from threadpoolctl import threadpool_limits

from lbsense._typing import IntArray, Platform, RandomState
from lbsense.simulate._competition import SimulatedCompetition, SimulatedRows, Truth
from lbsense.simulate._entrant import Attempt, enter
from lbsense.simulate._gaussian import GaussianWorld
from lbsense.simulate._history import choose_finals, write_history
from lbsense.simulate._rows import World, fold_bounds
from lbsense.simulate._scenario import Parents, Policy, Scenario, WorldName
from lbsense.simulate._scores import MetricName
from lbsense.simulate._trained import TrainedWorld

__all__ = ["simulate"]


def simulate(
    *,
    world: WorldName = "gaussian",
    metric: MetricName = "roc_auc",
    n_submissions: int = 40,
    n_public: int = 4000,
    n_private: int = 6000,
    n_train: int = 10_000,
    n_folds: int = 5,
    nested: bool = False,
    policy: Policy = "public",
    null_fraction: float = 0.6,
    step_size: float = 0.03,
    gain_fraction: float = 0.5,
    novelty: float = 0.4,
    prevalence: float = 0.3,
    cv_fraction: float = 1.0,
    cv_noise: float = 0.0,
    cv_leak: float = 0.0,
    shift: float = 0.0,
    shift_noise: float = 0.0,
    group_size: int = 1,
    heavy_tails: bool = False,
    repeat_fraction: float = 0.0,
    rerun_fraction: float = 0.0,
    probe_fraction: float = 0.0,
    burst_fraction: float = 0.0,
    broken_fraction: float = 0.0,
    failed_fraction: float = 0.0,
    parents: Parents = "declared",
    decimals: int = 5,
    platform: Platform = "kaggle",
    keep_rows: bool = False,
    rng: RandomState = None,
) -> SimulatedCompetition:
    """Return one entrant's history in a competition whose truth is known.

    Use it to learn what a method says when the answer is known, to test and to
    calibrate. It is no forecast of a real competition: its entrants are simple.

    Parameters
    ----------
    world : {"gaussian", "trained"}, default "gaussian"
        ``gaussian`` draws every submission's errors row by row, and a null step is
        worth exactly nothing. ``trained`` fits models, so that steps are changes of a
        model, validation refits, and hardly any step is worth exactly nothing.
    metric : {"roc_auc", "log_loss", "accuracy", "rmse", "mae"}
        Score of both leaderboard and CV.
    n_submissions : int
        Submissions of the entrant, failed ones included.
    n_public, n_private : int
        Test rows behind the public score, and the other test rows.
    n_train, n_folds : int
        Training rows and folds of the cross-validation.
    nested : bool
        Whether the private score covers all test rows, the public ones included.
    policy : {"public", "cv", "both", "previous", "random"}
        What the next submission is built on: the best public score so far, the best
        CV score, the best sum of the two, the last model, or any earlier model. It
        decides the final selection too: the two best public scores, the two best CV
        scores (``cv``), or the best of each (``both``).
    null_fraction : float
        Share of ideas that are duds. In the trained world they put useless features
        in the place of others, which is worth little rather than exactly nothing.
    step_size : float
        Spread of the other ideas: each multiplies the spread of the errors, 1.0 for
        the first model, by ``exp(-|z|)`` or ``exp(|z|)`` with z ~ N(0, step_size).
        Gaussian world only.
    gain_fraction : float
        Share of them that are for the better. Gaussian world only.
    novelty : float
        How much of the errors an idea replaces, in (0, 1]: parent and child have
        errors with correlation ``sqrt(1 - novelty**2)``. Gaussian world only.
    prevalence : float
        Share of positive labels, where the metric needs labels.
    cv_fraction : float
        Share of the submissions whose CV score is on record. The entrant knows all.
    cv_noise : float
        How badly validation transfers: spread of what each step adds, in validation
        alone, to the logarithm of the errors' spread (trained world: relative size of
        the errors). 0.01 to 0.03 is a board on which people stop trusting CV.
    cv_leak : float
        Likewise, but always for the better: validation that leaks.
    shift : float
        How much larger the errors are on private rows, as a logarithm (trained world:
        strength of a shift of the features).
    shift_noise : float
        Spread of what each step adds, on private rows alone (trained world: weight of
        a pattern that holds on private rows alone).
    group_size : int
        Rows that come together and share half of their noise. No group is cut by the
        public-private split or by a fold.
    heavy_tails : bool
        Noise of targets from Student's t with 5 degrees of freedom; 5 % wrong labels.
    repeat_fraction : float
        Share of the submissions that send the base's file again.
    rerun_fraction : float
        Share that send the same model trained again: a null step with little change.
    probe_fraction : float
        Share that are files of one value, half of them with a few rows picked out.
    burst_fraction : float
        Share that are tweaks: runs of six null steps with little change, minutes apart.
    broken_fraction : float
        Share with the rows of the file in the wrong order: public score far below.
    failed_fraction : float
        Share that the platform could not score.
    parents : {"declared", "described", "withheld"}
        Whether ``parent_id`` is filled, the description says ``from exp003``, or
        neither. The truth always has it.
    decimals : int
        Decimals of every score that is shown. The entrant acts on shown scores.
    platform : {"kaggle", "zindi"}
        Platform on record.
    keep_rows : bool, default False
        Whether to keep labels and predictions of every row.
    rng : int, numpy.random.Generator or None
        Seed. One seed gives one competition, to the last decimal shown.

    Returns
    -------
    SimulatedCompetition
        The history, the truth behind it, and the rows where they were kept.

    Raises
    ------
    ValueError
        If an option is out of range, or does not exist in the chosen world.

    Notes
    -----
    The Gaussian world: signal ``f ~ N(0, 1)``; submission t sees ``f + tau_t u_t`` with
    ``u_t = sqrt(1 - novelty**2) u_parent + novelty e_t``. Labels are Bernoulli with log
    odds ``1.5 f + b``, targets are ``f`` plus noise of unit variance. Predictions are
    calibrated. The true score depends on ``tau_t`` alone and comes from quadrature.
    Simplified: every idea replaces the same share of the errors, fold models err like
    the final one (no refit noise), and rows differ in nothing but their noise.

    The trained world: ridge regression on blocks of random features; an idea adds,
    drops or swaps a block, or changes the penalty. Rows are drawn from 40,000 fixed
    points with known conditional distribution, so that the truth is an exact average.
    Simplified: one family of models, linear in fixed features; labels are fitted by
    least squares, and probabilities follow by one Newton step of a logistic fit; a
    leak pulls out-of-fold predictions towards the label. The expected CV score, that
    of the models of the folds, is not worked out: ``truth.cv_score`` is nan.

    In both, entrants follow one policy to the end, never blend two submissions and
    never go back to an idea.

    Examples
    --------
    >>> from lbsense.simulate import simulate
    >>> simulated = simulate(n_submissions=20, null_fraction=0.9, rng=1)
    >>> len(simulated.history)
    20
    >>> best = int(simulated.history.scores("public").argmax())
    >>> shown = simulated.history[best].public_score
    >>> print(f"shown {shown:.4f}, worth {simulated.truth.score[best]:.4f}")
    shown 0.7436, worth 0.7203
    """
    options = dict(locals())
    del options["keep_rows"], options["rng"]
    return play(Scenario(**options), keep_rows=keep_rows, rng=rng)


def play(
    scenario: Scenario, *, keep_rows: bool = False, rng: RandomState = None
) -> SimulatedCompetition:
    """Return the competition of a checked scenario."""
    # One stream for each cause, so that one option leaves the others' draws alone.
    choices, ideas, words, split, *rows = np.random.default_rng(rng).spawn(7)
    world: World
    # On one thread sums keep their order, and small products are not slowed down.
    with threadpool_limits(limits=1):
        if scenario.world == "trained":
            world = TrainedWorld(scenario, ideas, rows)
        else:
            world = GaussianWorld(scenario, ideas, rows)
        attempts = enter(scenario, world, choices, keep_rows=keep_rows)
    finals = choose_finals(scenario, attempts)
    history = write_history(scenario, attempts, finals, words)
    return SimulatedCompetition(
        scenario=scenario,
        history=history,
        truth=_truth(scenario, attempts, tuple(s.submission_id for s in history)),
        selected=finals,
        rows=_rows(scenario, attempts, world, split) if keep_rows else None,
    )


def _truth(scenario: Scenario, attempts: list[Attempt], ids: tuple[str, ...]) -> Truth:
    failed = np.array([item.kind == "failed" for item in attempts])
    parent = np.array([item.parent for item in attempts], dtype=np.int64)
    score = np.array([item.result.public_truth for item in attempts])
    score[failed] = np.nan
    private_score = np.array([item.result.private_truth for item in attempts])
    private_score[failed] = np.nan
    sign = 1 if scenario.greater_is_better else -1
    gain = np.where(parent < 0, np.nan, sign * (score - score[parent]))
    gain = gain + 0.0  # no minus zero
    return Truth(
        submission_id=ids,
        kind=tuple(item.kind for item in attempts),
        parent=parent,
        score=score,
        private_score=private_score,
        cv_score=np.array([item.result.cv_truth for item in attempts]),
        gain=gain,
        is_null=gain == 0,
    )


def _rows(
    scenario: Scenario,
    attempts: list[Attempt],
    world: World,
    rng: np.random.Generator,
) -> SimulatedRows:
    y_train, y_public, y_private = world.targets
    n_test = len(y_public) + len(y_private)
    bounds = fold_bounds(scenario.n_train, scenario.n_folds, scenario.group_size)
    # Public and private rows stand mixed in the file, as they do in a competition.
    places = rng.permutation(n_test)
    public_mask = np.zeros(n_test, dtype=np.bool_)
    public_mask[places[: scenario.n_public]] = True
    order = np.argsort(places)
    files = [np.concatenate([a.result.public, a.result.private]) for a in attempts]
    groups = _groups(scenario)
    return SimulatedRows(
        y_train=y_train,
        oof=np.column_stack([a.result.oof for a in attempts]),
        y_test=np.concatenate([y_public, y_private])[order],
        test=np.column_stack(files)[order],
        fold=np.repeat(np.arange(scenario.n_folds), np.diff(bounds)),
        public_mask=public_mask,
        train_group=groups[0] if groups else None,
        test_group=np.concatenate(groups[1:])[order] if groups else None,
    )


def _groups(scenario: Scenario) -> list[IntArray]:
    """Return the group of every training, public and private row, if there are any."""
    groups: list[IntArray] = []
    first = 0
    if scenario.group_size > 1:
        for size in (scenario.n_train, scenario.n_public, scenario.n_private):
            groups.append(first + np.arange(size) // scenario.group_size)
            first = int(groups[-1][-1]) + 1
    return groups
