"""A real browser, spoken to over the pipe that Chromium offers, without a library."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import select
import shutil
import subprocess
import time

import pytest

BROWSER = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))),
    None,
)
_KEYS = {"Tab": 9, "Enter": 13, "Escape": 27, "ArrowLeft": 37, "ArrowRight": 39}


class Browser:
    """Chromium, and the commands of its protocol."""

    def __init__(self, folder) -> None:
        # The browser reads descriptor 3 and writes descriptor 4.
        ours = os.pipe(), os.pipe()
        high = [fcntl.fcntl(fd, fcntl.F_DUPFD, 20) for fd in (ours[0][0], ours[1][1])]

        def pass_pipe() -> None:
            os.dup2(high[0], 3)
            os.dup2(high[1], 4)

        self.process = subprocess.Popen(
            [
                str(BROWSER), "--headless=new", "--no-sandbox", "--disable-gpu",
                "--disable-dev-shm-usage", "--remote-debugging-pipe", "--no-first-run",
                f"--user-data-dir={folder}", "about:blank",
            ],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            preexec_fn=pass_pipe, close_fds=False,
        )  # fmt: skip
        for fd in (*high, ours[0][0], ours[1][1]):
            os.close(fd)
        self.reads, self.writes = ours[1][0], ours[0][1]
        self.buffer, self.number, self.events = b"", 0, []

    def send(self, method, session=None, **params):
        self.number += 1
        message = {"id": self.number, "method": method, "params": params}
        if session:
            message["sessionId"] = session
        os.write(self.writes, json.dumps(message).encode() + b"\0")
        return self.wait(lambda item: item.get("id") == message["id"]).get("result")

    def wait(self, wanted, seconds=90.0):
        end = time.monotonic() + seconds
        while True:
            while b"\0" in self.buffer:
                text, self.buffer = self.buffer.split(b"\0", 1)
                item = json.loads(text)
                assert "error" not in item, item
                if "method" in item:
                    self.events.append(item)
                if wanted(item):
                    return item
            left = end - time.monotonic()
            assert left > 0, "the browser does not answer"
            if select.select([self.reads], [], [], left)[0]:
                self.buffer += os.read(self.reads, 1 << 20)

    def close(self) -> None:
        self.send("Browser.close")
        self.process.wait(timeout=30)
        os.close(self.reads)
        os.close(self.writes)


class Page:
    """One page of a browser, of a size and a colour scheme."""

    def __init__(self, browser, path, *, width, height, dark=False, touch=False):
        self.browser = browser
        target = browser.send("Target.createTarget", url="about:blank")["targetId"]
        self.target = target
        self.session = browser.send(
            "Target.attachToTarget", targetId=target, flatten=True
        )["sessionId"]
        for part in ("Page", "Runtime", "Log"):
            self.send(f"{part}.enable")
        self.send(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=height, deviceScaleFactor=1, mobile=touch,
        )  # fmt: skip
        if touch:
            self.send("Emulation.setTouchEmulationEnabled", enabled=True)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        still = {"name": "prefers-reduced-motion", "value": "reduce"}
        self.send("Emulation.setEmulatedMedia", features=[scheme, still])
        browser.events.clear()
        self.send("Page.navigate", url=path.as_uri())
        self._until("Page.loadEventFired")

    def send(self, method, **params):
        return self.browser.send(method, self.session, **params)

    def _until(self, name):
        def is_it(item):
            return item.get("method") == name and item.get("sessionId") == self.session

        return next(filter(is_it, self.browser.events), None) or self.browser.wait(
            is_it
        )

    @property
    def complaints(self):
        """What the page or the browser put on the console."""
        self.ask("0")
        kinds = (
            "Runtime.exceptionThrown",
            "Log.entryAdded",
            "Runtime.consoleAPICalled",
        )
        return [item for item in self.browser.events if item["method"] in kinds]

    def ask(self, script):
        """Return what an expression gives inside the page."""
        found = self.send(
            "Runtime.evaluate",
            expression=script, returnByValue=True, awaitPromise=True, userGesture=True,
        )  # fmt: skip
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def place(self, script):
        """Return the middle of an element on the screen, scrolled into view."""
        return self.ask(
            f"(() => {{ const item = {script};"
            "item.scrollIntoView({block: 'center', behavior: 'instant'});"
            "const box = item.getBoundingClientRect();"
            "return [box.x + box.width / 2, box.y + box.height / 2]; })()"
        )

    def move(self, x, y):
        self.send("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)

    def click(self, x, y):
        self.move(x, y)
        for kind in ("mousePressed", "mouseReleased"):
            self.send(
                "Input.dispatchMouseEvent",
                type=kind, x=x, y=y, button="left", clickCount=1,
            )  # fmt: skip

    def tap(self, x, y):
        point = [{"x": x, "y": y}]
        self.send("Input.dispatchTouchEvent", type="touchStart", touchPoints=point)
        self.send("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])
        self.ask("new Promise((go) => setTimeout(go, 500))")  # a tap is not a press

    def press(self, key):
        for kind in ("keyDown", "keyUp"):
            text = {"text": "\r"} if key == "Enter" and kind == "keyDown" else {}
            self.send(
                "Input.dispatchKeyEvent",
                type=kind, key=key, code=key, windowsVirtualKeyCode=_KEYS[key], **text,
            )  # fmt: skip

    def screenshot(self, path, *, whole=False):
        clip = {}
        if whole:
            size = self.send("Page.getLayoutMetrics")["cssContentSize"]
            clip = {"clip": {**size, "scale": 1}, "captureBeyondViewport": True}
        shot = self.send("Page.captureScreenshot", format="png", **clip)
        path.write_bytes(base64.b64decode(shot["data"]))

    def close(self):
        self.browser.send("Target.closeTarget", targetId=self.target)


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    if BROWSER is None:
        pytest.skip("no Chromium is installed")
    browser = Browser(tmp_path_factory.mktemp("profile"))
    yield browser
    browser.close()


@pytest.fixture
def open_page(browser, tmp_path):
    """Return a function that opens the text of a page."""
    opened = []

    def open_it(text, *, width=1280, height=800, dark=False, touch=False):
        path = tmp_path / "page.html"
        path.write_text(text, encoding="utf-8")
        page = Page(browser, path, width=width, height=height, dark=dark, touch=touch)
        opened.append(page)
        return page

    yield open_it
    for page in opened:
        page.close()
