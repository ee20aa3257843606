"""Several CV scores and schemes that change: each on a scale of its own."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lbsense.analysis import analyze, gate
from lbsense.ingest import read_table
from lbsense.model import History
from lbsense.simulate import Scenario, simulate
from lbsense.words import selection


def made(seed, n=30):
    return simulate(
        Scenario(n_submissions=n, null_fraction=0.5, step_size=0.1, policy="both"),
        rng=seed,
    ).history


def changed(history, **columns):
    """Return the history with other fields, each a list by submission."""
    items = [
        replace(item, **{name: values[k] for name, values in columns.items()})
        for k, item in enumerate(history)
    ]
    return replace(history, submissions=tuple(items))


def cv_of(history):
    return history.raw_scores("cv")


def with_others(history, **others):
    pairs = [
        tuple((n, float(v[k])) for n, v in others.items() if np.isfinite(v[k]))
        for k in range(len(history))
    ]
    return changed(history, cv_others=pairs)


def words(analysis):
    return [step.verdict for step in analysis.steps]


def broken(history, at, *, factor=0.8, shift=0.3):
    cv = cv_of(history)
    return np.where(np.arange(len(cv)) >= at, shift + factor * cv, cv).tolist()


def test_a_break_that_the_scores_show():
    history = made(3)
    seen = analyze(changed(history, cv_score=broken(history, 14)))
    before, after = seen.agreement.scales
    assert (before.begin, after.begin, after.first) == ("", "scores", 14)
    assert before.last == 13
    for scale in (before, after):
        assert scale.n_obs >= 5
        assert scale.slope > 0
    gains = [step.cv_gain for step in seen.steps]
    assert sum(gain is not None for gain in gains) >= 0.7 * len(gains)
    assert "A new scale of CV begins at #15" in str(seen.caveat("cv_scales"))
    assert "scheme of CV changed" in selection(seen)[0]
    assert "scheme of CV changed" not in selection(analyze(history))[0]


def test_no_cv_difference_across_a_break():
    history = made(3)
    seen = analyze(changed(history, cv_score=broken(history, 14)))
    place = {item.submission_id: k for k, item in enumerate(history)}
    for k, step in enumerate(seen.steps):
        if step.reference_id and (place[step.reference_id] < 14) != (k < 14):
            assert step.cv_gain is None


def test_both_schemes_known_for_both_ends_give_a_difference_across():
    history = made(3)
    cv, later = cv_of(history), np.array(broken(history, 0))
    at = np.arange(len(cv))
    first = [float(x) if k < 20 else None for k, x in enumerate(cv)]
    both = changed(history, cv_score=first)
    both = with_others(both, later=np.where(at >= 8, later, np.nan))
    seen = analyze(both)
    assert [scale.name for scale in seen.agreement.scales] == ["CV", "later"]
    assert all(step.cv_gain is not None for step in seen.steps if step.reference_id
               and step.verdict not in ("repeat", "unscored")
               and int(np.flatnonzero([x.submission_id == step.reference_id
                                       for x in history])[0]) >= 8)  # fmt: skip


def test_a_break_that_words_tell():
    history = made(3)
    cv = (np.where(np.arange(30) >= 14, 0.001, 0.0) + cv_of(history)).tolist()
    texts = ["step"] * 30
    texts[0], texts[14] = "5fold lgbm", "group kfold from now on"
    seen = analyze(
        changed(history, cv_score=cv, description=texts, file_name=[None] * 30)
    )
    before, after = seen.agreement.scales
    assert (before.scheme, after.scheme) == ("k-fold", "group k-fold")
    assert (after.begin, after.first) == ("words", 14)


def test_a_gate_after_a_break_that_another_cv_bridges():
    history = made(3, 50)
    rng = np.random.default_rng(3)
    second = 0.5 * cv_of(history) + 0.0005 * rng.normal(size=50)
    both = changed(history, cv_score=broken(history, 25, factor=1.0, shift=0.1))
    seen = analyze(with_others(both, second=second))
    assert [scale.begin for scale in seen.agreement.scales] == ["", "scores", ""]
    best = int(np.nanargmax(seen.levels.mean))
    again = gate(seen, both[best].cv_score, parent=both[best].submission_id)
    assert abs(again.cv_gain) < 0.02 < 0.1 * seen.cv_scale


def test_a_scheme_too_short_to_learn_its_scale_has_no_share():
    history = made(3)
    texts = ["step"] * 30
    texts[0], texts[27] = "5fold lgbm", "group kfold from now on"
    seen = analyze(changed(history, description=texts, file_name=[None] * 30))
    before, after = seen.agreement.scales
    assert before.weight == 1
    assert np.isnan([after.weight, after.slope]).all()
    assert "too few steps" in after.reason
    told = gate(seen, cv_of(history)[29]).reason
    assert "of the latest CV scheme so far, 5 are needed" in told


def test_a_scheme_under_which_the_public_score_never_moves_has_no_scale():
    history = made(3)
    texts = ["step"] * 30
    texts[0], texts[15] = "5fold lgbm", "group kfold from now on"
    public = [s.public_score if k < 15 else 0.8 for k, s in enumerate(history)]
    seen = analyze(
        changed(history, public_score=public, description=texts, file_name=[None] * 30)
    )
    before, after = seen.agreement.scales
    assert before.slope > 0
    assert np.isnan(after.slope)
    assert np.isnan(seen.cv_scale)


def test_a_steady_scheme_is_one_scale():
    seen = [analyze(made(seed)) for seed in range(12)]
    scales = [len(found.agreement.scales) for found in seen if found.agreement]
    assert scales.count(1) >= len(scales) - 1


def test_a_second_cv_is_named_and_used():
    history = made(5)
    rng = np.random.default_rng(5)
    second = 0.2 + 0.5 * (cv_of(history) + 0.0005 * rng.normal(size=30))
    second[:10] = np.nan
    seen = analyze(with_others(history, holdout=second))
    first, other = seen.agreement.scales
    assert (first.name, other.name) == ("CV", "holdout")
    assert other.first == 10
    assert first.weight > 0
    assert other.weight > 0
    np.testing.assert_allclose(other.slope / first.slope, 0.5, rtol=0.3)


@pytest.mark.parametrize(
    ("second", "reason"),
    [
        (lambda _: np.full(30, 0.7), "is the same in all"),
        (lambda h: 2 * h.raw_scores("public") + 1, "moves exactly as the public score"),
    ],
)
def test_a_second_cv_that_measures_nothing_is_not_used(second, reason):
    history = made(5)
    seen = analyze(with_others(history, second=second(history)))
    scale = seen.agreement.scales[1]
    assert reason in scale.reason
    assert np.isnan(scale.slope)
    assert reason in str(seen.caveat("cv_scales"))
    assert words(seen) == words(analyze(history))


def test_a_kind_of_cv_that_nothing_has_is_no_scale():
    history = made(5)
    other = with_others(changed(history, cv_score=[None] * 30), holdout=cv_of(history))
    (scale,) = analyze(other).agreement.scales
    assert (scale.name, scale.first, scale.reason) == ("holdout", 0, "")


def test_a_second_cv_of_the_other_sign():
    history = made(5)
    second = -3 * cv_of(history)
    seen = analyze(with_others(history, loss=second))
    assert seen.agreement.scales[1].slope < 0
    upright = analyze(with_others(history, loss=-second))
    assert words(seen) == words(upright)


@settings(max_examples=10)
@given(
    st.integers(0, 40),
    st.sampled_from([0.01, 0.4, 3.0, 100.0]),
    st.sampled_from([-5.0, 0.7]),
    st.sampled_from([0.2, 7.0]),
)
def test_units_of_series_and_schemes_change_no_verdict(seed, factor, shift, other):
    history = made(seed, 24)
    rng = np.random.default_rng(seed)
    second = cv_of(history) + 0.002 * rng.normal(size=24)
    second[: seed % 12] = np.nan
    cv = np.array(broken(history, 12)) if seed % 2 else cv_of(history)
    plain = with_others(changed(history, cv_score=cv.tolist()), second=second)
    moved = with_others(
        changed(history, cv_score=(shift + factor * cv).tolist()),
        second=1.0 + other * second,
    )
    one, two = analyze(plain), analyze(moved)
    assert words(one) == words(two)
    np.testing.assert_allclose(
        [step.p_gain or 0.0 for step in one.steps],
        [step.p_gain or 0.0 for step in two.steps],
        atol=1e-5,
    )


def test_columns_that_are_surely_cv():
    text = "model,OOF,Holdout,LB\na,0.71,0.70,0.705\nb,0.72,,0.71\nc,,0.74,0.73\n"
    history = read_table(text, greater_is_better=True)
    assert [item.cv_score for item in history] == [0.71, 0.72, None]
    assert [item.cv_others for item in history] == [
        (("Holdout", 0.7),), (), (("Holdout", 0.74),),
    ]  # fmt: skip
    assert "CV from 'OOF', further CV from 'Holdout'" in str(history.reading)
    assert list(history.cv_series()) == ["OOF", "Holdout"]


def test_columns_that_the_user_names_in_order():
    text = "model,a,b,LB\nx,0.71,0.70,0.705\ny,0.72,0.71,0.71\n"
    history = read_table(text, columns={"cv": ["b", "a"]}, greater_is_better=True)
    assert [item.cv_score for item in history] == [0.7, 0.71]
    assert [item.cv_others for item in history] == [(("a", 0.71),), (("a", 0.72),)]


def test_an_empty_history_has_one_kind_of_cv():
    competition = made(1).competition
    empty = History(competition=competition, submissions=())
    assert list(empty.cv_series()) == ["CV"]


def test_several_cv_scores_of_a_log():
    log = [{"name": "x", "oof": 0.71, "holdout": 0.42}, {"name": "y", "oof": 0.72}]
    text = "model,LB\nx,0.70\ny,0.71\n"
    history = read_table(text, cv_log=log, columns={"cv": ["oof", "holdout"]})
    assert [item.cv_score for item in history] == [0.71, 0.72]
    assert [item.cv_others for item in history] == [(("holdout", 0.42),), ()]


def test_a_slip_of_the_pen_in_cv_is_not_believed():
    history = made(3)
    cv = cv_of(history)
    cv[20] -= 0.3
    plain, slip = analyze(history), analyze(changed(history, cv_score=cv.tolist()))
    assert plain.caveat("cv_gain") is None
    told = slip.caveat("cv_gain")
    assert "#21 " in told.reason
    assert "public score alone is believed" in told.reason
    # Nobody takes the step, or the next one, for a loss or a gain of .3.
    for k in (20, 21):
        gain, public = slip.steps[k].gain, slip.steps[k].public_gain
        assert abs(gain - public) < 3 * slip.noise.step_se
    assert slip.outlook.ci95_low[-1] == pytest.approx(
        plain.outlook.ci95_low[-1], abs=0.01
    )
    scaled = analyze(changed(history, cv_score=(2 + 5 * cv).tolist()))
    assert scaled.caveat("cv_gain") == told
    assert words(scaled) == words(slip)
