"""What a calendar part of a mail says (RFC 5545, 5546): one event, its time, who asks for it. Never raises.

Only the lines that are shown are given to the calendar library, within limits, so that its time has a bound; a rule of
repetition is described and never expanded.
"""

import re
from datetime import UTC, date, datetime, timedelta

from .address import address_key
from .charset import clean_header, decode

MAX_BYTES = 1_000_000      # of a calendar that is looked at; a longer one is a file like any other
MAX_LINES = 20_000
MAX_LINE = 2_000           # characters of one property, unfolded
MAX_ZONE_LINES = 400       # of its own definitions of time zones
MAX_ZONE_RULES = 12
MAX_SHOWN = 300            # characters of a text

METHODS = ("request", "cancel", "reply", "counter", "declinecounter", "publish", "add")
_FOLD = re.compile(r"\r?\n[ \t]")
_LINE_END = re.compile(r"\r?\n")      # no others: U+2028 within a summary would begin a line of the stranger's choice
_NAME = re.compile(r"[A-Za-z0-9-]{1,40}(?=[;:])")
_KEPT = frozenset({"DTSTART", "DTEND", "DURATION", "RRULE", "SUMMARY", "LOCATION", "ORGANIZER", "STATUS",
                   "SEQUENCE", "UID"})
_ZONE_KEPT = frozenset({"TZID", "DTSTART", "TZOFFSETFROM", "TZOFFSETTO", "TZNAME", "RRULE"})
# A zone's clock changes once a year. Others would be expanded, second by second, from whenever they begin; and one that
# never comes true, on the fifth Monday that is a 1st, is looked for until the year 9999.
_ZONE_RULE = re.compile(r"RRULE:(?=.*BYMONTH=)(?!.*BYMONTHDAY.*BYDAY=[+-]?\d)(?!.*BYDAY=[+-]?\d.*BYMONTHDAY)"
                        r"(?:(?:FREQ=YEARLY|INTERVAL=1|BYMONTH=(?:[1-9]|0[1-9]|1[0-2])|"
                        r"BYMONTHDAY=-?(?:[1-9]|1\d|2[0-8])(?:,-?[1-9]\d?){0,6}|BYDAY=[+-]?[1-5]?[A-Z]{2}|"
                        r"UNTIL=[\dTZ]{8,16}|WKST=[A-Z]{2})(?:;|$))+")
_ZONE_START = re.compile(r"DTSTART:(?:1[6-9]|20)\d\d[\dT]{4,11}")
_NEAR = re.compile(r".*:(?:19|20)\d{6}(?:T\d{4,6}Z?)?\s*")     # up to an event's own year the changes are expanded
_SIMPLE_RULE = frozenset({"FREQ", "INTERVAL", "COUNT", "UNTIL", "BYDAY", "WKST"})
_FREQUENCIES = ("daily", "weekly", "monthly", "yearly")
_DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_PARTSTATS = ("accepted", "declined", "tentative", "delegated", "needs-action")


def read(data: bytes, charset: str | None = None) -> dict | None:
    """The first event of a calendar as plain JSON values, or None when there is none to show.

    method: one of METHODS; uid, summary, location: text; start, end: ISO dates ("2026-12-10") of whole days, ISO
    moments in UTC, or without a zone ("floating"), where `zone` names one that nobody knows; organizer: [name, address]
    or None; attendees: how many; answer: [name, address, one of _PARTSTATS] of a reply; sequence: of its version;
    cancelled; instance: one of a series; repeats: None, or {freq, interval, count, until, days}, freq None for what is
    not simple.
    """
    if len(data) > MAX_BYTES:
        return None
    try:
        found = _Reduced(decode(data, charset or "utf-8"))
        return _described(found) if found.event and found.method in METHODS else None
    except Exception:  # noqa: BLE001 - a stranger's bytes, and a library that raises anything: then it is a file only
        return None


class _Reduced:
    """Of a calendar the lines that are looked at. `event`: those of the first VEVENT; `zones`: of all VTIMEZONEs."""

    def __init__(self, text):
        self.method, self.event, self.zones, self.names = "publish", [], [], set()
        self.attendees, self.answer = 0, None
        zones, rules, path, done = [], 0, [], False
        for line in _LINE_END.split(_FOLD.sub("", text))[:MAX_LINES]:
            name = (match := _NAME.match(line)) and match[0].upper()
            if not name or len(line) > MAX_LINE:
                continue
            if name == "BEGIN":
                path.append(line[6:].strip().upper())
                if path[-1] in ("STANDARD", "DAYLIGHT") and path[:-1] == ["VCALENDAR", "VTIMEZONE"]:
                    rules += 1
                if len(path) > 8:
                    return
            if path[1:2] == ["VTIMEZONE"] and len(path) <= 3 and name in (*_ZONE_KEPT, "BEGIN", "END"):
                zones.append(line)
            elif path == ["VCALENDAR"] and name == "METHOD":
                self.method = line[7:].strip().lower()
            elif path == ["VCALENDAR", "VEVENT"] and not done:
                self._take(name, line)
            if name == "END":
                done = done or path == ["VCALENDAR", "VEVENT"] and bool(self.event)
                if path:
                    path.pop()
        times = [line for line in map(str.upper, self.event) if line.startswith(("DTSTART", "DTEND"))]
        if all(map(_NEAR.fullmatch, times)) and len(zones) <= MAX_ZONE_LINES and rules <= MAX_ZONE_RULES and \
                all(map(_is_harmless, zones)):
            self.zones = zones

    def _take(self, name, line):
        if name == "ATTENDEE":
            self.attendees += 1
            self.answer = self.answer or line
        elif name in ("RDATE", "RECURRENCE-ID"):
            self.names.add(name)
        elif name in _KEPT and name not in self.names:      # of doubled ones the first
            self.names.add(name)
            self.event.append(line)


