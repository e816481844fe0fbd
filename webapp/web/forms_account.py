"""Forms of one's own account: the links that work once, the profile, the password, the sign-in address."""

from flask_babel import lazy_gettext as _
from wtforms import BooleanField, PasswordField, SelectField, StringField

from webapp.rules import bounds as b
from webapp.rules.people import check_name, check_password, check_time_zone
from webapp.web.fields import Asks, AtMost, Needed
from webapp.web.forms import Form

LANGUAGES = [("en", "English"), ("pl", "Polski")]
THEMES = [("system", _("As the system")), ("light", _("Light")), ("dark", _("Dark"))]


def _is_name(form, field):
    check_name(field.data)


def _is_password(form, field):
    check_password(field.data)


def _is_zone(form, field):
    check_time_zone(field.data or "")


class Forgot(Form):
    email = StringField(_("E-mail address"), [Needed(), AtMost(b.ADDRESS_MAX)])


class Accept(Form):
    """An invitation."""

    name = StringField(_("Your name"), [Needed(), AtMost(b.NAME_MAX), Asks(_is_name)])
    password = PasswordField(_("Password"), [Needed(), AtMost(b.PASSWORD_MAX), Asks(_is_password)])
    language = SelectField(_("Language"), choices=LANGUAGES)
    time_zone = StringField(_("Time zone"), [Asks(_is_zone)])


class NewPassword(Form):
    password = PasswordField(_("New password"), [Needed(), AtMost(b.PASSWORD_MAX), Asks(_is_password)])


class ConfirmEmail(Form):
    """The address stands in the link, not in the form: the field is there for what may be wrong with it."""

    email = StringField(_("New sign-in address"))


class Profile(Form):
    name = StringField(_("Your name"), [Needed(), AtMost(b.NAME_MAX), Asks(_is_name)])
    title = StringField(_("What you do here"), [AtMost(b.TITLE_MAX)])
    language = SelectField(_("Language"), choices=LANGUAGES)
    time_zone = StringField(_("Time zone"), [Asks(_is_zone)])
    theme = SelectField(_("Colours"), choices=THEMES)


class ChangePassword(Form):
    old = PasswordField(_("Password now"), [Needed(), AtMost(b.PASSWORD_MAX)])
    new = PasswordField(_("New password"), [Needed(), AtMost(b.PASSWORD_MAX), Asks(_is_password)])


class ChangeEmail(Form):
    email = StringField(_("New sign-in address"), [Needed(), AtMost(b.ADDRESS_MAX)])
    password = PasswordField(_("Password"), [Needed(), AtMost(b.PASSWORD_MAX)])


class SetUp(Form):
    """The first admin of an empty installation."""

    code = StringField(_("Code"), [Needed(), AtMost(b.USER_NAME_MAX)])
    name = StringField(_("Your name"), [Needed(), AtMost(b.NAME_MAX), Asks(_is_name)])
    email = StringField(_("E-mail address"), [Needed(), AtMost(b.ADDRESS_MAX)])
    password = PasswordField(_("Password"), [Needed(), AtMost(b.PASSWORD_MAX), Asks(_is_password)])


class Choices(Form):
    mail_mentions = BooleanField()
    mail_following = BooleanField()
    single_keys = BooleanField()
