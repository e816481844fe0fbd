"""Words of a calendar invitation (mail.invitation), in the reader's language and time zone."""

from datetime import UTC, date, datetime

from babel.dates import format_date, format_time, get_day_names, get_timezone
from flask_babel import get_locale, ngettext, pgettext
from flask_babel import gettext as _

from webapp.words.dates import full_day


def title(said):
    if said["method"] == "reply":
        return _("Answer to an invitation")
    if said["cancelled"]:
        return _("Cancelled meeting")
    if said["method"] == "request" and said["sequence"]:
        return _("Changed invitation")
    return {"request": pgettext("meeting", "Invitation"), "counter": _("Another time is proposed"),
            "add": _("More dates"), "declinecounter": _("The proposed time was not taken"),
            }.get(said["method"], _("Calendar entry"))


def answer(said):
    """What somebody answered, as a sentence; None where nobody did."""
    if not said["answer"] or said["method"] != "reply":
        return None
    name, address, status = said["answer"]
    who = f"{name} <{address}>" if name else address
    return {"accepted": _("%(who)s: accepted.", who=who), "declined": _("%(who)s: declined.", who=who),
            "tentative": _("%(who)s: maybe.", who=who),
            "delegated": _("%(who)s: sends somebody else.", who=who)}.get(status, _("%(who)s: no answer yet.", who=who))


def when(said, zone):
    """Day and time, for somebody in the time zone `zone`."""
    start, end = (_read(said[name], zone) for name in ("start", "end"))
    if not isinstance(start, datetime):
        return _day(start) if end is None else f"{_day(start)} – {_day(end)}"
    text = f"{_day(start)}, {_clock(start)}"
    if end is not None:
        text += f"–{_clock(end)}" if end.date() == start.date() else f" – {_day(end)}, {_clock(end)}"
    if start.tzinfo is not None:
        return _("%(when)s, your time (%(zone)s)", when=text, zone=zone)
    if said["zone"]:
        return _("%(when)s in the time zone “%(zone)s”, which Postroom doesn’t know", when=text, zone=said["zone"])
    return _("%(when)s, in the time zone of whoever wrote it", when=text)


def repeats(said):
    """How it repeats; None when it doesn't."""
    rule = said["repeats"]
    if not rule:
        return _("This is one date of a series.") if said["instance"] else None
    if not rule["freq"]:
        return _("It repeats. The calendar file says how.")
    number = rule["interval"]
    text = {"daily": lambda: ngettext("every day", "every %(num)s days", number),
            "weekly": lambda: ngettext("every week", "every %(num)s weeks", number),
            "monthly": lambda: ngettext("every month", "every %(num)s months", number),
            "yearly": lambda: ngettext("every year", "every %(num)s years", number)}[rule["freq"]]()
    if rule["days"]:
        names = get_day_names("wide", "stand-alone", get_locale())
        text += f" ({', '.join(names[day] for day in rule['days'])})"
    if rule["count"]:
        text += ", " + ngettext("%(num)s time", "%(num)s times", rule["count"])
    elif rule["until"]:
        text += ", " + _("until %(day)s", day=full_day(rule["until"]))
    return _("Repeats %(how)s.", how=text)


def organizer(said):
    name, address = said["organizer"]
    return f"{name} <{address}>" if name else address


def _read(iso, zone):
    """A date, an aware datetime in `zone`, a datetime of no zone, or None."""
    if not iso:
        return None
    if len(iso) == 10:
        return date.fromisoformat(iso)
    at = datetime.fromisoformat(iso)
    return at if at.tzinfo is None else at.astimezone(get_timezone(zone))


def _day(at):
    near = at.year == datetime.now(UTC).year
    return format_date(at, "EEEE, d MMMM" if near else "EEEE, d MMMM y", locale=get_locale())


def _clock(at):
    return format_time(at.time(), "H:mm", locale=get_locale())
