"""Plots: what they show, in every state a history can be in, without overlaps."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure
from matplotlib.text import Text

from lbsense import analyze, plots, read_kaggle
from lbsense.model import Competition, History, Predictions, Submission
from lbsense.simulate import Scenario, simulate

DATA = Path(__file__).parents[2] / "data"
PLOTS = {
    name: getattr(plots, name)
    for name in plots.__all__
    if name.startswith("plot_") and hasattr(getattr(plots, name), "scene")
}
NASTY = "$x_{1}$ <script>alert(1)</script> \N{RIGHT-TO-LEFT OVERRIDE}gnp"


@pytest.fixture(scope="module")
def leaking():
    return analyze(
        read_kaggle(
            DATA / "leaking_validation/submissions.csv", metric="rmse",
            test_size=12_000, train_size=10_000, public_fraction=1 / 3,
        )
    )  # fmt: skip


@pytest.fixture(scope="module")
def many():
    return analyze(simulate(Scenario(n_submissions=250, policy="both"), rng=3).history)


@pytest.fixture(scope="module")
def few():
    return analyze(simulate(Scenario(n_submissions=5), rng=3).history)


def bare(public, *, better=True, **fields):
    return analyze(
        History(
            competition=Competition(greater_is_better=better),
            submissions=tuple(
                Submission(submission_id=f"s{i}", public_score=score, **fields)
                for i, score in enumerate(public)
            ),
        )
    )


def drawn(ax):
    """Draw the figure and return its axes."""
    FigureCanvasAgg(ax.figure).draw()
    return ax


def texts(ax):
    """Return the texts that are seen, each with its box on the figure."""
    figure = ax.figure
    renderer = figure.canvas.get_renderer()
    found = [ax.title, ax._right_title, ax.xaxis.label, ax.yaxis.label, *ax.texts]
    for axis, limits in ((ax.xaxis, ax.get_xlim()), (ax.yaxis, ax.get_ylim())):
        low, high = sorted(limits)
        found += [
            tick.label1
            for tick in axis.get_major_ticks()
            if low <= tick.get_loc() <= high
        ]
    if ax.get_legend() is not None:
        found += ax.get_legend().get_texts()
    return [
        (text.get_text(), text.get_window_extent(renderer))
        for text in found
        if text.get_text() and text.get_visible()
    ]


def overlaps(ax):
    """Return the texts of drawn axes that cover each other."""
    boxes = texts(ax)
    return [
        (a, b)
        for (a, first), (b, second) in itertools.combinations(boxes, 2)
        if first.shrunk(0.96, 0.9).overlaps(second.shrunk(0.96, 0.9))
    ]


def outside(ax):
    """Return the texts of drawn axes that leave the figure."""
    figure = ax.figure
    width, height = figure.bbox.width, figure.bbox.height
    return [
        text
        for text, box in texts(ax)
        if box.x0 < -1 or box.y0 < -1 or box.x1 > width + 1 or box.y1 > height + 1
    ]


@pytest.mark.parametrize("name", PLOTS)
@pytest.mark.parametrize(
    ("which", "theme"),
    [
        ("climber", "light"),
        ("leaking", "dark"),
        ("many", "light"),
        ("few", "light"),
    ],
)
def test_texts_neither_overlap_nor_leave_the_figure(name, which, theme, request):
    ax = drawn(PLOTS[name](request.getfixturevalue(which), theme=theme))
    assert ax.get_title(loc="left")
    assert overlaps(ax) == []
    assert outside(ax) == []


@pytest.mark.parametrize("name", PLOTS)
@pytest.mark.parametrize(
    "analysis",
    [
        bare([]),
        bare([0.7]),
        bare([None, None]),
        bare([0.7, 0.8], better=None),
        bare([0.7] * 6),
        bare([0.7, 0.8, 0.75], better=False),
    ],
    ids=["empty", "one", "unscored", "no direction", "equal", "level A"],
)
def test_every_state_gives_a_picture(name, analysis):
    ax = drawn(PLOTS[name](analysis))
    assert overlaps(ax) == []


@pytest.mark.parametrize("name", PLOTS)
def test_given_axes_are_used_and_returned(name, climber):
    ax = Figure().subplots()
    assert PLOTS[name](climber, ax=ax) is ax


@pytest.mark.parametrize("name", PLOTS)
def test_new_axes_show_themselves_in_a_notebook(name, climber):
    assert PLOTS[name](climber)._repr_png_().startswith(b"\x89PNG")


@pytest.mark.parametrize("name", PLOTS)
def test_unknown_themes_are_refused(name, climber):
    with pytest.raises(ValueError, match="theme must be one of light, dark"):
        PLOTS[name](climber, theme="pink")


def offsets(ax, label):
    """Return the points of the collections whose label names it."""
    found = [
        np.asarray(item.get_offsets())
        for item in ax.collections
        if label in str(item.get_label())
    ]
    assert found, label
    return np.concatenate(found)


def test_timeline_where_no_cv_score_lies_near_its_own_middle():
    cv = [0.6, 0.601, 0.602, 0.603, 0.997, 0.998, 0.999, 1.0]
    rows = tuple(
        Submission(submission_id=f"s{k}", public_score=0.8, cv_score=score)
        for k, score in enumerate(cv)
    )
    known = Competition(greater_is_better=True)
    ax = plots.plot_timeline(analyze(History(competition=known, submissions=rows)))
    assert "not drawn" in " ".join(text.get_text() for text in ax.figure.findobj(Text))


def test_timeline_shows_every_score_and_verdict(climber):
    ax = plots.plot_timeline(climber)
    public = climber.history.raw_scores("public")
    shown = np.concatenate(
        [offsets(ax, verdict) for verdict in climber.counts() if verdict != "unscored"]
    )
    assert len(shown) == np.isfinite(public).sum()
    np.testing.assert_allclose(
        np.sort(shown[:, 1]), np.sort(public[np.isfinite(public)])
    )
    private = climber.history.raw_scores("private")
    assert len(offsets(ax, "private score")) == np.isfinite(private).sum()
    lines = {line.get_label(): line.get_ydata() for line in ax.lines}
    best = np.fmax.accumulate(public)
    np.testing.assert_allclose(lines["best public so far"], best)
    assert lines["best, luck taken out"][-1] == np.nanmax(
        np.where(np.isfinite(public), climber.levels.mean, np.nan)
    )
    labels = [item.get_label() for item in ax.collections]
    assert "how well its level is known, 80%" in labels
    assert "noise of a step, 95%" in labels
    assert "higher is better" in ax.get_ylabel()
    assert "2026-03-02" in ax.get_xlabel()


def test_lower_is_better_is_not_turned_around(leaking):
    ax = plots.plot_timeline(leaking)
    public = leaking.history.raw_scores("public")
    lines = {line.get_label(): line.get_ydata() for line in ax.lines}
    np.testing.assert_allclose(lines["best public so far"], np.fmin.accumulate(public))
    assert "lower is better" in ax.get_ylabel()
    low, high = ax.get_ylim()
    assert low < high < public.max()  # broken submissions do not squash the rest
    assert "3 far worse drawn at the border" in ax.get_title(loc="right")
    assert "private scores far off not shown" in ax.get_title(loc="right")


def test_scores_off_the_scale_are_counted():
    public = [0.70 + 0.001 * i for i in range(10)]
    history = History(
        competition=Competition(greater_is_better=True),
        submissions=tuple(
            Submission(
                submission_id=f"s{i}",
                public_score=score,
                private_score=score - (i == 3),
            )
            for i, score in enumerate(public)
        ),
    )
    ax = plots.plot_timeline(analyze(history))
    assert "1 private scores far off not shown" in ax.get_title(loc="right")
    assert np.isfinite(offsets(ax, "private")[:, 1]).sum() == 9


def test_steps_show_gains_intervals_and_the_rope(climber):
    ax = plots.plot_steps(climber)
    raw = np.array([s.public_gain for s in climber.steps if s.public_gain is not None])
    shown = np.asarray(offsets(ax, "public gain as it was scored"))[:, 1]
    np.testing.assert_allclose(np.sort(shown[np.isfinite(shown)]), np.sort(raw))
    gain = [s.gain for s in climber.steps if s.verdict == "progress"]
    np.testing.assert_allclose(np.sort(offsets(ax, "progress")[:, 1]), np.sort(gain))


def test_lines_of_the_scatter_plots(climber):
    ax = plots.plot_cv_public(climber)
    line = climber.agreement.line
    shown = next(item for item in ax.lines if item.get_label() == "Deming line")
    np.testing.assert_allclose(
        shown.get_ydata(), line.intercept + line.slope * shown.get_xdata()
    )
    ax = plots.plot_public_private(climber)
    labels = [item.get_label() for item in ax.lines]
    assert "private equals public" in labels
    assert len(offsets(ax, "picks")) == 2


def test_cv_of_schemes_that_ended_lies_on_the_scale_of_the_latest():
    history = simulate(Scenario(n_submissions=40, policy="both"), rng=3).history
    cv, late = history.raw_scores("cv"), np.arange(40) >= 20
    items = tuple(
        replace(item, cv_score=float(0.3 + 0.8 * cv[k]) if late[k] else item.cv_score)
        for k, item in enumerate(history)
    )
    analysis = analyze(replace(history, submissions=items))
    assert analysis.agreement.breaks
    scene = plots.plot_cv_public.scene(analysis)
    assert scene.remark.startswith("CV of earlier schemes moved to the scale of the")
    shown = np.concatenate([np.asarray(m.x) for m in scene.marks if hasattr(m, "of")])
    known = np.isfinite(cv) & np.isfinite(history.raw_scores("public"))
    latest = 0.3 + 0.8 * cv[known & late]
    assert set(np.round(latest, 9)) <= set(np.round(shown, 9))
    width = np.ptp(latest) + 5 * history.raw_scores("public").std()
    assert np.abs(shown - np.median(latest)).max() < width
    assert not plots.plot_cv_public.scene(analyze(history)).remark.startswith("CV of")
    first = analysis.agreement.scales[-1].first
    told = f"another scheme of CV from #{first + 1} on"
    near = [replace(item, cv_score=float(cv[k] + 0.03 * late[k]))
            for k, item in enumerate(history)]  # fmt: skip
    course = analyze(replace(history, submissions=tuple(near)))
    assert told in plots.plot_timeline.scene(course).remark
    assert "scheme" not in plots.plot_timeline.scene(analyze(history)).remark


def test_outlook_shows_the_bands_of_the_picks(climber):
    ax = plots.plot_outlook(climber)
    names = [text.get_text() for text in ax.get_yticklabels()]
    for index in (climber.picks.best.first, climber.picks.best.second):
        assert any(name.startswith(f"#{index + 1} ") for name in names)
    assert len(names) <= 15
    expected = np.sort(offsets(ax, "expected")[:, 0])
    assert np.isin(np.round(expected, 9), np.round(climber.outlook.mean, 9)).all()


def test_picks_show_a_bar_for_every_pair(climber):
    ax = plots.plot_picks(climber)
    widths = [bar.get_width() for bar in ax.patches]
    pairs = (climber.picks.best, *climber.picks.rules)
    assert widths == [pair.p_holds_best for pair in pairs]


def test_resolution_counts_every_difference(climber):
    ax = plots.plot_resolution(climber)
    gains = [s.public_gain for s in climber.steps if s.public_gain]
    assert sum(bar.get_height() for bar in ax.patches) == len(gains)
    below = sum(abs(gain) <= climber.resolution.smallest_gain for gain in gains)
    hatched = [bar.get_height() for bar in ax.patches if bar.get_hatch()]
    assert sum(hatched) == below
    assert f"{below} of {len(gains)} below the line" in ax.get_xlabel()


def test_similarity_shows_the_correlations():
    made = simulate(Scenario(n_submissions=6, n_train=3000), keep_rows=True, rng=1)
    names = tuple(item.submission_id for item in made.history)
    given = Predictions(oof_names=names, oof=made.rows.oof, labels=made.rows.y_train)
    analysis = analyze(made.history, given)
    ax = plots.plot_similarity(analysis)
    shown = np.asarray(ax.images[0].get_array())
    assert shown.shape == (6, 6)
    np.testing.assert_allclose(np.diag(shown), 1)
    covariance = analysis.joint.row_covariance
    sd = np.sqrt(np.diag(covariance))
    assert np.isclose(shown.min(), (covariance / np.outer(sd, sd)).min())


def test_foreign_text_is_drawn_as_it_is():
    made = simulate(Scenario(n_submissions=12, policy="both"), rng=1).history
    nasty = replace(
        made,
        submissions=tuple(replace(item, description=NASTY) for item in made),
    )
    ax = drawn(plots.plot_outlook(analyze(nasty)))
    names = [text for text in ax.get_yticklabels() if "$x_{1}$" in text.get_text()]
    assert names
    assert not any(text.get_parse_math() for text in names)
    assert "\N{RIGHT-TO-LEFT OVERRIDE}" not in names[0].get_text()


def luminance(code):
    channels = np.array(to_rgb(code))
    linear = np.where(
        channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4
    )
    return float(linear @ [0.2126, 0.7152, 0.0722])


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_colours_stand_out_and_differ(theme):
    colours = plots.PALETTES[theme]
    ground = luminance(colours["surface"])
    for role, code in colours.items():
        ratio = (max(ground, luminance(code)) + 0.05) / (
            min(ground, luminance(code)) + 0.05
        )
        if role in ("ink", "muted"):
            assert ratio >= 4.5, role
        elif role not in ("surface", "grid", "band", "soft"):
            assert ratio >= 3, role
    codes = [to_hex(code) for code in colours.values()]
    assert len(set(codes)) == len(codes)
    assert plots.PALETTES["light"].keys() == plots.PALETTES["dark"].keys()


def test_differences_are_drawn_against_the_best_expected(climber):
    ax = plots.plot_differences(climber)
    bands = climber.outlook.to_best
    drawn = offsets(ax, "expected")[:, 0]
    assert set(np.round(drawn, 9)) <= set(np.round(bands.mean, 9))
    assert drawn.max() <= 1e-9  # a repeat of the best is as good
    assert f"#{bands.against + 1} " in ax.get_xlabel()


def test_likely_claims_are_hollow_and_named(climber):
    ax = plots.plot_timeline(climber)
    labels = [str(item.get_label()) for item in ax.collections]
    likely = [step for step in climber.steps if step.strength == "likely"]
    assert any(label.startswith("likely ") for label in labels) == bool(likely)


def test_marks_of_one_verdict_are_drawn_in_one_order(climber):
    ways = itertools.cycle(itertools.product(("clear", "likely"), (False, True)))
    steps = tuple(
        replace(step, verdict="setback", strength=strength, aside=aside)
        for step, (strength, aside) in zip(climber.steps, ways, strict=False)
    )
    drawn = plots.plot_timeline.scene(replace(climber, steps=steps)).marks
    labels = [m.label.partition(" (")[0] for m in drawn if m.label.count("setback")]
    assert labels == [
        *("setback", "likely setback", "likely setback, aside", "setback, aside"),
    ]
