"""Forms of what an inbox does by itself. Their validators ask webapp.rules."""

from flask_babel import lazy_gettext as _
from wtforms import BooleanField, DateField, RadioField, StringField, TextAreaField
from wtforms.validators import Optional

from webapp.rules import bounds as b
from webapp.rules.hours import DEFAULT, HOLIDAYS_MAX, TEXT_MAX, text_of
from webapp.rules.spam import check_pattern
from webapp.rules.targets import typed
from webapp.web.fields import Asks, AtMost, Needed
from webapp.web.forms import Form
from webapp.words import time_zone


class AutoReplies(Form):
    auto_first = BooleanField(_("To the first mail of a conversation"))
    auto_first_text = TextAreaField(_("Text"), [AtMost(b.AUTO_TEXT_MAX)])
    auto_away = BooleanField(_("Outside of working hours"))
    auto_away_text = TextAreaField(_("Text"), [AtMost(b.AUTO_TEXT_MAX)])


class WorkingHours(Form):
    """A text a day, such as “9:00–12:00, 13:00–17:00”; an empty one: nobody is there."""

    zone = StringField(_("Time zone"), [AtMost(60)])
    day0 = StringField(_("Monday"), [AtMost(TEXT_MAX)])
    day1 = StringField(_("Tuesday"), [AtMost(TEXT_MAX)])
    day2 = StringField(_("Wednesday"), [AtMost(TEXT_MAX)])
    day3 = StringField(_("Thursday"), [AtMost(TEXT_MAX)])
    day4 = StringField(_("Friday"), [AtMost(TEXT_MAX)])
    day5 = StringField(_("Saturday"), [AtMost(TEXT_MAX)])
    day6 = StringField(_("Sunday"), [AtMost(TEXT_MAX)])
    holidays = TextAreaField(_("Holidays"), [AtMost(HOLIDAYS_MAX)])

    @property
    def days(self):
        return [self[f"day{number}"] for number in range(7)]

    @property
    def typed(self):
        return [day.data or "" for day in self.days]


class OwnHours(WorkingHours):
    """Of one person, in their own zone."""

    zone = holidays = None


class DayOff(Form):
    first = DateField(_("First day"), [Optional()])
    last = DateField(_("Last day"), [Optional()])
    hand_over = BooleanField(_("Hand over my open conversations when it begins"))


def typed_hours(hours):
    """{field: as a person would type it}"""
    return {f"day{n}": text_of(spans) for n, spans in enumerate((hours or {}).get("days", ()))}


class Targets(Form):
    """Within how long mail is answered; an empty number: no target."""

    first = StringField(_("The first answer within"), [AtMost(6)])
    first_unit = StringField(default="hours")
    later = StringField(_("Later answers within"), [AtMost(6)])
    later_unit = StringField(default="hours")


class NewSender(Form):
    kind = RadioField(_("Mail of this sender"), default="deny", choices=[
        ("deny", _("Always spam")), ("allow", _("Never spam"))])
    pattern = StringField(_("Address or domain"), [
        Needed(), AtMost(b.ADDRESS_MAX), Asks(lambda form, field: check_pattern(form.kind.data, field.data, 0))])


def forms_of(inbox, sender_form=None, replies_form=None, hours_form=None, targets_form=None):
    """The forms of an inbox as it is set; one that was refused comes as it was typed. Who has said no hours is offered
    the usual ones."""
    hours = inbox.hours or {"zone": time_zone(), "days": DEFAULT}
    texts = {f"day{number}": text_of(spans) for number, spans in enumerate(hours["days"])}
    texts["holidays"] = ", ".join(hours.get("holidays", ()))
    (first, first_unit), (later, later_unit) = typed(inbox.first_within), typed(inbox.later_within)
    return dict(
        targets_form=targets_form or Targets(formdata=None, first=first, first_unit=first_unit, later=later,
                                             later_unit=later_unit),
        sender_form=sender_form or NewSender(formdata=None),
        replies_form=replies_form or AutoReplies(
            formdata=None, auto_first=inbox.auto_first, auto_first_text=inbox.auto_first_text,
            auto_away=inbox.auto_away, auto_away_text=inbox.auto_away_text),
        hours_form=hours_form or WorkingHours(formdata=None, zone=hours["zone"], **texts))
