"""Admins write the rules of an inbox."""

from sqlalchemy import delete, func, select

from webapp.actions.audit import note
from webapp.actions.locks import lock_inbox
from webapp.actions.routing.known import known_of, routes_of
from webapp.extensions import db
from webapp.live import announce
from webapp.models import Route
from webapp.models.inbox import is_member
from webapp.models.types import now
from webapp.rules import RuleBroken
from webapp.rules.access import check_admin, check_takes_out
from webapp.rules.routing import check_otherwise, check_rule

OPEN_MOST = 10_000


def save(actor, inbox, given, route=None):
    """A new rule below the others, or `route` changed. `given`: {"match", "conditions", "actions", "go_on"} as typed.
    Raises RuleBroken as rules.routing.check_rule does, and at "actionN" what is not there, or may not."""
    check_admin(actor.role, "rule")
    lock_inbox(inbox.id)
    count = db.session.scalar(select(func.count()).select_from(Route).where(Route.inbox_id == inbox.id))
    conditions, actions = checked(inbox, given, count if route is None else 0)
    _check_takes_out(actor, inbox, actions)
    if route is None:
        last = db.session.scalar(select(func.max(Route.position)).where(Route.inbox_id == inbox.id)) or 0
        db.session.add(route := Route(inbox_id=inbox.id, position=last + 1))
    route.match, route.conditions, route.actions = given["match"], conditions, actions
    route.go_on, route.changed_at = bool(given.get("go_on")), now()
    db.session.flush()
    _changed(actor, inbox, "saved", number=_number(route), match=route.match, conditions=conditions, actions=actions,
             go_on=route.go_on)
    return route


def checked(inbox, given, count=0):
    """(conditions, actions) as they are stored, nothing of them gone."""
    conditions, actions = check_rule(given["match"], given["conditions"], given["actions"], count)
    known = known_of(inbox)
    for n, action in enumerate(actions):
        _check_named(f"action{n}", action, known)
    for n, condition in enumerate(conditions):
        kind = {"tag": {str(i) for i in known["tags"]}, "address": set(known["addresses"]),
                "owner": {str(i) for i in known["people"]}}.get(condition["field"])
        if kind is not None and set(condition["values"]) - kind:
            raise RuleBroken(f"condition{n}", "no_choice")
    return conditions, actions


def _check_takes_out(actor, inbox, actions=()):
    """Who lets a rule take mail out of a restricted inbox might read it elsewhere: only somebody who reads it already.
    Each change of a rule changes what another one takes. Raises RuleBroken("rule", "join_first")."""
    there = [*actions, *(action for route in routes_of(inbox.id) for action in route.actions)]
    if any(action["do"] == "move" for action in there):
        try:
            check_takes_out(inbox.access, db.session.scalar(select(is_member(actor.id, inbox.id))))
        except RuleBroken as broken:
            raise RuleBroken("rule", broken.code, **broken.facts) from None


def _check_named(field, action, known):
    for person_id in action.get("people", ()):
        if person_id not in known["people"]:
            raise RuleBroken(field, "no_access", name=known["named"].get(person_id, ""))
    for name, kind in (("team", "teams"), ("tag", "tags"), ("inbox", "inboxes"), ("template", "templates")):
        if action.get(name) and action[name] not in known[kind]:
            raise RuleBroken(field, "no_choice")


def remove(actor, inbox, route):
    check_admin(actor.role, "rule")
    lock_inbox(inbox.id)
    _check_takes_out(actor, inbox)
    number = _number(route)
    db.session.execute(delete(Route).where(Route.id == route.id))
    _changed(actor, inbox, "removed", number=number)


def switch(actor, inbox, route, is_on):
    check_admin(actor.role, "rule")
    lock_inbox(inbox.id)
    _check_takes_out(actor, inbox)
    if route.is_on != is_on:
        route.is_on, route.changed_at = is_on, now()
        _changed(actor, inbox, "switched", number=_number(route), on=is_on)


def move(actor, inbox, route, to):
    """To this place, from 1 on; what lies beyond the ends is the end."""
    check_admin(actor.role, "rule")
    lock_inbox(inbox.id)
    routes = [r for r in routes_of(inbox.id) if r.id != route.id]
    _check_takes_out(actor, inbox)
    was, to = _number(route), max(1, min(to, len(routes) + 1))
    routes.insert(to - 1, route)
    for position, row in enumerate(routes, 1):
        row.position = position
    if was != to:
        _changed(actor, inbox, "moved", number=was, to=to)


def set_otherwise(actor, inbox, action):
    """Who gets what no rule gives to anybody. `action`: as typed, or None: it stays nobody's."""
    check_admin(actor.role, "otherwise")
    if action is not None:
        action = check_otherwise(action)
        _check_named("otherwise", action, known_of(inbox))
    if inbox.otherwise != action:
        inbox.otherwise = action
        _changed(actor, inbox, "otherwise", otherwise=action)


def set_limit(actor, inbox, text):
    """How many open conversations somebody may have and still get one by themselves. "" none. Raises
    RuleBroken("open_most", "bad_limit")."""
    check_admin(actor.role, "open_most")
    text = text.strip()
    most = int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0
    if text and not 0 < most <= OPEN_MOST:
        raise RuleBroken("open_most", "bad_limit", most=OPEN_MOST)
    if inbox.open_most != (most or None):
        inbox.open_most = most or None
        _changed(actor, inbox, "limit", limit=inbox.open_most)


def change(actor, inbox, otherwise, limit):
    set_otherwise(actor, inbox, otherwise)
    set_limit(actor, inbox, limit)


def _number(route):
    return next((n for n, r in enumerate(routes_of(route.inbox_id), 1) if r.id == route.id), 0)


def _changed(actor, inbox, what, **facts):
    db.session.flush()
    note(actor, f"route.{what}", f"inbox-{inbox.id}", inbox=inbox.name, **facts)
    announce(f"inbox-{inbox.id}")
