"""Where a conversation stands, and what mail makes of that."""

from datetime import datetime, timedelta

from webapp.rules import RuleBroken

ACTIVE = ("open", "waiting", "snoozed")     # not done with
HIDDEN = ("spam", "trash", "merged")        # in no list but their own
ANSWERED = ("open", "snoozed", "closed", "trash")   # that wait for the customer once somebody answers here
LONGEST_SNOOZE = timedelta(days=366 * 2)


def after_incoming(status: str, is_newest: bool, is_news: bool) -> str:
    """The status after mail of a customer. `is_newest`: nothing here is newer. `is_news`: it came after the address was
    connected, nobody has seen it, and a person wrote it, or it says that our answer did not arrive. History that is
    only now read opens nothing again."""
    if status == "waiting":
        return "open" if is_newest else status
    return "open" if is_news and status in ("closed", "snoozed", "trash") else status


def after_outgoing(status: str, is_newest: bool, written_here: bool) -> str:
    """The status after our own mail. What somebody sent with another program answers only what is open."""
    if written_here:
        return "waiting" if status in ANSWERED else status
    return "waiting" if status == "open" and is_newest else status


def joined(one: str, other: str, last_is_ours: bool) -> str:
    """The status of two conversations that become one: `one` is kept."""
    if {"open", "waiting"} & {one, other} and not {"spam", "trash"} & {one}:
        return "waiting" if last_is_ours and "waiting" in (one, other) else "open"
    return one


def check_snooze(until: datetime | None, now: datetime):
    """Raises RuleBroken("until", "not_ahead" | "far_ahead"). None: until somebody answers."""
    if until is not None and until <= now:
        raise RuleBroken("until", "not_ahead")
    if until is not None and until > now + LONGEST_SNOOZE:
        raise RuleBroken("until", "far_ahead")
