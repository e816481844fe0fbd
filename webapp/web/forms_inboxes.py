"""Forms of the team inboxes' settings. Their validators ask webapp.rules."""

from flask_babel import lazy_gettext as _
from wtforms import RadioField, SelectMultipleField, StringField

from webapp.rules import bounds as b
from webapp.rules.access import check_access_change, check_inbox_name
from webapp.web.fields import Asks, AtMost, Needed
from webapp.web.find import row_id
from webapp.web.forms import Form


def _has_somebody(form, field):
    check_access_change(field.data, len(form.people.data or ()), len(form.teams.data or ()))


class _Access(Form):
    """Everyone, or chosen people and teams; ids that nobody has are left out by the view."""

    access = RadioField(_("Who can open it"), choices=[(a, a) for a in b.INBOX_ACCESS], default="everyone")
    people = SelectMultipleField(_("People"), coerce=row_id, validate_choice=False)
    teams = SelectMultipleField(_("Teams"), coerce=row_id, validate_choice=False)

    def validate_access(self, field):
        Asks(_has_somebody)(self, field)


class InboxName(Form):
    name = StringField(_("Name"), [Needed(), AtMost(b.INBOX_NAME_MAX),
                                   Asks(lambda form, field: check_inbox_name(field.data))])


class InboxAccess(_Access):
    """Of an inbox that is there."""


class NewInbox(InboxName, _Access):
    """`new_inbox`: what the action calls its name; blame falls on the first field, the name."""


class DeleteInbox(Form):
    typed = StringField(_("Name of the inbox"), [Needed(), AtMost(b.INBOX_NAME_MAX)])
