"""The composer's form, on whatever page it stands."""

from flask_babel import lazy_gettext as _
from flask_wtf.file import MultipleFileField
from wtforms import BooleanField, HiddenField, StringField, TextAreaField
from wtforms.validators import Optional

from webapp.rules import bounds as b
from webapp.rules.recipients import TYPED_MAX
from webapp.web.fields import AtMost, Needed
from webapp.web.forms import Form


class Letter(Form):
    """`html`: what the editor holds, empty where there is none. `newest`: the newest message that the writer saw. `do`
    and `later` are the buttons."""

    to = StringField(_("To"), [AtMost(TYPED_MAX)])
    cc = StringField(_("Cc"), [AtMost(TYPED_MAX)])
    bcc = StringField(_("Bcc"), [AtMost(TYPED_MAX)])
    subject = StringField(_("Subject"), [AtMost(b.SUBJECT_MAX)])
    sender = StringField(_("From"), [AtMost(b.ADDRESS_MAX)])
    text = TextAreaField(_("Message"), [AtMost(b.REPLY_MAX)])
    html = HiddenField(validators=[AtMost(b.HTML_MAX)])
    files = MultipleFileField(_("Files"), [Optional()])
    kind = HiddenField(validators=[AtMost(20)])
    of = HiddenField(validators=[AtMost(20)])
    token = HiddenField(validators=[AtMost(64)])
    newest = HiddenField(validators=[AtMost(20)])
    inbox = HiddenField(validators=[AtMost(20)])
    anyway = HiddenField(validators=[AtMost(5)])
    do = HiddenField(validators=[AtMost(20)])
    later = HiddenField(validators=[AtMost(20)])
    until = StringField(validators=[AtMost(40)])


class Sending(Form):
    company = StringField(_("Company"), [AtMost(b.FROM_NAME_MAX)])
    person = BooleanField(_("Put the name of whoever answers before it"))
    signature = TextAreaField(_("Signature"), [AtMost(b.SIGNATURE_MAX)])


class WriteTemplate(Form):
    name = StringField(_("Name"), [Needed(), AtMost(b.TEMPLATE_NAME_MAX)])
    inbox = StringField(_("Inbox"), [AtMost(20)])
    subject = StringField(_("Subject"), [AtMost(b.SUBJECT_MAX)])
    text = TextAreaField(_("Text"), [AtMost(b.TEMPLATE_MAX)])
