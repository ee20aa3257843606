"""The page in a real browser: no errors, sorting, filtering, narrow screens, axe.

Needs Chromium; the accessibility check also needs npm and the network, for axe-core.
"""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

from lbsense import analyze, read_kaggle, render_report
from lbsense.simulate import Scenario, simulate

DATA = Path(__file__).parents[2] / "data"
AXE = "axe-core@4.10.3"
BROWSER = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))),
    None,
)
NASTY = (
    "<script>window.evil = 1</script><img src=x onerror='window.evil = 2'> =cmd() "
    "\N{RIGHT-TO-LEFT OVERRIDE}" + "long" * 2500
)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(BROWSER is None, reason="no Chromium is installed"),
]


def run_browser(path: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            str(BROWSER), "--headless=new", "--no-sandbox", "--disable-gpu",
            "--disable-dev-shm-usage", f"--user-data-dir={path.parent / 'profile'}",
            "--virtual-time-budget=20000", "--dump-dom", *options, path.as_uri(),
        ],
        capture_output=True, text=True, timeout=180, check=False,
    )  # fmt: skip


def ask(page: str, script: str, folder: Path, *, width: int = 1200, dark: bool = False):
    """Return what a script says inside the page, shown in a frame of that width."""
    watched = page.replace(
        "<head>",
        "<head><script>window.errors = [];"
        "addEventListener('error', (e) => errors.push(e.message));</script>",
        1,
    )
    host = f"""<!doctype html><meta charset="utf-8"><title>host</title>
<iframe id="page" width="{width}" height="900" style="border:0"
 srcdoc="{html.escape(watched)}"></iframe><pre id="told"></pre>
<script>
document.getElementById("page").addEventListener("load", async (event) => {{
  const view = event.target.contentWindow;
  let told;
  try {{ told = await view.eval({json.dumps(f"(async () => {{{script}}})()")}); }}
  catch (error) {{ told = {{failed: String(error)}}; }}
  document.getElementById("told").textContent = JSON.stringify(told);
}});
</script>"""
    path = folder / "host.html"
    path.write_text(host.replace("</script>`", "<\\/script>`"), encoding="utf-8")
    scheme = ["--blink-settings=preferredColorScheme=0"] if dark else []
    done = run_browser(path, f"--window-size={max(width, 600)},1000", *scheme)
    found = re.search(r'<pre id="told">(.*?)</pre>', done.stdout, re.DOTALL)
    assert found is not None, done.stderr[-2000:]
    assert found[1], done.stderr[-2000:]
    return json.loads(html.unescape(found[1]))


@pytest.fixture(scope="module")
def page():
    history = read_kaggle(
        DATA / "honest_climber/submissions.csv", metric="roc_auc",
        test_size=20_000, train_size=20_000, public_fraction=0.4,
    )  # fmt: skip
    return render_report(analyze(history))


@pytest.fixture(scope="module")
def nasty_page():
    made = simulate(Scenario(n_submissions=12, policy="both"), rng=1).history
    nasty = replace(
        made,
        competition=replace(made.competition, slug=NASTY[:300]),
        submissions=tuple(replace(item, description=NASTY) for item in made),
    )
    return render_report(analyze(nasty))


def test_page_opens_from_a_file_without_a_word_on_the_console(page, tmp_path):
    path = tmp_path / "page.html"
    path.write_text(page, encoding="utf-8")
    done = run_browser(path, "--enable-logging=stderr")
    assert "CONSOLE" not in done.stderr
    assert "36 of 36 shown" in done.stdout


def test_sorting_and_filtering(page, tmp_path):
    told = ask(
        page,
        """
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
        return {up, down, sort, found, status, rest: read().length, errors};
        """,
        tmp_path,
    )
    assert told["errors"] == []
    up = [float(text) for text in told["up"] if text != "-"]
    down = [float(text) for text in told["down"] if text != "-"]
    assert up == sorted(up)
    assert down == up[::-1]
    assert told["up"][-1] == told["down"][-1] == "-"  # missing scores stay last
    assert told["sort"] == "ascending"
    assert told["status"] == f"{told['found']} of 36 shown"
    assert 0 < told["found"] < 36
    assert told["rest"] == 36 - page.count('class="verdict guess"')


@pytest.mark.parametrize("which", ["page", "nasty_page"])
def test_no_sideways_scrolling_on_a_phone(which, request, tmp_path):
    told = ask(
        request.getfixturevalue(which),
        """
        document.querySelectorAll("details").forEach((item) => { item.open = true; });
        return {wide: document.documentElement.scrollWidth, view: innerWidth, errors,
                evil: window.evil ?? null};
        """,
        tmp_path,
        width=380,
    )
    assert told["view"] == 380
    assert told["wide"] <= 380
    assert told["errors"] == []
    assert told["evil"] is None


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


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1200, 380])
def test_axe_finds_nothing(page, axe, tmp_path, width, dark):
    told = ask(
        page,
        f"""
        window.eval({json.dumps(axe)});
        document.querySelectorAll("details").forEach((item) => {{ item.open = true; }});
        const found = await axe.run(document);
        return found.violations.map((v) => [v.id, v.nodes.length, v.nodes[0].html.slice(0, 200),
          v.nodes[0].any.map((a) => a.message).join("; ")]);
        """,
        tmp_path,
        width=width,
        dark=dark,
    )
    assert told == []
