"""Validators that ask the rules, so that no bound and no rule is written in a form."""

from wtforms.validators import StopValidation

from webapp.rules import RuleBroken
from webapp.rules.bounds import PORT_MAX
from webapp.words import say


class Asks:
    """A validator around a rule: `question(form, field)` raises RuleBroken when the rule says no."""

    def __init__(self, question):
        self.question = question

    def __call__(self, form, field):
        try:
            self.question(form, field)
        except RuleBroken as broken:
            form.broken = broken
            raise StopValidation(say(broken)) from None


class Needed:
    """Something must be typed. Renders `required`."""

    field_flags = {"required": True}

    def __call__(self, form, field):
        if not (field.data or "").strip():
            raise StopValidation(say(RuleBroken(field.name, "required")))


class Port:
    """A TCP port; also in place of what WTForms says of a number that is none."""

    field_flags = {"required": True}

    def __call__(self, form, field):
        if field.data is None or not 1 <= field.data <= PORT_MAX:
            field.errors = []
            raise StopValidation(say(RuleBroken(field.name, "bad_port")))


class AtMost:
    """A bound of the rules: `maxlength` in the page, a sentence on the server. No rule is asked of what is longer: some
    take the square of its length."""

    def __init__(self, limit):
        self.limit, self.field_flags = limit, {"maxlength": limit}

    def __call__(self, form, field):
        if len(field.data or "") > self.limit:
            raise StopValidation(say(RuleBroken(field.name, "too_long", limit=self.limit)))
