"""Calendar parts: what they say, and that no calendar costs more than a bounded time."""

import time

import pytest
from mailroom import letter

from webapp.mail.invitation import read
from webapp.mail.parse import parse

OWN_ZONE = """BEGIN:VTIMEZONE
TZID:%s
BEGIN:STANDARD
DTSTART:16010101T030000
TZOFFSETFROM:+0300
TZOFFSETTO:%s
RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU
END:STANDARD
END:VTIMEZONE
"""


def calendar(*lines, method="REQUEST", zones=""):
    """One event; `lines` replace the usual ones of their name."""
    usual = {"UID": "UID:1@x", "DTSTART": "DTSTART;TZID=Europe/Warsaw:20261210T100000",
             "DTEND": "DTEND;TZID=Europe/Warsaw:20261210T113000", "SUMMARY": "SUMMARY:Meeting",
             "ORGANIZER": "ORGANIZER;CN=Anna Nowak:mailto:anna@customer.example"}
    names = {line.partition(":")[0].partition(";")[0] for line in lines}
    event = [line for name, line in usual.items() if name not in names] + [line for line in lines if not line.endswith(":-")]
    head = ["BEGIN:VCALENDAR", "VERSION:2.0", *([f"METHOD:{method}"] if method else [])]
    return "\r\n".join([*head, *zones.splitlines(), "BEGIN:VEVENT", *event, "END:VEVENT", "END:VCALENDAR", ""]).encode()


def test_an_invitation_with_its_time_in_utc():
    said = read(calendar("LOCATION:Sala 2\\, ul. Wodna", "ATTENDEE:mailto:a@b.example", "ATTENDEE:mailto:c@b.example", "SEQUENCE:2"))
    assert said == {
        "method": "request", "uid": "1@x", "summary": "Meeting", "location": "Sala 2, ul. Wodna",
        "start": "2026-12-10T09:00+00:00", "end": "2026-12-10T10:30+00:00", "zone": None,
        "organizer": ["Anna Nowak", "anna@customer.example"], "attendees": 2, "answer": None, "sequence": 2,
        "instance": False, "cancelled": False, "repeats": None}


@pytest.mark.parametrize(("lines", "start", "end"), [
    (["DTSTART:20261210T090000Z", "DTEND:-", "DURATION:PT45M"], "2026-12-10T09:00+00:00", "2026-12-10T09:45+00:00"),
    (["DTSTART;VALUE=DATE:20261210", "DTEND;VALUE=DATE:20261211"], "2026-12-10", None),
    (["DTSTART;VALUE=DATE:20261210", "DTEND;VALUE=DATE:20261213"], "2026-12-10", "2026-12-12"),
    (["DTSTART:20261210T100000", "DTEND:20261210T110000"], "2026-12-10T10:00", "2026-12-10T11:00"),
    (["DTSTART;TZID=Central European Standard Time:20261210T100000", "DTEND:-"], "2026-12-10T09:00+00:00", None),
    (["DTSTART:20261210T090000Z", "DTEND:20261210T080000Z"], "2026-12-10T09:00+00:00", None),
    (["DTSTART:20261210T090000Z", "DTEND;VALUE=DATE:20261211"], "2026-12-10T09:00+00:00", None)])
def test_times_of_every_kind(lines, start, end):
    said = read(calendar(*lines))
    assert (said["start"], said["end"]) == (start, end)


def test_a_zone_that_the_mail_itself_defines_and_one_that_nobody_knows():
    own = calendar("DTSTART;TZID=Firma:20260710T100000", "DTEND:-", zones=OWN_ZONE % ("Firma", "+0200"))
    assert read(own)["start"] == "2026-07-10T08:00+00:00"
    said = read(calendar("DTSTART;TZID=Mars/Base:20261210T100000", "DTEND:-"))
    assert (said["start"], said["zone"]) == ("2026-12-10T10:00", "Mars/Base")


def test_one_mails_zone_is_never_another_mails():
    """The library remembers zones by name."""
    def mail(offset):
        return calendar("DTSTART;TZID=Firma:20260710T100000", "DTEND:-", zones=OWN_ZONE % ("Firma", offset))
    assert [read(mail(o))["start"][11:16] for o in ("+0200", "+0500", "+0200")] == ["08:00", "05:00", "08:00"]
    assert read(calendar("DTSTART;TZID=Firma:20260710T100000", "DTEND:-"))["zone"] == "Firma"
    lie = calendar("DTSTART;TZID=Europe/Warsaw:20260710T100000", "DTEND:-", zones=OWN_ZONE % ("Europe/Warsaw", "-0800"))
    assert read(lie)["start"] == "2026-07-10T08:00+00:00"


