"""The noise of one score: metric and sizes, steps, and CV that reads alike."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from lbsense.analysis import analyze
from lbsense.analysis.noise import noise_scale, score_se
from lbsense.model import Competition, History, Submission
from lbsense.simulate import Scenario, simulate

NAN = float("nan")


def of_metric(score=10.0, metric="rmse", n_public=400):
    """Return what the metric says of the noise of one score."""
    competition = Competition(
        metric=metric,
        greater_is_better=False,
        test_size=2 * n_public,
        public_fraction=0.5,
    )
    one = Submission(submission_id="1", file_name="a.csv", public_score=score)
    history = History(competition=competition, submissions=(one,))
    return noise_scale(history, np.array([-1]))


def test_metric_and_steps_are_weighed_by_what_is_known_of_each():
    known = of_metric()
    assert score_se(known, NAN) == pytest.approx((known.score_se, known.score_log_sd))
    se, log_sd = score_se(known, 0.1)
    of_step, of_metric_ = 1.35**-2, known.score_log_sd**-2
    middle = of_step * (np.log(0.1) + 2.3) + of_metric_ * np.log(known.score_se)
    assert np.log(se) == pytest.approx(middle / (of_step + of_metric_))
    assert log_sd == pytest.approx((of_step + of_metric_) ** -0.5)


@pytest.mark.parametrize("above", [0.0, 0.3, -3.0, 50.0])
def test_the_distance_of_cv_agrees_with_quadrature(above):
    """One draw of the noise of both, or one draw in five of ten times as much."""
    known, ratio = of_metric(), 0.4

    def density(log_se):
        sd = np.exp(log_se) * np.sqrt(1 + ratio)
        drawn = 0.8 * stats.norm.pdf(above, 0, sd) + 0.2 * stats.norm.pdf(
            above, 0, 10 * sd
        )
        prior = stats.norm.pdf(log_se, np.log(known.score_se), known.score_log_sd)
        return np.array([1.0, log_se, log_se**2]) * drawn * prior

    centre = np.log(known.score_se)
    whole, first, second = integrate.quad_vec(density, centre - 5, centre + 6)[0]
    se, log_sd = score_se(known, NAN, above=above, ratio=ratio)
    assert np.log(se) == pytest.approx(first / whole, abs=1e-3)
    assert log_sd == pytest.approx(
        np.sqrt(second / whole - (first / whole) ** 2), rel=5e-3
    )


@given(above=st.floats(0, 1), further=st.floats(1, 2))
def test_more_noise_is_believed_where_cv_lies_further_away(above, further):
    """As far as noise explains it; beyond, something else keeps them apart."""
    known = of_metric()
    near, far = (score_se(known, NAN, above=x)[0] for x in (-above, above * further))
    assert near <= far * (1 + 1e-9)


def test_cv_that_no_noise_explains_changes_little_and_breaks_nothing():
    known = of_metric(0.8, "accuracy", 10**6)
    se, log_sd = score_se(known, NAN, above=0.2)
    assert np.isfinite([se, log_sd]).all()
    assert se < 2 * known.score_se


def test_what_is_stated_holds_nineteen_times_in_twenty():
    """Histories as the model has them: noise from its prior, CV apart in one of five."""
    known, rng = of_metric(), np.random.default_rng(0)
    true = np.log(known.score_se) + known.score_log_sd * rng.normal(size=1500)
    apart = np.where(rng.random(1500) < 0.2, 10.0, 1.0)
    above = rng.normal(size=1500) * np.exp(true) * np.sqrt(1.5) * apart
    stated = np.array([score_se(known, NAN, above=x, ratio=0.5) for x in above])
    z = (true - np.log(stated[:, 0])) / stated[:, 1]
    assert np.mean(np.abs(z) < 1.96) == pytest.approx(0.95, abs=0.02)
    assert abs(z.mean()) < 0.1
    assert np.mean(stated[:, 1]) < 0.85 * known.score_log_sd


def with_cv(history, change):
    items = (replace(item, cv_score=change(item.cv_score)) for item in history)
    return replace(history, submissions=tuple(items))


def test_cv_of_another_scale_says_nothing_of_the_noise_of_a_score():
    history = simulate(
        Scenario(n_submissions=25, step_size=0.1, policy="both"), rng=2
    ).before_close()
    plain = analyze(history)
    others = [
        analyze(with_cv(history, change))
        for change in (lambda x: 100 * x, lambda x: 0.7 + 3.1 * x)
    ]
    assert others[0].noise.score_se == pytest.approx(others[1].noise.score_se)
    assert plain.noise.score_se != others[0].noise.score_se
    assert plain.noise.score_sd == others[0].noise.score_sd
