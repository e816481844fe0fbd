"""Chromium, and one running Postroom for all browser tests. Each test gets pages that watch for trouble."""

import os
import shutil

import pytest
from browser.moves import sign_in
from browser.stage import DOMAIN, ROOT, Stage
from browser.watching import CDN, Watching
from playwright.sync_api import sync_playwright
from servers.sink import SmtpSink
from servers.valkey import Valkey

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
HINT = "chromium: apt-get install chromium"
ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
             "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
             # Not even a name is looked up: what tries to leave fails at once, and is seen.
             "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1")
VENDORED = next((ROOT / "static" / "vendor").glob("htmx-*.min.js"))
# Zofia owns, Marek is a colleague, Ewa is a stranger; Adam is one more admin, Pola has it all in Polish.
PEOPLE = tuple((name, f"{name.split()[0].lower()}@{DOMAIN}", role) for name, role in (
    ("Zofia Owner", "admin"), ("Marek Colleague", "member"), ("Ewa Stranger", "viewer"), ("Adam Admin", "admin"),
    ("Pola Polish", "admin")))


@pytest.fixture(scope="session")
def driver():
    """Playwright, when there is a Chromium to drive."""
    if not CHROMIUM:
        if os.environ.get("CI") == "true":
            pytest.fail(f"not installed: {HINT}", pytrace=False)
        pytest.skip(f"not installed: {HINT}")
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="session")
def chromium(driver):
    browser = driver.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def post(authority, dovecot):
    """Outgoing mail: kept by the sink, and delivered into Dovecot where the address lives there."""
    with SmtpSink(authority=authority, dovecot=dovecot) as sink:
        yield sink


@pytest.fixture(scope="session")
def _names():
    with Valkey() as valkey:
        yield valkey


@pytest.fixture(scope="session")
def stage(dovecot, post, _names):
    with Stage(dovecot, post, _names.url, PEOPLE) as stage:
        yield stage


@pytest.fixture(scope="session")
def empty_stage(dovecot, post, _names):
    """A Postroom without anybody in it, and without workers."""
    with Stage(dovecot, post, f"{_names.url}?db=1", workers=False) as stage:
        yield stage


@pytest.fixture(scope="session")
def _cookies():
    return {}


@pytest.fixture(scope="session")
def _opener(chromium, stage, _cookies):
    """Makes contexts; `page_of` below gives them to tests."""

    def make(who=None, at=None, cdn="works", watching=None, **options):
        url = at or stage.url
        if who and (url, who) not in _cookies:
            context = chromium.new_context(base_url=url, java_script_enabled=False)
            sign_in(context.new_page(), f"{who}@{DOMAIN}")
            _cookies[url, who] = context.storage_state()
            context.close()
        options = {"locale": "en-GB", "viewport": {"width": 1440, "height": 900}, **options}
        context = chromium.new_context(base_url=url, storage_state=_cookies[url, who] if who else None, **options)
        context.set_default_timeout(8_000)
        context.route(f"https://{CDN}/**", CDN_ANSWERS[cdn])
        watching = watching or Watching(url)
        watching.follow(context)
        context.watching = watching
        return context

    return make


@pytest.fixture
def page_of(_opener, request):
    """`page_of("zofia")`: a page in which she is signed in; `page_of()`: nobody is. Each has a context of its own.

    Options: cdn ("works", "blocked", "silent", "forged"), at (another stage's url), and those of a browser context:
    viewport, color_scheme, locale, java_script_enabled. The test fails on trouble that `page.watching.expect` does
    not name.
    """
    contexts = []

    def page_of(who=None, **options):
        context = _opener(who, **options)
        contexts.append(context)
        page = context.new_page()
        page.watching = context.watching
        return page

    yield page_of
    troubles = [t for context in contexts for t in context.watching.unannounced()]
    for context in contexts:
        context.close()
    assert not troubles, "\n".join(troubles)


@pytest.fixture(scope="module")
def once(_opener):
    """`once("zofia")`: a page for the whole module, to set things up with."""
    contexts = []

    def once(who, **options):
        contexts.append(_opener(who, **options))
        page = contexts[-1].new_page()
        page.watching = contexts[-1].watching
        return page

    yield once
    troubles = [t for context in contexts for t in context.watching.unannounced()]
    for context in contexts:
        context.close()
    assert not troubles, "\n".join(troubles)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """What the processes said goes under a failed test."""
    report = yield
    stage = getattr(item, "funcargs", {}).get("stage")
    if report.failed and stage is not None and stage.folder.exists():
        report.sections.append(("Postroom's processes", stage.logs()))
    return report


def _works(route):
    route.fulfill(path=VENDORED, content_type="text/javascript", headers={"access-control-allow-origin": "*"})


def _forged(route):
    route.fulfill(body="document.documentElement.dataset.forged = 'yes'", content_type="text/javascript",
                  headers={"access-control-allow-origin": "*"})


CDN_ANSWERS = {"works": _works, "forged": _forged, "blocked": lambda route: route.abort(), "silent": lambda route: None}
