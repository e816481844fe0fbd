"""Days inside sentences."""

from datetime import datetime

from babel.dates import format_date
from flask_babel import get_locale


def on_day(iso):
    """12 May, 12 maja; with the year when it is another one."""
    if not iso:
        return ""
    at = datetime.fromisoformat(iso)
    return format_date(at, "d MMMM" if at.year == datetime.now(at.tzinfo).year else "d MMMM y", locale=get_locale())


def full_day(iso):
    return format_date(datetime.fromisoformat(iso), "d MMMM y", locale=get_locale()) if iso else ""
