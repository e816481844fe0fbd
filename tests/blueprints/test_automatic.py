"""What an inbox does by itself, on its settings page."""

import pytest
from mailroom import inbox, stored

from webapp.extensions import db, unit
from webapp.models import Audit, Inbox, SenderRule
from webapp.models.types import now

HERE = {"Sec-Fetch-Site": "same-origin"}
DAYS = {f"day{n}": "9-12, 13:00-17:00" for n in range(5)}


@pytest.fixture
def page(app, team, browser_of):
    """`page(path, **data)`: an admin sends a form of the settings of Support; without data, looks at them."""
    with browser_of("zofia") as client:
        def ask(path="", **data):
            at = f"/inboxes/{inbox().id}/{path or 'settings'}"
            return client.post(at, data=data, headers=HERE) if path else client.get(at)
        yield ask


def test_answers_are_set_and_shown(page):
    assert page("automatic/replies", auto_first="y", auto_first_text="We have got it <b>.").status_code == 303
    found = stored(Inbox)[0]
    assert (found.auto_first, found.auto_first_text, found.auto_away) == (True, "We have got it <b>.", False)
    shown = page().text
    assert "We have got it &lt;b&gt;." in shown and stored(Audit)[-1].action == "inbox.replies_changed"


@pytest.mark.parametrize("data, words", [
    ({"auto_first": "y", "auto_first_text": " "}, "Write what is to be sent."),
    ({"auto_away": "y", "auto_away_text": "Away"}, "Say your working hours below first."),
    ({"auto_first_text": "x" * 5_001}, "Use at most 5000 characters.")])
def test_answers_that_are_refused_come_back_as_they_were_typed(page, data, words):
    answer = page("automatic/replies", **data)
    assert answer.status_code == 422 and words in answer.text
    assert next(iter(data.values())).strip()[:20] in answer.text and not stored(Inbox)[0].auto_first


def test_hours_are_set_and_shown_and_taken_away(page):
    assert page("automatic/hours", zone="Europe/Warsaw", **DAYS).status_code == 303
    hours = stored(Inbox)[0].hours
    assert hours["zone"] == "Europe/Warsaw" and hours["days"][4] == [["09:00", "12:00"], ["13:00", "17:00"]]
    assert hours["days"][5] == [] and page().text.count("09:00–12:00, 13:00–17:00") == 5
    assert page("automatic/replies", auto_away="y", auto_away_text="Away").status_code == 303
    assert page("automatic/hours", zone="Europe/Warsaw").status_code == 303
    assert stored(Inbox)[0].hours is None


def test_hours_that_are_none_are_said_at_their_day(page):
    answer = page("automatic/hours", zone="Europe/Warsaw", day2="nine to five")
    assert answer.status_code == 422 and 'aria-describedby="day2-e"' in answer.text and "nine to five" in answer.text
    assert page("automatic/hours", zone="Moon/Crater", **DAYS).status_code == 422 and stored(Inbox)[0].hours is None


def test_holidays_are_set_and_shown_and_refused_at_their_field(page):
    assert page("automatic/hours", zone="Europe/Warsaw", holidays="25.12.2026\n2026-12-24", **DAYS).status_code == 303
    assert stored(Inbox)[0].hours["holidays"] == ["2026-12-24", "2026-12-25"]
    assert "2026-12-24, 2026-12-25" in page().text
    answer = page("automatic/hours", zone="Europe/Warsaw", holidays="Christmas", **DAYS)
    assert answer.status_code == 422 and "Christmas is no day" in answer.text and "holidays-e" in answer.text
    answer = page("automatic/hours", zone="Europe/Warsaw", holidays="2026-12-24")
    assert answer.status_code == 422 and "Say on which days somebody is there first." in answer.text


def test_targets_are_set_and_shown_and_taken_away(page):
    assert page("automatic/targets", first="4", first_unit="hours", later="90", later_unit="minutes").status_code == 303
    [found] = stored(Inbox)
    assert (found.first_within, found.later_within) == (240, 90) and 'value="4"' in page().text
    assert stored(Audit)[-1].action == "inbox.targets_changed"
    assert page("automatic/targets", first="", later="").status_code == 303
    assert (stored(Inbox)[0].first_within, stored(Inbox)[0].later_within) == (None, None)


@pytest.mark.parametrize("data, field", [({"first": "0"}, "first"), ({"later": "soon"}, "later"), ({"first": "31", "first_unit":
                                         "days"}, "first")])
def test_targets_that_are_none_are_said_at_their_field(page, data, field):
    answer = page("automatic/targets", **{"first_unit": "hours", "later_unit": "hours"} | data)
    assert answer.status_code == 422 and f'aria-describedby="{field}-e"' in answer.text
    assert "30 days at most" in answer.text and stored(Inbox)[0].first_within is None


def test_senders_are_added_and_taken_off(page):
    assert page("automatic/senders", kind="deny", pattern="@Evil.example").status_code == 303
    assert page("automatic/senders", kind="allow", pattern="anna@evil.example").status_code == 303
    shown = page().text
    assert "evil.example" in shown and "Always spam" in shown and "anna@evil.example" in shown
    for data, words in (({"kind": "deny", "pattern": "gmail.com"}, "Everybody can have an address at gmail.com"),
                        ({"kind": "deny", "pattern": "com"}, "That would be everybody."),
                        ({"kind": "x", "pattern": "a.example"}, "")):
        answer = page("automatic/senders", **data)
        assert answer.status_code == 422 and words in answer.text
    for rule in stored(SenderRule):
        assert page(f"automatic/senders/{rule.id}/remove", go="y").status_code == 303
    assert stored(SenderRule) == [] and "Nobody is on a list yet." in page().text


def test_an_inbox_that_stopped_says_so_and_goes_on_when_it_is_saved(page):
    with unit():
        db.session.get(Inbox, 1).auto_off_at = now()
    assert "very many left within an hour" in page().text
    page("automatic/replies", auto_first="y", auto_first_text="Hello")
    assert stored(Inbox)[0].auto_off_at is None and "very many" not in page().text
