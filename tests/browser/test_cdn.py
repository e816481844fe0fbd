"""htmx comes from the CDN, and from ourselves when the CDN is blocked, silent or lies. The page works each time."""

import time

import pytest
from browser.moves import ready

ASKED = "cdn.jsdelivr.net"


def choose_something(page):
    page.get_by_text("Answer customers together").click()
    page.get_by_role("heading", name="You need a team address").wait_for()


@pytest.mark.parametrize(("cdn", "seconds", "noise"), [
    ("works", 5, ()),
    ("blocked", 5, ("ERR_FAILED",)),
    ("silent", 8, ()),
    ("forged", 5, ("integrity", "digest")),
])
def test_the_page_is_alive_whatever_the_cdn_does(page_of, cdn, seconds, noise):
    page = page_of("zofia", cdn=cdn)
    page.watching.expect(*noise)
    asked, local = [], []
    page.on("request", lambda r: asked.append(r.url) if ASKED in r.url else
            local.append(r.url) if "/vendor/" in r.url else None)
    began = time.monotonic()
    page.goto("/choose")
    ready(page)
    assert time.monotonic() - began < seconds
    choose_something(page)
    assert page.locator("html").get_attribute("data-forged") is None
    assert asked
    assert bool(local) == (cdn != "works")


def test_a_silent_cdn_is_asked_once_in_a_session(page_of):
    page = page_of("zofia", cdn="silent")
    page.goto("/choose")
    ready(page)
    asked = []
    page.on("request", lambda r: asked.append(r.url) if ASKED in r.url else None)
    began = time.monotonic()
    page.goto("/choose")
    ready(page)
    assert time.monotonic() - began < 1.4, "the second page must not wait for the CDN"
    assert asked == []
    choose_something(page)
