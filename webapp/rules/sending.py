"""The life of an outgoing message (DESIGN 8): which state may follow which, and when to try again."""

from datetime import timedelta

from webapp.rules import RuleBroken
from webapp.rules.bounds import REPLY_MAX

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


def retry_after(attempts: int) -> timedelta | None:
    """How long to wait after that many attempts; None when it is time to give up."""
    return RETRIES[attempts - 1] if attempts <= len(RETRIES) else None


def check_reply(text: str):
    if not text.strip():
        raise RuleBroken("text", "empty_reply")
    if len(text) > REPLY_MAX:
        raise RuleBroken("text", "long_reply", limit=REPLY_MAX)
