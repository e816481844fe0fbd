"""Forms of signing in, connecting and answering. Their validators ask webapp.rules."""

from flask import abort
from flask_babel import lazy_gettext as _
from flask_login import current_user
from flask_wtf import FlaskForm
from wtforms import BooleanField, IntegerField, PasswordField, RadioField, SelectField, StringField, TextAreaField
from wtforms.validators import Optional

from webapp.extensions import db
from webapp.models.connection import connection_id_of, held
from webapp.rules import RuleBroken
from webapp.rules import bounds as b
from webapp.rules.connections import Holder, ask, check_address, check_connector, check_host, check_user_name
from webapp.web.fields import Asks, AtMost, Needed, Port

NEW_INBOX = "new"


class Form(FlaskForm):
    broken = None      # the RuleBroken behind an error, for its remedies
    made = None        # what the act of `did` returned

    def did(self, act):
        """Was it sent, is all of it valid, and did `act()` break no rule? What it returned is `made`. Else nothing was
        changed, what the session held is read anew, and the reason stands at its field."""
        if not self.validate_on_submit():
            return False
        try:
            self.made = act()
        except RuleBroken as broken:
            db.session.rollback()
            self.blame(broken)
            return False
        return True

    def blame(self, broken):
        """Put a rule's answer that came from the action at its field, as if the form had asked."""
        from webapp.words import say
        self.broken = broken
        field = self._fields.get(broken.field) or next(iter(self._fields.values()))
        field.errors = [*field.errors, say(broken)]


class SignIn(Form):
    email = StringField(_("E-mail address"), [Needed(), AtMost(b.ADDRESS_MAX)])
    password = PasswordField(_("Password"), [Needed(), AtMost(b.PASSWORD_MAX)])


def _can_be_connected(form, field):
    """The connection rules, asked by the form (DESIGN 5)."""
    check_connector(current_user.role, form.kind)
    key = check_address(field.data)
    if form.holder is not None and ask(form.holder, "mail", held(key)) == "here already":
        raise RuleBroken("address", "here_already", address=field.data.strip(),
                         connection=connection_id_of(key, "mail"))
    found = held(key)
    if form.holder is None and found is not None:      # a new inbox: any holder is another one
        ask(Holder("team", 0), "mail", found)


HISTORY = [("all", _("Everything")), ("year", _("One year")), ("quarter", _("Three months")),
           ("new", _("Only what comes from now on"))]


class _Connect(Form):
    address = StringField(_("Your e-mail address"), [Needed(), AtMost(b.ADDRESS_MAX), Asks(_can_be_connected)])
    password = PasswordField(_("Password for this address"), [Needed(), AtMost(b.SECRET_MAX)])
    history = SelectField(_("How far back"), choices=HISTORY, default="all")


class ConnectPersonal(_Connect):
    kind = "personal"

    @property
    def holder(self):
        return Holder("personal", current_user.id)


class SwitchToTeam(Form):
    """What a team address needs beside the mailbox itself: its one inbox, a sender name, and an explicit yes."""

    inbox = SelectField(_("Answers in"))
    new_inbox = StringField(_("Name of the new inbox"), [AtMost(b.INBOX_NAME_MAX)])
    from_name = StringField(_("Sender name"), [AtMost(b.FROM_NAME_MAX)])
    shared = BooleanField(_("This is a shared address. Everyone in the inbox may see all of its mail."))

    def validate_shared(self, field):
        Asks(_is_shared)(self, field)

    def validate_new_inbox(self, field):
        if self.inbox.data == NEW_INBOX:
            Asks(_has_name)(self, field)


class ConnectTeam(_Connect, SwitchToTeam):
    kind = "team"
    address = StringField(_("Team address"), [Needed(), AtMost(b.ADDRESS_MAX), Asks(_can_be_connected)])

    @property
    def holder(self):
        return None if self.inbox.data == NEW_INBOX else Holder(
            "team", int(self.inbox.data) if self.inbox.data in dict(self.inbox.choices) else 0)


def _is_shared(form, field):
    if not field.data:
        raise RuleBroken("shared", "not_shared")


def _has_name(form, field):
    if not (field.data or "").strip():
        raise RuleBroken("new_inbox", "inbox_name", limit=b.INBOX_NAME_MAX)


def _is_host(form, field):
    check_host(field.name, field.data)


SECURITY = [("tls", _("TLS from the start")), ("starttls", "STARTTLS")]


class Servers(Form):
    """Settings typed by hand. The password is asked again only when it is to change."""

    imap_host = StringField(_("Server"), [Needed(), AtMost(b.HOST_MAX), Asks(_is_host)])
    imap_port = IntegerField(_("Port"), [Port()])
    imap_security = SelectField(_("Security"), choices=SECURITY)
    user_name = StringField(_("User name"), [Needed(), AtMost(b.USER_NAME_MAX),
                                             Asks(lambda form, field: check_user_name(field.data))])
    smtp_host = StringField(_("Server"), [Needed(), AtMost(b.HOST_MAX), Asks(_is_host)])
    smtp_port = IntegerField(_("Port"), [Port()])
    smtp_security = SelectField(_("Security"), choices=SECURITY)
    password = PasswordField(_("Password"), [Optional(), AtMost(b.SECRET_MAX)])

    @property
    def servers(self):
        return {name: self[name].data.strip() if isinstance(self[name].data, str) else self[name].data
                for name in ("imap_host", "imap_port", "imap_security", "user_name", "smtp_host", "smtp_port",
                             "smtp_security")}


class Password(Form):
    password = PasswordField(_("Password"), [Needed(), AtMost(b.SECRET_MAX)])


class WriteNote(Form):
    note = TextAreaField(_("Note"), [AtMost(b.NOTE_MAX)])


class KeepView(Form):
    name = StringField(_("Name"), [Needed(), AtMost(b.VIEW_NAME_MAX)])
    shared = BooleanField(_("Colleagues see it, too"))


class SplitOff(Form):
    """`of`: the conversation that the page showed."""

    what = RadioField(_("What goes into a conversation of its own"), default="following", choices=[
        ("following", _("This message and what came after it")), ("only", _("This message only"))])
    of = StringField()


class MergeInto(Form):
    into = StringField(_("Conversation"), [Needed(), AtMost(b.CONVERSATION_SEARCH_MAX)])


class AlwaysPictures(Form):
    scope = StringField(validators=[AtMost(10)])


class Act(Form):
    """A button: nothing but its CSRF token."""


def pressed():
    """A button was pressed: its CSRF token counts."""
    if not Act().validate_on_submit():
        abort(400)
