"""Words of a message on its way out."""

from flask_babel import gettext as _


def state(row):
    """(tone, sentence) of an outgoing message; None when there is nothing to say."""
    waiting = row.state == "queued"
    if waiting and row.attempts == 0:
        return "quiet", _("Leaves in a moment.")
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
