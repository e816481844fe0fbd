"""What a page lets load, and what a download must never become."""

import re

import pytest
from mailroom import arrive, connected, letter, stored

from webapp.models import Attachment, Message


def directive(answer, name):
    return next(d for d in answer.headers["Content-Security-Policy"].split("; ") if d.strip().startswith(name)).split()


@pytest.mark.parametrize("name", ["script-src", "connect-src"])
def test_of_the_cdn_only_the_one_file_is_allowed(app, name):
    """The CDN serves every package of npm: allowed as a whole, any of them could be loaded by one stray tag."""
    sources = directive(app.test_client().get("/sign-in"), name)
    assert [s for s in sources if "//" in s] == ["https://cdn.jsdelivr.net/npm/htmx.org@4.0.1/dist/htmx.min.js"]


@pytest.mark.parametrize("kind", ["text/javascript", "application/javascript", "text/css", "text/html", "image/svg+xml",
                                  "application/xhtml+xml", "text/xml"])
def test_an_attachment_can_be_neither_a_script_nor_a_style_of_ours(app, team, browser_of, kind):
    arrive(connected(), letter(files=[("x.js", kind, b"alert(1)")]))
    [file] = stored(Attachment)
    with browser_of("marek") as browser:
        answer = browser.get(f"/attachments/{file.id}")
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_a_letter_is_shown_in_a_portal_that_may_embed_us(app, team, browser_of):
    """frame-ancestors looks at all of them: ourselves and the portal around us."""
    import dataclasses
    arrive(connected(), letter(html="<p>x</p>"))
    before = app.config["SETTINGS"]
    app.config["SETTINGS"] = dataclasses.replace(before, frame_ancestors="https://portal.corp.example")
    try:
        with browser_of("marek") as browser:
            answer = browser.get(f"/messages/{stored(Message)[0].id}/body")
        assert directive(answer, "frame-ancestors")[1:] == ["'self'", "https://portal.corp.example"]
    finally:
        app.config["SETTINGS"] = before


@pytest.mark.parametrize("reply_to", ["eve@evil.example", '"Anna Nowak" <eve@evil.example>',
                                      '"anna@customer.example" <eve@evil.example>'])
def test_above_the_answer_stands_the_address_that_gets_it(team, browser_of, reply_to):
    arrive(connected(), letter(Reply_To=reply_to))
    with browser_of("marek") as browser:
        page = browser.get("/conversations/1").text
    to = re.search(r'composer__to.*?</span>\s*<span class="composer__from', page, re.S)[0]
    assert "eve@evil.example" in to


def test_a_date_beyond_all_calendars_breaks_no_page(team, browser_of):
    from datetime import UTC, datetime
    box = connected()
    for uid, at in enumerate((datetime(9999, 12, 31, 23, 59, tzinfo=UTC), datetime(1, 1, 1, tzinfo=UTC)), 1):
        arrive(box, letter(text=f"{uid}"), first_uid=uid, at=at) if at.year > 1 else None
    with browser_of("marek") as browser:
        assert browser.get("/inboxes/1").status_code == 200
        assert browser.get("/conversations/1").status_code == 200


def test_mail_from_the_future_does_not_stay_on_top_for_ever(team):
    from datetime import UTC, datetime, timedelta
    arrive(connected(), letter(), at=datetime.now(UTC) + timedelta(days=4000))
    assert stored(Message)[0].at <= datetime.now(UTC) + timedelta(minutes=1)
