"""Words for what people are here."""

from flask_babel import gettext as _

from webapp.rules.bounds import ROLES


def role(code):
    return {"admin": _("Admin"), "member": _("Member"), "viewer": _("Reads only")}[code]


def role_means(code):
    """What somebody of this role may do."""
    return {
        "admin": _("Reads and answers, connects team addresses, looks after people, teams and inboxes."),
        "member": _("Reads and answers, connects personal addresses."),
        "viewer": _("Reads the inboxes, answers nobody."),
    }[code]


def roles():
    """[(code, name)], for a choice."""
    return [(code, role(code)) for code in ROLES]
