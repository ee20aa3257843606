"""Scenes as SVG: whole, small, inside their borders, and the same as the axes."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lbsense import analyze, plots
from lbsense.plots.scene import Axis, Points, Scene
from lbsense.plots.svg import _Scale, _width, _wrap
from lbsense.simulate import Scenario, simulate

PLOTS = {
    name: getattr(plots, name)
    for name in plots.__all__
    if name.startswith("plot_") and hasattr(getattr(plots, name), "scene")
}
WIDTHS = (680, 348)


@pytest.fixture(scope="module")
def many():
    return analyze(simulate(Scenario(n_submissions=250, policy="both"), rng=3).history)


def numbers(text):
    return [float(n) for n in re.findall(r"-?\d+\.?\d*", text)]


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", PLOTS)
def test_texts_and_points_stay_inside(name, climber, width):
    scene = PLOTS[name].scene(climber)
    root = ET.fromstring(plots.draw_svg(scene, width=width, tell=str))
    _, _, wide, high = numbers(root.get("viewBox"))
    assert wide == width
    for text in root.iter("{http://www.w3.org/2000/svg}text"):
        x, y = float(text.get("x", 0)), float(text.get("y"))
        length = _width(text.text or "")
        kind = (text.get("class") or "").split()
        left = x - length * ("e" in kind) - length / 2 * ("m" in kind)
        assert left > -20, text.text
        assert left + length < width + 20, text.text
        assert 0 < y <= high
    for path in root.iter("{http://www.w3.org/2000/svg}a"):
        (outline,) = path.findall("{http://www.w3.org/2000/svg}path")
        x, y = numbers(outline.get("d"))[:2]
        assert -1 <= x <= width + 1
        assert 0 <= y <= high


@pytest.mark.parametrize("width", WIDTHS)
def test_every_point_leads_to_its_row(climber, width):
    drawn = plots.draw_svg(
        plots.plot_timeline.scene(climber), width=width, tell=lambda at: f"no {at}"
    )
    found = re.findall(r'<a href="#s(\d+)"><title>no (\d+)</title>', drawn)
    assert all(int(row) == int(at) + 1 for row, at in found)
    public = climber.history.raw_scores("public")
    assert {int(at) for _, at in found} >= set(np.flatnonzero(np.isfinite(public)))


def test_points_lie_where_the_axis_says():
    scene = Scene(
        x=Axis(label="x", limits=(0, 10)),
        y=Axis(label="y", limits=(1, 0)),
        marks=[
            Points(
                x=np.array([0.0, 10.0, 5.0]), y=np.array([0.0, 0.0, 1.0]),
                of=[0, 1, 2], marker="o", role="public",
            )
        ],
    )  # fmt: skip
    drawn = plots.draw_svg(scene, tell=str)
    places = [numbers(d)[:2] for d in re.findall(r'</title><path d="(M[^a]+)a', drawn)]
    (x0, y0), (x1, y1), (x2, y2) = places
    assert y0 == y1
    assert y2 > y1  # 1 is at the bottom
    assert x2 == pytest.approx((x0 + x1) / 2, abs=0.2)


def test_pictures_stay_small(many):
    for name, plot in PLOTS.items():
        scene = plot.scene(many)
        assert len(plots.draw_svg(scene, tell=lambda at: f"#{at}")) < 110_000, name
        assert len(plots.draw_svg(scene)) < 40_000, name


def test_points_that_cover_each_other_are_drawn_once():
    rng = np.random.default_rng(1)
    scene = Scene(
        x=Axis(label="x", limits=(-5, 5)),
        y=Axis(label="y", limits=(-5, 5)),
        marks=[
            Points(
                x=rng.normal(size=20_000), y=rng.normal(size=20_000),
                of=range(20_000), marker="o", role="public", size=14,
            )
        ],
    )  # fmt: skip
    drawn = plots.draw_svg(scene, tell=str)
    assert "<a " not in drawn
    assert 5_000 < drawn.count("h0") < 20_000
    assert len(drawn) < 250_000


@pytest.mark.parametrize("name", PLOTS)
def test_both_renderers_show_the_same_legend(name, climber):
    scene = PLOTS[name].scene(climber)
    names = [mark.label for mark in scene.marks if getattr(mark, "label", "")]
    legend = PLOTS[name](climber).get_legend()
    if legend is not None:
        assert {text.get_text() for text in legend.get_texts()} == set(names)
    drawn = plots.draw_svg(scene)
    assert all(f">{label}" in drawn for label in names)


def test_every_axis_says_what_it_is(climber):
    for name, plot in PLOTS.items():
        scene = plot.scene(climber)
        assert scene.reason or (scene.x.label and scene.y.label), name


def test_foreign_text_is_inert(climber):
    scene = plots.plot_outlook.scene(climber)
    names = ["</text><script>x</script>\N{RIGHT-TO-LEFT OVERRIDE}"] * len(scene.y.names)
    nasty = replace(scene, y=replace(scene.y, names=names))
    drawn = plots.draw_svg(nasty, tell=lambda _: "<b>&")
    assert "<script" not in drawn
    assert "\N{RIGHT-TO-LEFT OVERRIDE}" not in drawn
    ET.fromstring(drawn)


def test_a_step_of_two_and_a_half_is_not_cut_off():
    ticks = _Scale(Axis(label="", limits=(0.0, 13.0)), 0, 100).ticks(6)
    assert [text for _, text in ticks] == ["0.0", "2.5", "5.0", "7.5", "10.0", "12.5"]
    counts = _Scale(Axis(label="", limits=(0.0, 13.0), kind="count"), 0, 100).ticks(6)
    assert [text for _, text in counts] == ["0", "3", "6", "9", "12"]


@given(
    st.floats(-1e4, 1e4), st.floats(1e-6, 1e4), st.integers(2, 10),
    st.sampled_from(["linear", "count", "log"]),
)  # fmt: skip
def test_ticks_are_few_round_and_inside(low, width, most, kind):
    if kind == "log":
        low = abs(low) + 1e-6
    if kind == "count":
        width = max(width, 1.0)
    limits = (low, low + width)
    ticks = _Scale(Axis(label="", limits=limits, kind=kind), 0, 100).ticks(most)
    assert len(ticks) <= most + 2
    for value, text in ticks:
        assert limits[0] - 1e-9 * width <= value <= limits[1] + 1e-9 * width
        if abs(value) < 1e6 and width > 1e-3:
            assert float(text) == pytest.approx(value, abs=1e-3 * width)
    texts = [text for _, text in ticks]
    assert len(set(texts)) == len(texts)


@given(st.text(max_size=200), st.floats(60, 700))
def test_wrapped_lines_fit(text, room):
    for line in _wrap(text, room):
        assert _width(line) <= room or len(line) <= 5
