"""Words for pictures that could not be loaded."""

from flask_babel import gettext as _
from flask_babel import ngettext


def failed(number, of, why):
    """“3 of 12 pictures could not be loaded: their server didn’t answer.” `why`: codes of rules.pictures.TROUBLES."""
    if number == of:
        text = ngettext("%(num)s picture could not be loaded", "%(num)s pictures could not be loaded", number)
    else:
        text = _("%(number)s of %(all)s pictures could not be loaded", number=number, all=of)
    reasons = [REASONS[code]() for code in why if code in REASONS]
    return f"{text}: {'; '.join(reasons)}." if reasons else f"{text}."


REASONS = {
    "unreachable": lambda: _("the server didn’t answer"),
    "missing": lambda: _("not there any more"),
    "not_allowed": lambda: _("an address from which nothing is loaded"),
    "not_a_picture": lambda: _("not a picture"),
    "too_large": lambda: _("too large"),
    "too_many": lambda: _("too many large pictures in one message"),
}
