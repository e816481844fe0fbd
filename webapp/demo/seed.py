"""The demo company's people, put into the database by `flask prepare`. The only part of the demo that knows it.

Michał connected magazyn@ while he was here and was removed later: his hold is the one trace that is made here.
"""

from datetime import timedelta

from webapp.actions import people
from webapp.demo.people import MAILBOXES, PEOPLE, SERVERS
from webapp.extensions import db
from webapp.mail.address import address_key, login_key
from webapp.models import Connection, Hold
from webapp.models.types import now


def seed():
    made = {p.key: people.create_person(p.name, p.email, p.role, p.password, p.language) for p in PEOPLE}
    for box in MAILBOXES:
        if box.held:
            _held_by(made[box.person], box)
    for person in PEOPLE:
        if person.removed:
            people.remove_person(None, made[person.key])
            made[person.key].state_at = now() - timedelta(days=47)


def _held_by(person, box):
    host = SERVERS[box.address.rpartition("@")[2]].imap.host
    hold = Hold(address=box.address, address_key=address_key(box.address), login_key=login_key(host, box.address),
                person_id=person.id)
    db.session.add(hold)
    db.session.flush()
    db.session.add(Connection(address=box.address, person_id=person.id, hold_id=hold.id, state="paused",
                              connected_by_id=person.id))
    db.session.flush()
