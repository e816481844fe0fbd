"""Time zones as people look for them: by continent and city, with the present distance from UTC."""

from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel.dates import get_timezone_location
from flask_babel import get_locale, gettext

from webapp.rules.people import time_zones


def choices(chosen=""):
    """[(continent, [(name, label), …]), …], sorted by what is read."""
    return _choices(str(get_locale()), datetime.now(UTC).date(), chosen)


@lru_cache(maxsize=16)
def _choices(locale, day, chosen):
    groups, at = {}, datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    # Of one city's several names the chosen one, else the first.
    for name in sorted(time_zones(), key=lambda name: (name != chosen, name)):
        continent, _slash, rest = name.partition("/")
        if rest and continent in _continents():
            groups.setdefault(_continents()[continent], {}).setdefault(_label(name, at, locale), name)
    found = [(title, [(name, label) for label, name in sorted(zones.items())]) for title, zones in
             sorted(groups.items())]
    others = {"UTC", chosen} & time_zones() - {name for _title, zones in found for name, _label in zones}
    return [*found, ("UTC", [(name, name) for name in sorted(others)])] if others else found


def _label(name, at, locale):
    minutes = int(ZoneInfo(name).utcoffset(at).total_seconds() // 60)
    sign, (hours, rest) = "−" if minutes < 0 else "+", divmod(abs(minutes), 60)
    return f"{get_timezone_location(ZoneInfo(name), locale=locale, return_city=True)} ({sign}{hours}:{rest:02})"


def _continents():
    return {"Africa": gettext("Africa"), "America": gettext("America"), "Antarctica": gettext("Antarctica"),
            "Arctic": gettext("Arctic"), "Asia": gettext("Asia"), "Atlantic": gettext("Atlantic"),
            "Australia": gettext("Australia"), "Europe": gettext("Europe"), "Indian": gettext("Indian Ocean"),
            "Pacific": gettext("Pacific")}
