"""Days and times inside sentences."""

from datetime import datetime, timedelta

from babel.dates import format_date, format_time, get_timezone
from flask import current_app
from flask_babel import get_locale, gettext
from flask_login import current_user


def on_day(iso):
    """12 May, 12 maja; with the year when it is another one."""
    if not iso:
        return ""
    at = datetime.fromisoformat(iso)
    return format_date(at, "d MMMM" if at.year == datetime.now(at.tzinfo).year else "d MMMM y", locale=get_locale())


def full_day(iso):
    return format_date(datetime.fromisoformat(iso), "d MMMM y", locale=get_locale()) if iso else ""


def at_time(iso):
    """12 May 9:00, in the reader's zone."""
    here = datetime.fromisoformat(iso).astimezone(get_timezone(time_zone()))
    return f"{on_day(here.isoformat())} {format_time(here, 'H:mm', locale=get_locale())}"


def ahead(iso):
    """The same of what is to come: today 9:00, tomorrow 9:00, else 12 May 9:00."""
    zone = get_timezone(time_zone())
    here, today = datetime.fromisoformat(iso).astimezone(zone), datetime.now(zone).date()
    time = format_time(here, "H:mm", locale=get_locale())
    if here.date() == today:
        return gettext("today %(time)s", time=time)
    if here.date() == today + timedelta(days=1):
        return gettext("tomorrow %(time)s", time=time)
    return at_time(iso)


def time_zone():
    """The reader's."""
    if current_user and current_user.is_authenticated:
        return current_user.time_zone
    return current_app.config["SETTINGS"].default_time_zone
