"""Forms of people and teams, for admins. Their validators ask webapp.rules."""

from flask_babel import lazy_gettext as _
from wtforms import RadioField, SelectField, SelectMultipleField, StringField, TextAreaField

from webapp.rules import bounds as b
from webapp.rules.people import check_role, check_team_name, invited_addresses
from webapp.web.fields import Asks, AtMost, Needed
from webapp.web.find import row_id
from webapp.web.forms import Form

NOBODY = "0"


def _is_role(form, field):
    check_role(field.data)


class Invite(Form):
    emails = TextAreaField(_("E-mail addresses"), [AtMost(b.INVITED_AT_ONCE * (b.ADDRESS_MAX + 2)),
                                                   Asks(lambda form, field: invited_addresses(field.data or ""))])
    role = RadioField(_("Role"), [Asks(_is_role)], choices=[(r, r) for r in b.ROLES], validate_choice=False,
                      default="member")
    language = SelectField(_("Language of the invitation"), choices=[("en", "English"), ("pl", "Polski")])
    teams = SelectMultipleField(_("Teams"), coerce=lambda v: row_id(str(v)), validate_choice=False)


class Role(Form):
    role = StringField(_("Role"), [Asks(_is_role)])


class HandOver(Form):
    """Who gets open conversations; the action asks whether they may act in every inbox concerned."""

    heir = SelectField(_("Open conversations go to"), default=NOBODY, choices=(), validate_choice=False)

    def offer(self, people):
        self.heir.choices = [(NOBODY, _("Nobody: they wait unassigned"))] + [(str(p.id), p.name) for p in people]


class TeamName(Form):
    name = StringField(_("Name"), [Needed(), AtMost(b.TEAM_NAME_MAX),
                                   Asks(lambda form, field: check_team_name(field.data))])


class TeamForm(TeamName):
    members = SelectMultipleField(_("Members"), coerce=lambda v: row_id(str(v)), validate_choice=False)
