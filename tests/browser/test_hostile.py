"""Letters from hell in a real browser: 0 scripts run, 0 requests leave, no form control is left (DEFENCE 1.3, P5).

Whole, and with one wall taken away: the sanitiser alone, and the frame with its policy alone.
The hostile cases kept beside the project are used where that folder is; own samples of each kind always.
"""

import contextlib
import re
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from browser.conftest import ARGUMENTS, CHROMIUM
from browser.hostile_letters import LEAKS, OVERLAYS, OWN, SCRIPTS, letters
from playwright.sync_api import Error

from webapp.blueprints.messages.body import FRAME_CSP, page
from webapp.mail.html import clean, fill

ALL = (*SCRIPTS, *LEAKS, OVERLAYS)
EVENTS = ("click", "mouseover", "mouseenter", "focus", "focusin", "blur", "pointerdown", "pointerover", "keydown",
          "input", "change", "submit", "toggle", "animationstart", "animationend", "transitionend", "scroll", "wheel",
          "load", "error", "beforetoggle", "copy", "dragstart", "contextmenu")
SPY = """for (const name of ['alert', 'prompt', 'confirm', 'print'])
  window[name] = () => console.info('EXECUTED ' + location.pathname)"""
PROVOKE = """([names, controls, most]) => {
  for (const e of [...document.querySelectorAll('*')].slice(0, most)) {
    for (const n of names) e.dispatchEvent(new Event(n, {bubbles: false, cancelable: true}));
    if (e.matches('a[href^="javascript" i], button, summary')) e.click();
    e.focus?.();
  }
  return document.querySelector(controls) !== null;
}"""
SERVER_NAME = re.compile(rb"\x00\x00(?=(..)(..)\x00(..)([a-z0-9.-]+))", re.DOTALL)      # RFC 6066, 3
BATCH = 100          # letters at a time on one page
ELEMENTS = 150       # of each letter that get events; the largest have thousands of one kind
CONTROLS = "form, input, button, select, textarea, label, object, embed, iframe, [contenteditable]"


def host_of(hello):
    """The host that a TLS ClientHello names. Its random bytes may look like one: all lengths must agree."""
    for match in SERVER_NAME.finditer(hello):
        whole, names, length = (int.from_bytes(part, "big") for part in match.groups()[:3])
        if whole == names + 2 == length + 5 and len(match[4]) >= length:
            return match[4][:length]
    return b"(no name)"


class World:
    """The whole internet, as this browser sees it: every host name leads here. `left` is what was asked of it."""

    def __init__(self):
        self.frames, self.pages, self.csp, self.left = "", [], None, []
        world = self

        class Answers(BaseHTTPRequestHandler):
            def do_GET(self):  # noqa: N802
                world.answer(self)

            do_POST = do_HEAD = do_OPTIONS = do_GET  # noqa: N815

            def log_message(self, *_):
                pass

            def handle(self):
                hello = self.connection.recv(2048, socket.MSG_PEEK)
                if hello[:1] == b"\x16":  # TLS: the name that was meant stands in the first message
                    world.left.extend(f"TLS to {name.decode()}" for name in [host_of(hello)])
                else:
                    super().handle()

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, request):
        ours = request.headers["Host"] == f"127.0.0.1:{self.port}"
        kind, _, number = request.path[1:].partition("/")
        if ours and request.path == "/":
            self._send(request, f"<!doctype html>{self.frames}", None)
        elif ours and kind == "letter" and number.isdigit():
            self._send(request, self.pages[int(number)][1], self.csp)
        else:
            self.left.append(f"{request.headers['Host']}{request.path} for {request.headers['Referer']}")
            request.send_error(404)

    def _send(self, request, html, csp):
        body = html.encode("utf-8", "replace")
        request.send_response(200)
        request.send_header("Content-Type", "text/html; charset=utf-8")
        request.send_header("Content-Length", str(len(body)))
        if csp:
            request.send_header("Content-Security-Policy", csp)
        request.end_headers()
        request.wfile.write(body)