def _is_harmless(line):
    """May this line of a zone be given to the library?"""
    name = _NAME.match(line)[0].upper()     # rrule is RRULE, too (RFC 5545, 2)
    shape = {"RRULE": _ZONE_RULE, "DTSTART": _ZONE_START}.get(name)
    return shape is None or bool(shape.fullmatch(line.strip().upper()))


def _described(found):
    from icalendar import Calendar  # few mails need it, and it takes its time to load
    from icalendar.timezone import tzp

    tzp.use_default()       # it remembers zones by name: another mail's must not be taken for this one's
    answer = [found.answer] if found.method in ("reply", "counter") and found.answer else []
    lines = ["BEGIN:VCALENDAR", *found.zones, "BEGIN:VEVENT", *found.event, *answer, "END:VEVENT", "END:VCALENDAR", ""]
    event = Calendar.from_ical("\r\n".join(lines)).walk("VEVENT")[0]
    start = event["DTSTART"].dt
    said = {
        "method": found.method, "uid": _text(event.get("UID")),
        "summary": _text(event.get("SUMMARY")), "location": _text(event.get("LOCATION")),
        "start": _moment(start), "end": _end(event, start), "zone": _unknown_zone(event["DTSTART"], start),
        "organizer": _mailbox(event.get("ORGANIZER")), "attendees": found.attendees, "answer": None,
        "sequence": max(0, min(int(event.get("SEQUENCE", 0)), 1_000_000)), "instance": "RECURRENCE-ID" in found.names,
        "cancelled": found.method == "cancel" or str(event.get("STATUS", "")).upper() == "CANCELLED",
        "repeats": _rule(event.get("RRULE"), "RDATE" in found.names)}
    if answer and (who := _mailbox(event.get("ATTENDEE"))):
        status = str(event["ATTENDEE"].params.get("PARTSTAT", "")).lower()
        said["answer"] = [*who, status if status in _PARTSTATS else "needs-action"]
    return said


def _moment(when):
    """A whole day, a moment in UTC, or a time of day without a zone, as ISO text."""
    if not isinstance(when, datetime):
        return when.isoformat() if isinstance(when, date) else None
    if when.tzinfo is None:
        return when.isoformat(timespec="minutes")
    return when.astimezone(UTC).isoformat(timespec="minutes")


def _end(event, start):
    """The last moment; of whole days the last of them (DTEND is the day after). None where nothing is said."""
    end = event["DTEND"].dt if "DTEND" in event else None
    if end is None and "DURATION" in event:
        end = start + event["DURATION"].dt
    if end is None or isinstance(end, datetime) != isinstance(start, datetime):
        return None
    if not isinstance(end, datetime):
        end -= timedelta(days=1)
        return end.isoformat() if end > start else None
    if (end.tzinfo is None) != (start.tzinfo is None) or end <= start:
        return None
    return _moment(end)


def _unknown_zone(stored, start):
    zone = stored.params.get("TZID")
    return _text(zone)[:80] if zone and isinstance(start, datetime) and start.tzinfo is None else None


def _mailbox(value):
    """[name, address] of an ORGANIZER or ATTENDEE; None when it has no address of mail."""
    if value is None:
        return None
    address = str(value)[:400]
    if address[:7].lower() == "mailto:":
        address = address[7:]
    try:
        address_key(address)
    except ValueError:
        return None
    return [_text(value.params.get("CN")), address.strip()]


def _rule(rule, more):
    if rule is None:
        return {"freq": None} if more else None
    names = {str(name).upper() for name in rule}
    freq = str(next(iter(rule.get("FREQ", [""])))).lower()
    days = [str(d).upper() for d in rule.get("BYDAY", [])]
    if more or names - _SIMPLE_RULE or freq not in _FREQUENCIES or not set(days) <= set(_DAYS) or (
            days and freq != "weekly"):
        return {"freq": None}
    until = next(iter(rule.get("UNTIL", [])), None)
    return {"freq": freq, "interval": max(1, min(int(next(iter(rule.get("INTERVAL", [1])))), 1_000)),
            "count": min(int(next(iter(rule["COUNT"]))), 100_000) if "COUNT" in rule else None,
            "until": (until.date() if isinstance(until, datetime) else until).isoformat() if until else None,
            "days": sorted(map(_DAYS.index, set(days)))}


def _text(value):
    return clean_header(str(value).replace("\n", " "), MAX_SHOWN) if value is not None else ""
