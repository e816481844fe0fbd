"""Who gets new conversations by themselves: those who are there (BEHAVIOUR 6.5 to 6.12)."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from webapp.rules import RuleBroken
from webapp.rules.bounds import ABSENCES_MAX
from webapp.rules.hours import is_there

LONGEST = 400              # days of one absence


def away_because(is_away: bool, hours: dict | None, absences, zone: str, at: datetime) -> str | None:
    """None: available. Else "absent" (one of `absences`, (first day, last day) pairs), "said_so", "off_hours"."""
    today = at.astimezone(ZoneInfo(zone)).date()
    if any(first <= today <= last for first, last in absences):
        return "absent"
    if is_away:
        return "said_so"
    # Hours are those of the clock where the person is now, wherever they were written.
    return None if is_there(hours and {**hours, "zone": zone}, at) else "off_hours"


def check_absence(first: date | None, last: date | None, today: date, count: int):
    """Raises RuleBroken("first" | "last", "no_day" | "ends_before" | "over_already" | "long_absence" |
    "many_absences")."""
    for field, day in (("first", first), ("last", last)):
        if day is None:
            raise RuleBroken(field, "no_day")
    if last < first:
        raise RuleBroken("last", "ends_before")
    if last < today:
        raise RuleBroken("last", "over_already")
    if (last - first).days > LONGEST:
        raise RuleBroken("last", "long_absence", limit=LONGEST)
    if count >= ABSENCES_MAX:
        raise RuleBroken("first", "many_absences", limit=ABSENCES_MAX)


def may_set(role: str, actor_id: int, person_id: int) -> bool:
    """One's own; an admin everybody's, and they are told."""
    return role == "admin" or actor_id == person_id
