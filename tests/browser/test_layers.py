"""Letters from hell through the whole product: over IMAP, synced, sanitised, shown in a conversation to somebody who
is signed in, in a real Chromium. 0 scripts run and 0 requests leave, also with each wall taken away in turn (P5).

A part of the letters for each missing wall; `python3 run torture` takes all of them (POSTROOM_TEST_ALL=1).
"""

import contextlib
import io
import os
import random
import re
import socket
import sqlite3
import sys
import threading
import time
from email.header import Header
from pathlib import Path

import pytest
from browser.conftest import ARGUMENTS, CDN_ANSWERS, CHROMIUM
from browser.hostile_letters import LEAKS, LIST, OWN, SCRIPTS, letters, overlays
from browser.moves import connect_team, sign_in
from browser.stage import DOMAIN, ROOT, Stage
from browser.test_hostile import CONTROLS, ELEMENTS, EVENTS, PROVOKE, SPY, host_of
from browser.watching import CDN
from browser.without import ON_ARRIVAL, WHEN_SHOWN
from PIL import Image, ImageChops
from playwright.sync_api import Error

ALL = os.environ.get("POSTROOM_TEST_ALL") == "1"
SAMPLE = 10_000 if ALL else 25        # of our own cases and of those beside the project, for each wall
BATCH = 60                            # letters in a conversation
ADDRESS = f"hell@{DOMAIN}"
ARRIVES_WITHIN = 120                  # seconds
BODY = re.compile(r"/messages/(\d+)/body")
ITS_OWN = re.compile(r"/conversations/\d+/presence$|/live")
LOADED = """() => [...document.querySelectorAll('iframe.sheet__frame')].every(f => {
  f.loading = 'eager';
  try { return f.contentDocument.readyState === 'complete' && f.contentDocument.URL !== 'about:blank'; }
  catch { return true; }
})"""


AT_A_LINK = """(f, y) => !f.contentDocument || [-3, 0, 3].some(
  d => f.contentDocument.elementFromPoint(24, y + d)?.closest('a[href^="http" i], a[href^="//"]'))"""


class HollowStage(Stage):
    """Postroom whose walls can be taken away: `missing` names the one that is not there."""

    def __init__(self, *arguments, **settings):
        super().__init__(*arguments, **settings)
        self._file = self.folder / "without"
        self.missing = ""
        self.environ |= {"POSTROOM_TEST_WITHOUT": str(self._file),
                         "PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "tests")))}

    @property
    def missing(self):
        return self._file.read_text()

    @missing.setter
    def missing(self, wall):
        self._file.write_text(wall)

    def _run(self, name, *arguments):
        if arguments[0] == "-c":
            first = "from browser.without import take_walls_away; take_walls_away()\n"
            super()._run(name, "-c", first + arguments[1], *arguments[2:])
        else:
            super()._run(name, *("browser.without:app" if a == "wsgi:app" else a for a in arguments))

    def ask(self, sql, *values):
        with contextlib.closing(sqlite3.connect(f"file:{self.folder}/data/postroom.db?mode=ro", uri=True)) as database:
            return database.execute(sql, values).fetchall()


class Tap:
    """The whole internet: every host name leads here, and every connection counts."""

    def __init__(self):
        self.came = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self):
        with contextlib.suppress(OSError):
            while True:
                caller, _address = self._socket.accept()
                caller.settimeout(1)
                said = b""
                with caller, contextlib.suppress(OSError):
                    said = caller.recv(3000)
                name = host_of(said) if said[:1] == b"\x16" else said[:200]
                if name != CDN.encode():     # where the product itself gets htmx from
                    self.came.append(name)

    def close(self):
        self._socket.close()


