"""The posterior of steps: by brute force, what must not matter, and calibration."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from lbsense.stats import Source, StepNoise, bayes_fdr_list, step_posterior
from lbsense.stats.steps.kinds import KIND_SHARES, KINDS, NOTHING, SCALES, widths

NAN = np.nan
ARRAYS = (
    "gain", "gain_se", "ci_low", "ci_high", "p_gain", "p_null", "p_loss", "public_se",
    "cv_se", "seen", "seen_var", "shared_luck",
)  # fmt: skip
PROBABILITIES = ("p_gain", "p_null", "p_loss")


def alone(n):
    """Return references of ``n`` steps that share nothing: each from its own root."""
    return np.array([k - 1 if k % 2 else -1 for k in range(2 * n)])


def spread(gains):
    """Return gains at every second place, where the steps of `alone` are."""
    whole = np.full(2 * len(gains), NAN)
    whole[1::2] = gains
    return whole


def public_and_cv(public, cv, **options):
    options = {"log_ratio_sd": 1.0, "spread": 0.5, "slope_known": False} | options
    return [
        Source(name="public", gain=np.asarray(public, dtype=float)),
        Source(name="cv", gain=np.asarray(cv, dtype=float), **options),
    ]


def known_noise(se):
    """Return noise that is known at every place."""
    se = np.asarray(se, dtype=float)
    return StepNoise(
        log_sd=0.0, log_sd_sd=0.0, unit=se, widths=(0.1,), width_shares=(1.0,)
    )


def by_quadrature(gains, *, se, n_rows, rope, ratios=(1.0,)):
    """Return P(gain), P(loss) and mean of unrelated steps, summed over true steps.

    ``gains`` has one row a source. Every law of true steps is laid out on a grid of
    true steps; kinds are weighed by the square root of their likelihood and learn with
    10 steps to their name, four times.
    """
    grid = np.concatenate([-np.geomspace(80, 1e-5, 6000), np.geomspace(1e-5, 80, 6000)])
    cell = np.gradient(grid)
    laws = np.array(
        [
            np.where(sign * grid > 0, 2 * stats.norm.pdf(grid, 0, width), 0.0)
            for sign in (1, -1)
            for width in (NOTHING, *SCALES * np.sqrt(n_rows))
        ]
    )
    density = np.array(
        [
            np.prod(
                [
                    stats.norm.pdf(d / se, grid, np.sqrt(ratio))
                    for d, ratio in zip(seen, ratios, strict=True)
                ],
                axis=0,
            )
            for seen in np.transpose(gains)
        ]
    )
    like = (laws * cell) @ density.T  # (parts, steps)
    kinds = KINDS.copy()
    for _ in range(4):
        fit = kinds @ like
        weight = KIND_SHARES * np.sqrt(np.prod(fit, axis=1))
        weight /= weight.sum()
        seen = np.einsum("i,ic,cn,in->ic", weight, kinds, like, 1 / fit)
        kinds = seen / weight[:, np.newaxis] + 10 * KINDS
        kinds /= kinds.sum(axis=1, keepdims=True)
    share = np.einsum("i,ic,in->cn", weight, kinds, 1 / (kinds @ like))
    posterior = np.einsum("cn,cx,nx->nx", share, laws, density) * cell
    true = grid * se
    return (
        posterior[:, true > rope].sum(axis=1),
        posterior[:, true < -rope].sum(axis=1),
        posterior @ true,
    )


@pytest.mark.parametrize("gains", [[0.5], [3.0], [-2.0, 0.1], [4.0, 2.0, -0.5]])
def test_one_source_agrees_with_quadrature(gains):
    se, n_rows, rope = 0.01, 900, 0.002
    seen = se * np.array(gains)
    result = step_posterior(
        [Source(name="public", gain=spread(seen))],
        alone(len(gains)),
        noise=known_noise(np.full(2 * len(gains), se)),
        n_rows=n_rows,
        rope=rope,
    )
    p_gain, p_loss, mean = by_quadrature([seen], se=se, n_rows=n_rows, rope=rope)
    np.testing.assert_allclose(result.p_gain[1::2], p_gain, atol=1e-3)
    np.testing.assert_allclose(result.p_loss[1::2], p_loss, atol=1e-3)
    np.testing.assert_allclose(result.gain[1::2], mean, atol=2e-5)


@pytest.mark.parametrize("ratio", [0.5, 1.0, 4.0])
def test_two_sources_agree_with_quadrature(ratio):
    se, n_rows, rope = 0.004, 2500, 0.001
    public, cv = se * np.array([[2.0, -1.0, 0.3], [1.0, -2.5, 0.8]])
    result = step_posterior(
        public_and_cv(
            spread(public), spread(cv), log_ratio=float(np.log(ratio)),
            log_ratio_sd=0.0, spread=0.0, slope_known=True,
        ),
        alone(3),
        noise=known_noise(np.full(6, se)),
        n_rows=n_rows,
        rope=rope,
    )  # fmt: skip
    p_gain, p_loss, mean = by_quadrature(
        [public, cv], se=se, n_rows=n_rows, rope=rope, ratios=(1.0, ratio)
    )
    np.testing.assert_allclose(result.p_gain[1::2], p_gain, atol=1e-3)
    np.testing.assert_allclose(result.p_loss[1::2], p_loss, atol=1e-3)
    np.testing.assert_allclose(result.gain[1::2], mean, atol=2e-5)
    np.testing.assert_allclose(result.cv_se[1::2], se * np.sqrt(ratio), rtol=1e-9)


@pytest.mark.parametrize("factor", [0.125, 4.0])
def test_a_known_factor_of_cv_noise_is_as_good_as_its_ratio(factor):
    # 4,000 training rows behind CV and 500 public rows: an eighth of the variance.
    rng = np.random.default_rng(3)
    public, cv = rng.normal(0, 0.01, (2, 12))
    tree, noise = alone(12), known_noise(np.full(24, 0.008))

    def judged(**options):
        sources = public_and_cv(
            spread(public), spread(cv), log_ratio_sd=0.0, spread=0.0,
            slope_known=True, **options,
        )  # fmt: skip
        return step_posterior(sources, tree, noise=noise, n_rows=500)

    said = judged(log_ratio=np.log(factor))
    told = judged(unit=np.full(24, factor))
    for name in ARRAYS:
        one, other = getattr(told, name), getattr(said, name)
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-12)
    assert told.cv_ratio == pytest.approx(factor)
    ratio = (told.cv_se / told.public_se)[1::2]
    np.testing.assert_allclose(ratio, np.sqrt(factor))


def test_noise_that_is_not_known_is_integrated_over():
    """One step, noise between half and twice the typical: an average of posteriors."""
    gain, n_rows, rope, centre, sd = 0.02, 900, 0.002, np.log(0.01), 0.4
    result = step_posterior(
        [Source(name="public", gain=spread([gain]))],
        alone(1),
        noise=StepNoise(
            log_sd=centre, log_sd_sd=sd, widths=(0.1,), width_shares=(1.0,)
        ),
        n_rows=n_rows,
        rope=rope,
    )
    z = np.linspace(-3, 3, 61)
    chances, weights = [], []
    for log_se in centre + sd * z:
        se = np.exp(log_se)
        # The sizes of true steps grow with the noise, a little faster than it.
        rows = n_rows * (se / 0.01) ** 0.6
        found = by_quadrature([[gain]], se=se, n_rows=rows, rope=rope)
        grid = np.linspace(-0.6, 0.6, 40_001)
        sizes = (NOTHING, *SCALES * rows**0.5)
        law = sum(
            p * np.where(s * grid > 0, 2, 0) * stats.norm.pdf(grid, 0, se * w)
            for p, s, w in zip(
                KIND_SHARES @ KINDS, [1] * 8 + [-1] * 8, [*sizes, *sizes], strict=True
            )
        )
        fit = stats.norm.pdf(gain, grid, se) @ law
        chances.append(found[0][0])
        weights.append(np.sqrt(fit))
    weights = np.array(weights) * stats.norm.pdf(z)
    np.testing.assert_allclose(
        result.p_gain[1], np.average(chances, weights=weights), atol=0.03
    )


def some_history(rng, n=24, *, null=0.5, noise=0.002):
    parent = np.array([-1] + [int(rng.integers(k)) for k in range(1, n)])
    true = np.where(rng.random(n) < null, 0.0, rng.normal(0, 0.01, n))
    public, cv = true + rng.normal(0, noise, (2, n))
    public[0] = cv[0] = NAN
    return parent, true, public, cv


@settings(max_examples=4)
@given(
    seed=st.integers(0, 10_000), factor=st.floats(0.01, 100), unit=st.floats(0.01, 100)
)
def test_cv_may_be_on_any_scale_and_everything_follows_that_of_the_public_score(
    seed, factor, unit
):
    parent, _, public, cv = some_history(np.random.default_rng(seed), 10)
    plain = step_posterior(public_and_cv(public, cv), parent)
    scaled = step_posterior(public_and_cv(public, factor * cv), parent)
    np.testing.assert_allclose(scaled.cv_slope, factor * plain.cv_slope, rtol=1e-6)
    moved = step_posterior(public_and_cv(unit * public, cv), parent)
    for name in ARRAYS:
        given_ = getattr(plain, name)
        np.testing.assert_allclose(
            getattr(scaled, name), given_, rtol=1e-5, atol=1e-9, err_msg=name
        )
        power = {"seen_var": 2}.get(name, 0 if name in PROBABILITIES else 1)
        np.testing.assert_allclose(
            getattr(moved, name) / unit**power,
            given_,
            rtol=1e-5,
            atol=1e-9,
            err_msg=name,
        )


@pytest.mark.parametrize(
    ("stretch", "log_ratio", "n_seen", "alike", "expected"),
    [
        (0.5, 0.0, 8, True, 0.5 ** (1 / 2)),  # two equal measurements of one scale
        (0.5, np.log(1 / 3), 8, True, 0.5 ** (3 / 4)),  # CV has three times the rows
        (2.0, 0.0, 4, True, 2.0 ** (1 / 3)),  # and half of the steps
        (2.0, 0.0, 8, False, 1.0),
        (5.0, 0.0, 8, True, 1.0),  # no score that reads alike moves so much more
    ],
)
def test_the_true_scale_lies_between_those_that_read_alike(
    stretch, log_ratio, n_seen, alike, expected
):
    public = np.array([0.01, -0.02, 0.03, 0.01, -0.01, 0.02, -0.03, 0.01])
    cv = np.where(np.arange(8) < n_seen, stretch * public, NAN)
    sources = public_and_cv(
        spread(public), spread(cv), alike=alike, n_slopes=1, log_ratio=log_ratio
    )
    result = step_posterior(sources, alone(8))
    assert result.scale == pytest.approx(expected)


def test_gains_on_the_true_scale_are_nearer_the_truth():
    """Few rows stretch all gains of the public score, and those of CV a little."""
    rng, error, total = np.random.default_rng(5), [], []
    for _ in range(20):
        parent, true, public, cv = some_history(rng, 25, null=0.3, noise=0.004)
        public, cv = (
            public * np.exp(rng.normal(0, 0.5)),
            cv * np.exp(rng.normal(0, 0.1)),
        )
        sources = public_and_cv(public, cv, alike=True, log_ratio=np.log(0.1))
        result = step_posterior(sources, parent)
        gain = np.array([result.gain, result.scale * result.gain])[:, 1:]
        error.append(np.abs(gain - true[1:]).mean(axis=1))
        total.append((gain * np.sign(true[1:])).sum(axis=1) / np.abs(true[1:]).sum())
    plain, scaled = np.mean(error, axis=0)
    assert scaled < 0.85 * plain
    assert abs(np.mean(total, axis=0)[1] - 1) < 0.15
    assert np.std(total, axis=0)[1] < 0.6 * np.std(total, axis=0)[0]


@settings(max_examples=4)
@given(seed=st.integers(0, 10_000))
def test_names_do_not_matter(seed):
    """Submissions in another order, references kept: the same steps."""
    rng = np.random.default_rng(seed)
    parent, _, public, cv = some_history(rng, 10)
    plain = step_posterior(public_and_cv(public, cv), parent)
    order = rng.permutation(10)
    place = np.argsort(order)
    told = np.where(parent[order] >= 0, place[parent[order]], -1)
    mixed = step_posterior(public_and_cv(public[order], cv[order]), told)
    for name in ARRAYS:
        np.testing.assert_allclose(
            getattr(mixed, name), getattr(plain, name)[order], rtol=1e-6, atol=1e-10
        )


def test_scores_turned_over_say_the_same_of_noise():
    parent, _, public, cv = some_history(np.random.default_rng(4))
    up = step_posterior(public_and_cv(public, cv), parent)
    down = step_posterior(public_and_cv(-public, -cv), parent)
    # Gains and losses have not quite the same prior; what was noise stays noise.
    np.testing.assert_allclose(down.public_se, up.public_se, rtol=0.2)
    assert np.corrcoef(down.gain[1:], -up.gain[1:])[0, 1] > 0.99


def test_probabilities_sum_to_one_and_intervals_hold_the_mean():
    parent, _, public, cv = some_history(np.random.default_rng(5))
    result = step_posterior(public_and_cv(public, cv), parent)
    total = result.p_gain + result.p_null + result.p_loss
    np.testing.assert_allclose(total[1:], 1, rtol=1e-9)
    assert np.isnan(result.gain[0])
    assert (result.ci_low[1:] < result.gain[1:]).all()
    assert (result.gain[1:] < result.ci_high[1:]).all()
    assert result.n_obs == result.n_paired == 23


def test_missing_cv_leaves_a_step_less_certain():
    parent, _, public, cv = some_history(np.random.default_rng(6), 30)
    cv[10:] = NAN
    result = step_posterior(public_and_cv(public, cv), parent)
    assert np.isfinite(result.p_gain[1:]).all()
    assert np.isnan(result.cv_se[10:]).all()
    assert result.n_paired == 9
    assert np.median(result.seen_var[10:]) > np.median(result.seen_var[1:10])


def test_a_step_without_public_gain_is_not_judged():
    parent, _, public, cv = some_history(np.random.default_rng(7))
    public[5] = NAN
    result = step_posterior(public_and_cv(public, cv), parent)
    assert all(np.isnan(getattr(result, name)[5]) for name in ARRAYS)
    assert result.n_obs == 22


def test_no_evidence_gives_nan_and_one_source_without_noise_is_refused():
    empty = step_posterior([Source(name="public", gain=np.full(3, NAN))], [-1, 0, 0])
    assert np.isnan(empty.p_gain).all()
    assert empty.n_obs == 0
    with pytest.raises(ValueError, match="one source of scores tells no noise"):
        step_posterior([Source(name="public", gain=np.array([NAN, 1.0]))], [-1, 0])
    with pytest.raises(ValueError, match="confidence_level"):
        step_posterior(
            public_and_cv([NAN, 1.0], [NAN, 1.0]), [-1, 0], confidence_level=95
        )
    with pytest.raises(ValueError, match="must have one length"):
        step_posterior(public_and_cv([NAN, 1.0], [NAN, 1.0]), [-1, 0, 0])


@pytest.mark.parametrize(
    ("public", "cv"),
    [
        ([NAN, 0.0], [NAN, 0.0]),
        ([NAN, 0.1], [NAN, 0.1]),
        ([NAN, 0.1, -0.1], [NAN, 0.0, 0.0]),
        ([NAN] + [0.0] * 20, [NAN] + [0.0] * 20),
        ([NAN] + [0.0] * 20, [NAN, *np.linspace(-1, 1, 20)]),
        ([NAN] + [0.0, 0.001] * 10, [NAN] + [0.001, 0.0, 0.0, 0.0] * 5),
        ([NAN] + [1.0] * 20, [NAN] + [1.0] * 20),
        ([NAN, 1e9] + [0.001, -0.001] * 5, [NAN, 0.0] + [0.001, -0.001] * 5),
    ],
    ids=["one-zero", "one", "two", "zero", "public-zero", "ties", "copies", "broken"],
)
def test_odd_steps_have_a_posterior(public, cv):
    parent = np.arange(-1, len(public) - 1)
    result = step_posterior(public_and_cv(public, cv), parent)
    for name in (*PROBABILITIES, "gain", "gain_se", "public_se", "seen", "seen_var"):
        assert np.isfinite(getattr(result, name)[1:]).all(), name
    if not np.nan_to_num(public).any():
        assert not bayes_fdr_list(result.p_gain).any()
        assert not bayes_fdr_list(result.p_loss).any()


def test_one_broken_score_moves_nothing_else():
    parent, _, public, cv = some_history(np.random.default_rng(8), 30)
    plain = step_posterior(public_and_cv(public, cv), parent, rope=0.001)
    broken = public.copy()
    last = int(np.setdiff1d(np.arange(1, 30), parent)[-1])  # no other descends from it
    broken[last] = 1e6
    moved = step_posterior(public_and_cv(broken, cv), parent, rope=0.001)
    rest = np.delete(np.arange(1, 30), last - 1)
    assert np.abs(moved.p_gain - plain.p_gain)[rest].mean() < 0.05
    np.testing.assert_array_equal(
        bayes_fdr_list(moved.p_gain)[rest], bayes_fdr_list(plain.p_gain)[rest]
    )


@pytest.mark.slow
def test_memory_grows_with_the_steps_and_not_with_their_square():
    peaks = []
    for n in (300, 1200):
        parent, _, public, cv = some_history(np.random.default_rng(9), n)
        tracemalloc.start()
        step_posterior(public_and_cv(public, cv), parent)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 3 * peaks[0]


def test_a_third_source_tells_more():
    rng = np.random.default_rng(10)
    parent, true, public, cv = some_history(rng, 40)
    private = true + rng.normal(0, 0.001, 40)
    private[0] = NAN
    before = step_posterior(public_and_cv(public, cv), parent)
    more = Source(name="private", gain=private, log_ratio=-1.4)
    after = step_posterior([*public_and_cv(public, cv), more], parent)
    assert np.median(after.gain_se[1:]) < np.median(before.gain_se[1:])
    miss = [np.square(r.gain - true)[1:].mean() for r in (before, after)]
    assert miss[1] < miss[0]


def test_claims_keep_the_running_mean_within_the_rate():
    # Sorted: .99 .95 .8 .61: errors .01 .06 .26 .65, means .01 .03 .087 .16.
    claimed = bayes_fdr_list([0.61, 0.95, 0.99, 0.8], fdr=0.1)
    assert claimed.tolist() == [False, True, True, True]
    assert not bayes_fdr_list([0.99] * 50 + [0.75], fdr=0.1)[-1]
    assert bayes_fdr_list([0.99] * 50 + [0.75], fdr=0.1, at_least=0.7)[-1]
    assert bayes_fdr_list([]).tolist() == []


@pytest.mark.parametrize("bad", [0.0, 1.0, -1.0])
def test_rates_outside_the_unit_interval_are_refused(bad):
    with pytest.raises(ValueError, match=r"fdr must be in \(0, 1\)"):
        bayes_fdr_list([0.5], fdr=bad)


def from_the_model(rng, n=40, *, n_rows=2000, slope=0.5, ratio=1.5):
    """Return steps drawn from the model itself: its kinds, spreads, scales and luck."""
    fresh = 0.2
    parent = np.array([-1] + [int(rng.integers(max(0, k - 3), k)) for k in range(1, n)])
    kind = KINDS[rng.choice(len(KINDS), p=KIND_SHARES)]
    part = rng.choice(len(kind), n, p=kind)
    law = np.array([(0.65, 0.0, 0.45), (0.2, -1.1, 1.0), (0.15, 0.9, 0.7)])
    which = law[rng.choice(3, n, p=law[:, 0])]
    spread_ = rng.choice([0.6, 1.3], p=[0.4, 0.6])
    se = 0.003 * np.exp(spread_ * rng.normal(which[:, 1], which[:, 2]))
    sign = np.where(part < 1 + len(SCALES), 1.0, -1.0)
    sizes = widths(se, 0.003, n_rows)[np.arange(n), part % (1 + len(SCALES))]
    true = sign * np.abs(rng.normal(0, 1, n)) * sizes
    z = rng.normal(0, 1, (2, n))
    own = rng.normal(0, 1, (2, n)) * np.sqrt(1 - 2 * fresh)
    noise = own + np.sqrt(fresh) * (z - z[:, parent])
    public = true + se * noise[0]
    cv = slope * (true + se * np.sqrt(ratio) * noise[1])
    public[0] = cv[0] = NAN
    return parent, true, public, cv


@pytest.mark.slow
def test_steps_of_the_model_itself_are_covered_and_claims_seldom_false():
    rng = np.random.default_rng(12)
    covered, chances, truths, false, slopes = [], [], [], [], []
    for _ in range(40):
        parent, true, public, cv = from_the_model(rng)
        result = step_posterior(public_and_cv(public, cv), parent, n_rows=2000)
        known = np.isfinite(result.p_gain)
        covered.append(((result.ci_low <= true) & (true <= result.ci_high))[known])
        chances.append(result.p_gain[known])
        truths.append((true > result.rope)[known])
        false.append(true[bayes_fdr_list(result.p_gain)] <= 0)
        slopes.append(result.cv_slope)
    # Intervals are stretched for real tables: on the model's own they hold more.
    assert np.concatenate(covered).mean() >= 0.93
    claims = np.concatenate(false)
    assert len(claims) >= 50
    assert claims.mean() <= 0.1
    slope = np.polyfit(np.concatenate(chances), np.concatenate(truths), 1)[0]
    assert 0.8 <= slope <= 1.25
    assert 0.4 <= np.median(slopes) <= 0.7


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 1000))
def test_references_that_were_not_parents_share_no_luck(seed):
    rng = np.random.default_rng(seed)
    tree = [-1] + [int(rng.integers(0, k)) for k in range(1, 12)]
    public, cv = rng.normal(0, 0.01, (2, 12))
    public[0] = cv[0] = NAN
    sources = public_and_cv(public, cv)
    plain = step_posterior(sources, tree)
    sure = step_posterior(sources, tree, odds=np.ones(12))
    none = step_posterior(sources, tree, odds=np.zeros(12))
    for name in ARRAYS:
        np.testing.assert_array_equal(getattr(sure, name), getattr(plain, name))
    np.testing.assert_allclose(none.shared_luck[1:], 0.0, atol=1e-12)
    assert np.abs(plain.shared_luck[1:]).max() > 1e-6


def test_odds_of_another_length_are_refused():
    with pytest.raises(ValueError, match="odds"):
        step_posterior(public_and_cv([NAN, 0.1], [NAN, 0.1]), [-1, 0], odds=[1.0])


def with_and_without(
    rng: np.random.Generator, true: np.ndarray, noise: np.ndarray
) -> list[np.ndarray]:
    """Return P(gain) of steps in a chain where noise may be alike, and where not."""
    n = len(true)
    public, cv = (np.append(np.nan, true + noise * rng.normal(size=n)) for _ in "ab")
    sources = [
        Source(name="public", gain=public),
        Source(name="cv", gain=cv, log_ratio_sd=0.7, spread=0.8, slope_known=False),
    ]
    return [
        step_posterior(sources, np.arange(-1, n), noise=known, n_rows=4000).p_gain[1:]
        for known in (
            StepNoise(),
            StepNoise(widths=(0.6, 1.3), width_shares=(0.4, 0.6)),
        )
    ]


def test_alike_noise_without_agreement_is_a_history_of_steps_that_do_nothing():
    rng = np.random.default_rng(3)
    found = np.array(
        [with_and_without(rng, np.zeros(40), np.ones(40)) for _ in range(6)]
    )
    with_alike, without = found.mean(axis=(0, 2))
    assert with_alike < 0.6 * without
    assert with_alike < 0.08


def test_noise_that_differs_is_judged_as_on_real_tables():
    rng = np.random.default_rng(4)
    found = []
    for _ in range(6):
        noise = np.exp(rng.normal(0, 1, 40))
        found.append(with_and_without(rng, rng.normal(0, 2, 40) * noise, noise))
    with_alike, without = np.array(found).swapaxes(0, 1)
    assert np.abs(with_alike - without).max() < 0.03