@pytest.mark.parametrize(("rule", "said"), [
    ("FREQ=WEEKLY;BYDAY=TH,MO;COUNT=5", {"freq": "weekly", "interval": 1, "count": 5, "until": None, "days": [0, 3]}),
    ("FREQ=DAILY;INTERVAL=3;UNTIL=20270101T000000Z", {"freq": "daily", "interval": 3, "count": None, "until": "2027-01-01", "days": []}),
    ("FREQ=MONTHLY", {"freq": "monthly", "interval": 1, "count": None, "until": None, "days": []}),
    ("FREQ=MONTHLY;BYDAY=2TU", {"freq": None}), ("FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU", {"freq": None}),
    ("FREQ=SECONDLY", {"freq": None}), ("FREQ=WEEKLY;BYSETPOS=1;BYDAY=MO", {"freq": None})])
def test_a_simple_repetition_is_told_and_another_is_only_named(rule, said):
    assert read(calendar(f"RRULE:{rule}"))["repeats"] == said


@pytest.mark.parametrize(("method", "line", "cancelled", "status"), [
    ("CANCEL", "STATUS:CANCELLED", True, None), ("REQUEST", "STATUS:CANCELLED", True, None), ("CANCEL", "X:y", True, None),
    ("REPLY", "ATTENDEE;PARTSTAT=ACCEPTED;CN=Jan:mailto:jan@b.example", False, ["Jan", "jan@b.example", "accepted"]),
    ("REPLY", "ATTENDEE:mailto:jan@b.example", False, ["", "jan@b.example", "needs-action"]),
    ("COUNTER", "ATTENDEE;PARTSTAT=<b>:mailto:jan@b.example", False, ["", "jan@b.example", "needs-action"]),
    ("REQUEST", "ATTENDEE;PARTSTAT=ACCEPTED:mailto:jan@b.example", False, None)])
def test_cancelled_answered_and_countered(method, line, cancelled, status):
    said = read(calendar(line, method=method))
    assert (said["method"], said["cancelled"], said["answer"]) == (method.lower(), cancelled, status)


def test_without_a_method_it_is_a_calendar_entry_and_an_unknown_one_is_a_file_only():
    assert read(calendar(method=None))["method"] == "publish"
    assert read(calendar(method="REFRESH")) is None
    assert read(b"BEGIN:VCALENDAR\r\nBEGIN:VTODO\r\nSUMMARY:x\r\nEND:VTODO\r\nEND:VCALENDAR") is None
    for rubbish in (b"", b"x", b"\xff" * 100, b"BEGIN:VEVENT", calendar("DTSTART:rubbish"), calendar("DTSTART:-")):
        assert read(rubbish) is None


@pytest.mark.parametrize("text", ["<script>x()</script>", "a\\nb", "\u202eevil", "x" * 1500, "=?utf-8?q?=0Ax?="])
def test_texts_are_one_clean_bounded_line(text):
    said = read(calendar(f"SUMMARY:{text}", f"LOCATION:{text}", f'ORGANIZER;CN="{text}":mailto:a@b.example'))
    for value in (said["summary"], said["location"], said["organizer"][0]):
        assert len(value) <= 300
        assert "\n" not in value
        assert "\u202e" not in value


def test_only_a_line_end_ends_a_line():
    for mark in "\u2028\u2029\x85\x0b\x0c\x1c":
        said = read(calendar(f"SUMMARY:Lunch{mark}ORGANIZER;CN=Boss:mailto:boss@corp.example{mark}DTEND:20270101T100000Z",
                             "ORGANIZER;CN=Eve:mailto:eve@evil.example", "DTEND;TZID=Europe/Warsaw:20261210T113000"))
        assert said["organizer"] == ["Eve", "eve@evil.example"]
        assert said["end"] == "2026-12-10T10:30+00:00"


@pytest.mark.parametrize("rule", ["BYMONTH=10;BYDAY=-1SU", "BYMONTH=3;BYMONTHDAY=25,26,27,28,29,30,31;BYDAY=SU", "bymonth=4;byday=1su;interval=1"])
def test_zones_change_their_clocks_in_every_honest_way(rule):
    zones = (OWN_ZONE % ("Firma", "+0200")).replace("BYMONTH=10;BYDAY=-1SU", rule)
    assert read(calendar("DTSTART;TZID=Firma:20261210T100000", "DTEND:-", zones=zones))["start"] == "2026-12-10T08:00+00:00"


@pytest.mark.parametrize("organizer", ["mailto:a@b@c", "javascript:x()", "mailto:<x>", "invalid:nomail", "mailto:"])
def test_an_organiser_without_one_address_is_none(organizer):
    assert read(calendar(f"ORGANIZER;CN=Jan:{organizer}"))["organizer"] is None


