"""Reading the rules from the top, and what comes of it."""

from dataclasses import dataclass, field
from typing import NamedTuple

from webapp.rules.routing.conditions import Mail, holds

# Of each of these kinds one action is done, the first that a rule says.
ONCE = {"assign": "assign", "owner": "assign", "team": "assign", "move": "move", "snooze": "state", "close": "state",
        "spam": "state", "answer": "answer", "target": "target"}


class Rule(NamedTuple):
    """`conditions` and `actions` as they are stored; `match`: all, any, none."""

    id: int
    conditions: tuple
    actions: tuple
    match: str = "all"
    go_on: bool = False
    is_on: bool = True


class Step(NamedTuple):
    """What reading one rule gave. `verdict`: matched, failed, off, not_read. `found`: (condition's place, what was
    found or None) of those that decided it."""

    rule_id: int
    verdict: str
    found: tuple = ()


@dataclass
class Decision:
    """`actions`: (rule id, action) each, in order; `steps`: one a rule."""

    steps: list = field(default_factory=list)
    actions: list = field(default_factory=list)

    @property
    def matched(self):
        return [s.rule_id for s in self.steps if s.verdict == "matched"]

    def action(self, *kinds):
        """The one of these kinds, or None."""
        return next((action for _id, action in self.actions if action["do"] in kinds), None)


def decide(rules, mail: Mail) -> Decision:
    """Total: any rules and any mail give a decision."""
    decision, done, is_over = Decision(), set(), False
    for rule in rules:
        if is_over or not rule.is_on:
            decision.steps.append(Step(rule.id, "not_read" if is_over else "off"))
            continue
        is_match, found = _matches(rule, mail)
        decision.steps.append(Step(rule.id, "matched" if is_match else "failed", found))
        if is_match:
            for action in rule.actions:
                kind = ONCE.get(action["do"])
                if kind is None or kind not in done:
                    decision.actions.append((rule.id, action))
                    done.add(kind)
            is_over = not rule.go_on
    return decision


def wants(rules) -> set:
    """The fields that these rules ask."""
    return {c["field"] for rule in rules if rule.is_on for c in rule.conditions}


def _matches(rule, mail):
    """A rule without conditions holds always."""
    answers = []
    for place, condition in enumerate(rule.conditions):
        is_so, found = holds(condition, mail)
        answers.append((is_so, (place, found)))
        if rule.match == "all" and not is_so or rule.match == "none" and is_so:
            return False, ((place, found),)
        if rule.match == "any" and is_so:
            return True, ((place, found),)
    if rule.match == "any" and answers:
        return False, tuple(a for _is_so, a in answers)
    return True, tuple(a for _is_so, a in answers)
