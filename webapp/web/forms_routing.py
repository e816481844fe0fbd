"""The form of one rule: any number of conditions and actions, drawn anew while it is written."""

from dataclasses import dataclass, field

from flask import request

from webapp.rules.bounds import CONDITIONS_MAX, RULE_ACTIONS_MAX
from webapp.rules.routing import FIELDS, OTHERWISE, takes
from webapp.words import say

EMPTY_CONDITION = {"field": "words", "how": "contains", "values": [], "name": ""}
EMPTY_ACTION = {"do": "assign", "people": [], "how": "turns"}
NUMBERS = ("team", "tag", "inbox", "template")


@dataclass
class RuleForm:
    """What is written: as `actions.routing.save` takes it, and what was refused where."""

    match: str = "all"
    conditions: list = field(default_factory=lambda: [dict(EMPTY_CONDITION)])
    actions: list = field(default_factory=lambda: [dict(EMPTY_ACTION)])
    go_on: bool = False
    errors: dict = field(default_factory=dict)

    @classmethod
    def of(cls, route):
        return cls(route.match, [dict(c) for c in route.conditions], [dict(a) for a in route.actions], route.go_on)

    @classmethod
    def sent(cls):
        """What was sent, however odd."""
        given = request.form
        form = cls(given.get("match", "all"), [_condition(n) for n in _numbers("c", "field", CONDITIONS_MAX)],
                   [_action(f"a{n}_") for n in _numbers("a", "do", RULE_ACTIONS_MAX)], given.get("go_on") == "y")
        form._do(given.get("do", ""))
        return form

    @property
    def given(self):
        return {"match": self.match, "conditions": self.conditions, "actions": self.actions, "go_on": self.go_on}

    @property
    def is_to_save(self):
        return request.form.get("do") == "save"

    @property
    def is_to_replay(self):
        return request.form.get("do") == "replay"

    def blame(self, broken):
        self.errors[broken.field] = say(broken)

    def _do(self, what):
        """A row more, or less."""
        name, _, number = what.partition(":")
        if what == "add_condition":
            self.conditions.append(dict(EMPTY_CONDITION))
        elif what == "add_action":
            self.actions.append({"do": "tag"})
        elif name in ("drop_condition", "drop_action") and number.isascii() and number.isdigit():
            rows = self.conditions if name == "drop_condition" else self.actions
            del rows[int(number):int(number) + 1]


def _numbers(letter, name, most):
    return [n for n in range(most + 1) if f"{letter}{n}_{name}" in request.form]


def _condition(n):
    given, start = request.form, f"c{n}_"
    name = given[f"{start}field"]
    what = FIELDS.get(name)
    how = given.get(f"{start}how", "")
    if what is not None and how not in what.hows:      # another field was chosen
        how = what.hows[0]
    kind = takes(name, how) if what is not None else "words"
    if kind == "choice":
        values = given.getlist(f"{start}choice")
    else:
        values = [v.strip() for v in given.get(f"{start}values", "").replace("\n", ",").split(",") if v.strip()]
        if kind == "number":
            values = [given.get(f"{start}values", "").strip()]
    return {"field": name if what else "words", "how": how, "values": values, "name": given.get(f"{start}name", "")}


def _action(start):
    given = request.form
    found = {"do": given[f"{start}do"], "people": [p for p in map(_number, given.getlist(f"{start}people")) if p],
             "how": given.get(f"{start}how", ""), "hours": given.get(f"{start}hours", ""),
             "minutes": given.get(f"{start}minutes", "")}
    return found | {name: _number(given.get(f"{start}{name}")) for name in NUMBERS}


def _number(text):
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else None


def otherwise_sent():
    """The action that was chosen for all other mail, or None."""
    found = _action("o_") if request.form.get("o_do") else None
    return found if found and found["do"] in OTHERWISE else None
