"""Invitations on the screen: a card in the reader's own time and language; and nothing is ever answered by itself."""

import re
from html import unescape

import pytest
from mail.test_invitation import calendar
from mailroom import arrive, connected, letter, person, stored

from webapp.extensions import db, unit
from webapp.models import Message, Outbox


def card(client, number=1):
    found = re.search(r'<section class="invitation.*?</section>', client.get(f"/conversations/{number}").text, re.S)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", found[0])).split()) if found else None


def invited(*lines, sender="Anna Nowak <anna@customer.example>", **given):
    arrive(connected(), letter(sender=sender, files=[("invite.ics", "text/calendar", calendar(*lines, **given))]))


def test_a_card_says_what_when_where_and_who_and_offers_the_file(team, browser_of):
    invited("LOCATION:Room 2", "RRULE:FREQ=WEEKLY;BYDAY=TH;COUNT=5", "ATTENDEE:mailto:a@b.example", "ATTENDEE:mailto:c@b.example")
    with browser_of("marek") as client:
        said = card(client)
        page = client.get("/conversations/1").text
    for part in ("Invitation", "Meeting", "10:00–11:30, your time (Europe/Warsaw)", "10 December", "Room 2", "2 people",
                 "Repeats every week (Thursday), 5 times.", "Anna Nowak <anna@customer.example>"):
        assert part in said
    assert "sender__told" not in page
    assert re.search(r'class="invitation.*?href="/attachments/\d+"', page, re.S)
    assert "<form" not in re.search(r'<section class="invitation.*?</section>', page, re.S)[0]


def test_the_readers_time_zone_and_language_count(team, browser_of):
    invited("RRULE:FREQ=DAILY")
    with unit():
        person("marek").time_zone, person("marek").language = "America/New_York", "pl"
    with browser_of("marek") as client:
        said = card(client)
    assert "4:00–5:30" in said
    assert "czwartek, 10 grudnia" in said


@pytest.mark.parametrize(("lines", "method", "words"), [
    (["X:y"], "CANCEL", "Cancelled meeting"), (["SEQUENCE:3"], "REQUEST", "Changed invitation"),
    (["ATTENDEE;PARTSTAT=DECLINED;CN=Jan:mailto:jan@b.example"], "REPLY", "Jan <jan@b.example>: declined."),
    (["DTSTART;VALUE=DATE:20261210", "DTEND;VALUE=DATE:20261213"], None, "Thursday, 10 December – Saturday, 12 December"),
    (["DTSTART;TZID=Mars:20261210T100000", "DTEND:-"], "REQUEST", "in the time zone “Mars”, which Postroom doesn’t know"),
    (["DTSTART:20261210T100000", "DTEND:-"], "REQUEST", "in the time zone of whoever wrote it"),
    (["RECURRENCE-ID:20261203T090000Z"], "REQUEST", "This is one date of a series."),
    (["RRULE:FREQ=MONTHLY;BYDAY=2TU"], "REQUEST", "It repeats. The calendar file says how.")])
def test_every_kind_has_its_words(team, browser_of, lines, method, words):
    invited(*lines, method=method)
    with browser_of("marek") as client:
        assert words in card(client).replace(" 2026", "")


def test_an_organiser_who_is_not_the_sender_is_told_aloud_only_when_it_poses_as_one_of_us(team, browser_of):
    invited(sender="Calendar <noreply@service.example>")
    box = connected(address="b@corp.example")
    arrive(box, letter(Message_ID="<2@x>", to="b@corp.example", files=[("i.ics", "text/calendar", calendar(
        "ORGANIZER;CN=Zofia:mailto:zofia@corp.example"))]), first_uid=2)
    with browser_of("marek") as client:
        first, second = (client.get(f"/conversations/{n}").text for n in (1, 2))
    assert "It names anna@customer.example, but this mail comes from noreply@service.example." in first
    assert "sender__told--loud" not in first
    assert "It names zofia@corp.example, but this mail comes from anna@customer.example." in second
    assert "sender__told--loud" in second


def test_hostile_texts_are_escaped(team, browser_of):
    invited("SUMMARY:<script>x()</script>{{ 7*7 }}", "LOCATION:<img src=x onerror=x()>", 'ORGANIZER;CN="<b>x":mailto:anna@customer.example')
    with browser_of("marek") as client:
        page = client.get("/conversations/1").text
    for bad in ("<script>x()", "<img src=x", "<b>x", ">49<"):
        assert bad not in page
    assert "{{ 7*7 }}" in page


def test_what_is_no_calendar_is_a_file(team, browser_of):
    arrive(connected(), letter(files=[("invite.ics", "text/calendar", b"rubbish"), ("winmail.dat", "application/ms-tnef", b"x\x9f>\x22")]))
    with browser_of("marek") as client:
        page = client.get("/conversations/1").text
        assert card(client) is None
    assert "invite.ics" in page
    assert "winmail.dat" in page


@pytest.mark.parametrize("header", ["Disposition_Notification_To", "Return_Receipt_To", "X_Confirm_Reading_To", "Generate_Delivery_Report"])
def test_a_receipt_that_a_mail_asks_for_is_never_sent(app, team, browser_of, header):
    arrive(connected(), letter(**{header: "spy@evil.test"}, html="<p>Hello</p>"))
    before = [(m.id, m.outgoing) for m in stored(Message)]
    with browser_of("marek") as client:
        page = client.get("/conversations/1").text
        client.get("/messages/1/body")
        client.get("/messages/1/raw", buffered=True)
    assert "spy@evil.test" not in page
    assert stored(Outbox) == []
    assert [(m.id, m.outgoing) for m in stored(Message)] == before
    assert not [k for k in app.extensions["redis"].keys("*") if b"outbox" in k]
    db.session.rollback()
