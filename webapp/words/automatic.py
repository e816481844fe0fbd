"""Words of what comes and goes by itself."""

from flask_babel import gettext as _


def label(message, out=None):
    """(tone, words) of the small label beside a message's time; None for a person's own."""
    if message.outgoing:
        return ("", _("Sent by itself")) if message.auto and out is not None and out.author_id is None else None
    if message.bounce:
        return "danger", _("Not delivered")
    return {"away": ("warn", _("Out of office")), "robot": ("", _("Written by a machine")),
            "list": ("", _("Mailing list"))}.get(message.auto_kind)
