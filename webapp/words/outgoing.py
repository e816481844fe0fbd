"""Words of a message on its way out."""

from datetime import UTC, datetime, timedelta

from flask_babel import gettext as _

from webapp.words.dates import at_time

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
        return "quiet", _("Leaves %(time)s.", time=at_time(row.not_before.isoformat()))
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
