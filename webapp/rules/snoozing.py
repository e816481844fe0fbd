"""Until when: what people choose, in their own time zone."""

from datetime import datetime, time, timedelta

from webapp.rules import RuleBroken

MORNING = time(8, 0)
CHOICES = ("later", "tomorrow", "monday", "week", "answer", "custom")
LATER = timedelta(hours=3)


def until(choice: str, here: datetime, typed: str = "") -> datetime | None:
    """The moment that is meant; None: until somebody answers. `here`: now, with the person's zone. `typed`: for
    "custom", as a datetime-local field has it. Raises RuleBroken("until", "not_a_time")."""
    morning = datetime.combine(here.date(), MORNING, here.tzinfo)
    if choice == "answer":
        return None
    if choice == "later":
        return here + LATER
    if choice == "tomorrow":
        return morning + timedelta(days=1)
    if choice == "monday":
        return morning + timedelta(days=7 - here.weekday())
    if choice == "week":
        return morning + timedelta(days=7)
    try:
        return datetime.fromisoformat(typed).replace(tzinfo=here.tzinfo)
    except (ValueError, OverflowError):
        raise RuleBroken("until", "not_a_time") from None
