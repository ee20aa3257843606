"""The page in a real browser: first screen, points, files, sorting, phones, axe.

Needs Chromium; the accessibility check also needs npm and the network, for axe-core.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tarfile
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from lbsense import analyze, read_kaggle, render_report
from lbsense.simulate import Scenario, simulate

AXE = "axe-core@4.10.3"
NASTY = (
    "<script>window.evil = 1</script><img src=x onerror='window.evil = 2'> =cmd() "
    "\N{RIGHT-TO-LEFT OVERRIDE}" + "long" * 2500
)
OPEN_ALL = "document.querySelectorAll('details').forEach((d) => { d.open = true; })"
POINT = (
    "[...document.querySelectorAll('#timeline a[href=\"#s8\"]')]"
    ".filter((a) => a.getClientRects().length).at(-1)"
)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def page(climber):
    return render_report(climber)


@pytest.fixture(scope="module")
def running():
    """Return the page of a competition that is not over."""
    made = simulate(Scenario(n_submissions=30, policy="both"), rng=5).history
    items = tuple(replace(item, private_score=None) for item in made)
    return render_report(analyze(replace(made, submissions=items)))


@pytest.fixture(scope="module")
def few():
    rows = [{"publicScore": score} for score in (0.71, 0.72, 0.715)]
    return render_report(analyze(read_kaggle(rows)))


@pytest.fixture(scope="module")
def nasty_page():
    made = simulate(Scenario(n_submissions=12, policy="both"), rng=1).history
    nasty = replace(
        made,
        competition=replace(made.competition, slug=NASTY[:300]),
        submissions=tuple(replace(item, description=NASTY) for item in made),
    )
    return render_report(analyze(nasty))


PAGES = pytest.mark.parametrize("which", ["page", "running", "few"])


@PAGES
@pytest.mark.parametrize(
    ("width", "height"), [(1280, 800), (380, 800)], ids=["desktop", "phone"]
)
def test_the_first_screen_holds_the_sentence_and_the_picture(
    which, request, open_page, width, height
):
    opened = open_page(
        request.getfixturevalue(which), width=width, height=height, touch=width < 500
    )
    told = opened.ask(
        """(() => {
        const box = (item) => {
          const { left, top, right, bottom } = item.getBoundingClientRect();
          return [left, top, right, bottom];
        };
        const drawn = [...document.querySelectorAll("#timeline svg.plot")]
          .find((svg) => svg.getClientRects().length);
        return { lead: box(document.querySelector(".lead")), title: box(document.querySelector("h1")),
                 figure: box(drawn), view: [innerWidth, innerHeight],
                 inventory: box(document.querySelector(".inventory")) };
        })()"""
    )
    assert told["view"] == [width, height]
    for name in ("title", "lead", "figure"):
        left, top, right, bottom = told[name]
        assert left >= 0
        assert top >= 0
        assert right <= width
        assert bottom <= height, name
    assert told["inventory"][1] >= told["figure"][3]
    assert opened.complaints == []


def tip_of(opened):
    return opened.ask(
        "document.querySelector('.tip').hidden ? null"
        " : document.querySelector('.tip').innerText"
    )


def test_a_point_tells_its_facts_under_the_pointer(page, climber, open_page):
    opened = open_page(page)
    x, y = opened.place(POINT)
    assert tip_of(opened) is None
    opened.move(x + 5, y + 5)  # near is enough
    told = tip_of(opened)
    step = climber.steps[7]
    assert told.startswith("#8 exp008")
    assert step.verdict in told
    assert f"{step.public_score:.5f}" in told
    assert step.sentence in told
    opened.move(5, 5)
    assert tip_of(opened) is None


def test_points_are_reached_and_left_by_keyboard(page, open_page):
    opened = open_page(page)
    opened.ask(f"{POINT}.focus()")
    assert tip_of(opened).startswith("#8 ")
    opened.press("ArrowRight")
    assert tip_of(opened).startswith("#9 ")
    opened.press("ArrowLeft")
    opened.press("ArrowLeft")
    assert tip_of(opened).startswith("#7 ")
    # One stop for Tab in every picture.
    assert (
        opened.ask(
            "[...document.querySelectorAll('#timeline .on-wide a')]"
            ".filter((a) => a.getAttribute('tabindex') === '0').length"
        )
        == 1
    )
    opened.press("Enter")
    assert opened.ask("location.hash") == "#s7"
    assert opened.ask("document.activeElement.closest('tr').id") == "s7"
    assert tip_of(opened) is None


def test_a_click_leads_to_the_row_and_back(page, open_page):
    opened = open_page(page)
    opened.ask("document.querySelector('input[type=search]').value = 'nothing at all'")
    opened.ask(
        "document.querySelector('input[type=search]').dispatchEvent(new Event('input'))"
    )
    opened.click(*opened.place(POINT))
    seen = """(() => {
        const box = document.querySelector("#s8").getBoundingClientRect();
        return !document.querySelector("#s8").hidden && box.top >= 0 && box.bottom <= innerHeight;
    })()"""
    assert opened.ask("location.hash") == "#s8"
    assert opened.ask(seen)
    opened.click(*opened.place("document.querySelector('#s8 th a')"))
    assert opened.ask(f"document.activeElement === {POINT}")
    assert tip_of(opened).startswith("#8 ")


def test_a_first_touch_tells_and_a_second_leads(page, open_page):
    opened = open_page(page, width=380, touch=True)
    x, y = opened.place(POINT)
    opened.tap(x, y)
    assert tip_of(opened).startswith("#8 ")
    assert opened.ask("location.hash") == ""
    opened.tap(x, y)
    assert opened.ask("location.hash") == "#s8"


def test_every_picture_can_be_saved(page, open_page):
    opened = open_page(page)
    opened.ask(
        """(() => { window.saved = [];
        HTMLAnchorElement.prototype.click = function () { saved.push([this.download, this.href]); };
        })()"""
    )
    opened.ask("document.querySelectorAll('.save button').forEach((b) => b.click())")
    opened.ask("new Promise((go) => setTimeout(go, 1500))")
    saved = dict(opened.ask("saved"))
    names = re.findall(r'<figure[^>]* data-name="(\w+)"', page)
    assert len(names) > 5
    assert set(saved) == {f"{name}.{kind}" for name in names for kind in ("svg", "png")}
    assert all(
        saved[f"{name}.png"].startswith("data:image/png;base64,iVBOR") for name in names
    )
    sizes = opened.ask(
        """Promise.all(saved.map(([name, href]) => new Promise((go) => {
          const image = new Image();
          image.onload = () => go([name, image.width, image.height]);
          image.onerror = () => go([name, 0, 0]);
          image.src = href;
        })))"""
    )
    for name, width, height in sizes:
        assert width == (1408 if name.endswith("png") else 704), name
        assert height > 200
    assert opened.complaints == []


def test_sorting_and_filtering(page, open_page):
    told = open_page(page).ask(
        """(() => {
        const table = document.querySelector("table.interactive");
        const titles = [...table.tHead.rows[0].cells].map((c) => c.textContent);
        const column = titles.indexOf("Public");
        const read = () => [...table.tBodies[0].rows]
          .filter((row) => !row.hidden)
          .map((row) => row.cells[column].textContent);
        const button = table.tHead.rows[0].cells[column].querySelector("button");
        button.click();
        const up = read(), sort = button.parentElement.getAttribute("aria-sort");
        button.click();
        const down = read();
        const find = document.querySelector("input[type=search]");
        find.value = "pseudo"; find.dispatchEvent(new Event("input"));
        const found = read().length, status = document.querySelector(".shown").textContent;
        find.value = ""; find.dispatchEvent(new Event("input"));
        const box = document.querySelector("input[value=guess]");
        box.click();
        return {up, down, sort, found, status, rest: read().length};
        })()"""
    )
    up = [float(text) for text in told["up"] if text != "-"]
    down = [float(text) for text in told["down"] if text != "-"]
    assert up == sorted(up)
    assert down == up[::-1]
    assert told["up"][-1] == told["down"][-1] == "-"  # missing scores stay last
    assert told["sort"] == "ascending"
    assert told["status"] == f"{told['found']} of 36 shown"
    assert 0 < told["found"] < 36
    assert told["rest"] == 36 - page.count('class="verdict guess"')


@pytest.fixture(scope="module")
def long():
    """Return the page of a history whose table has pages, hostile texts among them."""
    rng = np.random.default_rng(0)
    scores = (0.8 + rng.normal(0, 0.004, 1203).cumsum() / 50).round(5)
    rows = [
        {"ref": i + 1, "description": f"exp{i + 1}", "publicScore": score}
        for i, score in enumerate(scores)
    ]
    rows[700]["description"] = NASTY + "</script><script>window.evil = 3</script>"
    analysis = analyze(
        read_kaggle(
            pd.DataFrame(rows), metric="roc_auc", test_size=20_000, public_fraction=0.4
        )
    )
    return render_report(analysis), [step.public_score for step in analysis.steps]


def test_a_long_table_has_pages(long, open_page):
    page, scores = long
    opened = open_page(page)
    told = opened.ask(
        """(() => {
        const table = document.querySelector("table.interactive");
        const body = table.tBodies[0];
        const [back, at, next] = document.querySelector(".pages").childNodes;
        const see = () => [body.rows[0].id, body.rows.length, at.textContent.trim()];
        const first = see();
        next.click();
        const second = see();
        for (let i = 0; i < 9; i++) next.click();
        const last = see(), end = next.disabled;
        const titles = [...table.tHead.rows[0].cells].map((c) => c.textContent);
        const column = titles.indexOf("Public");
        const button = table.tHead.rows[0].cells[column].querySelector("button");
        button.click(); button.click();
        const best = body.rows[0].id;
        const find = document.querySelector("input[type=search]");
        find.value = "exp1153"; find.dispatchEvent(new Event("input"));
        const found = see();
        document.querySelector('svg a[href="#s900"]').dispatchEvent(
          new MouseEvent("click", {bubbles: true, cancelable: true}));
        const led = document.activeElement.closest("tr")?.id;
        return {first, second, last, end, best, found, led, evil: window.evil ?? null};
        })()"""
    )
    assert told["first"] == ["s1", 200, "page 1 of 7"]
    assert told["second"] == ["s201", 200, "page 2 of 7"]
    assert told["last"] == ["s1201", 3, "page 7 of 7"]
    assert told["end"] is True
    assert told["best"] == f"s{scores.index(max(scores)) + 1}"
    assert told["found"] == ["s51", 1, "page 1 of 1"]
    assert told["led"] == "s900"
    assert told["evil"] is None
    assert opened.complaints == []


def test_verdict_chance_and_outcome_need_no_sideways_scrolling(page, open_page):
    told = open_page(page).ask(
        """(() => {
        const row = document.querySelector("table.interactive thead tr");
        const right = document.querySelector(".wide:has(.interactive)").getBoundingClientRect().right;
        return [...row.cells].map((c) => [c.textContent, c.getBoundingClientRect().right <= right]);
        })()"""
    )
    assert {name for name, seen in told if seen} >= {"Verdict", "P(gain)", "In the end"}


def test_a_phone_shows_cards_and_its_own_pictures(page, open_page):
    told = open_page(page, width=380, touch=True).ask(
        """(() => {
        const row = document.querySelector("#s3");
        const cells = [...row.cells].filter((c) => c.getClientRects().length);
        const labels = cells.map((c) => getComputedStyle(c, "::before").content);
        const drawn = [...document.querySelectorAll("svg.plot")].filter((s) => s.getClientRects().length);
        return { card: getComputedStyle(row).display, labels,
          tops: cells.map((c) => c.getBoundingClientRect().top),
          widths: drawn.map((s) => s.viewBox.baseVal.width),
          sizes: drawn.map((s) => s.getBoundingClientRect().width / s.viewBox.baseVal.width) };
        })()"""
    )
    assert told["card"] == "grid"
    assert '"P(gain)"' in told["labels"]
    assert len(set(told["tops"][2:])) == len(told["tops"][2:])  # one below the other
    assert set(told["widths"]) == {348}
    assert min(told["sizes"]) > 0.95  # text as large as it was drawn


@pytest.mark.parametrize("which", ["page", "nasty_page"])
def test_no_sideways_scrolling_on_a_phone(which, request, open_page):
    opened = open_page(request.getfixturevalue(which), width=380, touch=True)
    opened.ask(OPEN_ALL)
    assert opened.ask("innerWidth") == 380
    assert opened.ask("document.documentElement.scrollWidth") <= 380
    assert opened.ask("window.evil ?? null") is None
    assert opened.complaints == []


def test_only_the_script_of_the_page_runs(page, open_page):
    opened = open_page(
        page.replace("</main>", "<script>window.evil = 1</script></main>")
    )
    assert opened.ask("window.evil ?? null") is None
    assert "36 of 36 shown" in opened.ask(
        "document.querySelector('.shown').textContent"
    )


def test_it_prints_light_and_unfolded(page, open_page):
    opened = open_page(page, dark=True)
    opened.send("Emulation.setEmulatedMedia", media="print")
    told = opened.ask(
        """(() => ({
        ground: getComputedStyle(document.body).backgroundColor,
        hidden: [...document.querySelectorAll("nav, .filters, .save")]
          .every((item) => !item.getClientRects().length),
        clipped: [...document.querySelectorAll(".wide")]
          .filter((item) => getComputedStyle(item).overflowY !== "visible").length,
        wide: document.querySelectorAll(".on-narrow svg").length
          - [...document.querySelectorAll(".on-narrow svg")].filter((s) => !s.getClientRects().length).length,
        }))()"""
    )
    assert told == {
        "ground": "rgb(255, 255, 255)", "hidden": True, "clipped": 0, "wide": 0,
    }  # fmt: skip
    printed = opened.send("Page.printToPDF", preferCSSPageSize=True)["data"]
    assert len(printed) > 20_000


@pytest.fixture(scope="module")
def axe(tmp_path_factory):
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is not installed: axe-core cannot be had")
    folder = tmp_path_factory.mktemp("axe")
    done = subprocess.run(
        [npm, "pack", AXE], cwd=folder, capture_output=True, timeout=120, check=False
    )
    packed = next(folder.glob("*.tgz"), None)
    if done.returncode or packed is None:
        pytest.skip("axe-core cannot be fetched from the npm registry")
    with tarfile.open(packed) as archive:
        member = archive.extractfile("package/axe.min.js")
        assert member is not None
        return member.read().decode("utf-8")


@PAGES
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1280, 380])
def test_axe_finds_nothing(which, request, axe, open_page, width, dark):
    opened = open_page(request.getfixturevalue(which), width=width, dark=dark)
    opened.ask(f"{axe}; {OPEN_ALL}")
    told = opened.ask(
        """axe.run(document).then((found) => found.violations.map((v) =>
        [v.id, v.nodes.length, v.nodes[0].html.slice(0, 200),
         v.nodes[0].any.map((a) => a.message).join("; ")]))"""
    )
    assert told == []
