"""Forms of what an inbox does by itself. Their validators ask webapp.rules."""

from flask_babel import lazy_gettext as _
from wtforms import RadioField, StringField

from webapp.rules import bounds as b
from webapp.rules.spam import check_pattern
from webapp.web.fields import Asks, AtMost, Needed
from webapp.web.forms import Form


class NewSender(Form):
    kind = RadioField(_("Mail of this sender"), default="deny", choices=[
        ("deny", _("is always spam")), ("allow", _("is never spam"))])
    pattern = StringField(_("Address or domain"), [
        Needed(), AtMost(b.ADDRESS_MAX), Asks(lambda form, field: check_pattern(form.kind.data, field.data, 0))])


def forms_of(inbox, sender_form=None):
    """The forms of an inbox as it is set; one that was refused comes as it was typed."""
    return dict(sender_form=sender_form or NewSender(formdata=None))
