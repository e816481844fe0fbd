"""What was typed becomes a rule, or is refused at its field."""

from webapp.rules import RuleBroken
from webapp.rules.bounds import (
    CONDITIONS_MAX,
    MAIL_LANGUAGES,
    RULE_ACTIONS_MAX,
    RULE_VALUE_MAX,
    RULE_VALUES_MAX,
    RULES_MAX,
    TARGET_MAX_DAYS,
)
from webapp.rules.routing.conditions import FIELDS, WRITERS, takes
from webapp.rules.routing.deciding import ONCE
from webapp.rules.routing.dividing import HOWS
from webapp.rules.spam import pattern_of

ACTIONS = ("assign", "team", "owner", "tag", "move", "snooze", "close", "spam", "answer", "tell", "target")
OTHERWISE = ("assign", "team", "owner", "leave")      # what becomes of mail that no rule gives to anybody
MATCHES = ("all", "any", "none")
SIZE_MAX = 1000            # MB
SNOOZE_MAX = 365 * 24      # hours


def check_rule(match, conditions, actions, count=0):
    """(conditions, actions) as they are stored. `count`: how many rules there are beside it. Raises RuleBroken at
    "rule" (many_rules, no_action, many_conditions, many_actions, two_of_a_kind), at "conditionN" or "actionN" (see
    `_condition` and `_action`)."""
    if count >= RULES_MAX:
        raise RuleBroken("rule", "many_rules", limit=RULES_MAX)
    if match not in MATCHES:
        raise RuleBroken("rule", "not_now")
    if len(conditions) > CONDITIONS_MAX:
        raise RuleBroken("rule", "many_conditions", limit=CONDITIONS_MAX)
    if len(actions) > RULE_ACTIONS_MAX:
        raise RuleBroken("rule", "many_actions", limit=RULE_ACTIONS_MAX)
    conditions = [_condition(f"condition{n}", c) for n, c in enumerate(conditions)]
    actions = [_action(f"action{n}", a) for n, a in enumerate(actions)]
    if not actions:
        raise RuleBroken("rule", "no_action")
    kinds = [ONCE[a["do"]] for a in actions if a["do"] in ONCE]
    if len(set(kinds)) < len(kinds):
        raise RuleBroken("rule", "two_of_a_kind")
    return conditions, actions


def check_otherwise(given):
    """As it is stored. Raises RuleBroken("otherwise", ...) as `_action` does."""
    if given.get("do") not in OTHERWISE:
        raise RuleBroken("otherwise", "not_now")
    return {"do": given["do"], **_FACTS[given["do"]]("otherwise", given)}


def _condition(field, given):
    """Raises RuleBroken(field, ...): no_values, many_values, long_value, bad_address, bad_size, no_header, not_now."""
    what = FIELDS.get(given.get("field"))
    if what is None or given.get("how") not in what.hows:
        raise RuleBroken(field, "not_now")
    values = [v.strip() for v in given.get("values", ()) if v.strip()]
    made = {"field": given["field"], "how": given["how"], "values": [], "name": ""}
    kind = takes(given["field"], given["how"])
    if kind == "nothing":
        return made
    if not values:
        raise RuleBroken(field, "no_values")
    if len(values) > RULE_VALUES_MAX:
        raise RuleBroken(field, "many_values", limit=RULE_VALUES_MAX)
    if any(len(v) > RULE_VALUE_MAX for v in values):
        raise RuleBroken(field, "long_value", limit=RULE_VALUE_MAX)
    if given["field"] == "header":
        made["name"] = _header_name(field, given.get("name", ""))
    made["values"] = _values(field, given["field"], kind, values)
    return made


def _values(field, name, kind, values):
    if kind == "addresses":
        return list(dict.fromkeys(_pattern(field, v) for v in values))
    if kind == "number":
        return [_number(field, values[0])]
    if name == "written_by" and set(values) - set(WRITERS) or name == "language" and set(values) - set(MAIL_LANGUAGES):
        raise RuleBroken(field, "not_now")
    return list(dict.fromkeys(values))


def _pattern(field, text):
    try:
        return pattern_of(text)
    except RuleBroken:
        raise RuleBroken(field, "bad_pattern_of", text=text[:80]) from None


def _number(field, text):
    try:
        number = float(text.replace(",", "."))
    except ValueError:
        number = 0
    if not 0 < number <= SIZE_MAX:
        raise RuleBroken(field, "bad_size", most=SIZE_MAX)
    return f"{number:g}"


def _header_name(field, text):
    """RFC 5322, 2.2: printable ASCII without a colon."""
    text = text.strip().rstrip(":")
    if not text or len(text) > 100 or not all("!" <= c <= "~" and c != ":" for c in text):
        raise RuleBroken(field, "no_header")
    return text


def _action(field, given):
    """Raises RuleBroken(field, ...): nobody_chosen, no_choice, bad_hours_of, bad_target, not_now."""
    do = given.get("do")
    if do not in ACTIONS:
        raise RuleBroken(field, "not_now")
    return {"do": do, **_FACTS[do](field, given)}


def _people(field, given):
    people = sorted({int(p) for p in given.get("people", ())})
    if not people:
        raise RuleBroken(field, "nobody_chosen")
    if len(people) > RULE_VALUES_MAX:
        raise RuleBroken(field, "many_values", limit=RULE_VALUES_MAX)
    return people


def _how(given):
    return given.get("how") if given.get("how") in HOWS else HOWS[0]


def _one(name):
    def one(field, given):
        if not given.get(name):
            raise RuleBroken(field, "no_choice")
        return {name: int(given[name])}
    return one


def _team(field, given):
    """`how` "" gives it to the team as such: somebody takes it on."""
    return {**_one("team")(field, given), "how": given.get("how") if given.get("how") in HOWS else ""}


def _owner(field, given):
    """Of a contact without one: to these, or to nobody."""
    people = sorted({int(p) for p in given.get("people", ())})
    return {"people": people, "how": _how(given)}


def _hours(field, given):
    text = str(given.get("hours", "")).strip()
    hours = int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0
    if not 0 < hours <= SNOOZE_MAX:
        raise RuleBroken(field, "bad_hours_of", most=SNOOZE_MAX)
    return {"hours": hours}


def _minutes(field, given):
    text = str(given.get("minutes", "")).strip()
    minutes = int(text) if text.isascii() and text.isdigit() and len(text) < 7 else 0
    if not 0 < minutes <= TARGET_MAX_DAYS * 24 * 60:
        raise RuleBroken(field, "bad_target", days=TARGET_MAX_DAYS)
    return {"minutes": minutes}


_FACTS = {
    "assign": lambda f, g: {"people": _people(f, g), "how": _how(g)},
    "team": _team,
    "owner": _owner,
    "tag": _one("tag"),
    "move": _one("inbox"),
    "snooze": _hours,
    "close": lambda f, g: {},
    "spam": lambda f, g: {},
    "answer": _one("template"),
    "tell": lambda f, g: {"people": _people(f, g)},
    "target": _minutes,
    "leave": lambda f, g: {"people": _people(f, g), **_minutes(f, g)},      # and remind these, after so many minutes
}
