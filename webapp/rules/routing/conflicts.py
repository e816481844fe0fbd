"""What is wrong with rules that were right when they were written, or that stand in each other's way. Only what is
certain is said: a rule without a complaint may still never hold."""

from webapp.rules.routing.conditions import NEGATIVE, OPPOSITE


def conflicts(rules, known) -> dict:
    """{rule id: [(code, facts)]}. `known`: {"people": ids of those who may act here, "named": {id: name} of everybody,
    "teams": {id: how many of them may act}, "tags", "inboxes", "templates", "addresses": what there is}."""
    found = {}
    for number, rule in enumerate(rules):
        said = [*gone_of(rule, known), *_never(rule)]
        if rule.is_on and (other := _shadow(rule, rules[:number])) is not None:
            said.append(("shadowed", {"by": rules.index(other) + 1}))
        if said:
            found[rule.id] = said
    return found


def gone_of(rule, known):
    """What it names and is not there, or may not act, as (code, facts) pairs."""
    for action in rule.actions:
        yield from _of_people(action, known)
        for name, kind in (("tag", "tags"), ("inbox", "inboxes"), ("template", "templates")):
            if action.get(name) and action[name] not in known[kind]:
                yield f"gone_{name}", {}
    for condition in rule.conditions:
        if condition["field"] == "address" and set(condition["values"]) - set(known["addresses"]):
            yield "gone_address", {"address": sorted(set(condition["values"]) - set(known["addresses"]))[0]}
        if condition["field"] == "tag" and {int(v) for v in condition["values"]} - set(known["tags"]):
            yield "gone_tag", {}


def _of_people(action, known):
    for person_id in action.get("people", ()):
        if person_id not in known["people"]:
            yield "no_access", {"name": known["named"].get(person_id, "")}
    team_id = action.get("team")
    if team_id and team_id not in known["teams"]:
        yield "gone_team", {}
    elif team_id and not known["teams"][team_id]:
        yield "empty_team", {}


def _never(rule):
    if rule.match != "all":
        return
    for number, one in enumerate(rule.conditions):
        for other in rule.conditions[number + 1:]:
            if one["field"] == other["field"] and _exclude(one, other):
                yield "never", {}
                return


def _exclude(one, other):
    """Can't both hold?"""
    if one["field"] == "header" and one["name"].lower() != other["name"].lower():
        return False
    hows, values = {one["how"], other["how"]}, [set(one["values"]), set(other["values"])]
    if hows == {"over", "under"}:
        over, under = (one, other) if one["how"] == "over" else (other, one)
        return float(over["values"][0]) >= float(under["values"][0])
    if hows == {"is"} and one["field"] in ("address", "language", "written_by", "owner"):
        return not values[0] & values[1]
    for positive, negative in OPPOSITE.items():
        if hows == {positive, negative}:
            yes, no = (one, other) if one["how"] == positive else (other, one)
            return set(yes["values"]) <= set(no["values"])      # of what takes nothing, too: one is, one is not
    return False


def _shadow(rule, before):
    """The first earlier rule that always holds where this one does, and goes not on."""
    return next((other for other in before if other.is_on and not other.go_on and _covers(other, rule)), None)


def _covers(one, other):
    if not one.conditions:
        return True
    if not other.conditions or "none" in (one.match, other.match):
        return False
    def implied(wanted, given):
        check = any if one.match == "any" else all
        return check(any(_implies(g, w) for g in given) for w in wanted)
    if other.match == "all":
        return implied(one.conditions, other.conditions)
    return all(implied(one.conditions, [given]) for given in other.conditions)


def _implies(given, wanted):
    """Does `wanted` hold whenever `given` does?"""
    is_part = given["field"] in ("subject", "text") and wanted["field"] == "words"
    if is_part and given["how"] == wanted["how"] == "contains":
        return set(given["values"]) <= set(wanted["values"])
    if given["field"] != wanted["field"] or given["how"] != wanted["how"]:
        return False
    if given.get("name", "").lower() != wanted.get("name", "").lower():
        return False
    if given["how"] in ("over", "under"):
        a, b = float(given["values"][0]), float(wanted["values"][0])
        return a >= b if given["how"] == "over" else a <= b
    mine, theirs = set(given["values"]), set(wanted["values"])
    return theirs <= mine if given["how"] in NEGATIVE else mine <= theirs