class Lab:
    """A page of frames, each with a letter of its own. What runs, leaves or can be typed into is noted."""

    def __init__(self, context, world):
        self.world, self.executed, self.controls = world, set(), set()
        context.add_init_script(SPY)
        context.on("console", self._said)
        self.page = context.new_page()
        self.page.on("dialog", lambda dialog: dialog.dismiss())

    def show(self, pages, csp=None, sandbox=""):
        """{id: page} in frames; returns itself."""
        self.world.pages, self.world.csp, self.world.left = list(pages.items()), csp, []
        for start in range(0, len(pages), BATCH):
            numbers = range(start, min(start + BATCH, len(pages)))
            self.world.frames = "".join(f'<iframe {sandbox} width=300 height=120 src="/letter/{n}"></iframe>'
                                        for n in numbers)
            self.page.goto(f"http://127.0.0.1:{self.world.port}/")
            for frame in self.page.frames[1:]:
                self._provoke(frame)
        self.page.wait_for_timeout(200)
        self.left = [asked for asked in self.world.left if "/favicon.ico " not in asked]
        return self

    def _provoke(self, frame):
        if "/letter/" not in frame.url:
            return
        with contextlib.suppress(Error):  # an unprotected one may go away meanwhile
            if frame.evaluate(PROVOKE, [EVENTS, CONTROLS, ELEMENTS]):
                self.controls.add(self._id(frame.url))

    def _said(self, message):
        if message.text.startswith("EXECUTED"):
            self.executed.add(self._id(message.text))

    def _id(self, url):
        number = url.rpartition("/")[2]
        return self.world.pages[int(number)][0] if number.isdigit() else f"? {url}"


@pytest.fixture(scope="module")
def world():
    world = World()
    yield world
    world.server.shutdown()
    world.server.server_close()


@pytest.fixture(scope="module")
def browser_without_names(driver, world):
    """Not the session's browser: in this one every name leads to us, so that what leaves is seen and counted."""
    arguments = [a for a in ARGUMENTS if "resolver" not in a]
    browser = driver.chromium.launch(executable_path=CHROMIUM, args=[
        *arguments,  # Google is where Chromium itself likes to ask
        "--host-resolver-rules=MAP *.googleapis.com ~NOTFOUND, MAP *.google.com ~NOTFOUND,"
        f" MAP * 127.0.0.1:{world.port}",
        "--disable-features=IsolateSandboxedIframes"])  # a process for each letter would take minutes
    yield browser
    browser.close()


@pytest.fixture
def lab(browser_without_names, world):
    context = browser_without_names.new_context(viewport={"width": 1200, "height": 800})
    yield Lab(context, world)
    context.close()


SANDBOX = 'sandbox="allow-same-origin allow-popups allow-popups-to-escape-sandbox"'  # as in templates/_shared/_sheet.html


def served(html):
    """A letter as /messages/N/body answers it, with no image allowed."""
    return page(fill(clean(html).html, {}))


def test_the_frame_here_is_the_one_that_the_product_uses():
    template = Path(__file__).resolve().parents[2] / "templates" / "_shared" / "_sheet.html"
    assert SANDBOX in template.read_text()


def test_the_letters_are_dangerous_when_nothing_protects(lab):
    """Else the tests below would prove nothing."""
    own = lab.show({name: f"<!doctype html>{html}" for name, html in OWN.items()})
    assert {"own-script", "own-event", "own-svg", "own-frame", "own-focus", "own-link", "own-details"} <= own.executed
    asked = " ".join(own.left)
    assert all(f"leak.test/{n}" in asked for n in (1, 2, 3, 4, 5)), asked
    assert {"own-focus", "own-overlay"} <= own.controls


def test_letters_as_they_are_shown_run_nothing_load_nothing_and_ask_nothing(lab):
    shown = lab.show({name: served(html) for name, html in letters(*ALL).items()}, FRAME_CSP, SANDBOX)
    assert (shown.executed, shown.left, shown.controls) == (set(), [], set())


def test_the_sanitiser_alone_is_enough(lab):
    bare = lab.show({name: served(html) for name, html in letters(*ALL).items()})
    assert (bare.executed, bare.left, bare.controls) == (set(), [], set())


def test_the_frame_and_its_policy_alone_run_nothing(lab):
    raw = lab.show({name: page(html) for name, html in letters(*SCRIPTS).items()}, FRAME_CSP, SANDBOX)
    assert raw.executed == set()


def test_the_policy_alone_runs_nothing(lab):
    """Opened in a tab of its own there is no frame around a letter; its own header still is."""
    raw = lab.show({name: page(html) for name, html in letters(*SCRIPTS).items()}, FRAME_CSP)
    assert raw.executed == set()
