"""The life of an outgoing message (DESIGN 8): which state may follow which, and when to try again."""

import re
from datetime import datetime, timedelta

from webapp.rules import RuleBroken
from webapp.rules.bounds import FILES_MAX, FILES_MAX_MB, HTML_MAX, REPLY_MAX, SUBJECT_MAX

_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")     # PostgreSQL takes no NUL

FOLLOWS = {
    "queued": {"claimed", "cancelled"},
    "claimed": {"data_sent", "retry", "refused", "queued", "sent"},   # sent: to others, in an earlier attempt
    "data_sent": {"sent", "uncertain", "retry", "refused"},
    "retry": {"claimed", "cancelled"},
    "uncertain": {"sent", "queued", "cancelled"},
    "sent": set(), "refused": set(), "cancelled": set(),
}
LEASE = timedelta(minutes=3)
RETRIES = tuple(timedelta(minutes=m) for m in (1, 5, 15, 30, 60, 120, 240, 240, 240, 480, 480, 960))  # about 2 days
AFTER_REFUSED_SIGN_IN = timedelta(minutes=30)    # at least
LONGEST_WAIT = timedelta(days=366)
MINUTE, DAY = timedelta(minutes=1), timedelta(hours=24)


def retry_after(attempts: int) -> timedelta | None:
    """How long to wait after that many attempts; None when it is time to give up."""
    return RETRIES[attempts - 1] if attempts <= len(RETRIES) else None


def readable(value):
    """What people typed (text, or [[name, address], ...]) without characters that no text has."""
    if isinstance(value, list):
        return [[readable(part) for part in pair] for pair in value]
    return _CONTROLS.sub("", value) if isinstance(value, str) else value


def check_letter(text: str, html: str | None, subject: str, has_files: bool, forwards: bool = False):
    """Is there anything to send, and is it not too much? Raises RuleBroken at the field that it concerns."""
    if not (text.strip() or has_files or forwards):
        raise RuleBroken("text", "empty_reply")
    if len(text) > REPLY_MAX:
        raise RuleBroken("text", "long_reply", limit=REPLY_MAX)
    if len(html or "") > HTML_MAX:
        raise RuleBroken("text", "long_reply", limit=HTML_MAX)
    if len(subject) > SUBJECT_MAX:
        raise RuleBroken("subject", "too_long", limit=SUBJECT_MAX)


def check_files(sizes):
    """`sizes`: bytes of all files that are to go along. Raises RuleBroken("files", ...)."""
    if len(sizes) > FILES_MAX:
        raise RuleBroken("files", "many_files", limit=FILES_MAX)
    if sum(sizes) > FILES_MAX_MB * 1_000_000:
        raise RuleBroken("files", "large_files", limit=FILES_MAX_MB)


def check_later(at: datetime, now: datetime):
    """Raises RuleBroken("until", "not_ahead" | "year_ahead")."""
    if at <= now:
        raise RuleBroken("until", "not_ahead")
    if at > now + LONGEST_WAIT:
        raise RuleBroken("until", "year_ahead")


def from_name(form: str, person: str, company: str) -> str:
    """The name that customers see (BEHAVIOUR 7.2)."""
    return f"{person}, {company}" if form == "person" and person else company


def room_at(per_minute: int, per_day: int, minute: list[datetime], day: list[datetime]):
    """(when the next one may leave, which limit says so), or (None, None) when that is now. `minute`, `day`: when mail
    left within the last minute and the last 24 hours, oldest first. A limit of 0 is none."""
    if per_day and len(day) >= per_day:
        return day[len(day) - per_day] + DAY, "limit_day"
    if per_minute and len(minute) >= per_minute:
        return minute[len(minute) - per_minute] + MINUTE, "limit_minute"
    return None, None
