"""What there is for rules to name, and the rules of an inbox as they are read."""

from sqlalchemy import func, select

from webapp.extensions import db
from webapp.models import Alias, Connection, Hold, Person, Route, Tag, Team, TeamMember, Template
from webapp.models.inbox import live_inboxes, member_ids
from webapp.rules.access import may_act_in_inbox
from webapp.rules.routing import Rule

NAMED = ("people", "named", "teams", "tags", "inboxes", "templates", "addresses")


def routes_of(inbox_id):
    return db.session.scalars(select(Route).where(Route.inbox_id == inbox_id).order_by(Route.position, Route.id)).all()


def rule_of(route) -> Rule:
    return Rule(route.id, tuple(route.conditions), tuple(route.actions), route.match, route.go_on, route.is_on)


def rules_of(inbox_id):
    return [rule_of(route) for route in routes_of(inbox_id)]


def able_people(inbox) -> list[Person]:
    """Those who may act there, by name; in a deleted one nobody."""
    if inbox.deleted_at is not None:
        return []
    people = db.session.scalars(select(Person).where(Person.state == "active").order_by(Person.name, Person.id)).all()
    members = set(db.session.scalars(member_ids(inbox.id)))
    return [p for p in people if may_act_in_inbox(p.role, inbox.access, p.id in members)]


def known_of(inbox) -> dict:
    """As rules.routing.conflicts takes it; each a dict of names by id, but "people": ids."""
    able = {p.id for p in able_people(inbox)}
    sizes = {}
    for team_id, person_id in db.session.execute(select(TeamMember.team_id, TeamMember.person_id)):
        sizes[team_id] = sizes.get(team_id, 0) + (person_id in able)
    teams = dict(db.session.execute(select(Team.id, Team.name).order_by(Team.name)).all())
    return {
        "people": able, "named": dict(db.session.execute(select(Person.id, Person.name)).all()),
        "teams": {i: sizes.get(i, 0) for i in teams}, "team_names": teams,
        "tags": dict(db.session.execute(select(Tag.id, Tag.name).order_by(func.lower(Tag.name))).all()),
        "inboxes": {i.id: i.name for i in db.session.scalars(live_inboxes()) if i.id != inbox.id},
        "templates": dict(db.session.execute(select(Template.id, Template.name).where(
            (Template.inbox_id.is_(None)) | (Template.inbox_id == inbox.id)).order_by(Template.name)).all()),
        "addresses": addresses_of(inbox)}


def addresses_of(inbox) -> dict:
    """{key: address as it is written} of the inbox's own, aliases among them."""
    own = select(Hold.address_key, Hold.address).where(Hold.id.in_(
        select(Connection.hold_id).where(Connection.inbox_id == inbox.id, Connection.hold_id.is_not(None))
        .union(select(Alias.hold_id).join(Connection, Connection.id == Alias.connection_id)
               .where(Connection.inbox_id == inbox.id))))
    return dict(db.session.execute(own.order_by(Hold.address_key)).all())


def naming(person_id):
    """[(inbox, numbers of its rules that name this person; 0: what becomes of other mail)]"""
    found = []
    for inbox in db.session.scalars(live_inboxes()):
        rules = [(0, [inbox.otherwise or {}])] + [(n, r.actions) for n, r in enumerate(routes_of(inbox.id), 1)]
        if numbers := [n for n, actions in rules if any(person_id in a.get("people", ()) for a in actions)]:
            found.append((inbox, numbers))
    return found
