"""What every forked job would do anew before its first useful step is done once before the fork: mappers, the TLS
authorities, the text of the usual SQL statements. That is 100 ms of each arrival on a small machine.

The statements become warm by receiving one letter in a transaction that is always rolled back.
"""

import logging

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import configure_mappers

from webapp.actions import health, leases
from webapp.actions.receive import receive
from webapp.extensions import db, writing
from webapp.jobs.mailbox import policy
from webapp.mail.connect import tls_context
from webapp.mail.parse import parse
from webapp.mail.types import FetchedHeader
from webapp.models import Connection, Folder, Inbox, Person
from webapp.models.types import now
from webapp.work.memory import settle

log = logging.getLogger(__name__)
LETTER = (b"From: Rehearsal <a@rehearsal.invalid>\r\nTo: b@rehearsal.invalid\r\nSubject: Rehearsal\r\n"
          b"Message-ID: <1@rehearsal.invalid>\r\nReferences: <0@rehearsal.invalid>\r\nContent-Type: text/html\r\n\r\n"
          b"<p>Text</p>\r\n")


def rehearse():
    """Never fails: a job that starts cold is only slower. Leaves nothing in the database."""
    _warm_up()
    settle()


def _warm_up():
    configure_mappers()
    tls_context(policy().ca_file)
    parse(LETTER)
    token = writing.set(True)
    try:
        _play()
    except SQLAlchemyError as error:
        log.info("no rehearsal: %s", error)
    finally:
        db.session.rollback()
        db.session.remove()
        writing.reset(token)


def _play():
    person = Person(name="Rehearsal", email="a@rehearsal.invalid", email_key="a@rehearsal.invalid")
    connection = Connection(address="b@rehearsal.invalid", inbox=Inbox(name="Rehearsal"), connected_by=person)
    folder = Folder(connection=connection, name="INBOX", wire_name=b"INBOX", role="inbox", uidvalidity=1)
    db.session.add_all([person, connection, folder])
    db.session.flush()
    fence = leases.take(connection.id)
    leases.hold_on(connection.id, fence)
    leases.clear_wanted(connection.id, fence)
    receive(connection, folder, [FetchedHeader(1, LETTER, len(LETTER), now(), frozenset(), False)])
    health.healthy(connection)
    leases.release(connection.id, fence)
    db.session.expire_all()
    for row in (connection, folder):
        db.session.refresh(row)
