"""From a history to verdicts: each word, each level, and what cannot be known."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from lbsense.analysis import Step, analyze
from lbsense.checks import run_checks
from lbsense.model import Competition, History, Submission
from lbsense.simulate import Scenario, simulate


def history(public, cv=None, **options):
    """Return a history of these scores; None where a submission has none."""
    fields = options.pop("fields", {})
    options.setdefault("greater_is_better", True)
    cv = [None] * len(public) if cv is None else cv
    submissions = tuple(
        Submission(
            submission_id=f"s{index}",
            public_score=None if score is None else float(score),
            cv_score=None if value is None else float(value),
            **fields.get(index, {}),
        )
        for index, (score, value) in enumerate(zip(public, cv, strict=True))
    )
    return History(competition=Competition(**options), submissions=submissions)


def climb(rng, *, n_steps=40, n_real=6, gain=0.02, noise=0.003, offset=0.01):
    """Return public and CV of a climb with few large steps and many of none."""
    truth = np.full(n_steps, 0.7)
    for start in np.linspace(1, n_steps - 1, n_real).astype(int):
        truth[start:] += gain
    public = truth + rng.normal(0, noise, n_steps)
    cv = truth + offset + rng.normal(0, noise, n_steps)
    return truth, public.round(5), cv.round(5)


def verdict_words(analysis):
    return [step.verdict for step in analysis.steps]


def test_real_steps_are_progress_and_the_rest_is_not():
    truth, public, cv = climb(np.random.default_rng(1))
    analysis = analyze(history(public, cv))
    real = np.diff(truth, prepend=truth[0]) > 0
    words = np.array(verdict_words(analysis))
    assert analysis.level == "B"
    assert (words[real] == "progress").sum() >= 4
    assert (words[~real] == "progress").sum() <= 2
    clear = np.array([step.strength == "clear" for step in analysis.steps])
    assert not (clear & ~real & (words == "progress")).any()
    assert words[0] == "baseline"


def test_a_smaller_is_better_metric_gives_the_mirrored_analysis():
    _, public, cv = climb(np.random.default_rng(2))
    up = analyze(history(public, cv))
    down = analyze(history(-public, -cv, greater_is_better=False))
    assert verdict_words(down) == verdict_words(up)
    np.testing.assert_allclose(
        [step.gain for step in down.steps[1:]], [step.gain for step in up.steps[1:]]
    )


def test_cv_offset_does_not_matter():
    rng = np.random.default_rng(3)
    _, public, cv = climb(rng)
    assert verdict_words(analyze(history(public, cv))) == verdict_words(
        analyze(history(public, cv + 0.1))
    )


def test_without_direction_nothing_is_guessed_and_the_user_is_asked():
    analysis = analyze(history([0.7, 0.8, 0.9], greater_is_better=None))
    assert verdict_words(analysis) == ["unknown"] * 3
    assert analysis.next_fact.startswith("The metric (metric=")
    assert "greater_is_better" in analysis.notes["direction"]
    assert all(step.public_gain is None for step in analysis.steps)


def test_public_scores_alone_tell_no_noise():
    analysis = analyze(history([0.70, 0.75, 0.72]))
    assert analysis.level == "A"
    assert verdict_words(analysis) == ["baseline", "unknown", "unknown"]
    assert analysis.steps[1].public_gain == pytest.approx(0.05)
    assert analysis.steps[1].p_gain is None
    assert "CV" in analysis.next_fact
    assert "give the metric, test_size, public_fraction" in analysis.notes["gain"]


def test_metric_and_sizes_allow_the_claims_that_survive_the_largest_noise():
    # Accuracy .8 on 4,000 rows: one score moves by .0063, a step by at most .0089.
    analysis = analyze(
        history(
            [0.60, 0.80, 0.801, 0.8101, 0.65],
            metric="accuracy",
            test_size=10_000,
            public_fraction=0.4,
        )
    )
    assert analysis.level == "A+"
    assert verdict_words(analysis)[1] == "progress"
    assert verdict_words(analysis)[2:4] != ["progress", "progress"]
    assert verdict_words(analysis)[4] == "setback"
    np.testing.assert_allclose(analysis.noise.score_se, np.sqrt(0.8101 * 0.1899 / 4000))
    assert analysis.noise.step_se_high == pytest.approx(
        np.sqrt(2) * analysis.noise.score_se_high
    )


def test_a_step_is_compared_with_its_parent_or_the_incumbent():
    analysis = analyze(
        history([0.7, 0.8, 0.75, 0.9, 0.76], fields={4: {"parent_id": "s2"}})
    )
    assert [step.reference_id for step in analysis.steps] == [
        None,
        "s0",
        "s1",
        "s1",
        "s2",
    ]


def test_the_same_content_is_a_repeat_and_measures_noise():
    same = {"content_hash": "abc"}
    analysis = analyze(history([0.70, 0.74, 0.71], fields={0: same, 2: same}))
    assert verdict_words(analysis)[2] == "repeat"
    assert analysis.steps[2].reference_id == "s0"
    assert analysis.steps[2].p_gain is None
    # One pair .70, .71: sd of a score .01 / sqrt 2, of a difference .01.
    assert analysis.noise.rerun_se == pytest.approx(0.01)


def test_equal_scores_mark_repeats_and_equal_descriptions_alone_do_not():
    named = {"description": "Notebook lgbm stack | Version 7"}
    lazy = {"description": "boosting with scaler"}
    scores = [7.0123, 7.0123, 7.2014, 7.3988]
    analysis = analyze(history(scores, fields={0: named, 1: named, 2: lazy, 3: lazy}))
    assert verdict_words(analysis)[1] == "repeat"
    assert verdict_words(analysis)[3] != "repeat"
    assert not analysis.noise.rerun_se > 0


def test_a_repeat_is_compared_with_its_kind_and_not_with_its_parent():
    fields = {1: {"content_hash": "x", "parent_id": "s0"}}
    fields |= {2: {"content_hash": "x", "parent_id": "s0"}}
    step = analyze(history([0.7, 0.8, 0.79], fields=fields)).steps[2]
    assert (step.verdict, step.reference_id) == ("repeat", "s1")


def test_a_repeat_of_what_has_no_score_has_nothing_to_compare_with():
    digests = {i: {"content_hash": name} for i, name in enumerate("abcc")}
    digests[2]["status"] = "error"
    analysis = analyze(history([0.944, 0.953, None, 0.942], fields=digests))
    step = analysis.steps[3]
    assert (step.verdict, step.reference_id, step.public_gain) == ("repeat", "s2", None)
    assert "s2, which has no score: there is nothing to compare" in step.sentence


def test_steps_within_rerun_noise_are_guesses():
    named = {"content_hash": "x"}
    analysis = analyze(history([6.49, 6.56, 6.58, 7.9], fields={0: named, 1: named}))
    assert verdict_words(analysis) == ["baseline", "repeat", "guess", "unknown"]


def test_unscored_submissions_stay_in_the_list():
    analysis = analyze(
        history([0.7, None, None], fields={1: {"status": "error"}, 2: {}})
    )
    assert verdict_words(analysis)[1:] == ["unscored", "unscored"]
    assert "could not score" in analysis.steps[1].sentence
    assert "no public score" in analysis.steps[2].sentence


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("LB probe: fold 3 zeroed", "probe"),
        ("all zeros", "probe"),
        ("linear probe on DINOv2 features", "unknown"),
        ("probe set of 200 images", "unknown"),
    ],
)
def test_probes_are_known_by_their_own_words(text, verdict):
    analysis = analyze(history([0.7, 0.8], fields={1: {"description": text}}))
    assert verdict_words(analysis)[1] == verdict


@pytest.mark.parametrize("declared", [True, False])
def test_a_rise_that_trusted_cv_denies_is_chasing(declared):
    # Every submission is built on the one before it, said or not, and has its luck.
    rng = np.random.default_rng(4)
    steps = np.where(rng.random(30) < 0.5, 0.0, rng.normal(0, 0.02, 30))
    truth = 0.7 + np.cumsum(steps)
    public = truth + np.cumsum(rng.normal(0, 0.002, 30))
    cv = truth + np.cumsum(rng.normal(0, 0.002, 30))
    public[20] = public[19] + 0.04
    cv[20] = cv[19] - 0.01
    said = {index: {"parent_id": f"s{index - 1}"} for index in range(1, 30)}
    analysis = analyze(history(public, cv, fields=said if declared else {}))
    assert analysis.steps[20].reference_id == "s19"
    assert verdict_words(analysis)[20] == "chasing"
    assert "should not have" in analysis.steps[20].sentence


def test_cv_that_does_not_follow_the_public_score_accuses_nobody():
    rng = np.random.default_rng(5)
    public = 0.7 + np.maximum.accumulate(rng.normal(0, 0.01, 30))
    cv = rng.normal(0.7, 0.01, 30)
    assert "chasing" not in verdict_words(analyze(history(public, cv)))


@pytest.mark.parametrize("factor", [0.01, 0.4, 3.0, 100.0])
def test_cv_on_another_scale_leads_to_the_same_verdicts(factor):
    _, public, cv = climb(np.random.default_rng(6))
    plain = analyze(history(public, cv))
    scaled = analyze(history(public, 0.3 + factor * cv))
    assert verdict_words(scaled) == verdict_words(plain)
    assert verdict_words(plain).count("progress") >= 4
    # Both show CV gains on the scale of the public score.
    for one, other in zip(plain.steps[1:], scaled.steps[1:], strict=True):
        assert other.cv_gain == pytest.approx(one.cv_gain, rel=1e-6, abs=1e-12)


def test_cv_that_points_the_other_way_is_turned_over_and_said():
    _, public, cv = climb(np.random.default_rng(7))
    turned = analyze(history(public, 1 - cv))
    assert "better the other way" in turned.notes["cv"]
    assert verdict_words(turned) == verdict_words(analyze(history(public, cv)))


@pytest.mark.parametrize(
    ("public", "cv"),
    [
        ([], []),
        ([0.7], [0.7]),
        ([0.7, 0.7], [0.7, 0.7]),
        ([None, None], [None, 0.7]),
        ([0.7] * 12, [0.7] * 12),
        ([0.7] * 12, [None] * 12),
        ([0.7, 1e6, 0.71, 0.7, 0.72, 0.71, 0.7], [0.7, 0.7, 0.71, 0.7, 0.7, 0.7, 0.7]),
    ],
    ids=["empty", "one", "two", "unscored", "equal", "equal-no-cv", "absurd"],
)
def test_degenerate_histories_never_get_a_confident_verdict(public, cv):
    analysis = analyze(history(public, cv))
    assert "progress" not in verdict_words(analysis)[2:]
    assert len(analysis.steps) == len(public)
    assert analysis.headline
    json.dumps(analysis.to_dict(), allow_nan=False)
    run_checks(analysis)


def test_dictionary_and_frame_have_the_documented_shape():
    analysis = analyze(history([0.7, 0.71], [0.7, None]))
    payload = analysis.to_dict()
    assert payload["schema"] == 1
    assert list(payload["steps"][0]) == list(Step.__dataclass_fields__)
    assert list(analysis.to_frame().columns) == list(Step.__dataclass_fields__)
    assert payload["steps"][0]["gain"] is None


def test_foreign_text_is_inert_in_html_and_text():
    nasty = {"description": "<script>alert(1)</script>\x1b[31m"}
    analysis = analyze(history([0.7, 0.8], fields={1: nasty}))
    assert "<script>" not in analysis._repr_html_()
    assert "\x1b" not in str(analysis)


def test_options_are_checked():
    with pytest.raises(ValueError, match="rope must be a finite number above 0"):
        analyze(history([0.7]), rope=-1)
    with pytest.raises(ValueError, match="confidence_level"):
        analyze(history([0.7]), confidence_level=95)


def test_thousands_of_submissions_are_analysed():
    rng = np.random.default_rng(8)
    _, public, cv = climb(rng, n_steps=2000)
    analysis = analyze(history(public, cv))
    assert len(analysis.steps) == 2000


@pytest.mark.slow
@pytest.mark.parametrize("n_steps", [10, 40])
def test_histories_without_a_real_step_hardly_ever_show_progress(n_steps):
    rng = np.random.default_rng(9)
    n_histories, shown = 100, 0
    for _ in range(n_histories):
        _, public, cv = climb(rng, n_steps=n_steps, n_real=0)
        shown += "progress" in verdict_words(analyze(history(public, cv)))
    assert shown / n_histories <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / n_histories)


def test_real_histories_are_told_without_error(real_data):
    import pandas as pd

    table = pd.read_csv(real_data / "clouds_dice.csv").astype(object)
    table = table.where(table.notna(), None)
    analysis = analyze(history(table["public"], table["cv"], display_decimals=3))
    assert len(analysis.steps) == len(table)
    assert all(step.sentence for step in analysis.steps)


@pytest.mark.parametrize("seed", range(3))
def test_progress_is_what_is_likely_and_what_chance_seldom_shows(seed):
    made = simulate(
        Scenario(n_submissions=40, policy="both", null_fraction=0.8, step_size=0.1),
        rng=seed,
    )
    analysis = analyze(made.history)
    steps = analysis.posterior
    shown = steps.seen >= 2 * np.sqrt(steps.seen_var)
    listed = set(np.flatnonzero(shown & (steps.p_gain >= 0.75)))
    words = dict(enumerate(verdict_words(analysis)))
    told = {i for i, word in words.items() if word == "progress"}
    assert told == listed
    for index in told:
        sure = analysis.posterior.p_gain[index] >= 0.95
        assert analysis.steps[index].strength == ("clear" if sure else "likely")


def test_a_path_a_text_and_a_frame_are_read(tmp_path):
    path = tmp_path / "log.csv"
    frame = pd.DataFrame({"model": ["a", "b"], "LB": [0.5, 0.6]})
    frame.to_csv(path, index=False)
    for given in (path, str(path), path.read_text(), frame):
        assert [step.public_score for step in analyze(given).steps] == [0.5, 0.6]
    with pytest.raises(TypeError, match=r"records, got int 3\. Give what lbsense"):
        analyze(3)
