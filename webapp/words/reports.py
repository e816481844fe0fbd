"""Words of reports."""

from datetime import timedelta
from zoneinfo import ZoneInfo

from babel.dates import format_date, get_day_names
from flask_babel import get_locale, ngettext, pgettext
from flask_babel import gettext as _

from webapp.rules.reports import OF_PERSONS, PERIODS, change
from webapp.rules.targets import rough
from webapp.words.dates import time_zone
from webapp.words.targets import span


def plots():
    """(title, its series) of each."""
    return ((_("Mail"), (pgettext("plot", "in"), pgettext("plot", "out"))),
            (_("Conversations"), (pgettext("plot", "new"), pgettext("plot", "closed"))))


def periods():
    return [(n, ngettext("%(num)s day", "%(num)s days", n)) for n in PERIODS]


def columns():
    return {"mail_in": _("Mail in"), "mail_out": _("Mail out"), "new": _("New conversations"),
            "closed": _("Closed conversations"), "first_median": _("First answer, median"),
            "first_p90": _("First answer, nine of ten within"),
            "close_median": _("Until closed, median"), "in_time": _("Within target")}


def person_columns():
    return {name: columns()[name] for name in OF_PERSONS}


def column(name):
    return columns()[name]


def in_file(name):
    """The heading of a column in a file, with its unit."""
    unit = {"first_median": _("minutes"), "first_p90": _("minutes"), "close_median": _("minutes"), "in_time": "%"}
    return f"{column(name)} ({unit[name]})" if name in unit else column(name)


def value(name, measures):
    """As it is shown; – for what is not known."""
    found = getattr(measures, name)
    if found is None:
        return "–"
    if name in ("first_median", "first_p90", "close_median"):
        return minutes(found)
    return f"{found}\u00a0%" if name == "in_time" else found


def minutes(number):
    """A span that somebody waited."""
    return span(*rough(timedelta(minutes=number))) if number else _("under a minute").replace(" ", "\u00a0")


def tiles(now, before):
    """(name, value, sentence of the period before or "") of each measure."""
    found = []
    for name, title in columns().items():
        was, is_known = value(name, before), getattr(before, name) is not None
        by = change(getattr(now, name), getattr(before, name)) if name != "in_time" else None
        says = "" if not is_known else _("before: %(value)s", value=was)
        found.append((title, value(name, now), f"{says} ({by:+}\u00a0%)" if by is not None and says else says))
    return found


def title(period):
    """The days of a report."""
    if period.days:
        return ngettext("The last %(num)s day", "The last %(num)s days", period.days)
    return f"{short(period.first, True)} – {short(period.last, True)}"


def short(day, with_year=False):
    return format_date(day, "d MMM y" if with_year else "d MMM", locale=get_locale())


def bar(first, last):
    """The days of one bar."""
    return short(first) if first == last else f"{short(first)} – {short(last)}"


def weekday(number):
    return get_day_names("wide", locale=get_locale())[number]


def short_weekday(number):
    return get_day_names("abbreviated", locale=get_locale())[number]


def hours_head():
    return [_("Weekday"), *(f"{hour}:00" for hour in range(24))]


def day():
    return _("Day")


def name(table):
    return _("Inbox") if table == "inboxes" else _("Person")


def elsewhere():
    return _("In another mail program")


def since(at):
    """From which day of the reader's on answers are known."""
    return format_date(at.astimezone(ZoneInfo(time_zone())), "d MMMM y", locale=get_locale())