class Hell:
    """The inbox with the letters. `show` returns what ran, what was asked for and which controls were found."""

    def __init__(self, stage, browser, tap):
        self.stage, self.browser, self.tap, self.names, self.count = stage, browser, tap, {}, 0
        stage.missing = ""
        stage.mailbox(ADDRESS)
        context = self._context()
        connect_team(context.new_page(), ADDRESS, "Hell")
        context.close()

    def deliver(self, found, wall=""):
        """Append these letters over IMAP while this wall is missing. Returns the conversations with them."""
        self.stage.missing = wall
        found, subjects = list(found.items()), []
        with self.stage.dovecot.imap(ADDRESS) as client:
            for start in range(0, len(found), BATCH):
                self.count += 1
                subject, first = f"Letters {self.count}", None
                subjects.append(subject)
                for number, (name, html) in enumerate(found[start:start + BATCH]):
                    message_id = f"<{self.count}.{number}@hell.example>"
                    client.append("INBOX", None, None, _mail(name, html, subject, message_id, first))
                    first = first or message_id
        deadline, rows = time.monotonic() + ARRIVES_WITHIN, []
        marks = ",".join("?" * len(subjects))
        while len(rows) < len(found):
            assert time.monotonic() < deadline, f"{len(rows)} of {len(found)} letters came"
            time.sleep(0.3)
            rows = self.stage.ask(f"SELECT id, from_name, conversation_id FROM message WHERE subject IN ({marks})", *subjects)
        self.names.update({message_id: name for message_id, name, _conversation in rows})
        self.stage.missing = ""
        return sorted({conversation for _id, _name, conversation in rows})

    def show(self, conversations, wall=""):
        self.stage.missing = wall
        executed, asked, controls = set(), set(), set()
        self.tap.came.clear()
        context = self._context()
        context.add_init_script(SPY)
        context.on("console", lambda said: executed.add(self._name(said.text)) if said.text.startswith("EXECUTED") else None)
        context.on("response", lambda answer: asked.add(answer.url) if self._is_strange(answer.request) else None)
        page = context.new_page()
        page.on("dialog", lambda dialog: dialog.dismiss())
        for conversation in conversations:
            page.goto(f"/conversations/{conversation}?older=all")
            page.wait_for_selector("html[data-htmx=ready]", state="attached")
            with contextlib.suppress(Error):
                page.wait_for_function(LOADED, timeout=30_000)
            for frame in page.frames[1:]:
                if BODY.search(frame.url):
                    with contextlib.suppress(Error):
                        if frame.evaluate(PROVOKE, [EVENTS, CONTROLS, ELEMENTS]):
                            controls.add(self._name(frame.url))
            self._click_and_type(page)
        page.wait_for_timeout(300)
        assert page.locator("#messages").count(), "still signed in, still the product's own page"
        context.close()
        self.stage.missing = ""
        return executed, sorted(asked) + [str(said) for said in self.tap.came], controls

    def _click_and_type(self, page):
        """By hand: with a real mouse and a real keyboard, which are trusted with more than events made by scripts."""
        frames = page.locator("iframe.sheet__frame")
        for number in range(0, frames.count(), 1 if ALL else 12):
            with contextlib.suppress(Error):
                frame = frames.nth(number)
                frame.scroll_into_view_if_needed(timeout=1000)
                box = frame.bounding_box()
                y = min(24, box["height"] / 2)
                if not frame.evaluate(AT_A_LINK, y):        # that one leads away, as it should
                    page.mouse.click(box["x"] + 24, box["y"] + y)
                page.keyboard.press("Tab")
                if page.evaluate("document.activeElement.matches('iframe.sheet__frame')"):
                    page.keyboard.press("Space")

    def _is_strange(self, request):
        """Anything that a frame asks for but itself, and what would change something. The page itself says who
        reads (presence), and nothing else."""
        with contextlib.suppress(Error):
            if request.frame.parent_frame is None:
                return (request.method != "GET" and not ITS_OWN.search(request.url)) or "__gadget__" in request.url
        return not BODY.search(request.url)

    def _name(self, text):
        number = BODY.search(text)
        return self.names.get(int(number[1]), text) if number else text

    def _context(self):
        context = self.browser.new_context(base_url=self.stage.url, viewport={"width": 1280, "height": 900})
        context.set_default_timeout(15_000)
        context.route(f"https://{CDN}/**", CDN_ANSWERS["works"])
        sign_in(context.new_page(), f"zofia@{DOMAIN}")
        context.pages[0].close()
        return context


def _mail(name, html, subject, message_id, first):
    lines = [f"From: {Header(name, 'utf-8').encode()} <hell@customer.example>", f"To: {ADDRESS}", f"Subject: {subject}",
             f"Message-ID: {message_id}", "Date: Mon, 02 Mar 2026 08:00:00 +0100",
             *([f"In-Reply-To: {first}", f"References: {first}"] if first else []), "MIME-Version: 1.0",
             "Content-Type: text/html; charset=utf-8", "Content-Transfer-Encoding: 8bit", ""]
    body = html.encode("utf-8", "replace").replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    body = b"\n".join(line[i:i + 900] for line in body.split(b"\n") for i in range(0, max(1, len(line)), 900)) \
        if max(map(len, body.split(b"\n"))) > 900 else body
    return "\r\n".join(lines).encode() + b"\r\n" + body.replace(b"\x00", b"").replace(b"\n", b"\r\n") + b"\r\n"


@pytest.fixture(scope="module")
def tap():
    tap = Tap()
    yield tap
    tap.close()


@pytest.fixture(scope="module")
def hell(driver, dovecot, post, _names, tap):
    people = (("Zofia Owner", f"zofia@{DOMAIN}", "admin"),)
    browser = driver.chromium.launch(executable_path=CHROMIUM, args=[
        *(a for a in ARGUMENTS if "resolver" not in a), "--disable-features=IsolateSandboxedIframes",
        "--host-resolver-rules=MAP *.googleapis.com ~NOTFOUND, MAP *.google.com ~NOTFOUND,"
        f" MAP * 127.0.0.1:{tap.port}, EXCLUDE 127.0.0.1"])
    with HollowStage(dovecot, post, f"{_names.url}?db=3", people) as stage:
        yield Hell(stage, browser, tap)
    browser.close()


