"""Words of a message on its way out."""

import re
from datetime import UTC, datetime, timedelta

from flask_babel import gettext as _

from webapp.words.dates import ahead, at_time

_STATUS = re.compile(r"(?<![\d.])[245]\.(\d{1,3})\.(\d{1,3})(?![\d.])")
SOON = timedelta(minutes=2)
LIMITS = {
    "limit_minute": lambda time: _("Waits its turn: this address has sent all that may leave in one minute. Leaves "
                                    "%(time)s.", time=time),
    "limit_day": lambda time: _("Waits its turn: this address has sent all that may leave in 24 hours. Leaves "
                                 "%(time)s.", time=time),
}


def later(row):
    """Does it wait for a time that somebody chose?"""
    at = getattr(row, "not_before", None)
    return at is not None and at > datetime.now(UTC) + SOON


def state(row):
    """(tone, sentence) of an outgoing message; None when there is nothing to say."""
    if row.state == "queued" and row.problem in LIMITS:
        return "warn", LIMITS[row.problem](at_time(row.not_before.isoformat()))
    if row.state == "queued" and later(row):
        return "quiet", _("Leaves %(time)s.", time=ahead(row.not_before.isoformat()))
    return {
        "queued": ("quiet", _("Leaves in a moment.")),
        "claimed": ("quiet", _("Sending…")),
        "data_sent": ("quiet", _("Sending…")),
        "retry": ("warn", _("Not sent yet. The server couldn’t take it; we’ll try again.")),
        "refused": ("danger", _("Not sent.") + " " + _reason(row)),
        "uncertain": ("warn", _("It may have been sent: the connection was lost at the very end. Check the Sent folder "
                                "before sending it again.")),
    }.get(row.state)


def _reason(row):
    return {
        "disconnected": _("The address was disconnected before it could leave."),
        "password_refused": _("The server no longer accepts the password. Reconnect the address."),
        "smtp_refused": _("The server refused it."),
    }.get(row.problem, _("The server refused it for good."))


def bounce(recipient):
    """(tone, sentence) of a report that it did not arrive at one recipient."""
    if recipient.bounce == "soft":
        return "warn", _("%(address)s did not get it yet, says a mail server: %(why)s. It may still arrive.",
                         address=recipient.address, why=_why(recipient.bounce_text))
    return "danger", _("%(address)s did not get it: %(why)s.", address=recipient.address,
                       why=_why(recipient.bounce_text))


def _why(text):
    """By the enhanced status code (RFC 3463), where there is one."""
    match = _STATUS.search(text)
    if not match:
        return _("the reason is in the report")
    subject, detail = int(match[1]), int(match[2])
    return {
        (1, 0): _("the address is wrong"), (1, 1): _("there is no such address"),
        (1, 2): _("there is no such mail server"), (1, 3): _("the address is wrong"),
        (1, 10): _("it takes no mail"), (2, 1): _("the mailbox is closed"), (2, 2): _("the mailbox is full"),
        (2, 3): _("the message is too large"), (3, 4): _("the message is too large"),
        (4, 1): _("its mail server does not answer"), (4, 4): _("its mail server can’t be found"),
        (4, 7): _("it was tried for too long"),
    }.get((subject, detail)) or {
        1: _("the address is wrong"), 2: _("the mailbox can’t take it"), 3: _("its mail server can’t take it"),
        4: _("its mail server can’t be reached"), 6: _("its mail server can’t read it"),
        7: _("its mail server refuses it by its rules"),
    }.get(subject, _("the reason is in the report"))