def test_charsets_of_calendars():
    assert read(calendar("SUMMARY:Zażółć").decode().encode("cp1250"), "windows-1250")["summary"] == "Zażółć"


def test_the_calendar_of_a_mail_is_read_with_it_and_stays_a_file():
    raw = letter(files=[("invite.ics", "text/calendar", calendar())])
    parsed = parse(raw)
    assert (parsed.invitation["summary"], parsed.invitation["part"]) == ("Meeting", parsed.parts[0].index)
    assert [p.content_type for p in parsed.parts] == ["text/calendar"]
    assert parse(letter(files=[("a.ics", "text/calendar", b"rubbish")])).invitation is None
    assert parse(letter(files=[("a.txt", "text/plain", calendar())])).invitation is None


def bent(rule, since="1601", when="20260710", many=12):
    """An event in a zone of its own that changes its clock by this rule, `many` times over: as many as are looked at."""
    zone = (OWN_ZONE % ("Bent", "+0200")).replace("FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU", rule).replace("1601", since).splitlines()
    return calendar(f"DTSTART;TZID=Bent:{when}T100000", "DTEND:-", zones="\n".join([*zone[:2], *zone[2:-1] * many, zone[-1]]))


ZONES = "".join((OWN_ZONE % (f"Z{n}", "+0200")).replace("BYDAY=-1SU", "BYMONTHDAY=1,2,3,4,5,6,7,8,9") for n in range(200))
BOMBS = {
    "begins": b"BEGIN:X\r\n" * 100_000, "folds": calendar("SUMMARY:a" + "\r\n b" * 240_000),
    "attendees": calendar(*["ATTENDEE:mailto:a@b.example"] * 30_000), "seconds": calendar("RRULE:FREQ=SECONDLY;COUNT=999999999"),
    "many days": calendar("RRULE:FREQ=WEEKLY;BYDAY=" + "MO," * 600 + "MO"), "zones": calendar(zones=ZONES),
    "one zone, many rules": calendar("DTSTART;TZID=Z1:20260710T100000", "DTEND:-", zones="\n".join(ZONES.splitlines()[:60])),
    "a zone of seconds": calendar("DTSTART;TZID=Z:20260710T100000", zones=OWN_ZONE.replace("FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU", "FREQ=SECONDLY") % ("Z", "+0200")),
    "a zone since the year 1": calendar("DTSTART;TZID=Z:20260710T100000", zones=OWN_ZONE.replace("1601", "0001") % ("Z", "+0200")),
    "a long time": calendar("DTEND:-", "DURATION:P99999999999999999D"), "the last year": calendar("DTSTART:99991231T235959Z", "DTEND:-", "DURATION:P400D"),
    "quotes": calendar('LOCATION;X="' + '"' * 1900 + ":x"), "parameters": calendar("SUMMARY" + ';X="a"' * 390 + ":x"),
    "colons": b":" * 900_000, "lines": calendar(*["X:y"] * 200_000), "events": calendar() * 3_000, "too long": calendar() + b" " * 1_000_000,
    "all that a zone may do": bent("FREQ=YEARLY;BYMONTH=1;BYMONTHDAY=1,2,3,4,5,6,7", when="20991210"),
    "long lines": calendar("SUMMARY:" + "a" * 900_000), "numbers": calendar("SEQUENCE:" + "9" * 1_900, "RRULE:FREQ=DAILY;COUNT=" + "9" * 1_900),
}

BENT = {
    "small letters": bent("FREQ=DAILY").replace(b"RRULE", b"rrule"), "small seconds": bent("FREQ=SECONDLY", "2026").replace(b"RRULE", b"Rrule"),
    "small start": bent("FREQ=YEARLY;BYMONTH=1;BYMONTHDAY=1,2,3,4,5,6,7", "0001").replace(b"\nDTSTART:", b"\ndtstart:"),
    "never": bent("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=31"), "nearly never": bent("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=1;BYDAY=5MO"),
    "the other way": bent("FREQ=YEARLY;BYDAY=5MO;BYMONTH=2;BYMONTHDAY=1"), "every Monday": bent("FREQ=YEARLY;BYDAY=MO"),
    "far away": bent("FREQ=YEARLY;BYMONTH=1;BYMONTHDAY=1,2,3,4,5,6,7", when="99981210"),
}


@pytest.mark.parametrize("name", BENT)
def test_a_zone_that_no_clock_knows_is_an_unknown_one(name):
    assert read(BENT[name])["zone"] == "Bent"


@pytest.mark.parametrize("name", [*BOMBS, *BENT])
def test_a_bomb_costs_a_bounded_time(name):
    started = time.process_time()
    read((BOMBS | BENT)[name])
    assert time.process_time() - started < 0.8