def sample():
    """Some of our own, and some of those beside the project, others each time."""
    seed = random.SystemRandom().randrange(10**6)
    print(f"seed {seed}", file=sys.stderr)
    others = [*LIST.items()][len(OWN):], [*letters(*SCRIPTS, *LEAKS).items()][len(LIST):]
    dice = random.Random(seed)
    return dict([*OWN.items(), *(item for some in others for item in dice.sample(some, min(SAMPLE, len(some))))])


@pytest.fixture(scope="module")
def whole(hell):
    """The conversations with all letters, which came in while no wall was missing."""
    return hell.deliver(letters(*SCRIPTS, *LEAKS))


def test_the_letters_are_dangerous_when_nothing_protects(hell):
    """Else the tests below would prove nothing."""
    executed, asked, controls = hell.show(hell.deliver(OWN, "all"), "all")
    assert {"own-script", "own-event", "own-svg", "own-focus", "own-link", "own-details"} <= executed
    assert any("leak.test" in said for said in asked)
    assert {"own-focus", "own-overlay"} <= controls


def test_letters_run_nothing_ask_nothing_and_hold_nothing_to_type_into(hell, whole):
    assert hell.show(whole) == (set(), [], set())


@pytest.mark.parametrize("wall", ON_ARRIVAL)
def test_without_a_wall_on_arrival_the_others_hold(hell, wall):
    executed, asked, controls = hell.show(hell.deliver(sample(), wall))
    assert (executed, asked, controls) == (set(), [], set())


@pytest.mark.parametrize("wall", WHEN_SHOWN)
def test_without_a_wall_when_shown_the_others_hold(hell, whole, wall):
    assert hell.show(whole if ALL else whole[:2], wall) == (set(), [], set())


def test_without_any_sanitising_the_frame_and_its_policy_run_nothing(hell):
    """Both at the entrance and at the exit. What it may ask for then is what no policy can forbid: a connection."""
    executed, _asked, _controls = hell.show(hell.deliver(sample(), "sanitiser"), "recheck")
    assert executed == set()


def test_a_wall_that_is_missing_is_really_missing(hell):
    bad = {"bad": "<script>a()</script><p style='background:url(http://leak.test/x)'><img src=http://leak.test/y>"}
    stored = {}
    for wall in ("", *ON_ARRIVAL):
        [conversation] = hell.deliver(bad, wall)
        stored[wall] = hell.stage.ask("SELECT html FROM message WHERE conversation_id = ?", conversation)[0][0]
    assert not any(word in stored[""] for word in ("script", "url(", "http"))
    assert "<script>" in stored["sanitiser"] and "http://leak.test/y" in stored["values"] and "url(" in stored["css"]


def test_nothing_is_painted_outside_a_letter(hell):
    """The same picture of the product with the letters in their frames as without them."""
    for wall in ("", *ON_ARRIVAL) if ALL else ("",):
        conversations = hell.deliver(overlays(), wall)
        context = hell._context()
        page = context.new_page()
        page.set_viewport_size({"width": 1280, "height": 2500})
        for conversation in conversations:
            page.goto(f"/conversations/{conversation}?older=all")
            page.wait_for_selector("html[data-htmx=ready]", state="attached")
            page.wait_for_function(LOADED)
            page.wait_for_timeout(300)
            assert not any(frame.evaluate("c => document.querySelector(c) !== null", CONTROLS) for frame in page.frames[1:])
            _same_around(page)
        context.close()


def _same_around(page):
    frames = page.locator("iframe.sheet__frame")
    steps = page.evaluate("() => { const p = document.querySelector('#thread-scroll'); return Math.ceil(p.scrollHeight / 2000); }")
    for step in range(min(steps, 12)):
        page.evaluate("y => { document.querySelector('#thread-scroll').scrollTop = y; }", step * 2000)
        pictures = []
        for seen in ("visible", "hidden"):
            page.evaluate("v => { for (const f of document.querySelectorAll('iframe.sheet__frame')) f.style.visibility = v; }", seen)
            page.wait_for_timeout(60)
            pictures.append(page.screenshot(mask=[frames], animations="disabled"))
        if pictures[0] != pictures[1] and (folder := os.environ.get("POSTROOM_TEST_PICTURES")):
            for number, picture in enumerate(pictures):
                Path(folder, f"outside{number}.png").write_bytes(picture)
        assert _farthest(*pictures) < 32, f"something is painted outside, at {step * 2000}"


def _farthest(*pictures):
    """How far apart the colours of two pictures are, at most. Icons come out a shade apart now and then."""
    first, second = (Image.open(io.BytesIO(picture)).convert("RGB") for picture in pictures)
    return max(most for _least, most in ImageChops.difference(first, second).getextrema())


def test_the_walls_named_here_are_all_that_there_are():
    text = (Path(__file__).parent / "without.py").read_text()
    assert all(f'without("{wall}"' in text or f'("{wall}", "all")' in text for wall in (*ON_ARRIVAL, *WHEN_SHOWN))
