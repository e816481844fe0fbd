"""Forms of whose word about senders is believed, and of what else one writes from."""

from flask_babel import lazy_gettext as _
from wtforms import StringField

from webapp.rules import bounds as b
from webapp.rules.connections import check_address
from webapp.rules.senders import check_authserv_ids
from webapp.web.fields import Asks, AtMost, Needed
from webapp.web.forms import Form


class SenderCheck(Form):
    authserv_id = StringField(_("Name of the checking server"), [
        AtMost(b.AUTHSERV_ID_MAX), Asks(lambda form, field: check_authserv_ids(field.data or ""))])


class NewAlias(Form):
    address = StringField(_("Address"), [Needed(), AtMost(b.ADDRESS_MAX), Asks(
        lambda form, field: check_address(field.data or ""))], render_kw={
            "type": "email", "autocomplete": "off", "spellcheck": "false"})
