"""Rules that route mail, and mail that they route, for the tests of both."""

from mailroom import arrive, inbox, letter, person, stored

from webapp.actions import routing
from webapp.extensions import db, unit
from webapp.jobs import routing as jobs
from webapp.models import Message


def ids(*names):
    return [person(name).id for name in names]


def rule(*actions, conditions=(), match="all", go_on=False, where="Support"):
    with unit():
        return routing.save(person("zofia"), inbox(where), {
            "match": match, "conditions": list(conditions), "actions": list(actions), "go_on": go_on}).id


def cond(field, how, *values, name=""):
    return {"field": field, "how": how, "values": list(values), "name": name}


def to(*names, how="turns"):
    return {"do": "assign", "people": ids(*names), "how": how}


def come(box, n, **headers):
    """A mail comes and is routed; its conversation."""
    arrive(box, letter(**{"Message_ID": f"<{n}@customer.example>", "subject": f"Pallet {n}"} | headers), first_uid=n)
    message = stored(Message)[-1]
    jobs.route(message.id)
    db.session.rollback()
    return db.session.get(Message, message.id).conversation


def routed(number):
    db.session.rollback()
    return routing.newest_of(number)


def is_away(name, away=True):
    with unit():
        person(name).is_away = away
