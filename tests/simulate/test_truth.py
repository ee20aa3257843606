"""The truth is true: large samples, theory, and options that move what they name."""

from __future__ import annotations

import math

import numpy as np
import pytest

from lbsense.simulate import Scenario, SimulatedCompetition, simulate

METRICS = ["roc_auc", "log_loss", "accuracy", "rmse", "mae"]
WORLDS = ["gaussian", "trained"]
LARGE = 200_000
# Spread of a score over samples of the rows, times the root of their number; above
# what any of these worlds has, so that four of them bound an honest error.
ROW_SPREAD = {"roc_auc": 0.8, "log_loss": 0.9, "accuracy": 0.5, "rmse": 2.0, "mae": 1.0}


def public_errors(n_reps: int, **options: object) -> np.ndarray:
    """Return public score minus truth of the first submission, over repetitions."""
    worlds = [
        simulate(Scenario(n_submissions=1, **options), rng=rep) for rep in range(n_reps)
    ]
    return np.array([w.history[0].public_score - w.truth.score[0] for w in worlds])


@pytest.mark.parametrize("heavy_tails", [False, True])
@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("world", WORLDS)
def test_a_large_public_set_shows_the_truth(world, metric, heavy_tails):
    simulated = simulate(
        Scenario(
            world=world,
            metric=metric,
            n_submissions=1,
            n_public=LARGE,
            n_private=50,
            n_train=1000,
            heavy_tails=heavy_tails,
            decimals=10,
        ),
        rng=5,
    )
    np.testing.assert_allclose(
        simulated.history[0].public_score,
        simulated.truth.score[0],
        atol=4 * ROW_SPREAD[metric] / math.sqrt(LARGE),
        rtol=0,
    )


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("world", WORLDS)
def test_a_large_private_set_shows_the_shifted_truth(world, metric):
    simulated = simulate(
        Scenario(
            world=world,
            metric=metric,
            n_submissions=2,
            null_fraction=0.0,
            n_public=50,
            n_private=LARGE,
            n_train=1000,
            prevalence=0.5,
            shift=0.8,
            shift_noise=0.8,
            decimals=10,
        ),
        rng=5,
    )
    truth = simulated.truth
    tolerance = 4 * ROW_SPREAD[metric] / math.sqrt(LARGE)
    assert np.abs(truth.private_score - truth.score).max() > 2 * tolerance
    np.testing.assert_allclose(
        simulated.history.raw_scores("private"),
        truth.private_score,
        atol=tolerance,
        rtol=0,
    )


@pytest.mark.parametrize("kind", ["probe", "broken"])
@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("world", WORLDS)
def test_the_truth_of_probes_and_broken_files(world, metric, kind):
    simulated = simulate(
        Scenario(
            world=world,
            metric=metric,
            n_submissions=4,
            n_public=LARGE,
            n_private=50,
            n_train=1000,
            decimals=10,
            **{f"{kind}_fraction": 0.99},
        ),
        rng=3,
    )
    assert simulated.truth.kind[1:] == (kind,) * 3
    np.testing.assert_allclose(
        simulated.history.raw_scores("public"),
        simulated.truth.score,
        atol=4 * ROW_SPREAD[metric] / math.sqrt(LARGE),
        rtol=0,
    )


def test_first_scores_worked_by_hand():
    # Errors of spread 1 halve the signal's variance: residual variance 1/2, noise 1.
    rmse = simulate(Scenario(metric="rmse", n_submissions=1), rng=0).truth.score[0]
    mae = simulate(Scenario(metric="mae", n_submissions=1), rng=0).truth.score[0]
    np.testing.assert_allclose(rmse, math.sqrt(1.5), rtol=1e-12)
    np.testing.assert_allclose(mae, math.sqrt(2 / math.pi * 1.5), rtol=1e-9)


def test_a_constant_is_worth_what_its_loss_says():
    # -ln(1/2) whatever the labels; 1 - prevalence for all-zero labels.
    probes = {"n_submissions": 9, "probe_fraction": 0.9}
    loss = simulate(Scenario(metric="log_loss", **probes), rng=0).truth
    accuracy = simulate(
        Scenario(metric="accuracy", prevalence=0.3, **probes), rng=0
    ).truth
    auc = simulate(Scenario(metric="roc_auc", **probes), rng=0).truth
    assert "probe" in loss.kind
    is_probe = np.array(loss.kind) == "probe"
    assert np.isclose(loss.score[is_probe], math.log(2), rtol=1e-12).any()
    assert np.isclose(accuracy.score[is_probe], 0.7, rtol=1e-9).any()
    np.testing.assert_allclose(auc.score[is_probe], 0.5, rtol=1e-12)


@pytest.mark.slow
def test_public_noise_has_the_size_that_theory_gives():
    # Normal residuals: SE(RMSE) = RMSE / sqrt(2 n); an estimate from 200 has 5 %.
    errors = public_errors(
        200, metric="rmse", n_public=800, n_private=50, n_train=250, decimals=8
    )
    expected = math.sqrt(1.5) / math.sqrt(2 * 800)
    np.testing.assert_allclose(errors.std(), expected, rtol=0.2)
    assert abs(errors.mean()) < 4 * expected / math.sqrt(200)


