"""Words of who is there."""

from babel.dates import format_date
from flask_babel import get_locale
from flask_babel import gettext as _


def sentence(reason):
    """Of oneself: rules.availability.away_because."""
    return {None: _("You are available: new conversations come to you by themselves."),
            "said_so": _("You are away. New conversations go to others."),
            "off_hours": _("You are away: these are not your working hours."),
            "absent": _("You are away: these are your days off.")}[reason]


def state(reason):
    """Of somebody else, in few words."""
    return {None: _("Available"), "said_so": _("Away"), "off_hours": _("Away: outside working hours"),
            "absent": _("Away: days off")}[reason]


def days(first, last):
    if first == last:
        return format_date(first, "d MMM y", locale=get_locale())
    return f"{format_date(first, 'd MMM y', locale=get_locale())} – {format_date(last, 'd MMM y', locale=get_locale())}"