@pytest.mark.slow
def test_groups_make_scores_noisier_and_leave_the_truth():
    options = {"metric": "rmse", "n_public": 800, "n_private": 50, "n_train": 500}
    single = public_errors(80, **options)
    grouped = public_errors(80, group_size=40, **options)
    # The squared residual correlates by 1/4: variance grows by 1 + 39/4 = 10.75.
    assert 2.0 < grouped.std() / single.std() < 5.0
    assert abs(grouped.mean()) < 4 * grouped.std() / math.sqrt(80)


@pytest.mark.slow
@pytest.mark.parametrize("world", WORLDS)
def test_validation_is_unbiased_unless_it_leaks(world):
    options = {
        "world": world,
        "metric": "rmse",
        "n_public": 50,
        "n_private": 50,
        "n_train": 2000,
        "n_submissions": 8,
        "policy": "random",
    }

    def last_gap(rep: int, **more: float) -> float:
        simulated = simulate(Scenario(**options, **more), rng=rep)
        return simulated.history[-1].cv_score - simulated.truth.score[-1]

    honest = np.array([last_gap(rep) for rep in range(16)])
    leaking = np.array([last_gap(rep, cv_leak=0.2) for rep in range(16)])
    spread = honest.std() / math.sqrt(16)
    # Models of the folds see a fifth less: a little worse, never better.
    bias = 0.02 if world == "trained" else 0.0
    assert -4 * spread < honest.mean() < 4 * spread + bias
    assert leaking.mean() < honest.mean() - 5 * spread


def test_the_cv_truth_holds_what_leaks():
    simulated = simulate(
        Scenario(
            metric="rmse", n_train=40_000, cv_leak=0.1, cv_noise=0.05, policy="cv"
        ),
        rng=2,
    )
    gap = simulated.history.raw_scores("cv") - simulated.truth.cv_score
    # One sampling error, RMSE / sqrt(2 n), shared by all in most part.
    assert np.abs(gap).max() < 5 * 1.3 / math.sqrt(2 * 40_000)
    assert simulated.truth.cv_score[-1] < simulated.truth.score[-1] - 0.05


def test_null_steps_are_worth_exactly_nothing():
    truth = simulate(Scenario(n_submissions=60, null_fraction=0.5), rng=4).truth
    kind = np.array(truth.kind)
    assert (truth.gain[kind == "dud"] == 0).all()
    assert truth.is_null[kind == "dud"].all()
    assert (truth.gain[kind == "step"] != 0).all()
    assert not truth.is_null[kind == "step"].any()


@pytest.mark.parametrize(("share", "name"), [(0.0, "step"), (1.0, "dud")])
def test_null_fraction_at_its_ends(share, name):
    truth = simulate(Scenario(n_submissions=20, null_fraction=share), rng=4).truth
    assert truth.kind == ("first",) + (name,) * 19


def test_gains_are_oriented():
    simulated = simulate(
        Scenario(metric="rmse", null_fraction=0.0, gain_fraction=1.0), rng=4
    )
    assert (simulated.truth.gain[1:] > 0).all()
    assert (np.diff(np.sort(simulated.truth.score)) > 0).all()
    worse = simulate(
        Scenario(metric="rmse", null_fraction=0.0, gain_fraction=0.0), rng=4
    )
    assert (worse.truth.gain[1:] < 0).all()


def test_nuisances_of_trained_models_are_small_beside_ideas():
    truth = simulate(
        Scenario(world="trained", metric="rmse", n_submissions=80), rng=4
    ).truth
    kind = np.array(truth.kind)
    nuisance = np.abs(truth.gain[kind == "dud"])
    assert 0 < nuisance.mean() < 0.2 * np.abs(truth.gain[kind == "step"]).mean()


@pytest.mark.parametrize("world", WORLDS)
def test_shift_moves_the_private_side_only(world):
    def scores(shift: float) -> SimulatedCompetition:
        return simulate(Scenario(world=world, n_submissions=8, shift=shift), rng=6)

    before, after = scores(0.0), scores(0.5)
    for kind in ("public", "cv"):
        np.testing.assert_array_equal(
            before.history.raw_scores(kind), after.history.raw_scores(kind)
        )
    np.testing.assert_array_equal(before.truth.score, after.truth.score)
    moved = after.history.raw_scores("private") - before.history.raw_scores("private")
    assert np.abs(moved).min() > 1e-4


def test_validation_that_does_not_transfer_leaves_the_board_alone():
    calm = simulate(Scenario(policy="public"), rng=6)
    wild = simulate(Scenario(policy="public", cv_noise=0.1), rng=6)
    np.testing.assert_array_equal(
        calm.history.raw_scores("public"), wild.history.raw_scores("public")
    )

    def disagreement(simulated: SimulatedCompetition) -> float:
        gap = simulated.history.raw_scores("public")
        gap = gap - simulated.history.raw_scores("cv")
        steps = gap[1:] - gap[simulated.truth.parent[1:]]
        return float(np.std(steps))

    assert disagreement(wild) > 1.5 * disagreement(calm)


@pytest.mark.slow
@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("world", WORLDS)
def test_scores_are_unbiased_over_many_competitions(world, metric):
    errors = public_errors(
        400,
        world=world,
        metric=metric,
        n_public=2000,
        n_private=50,
        n_train=500,
        decimals=8,
    )
    assert abs(errors.mean()) < 4 * errors.std() / math.sqrt(400) + 2e-4
