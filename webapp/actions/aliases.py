"""Further addresses that a team connection writes from: known at the provider, without a mailbox of their own. Each is
held like any address, so nobody else can connect it, or write from it, meanwhile."""

from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from webapp.actions.audit import note
from webapp.actions.waiting import tell_waiting
from webapp.extensions import db
from webapp.models import Alias, Connection, Hold
from webapp.models.connection import held
from webapp.rules import RuleBroken
from webapp.rules.bounds import ALIASES_MAX
from webapp.rules.connections import Holder, ask, check_address


class From(NamedTuple):
    """An address that mail can leave from: that of a connection, or one of its aliases."""

    connection: Connection
    address: str


def senders_of(connection):
    """Each From of a connection, its own address first."""
    return [From(connection, connection.address), *(From(connection, a.address) for a in connection.aliases)]


def written_to(message):
    """The From that a mail went to, or left from."""
    own, *others = senders_of(message.connection)
    people = [(message.from_name, message.from_address)] if message.outgoing else [*message.to, *message.cc]
    named = {(address or "").lower() for _name, address in people}
    if own.address.lower() in named:
        return own
    return next((sender for sender in others if sender.address.lower() in named), own)


def add(actor, connection, text):
    """Raises RuleBroken("address", ...): not_an_address, taken, sends_already, many_aliases, not_now."""
    key = check_address(text)
    if connection.inbox_id is None or connection.hold_id is None:
        raise RuleBroken("address", "not_now")
    if len(of(connection.id)) >= ALIASES_MAX:
        raise RuleBroken("address", "many_aliases", limit=ALIASES_MAX)
    _check_free(connection, key, text)
    hold = Hold(address=text.strip(), address_key=key, inbox_id=connection.inbox_id)
    try:
        with db.session.begin_nested():
            db.session.add(hold)
            db.session.flush()
            db.session.add(Alias(hold_id=hold.id, connection_id=connection.id))
            db.session.flush()
    except IntegrityError:      # somebody was faster: their row gives the answer
        _check_free(connection, key, text)
        raise
    note(actor, "alias.added", f"connection-{connection.id}", address=hold.address, of=connection.address)


def remove(actor, connection, alias):
    """Its address is free again; whoever waits for it is told."""
    note(actor, "alias.removed", f"connection-{connection.id}", address=alias.address, of=connection.address)
    drop_all(connection, Alias.hold_id == alias.hold_id)


def drop_all(connection, *those):
    """With the connection its aliases go."""
    for alias in db.session.scalars(select(Alias).where(Alias.connection_id == connection.id, *those)).all():
        hold = alias.hold
        db.session.delete(alias)
        db.session.flush()
        db.session.delete(hold)
        db.session.flush()
        tell_waiting(hold.address_key)


def of(connection_id):
    """The aliases of a connection, the oldest first."""
    return db.session.scalars(select(Alias).where(Alias.connection_id == connection_id)
                              .order_by(Alias.hold_id)).all()


def own_keys(connection):
    """Address keys under which a connection is written to."""
    return frozenset([check_address(connection.address), *db.session.scalars(
        select(Hold.address_key).join(Alias, Alias.hold_id == Hold.id).where(Alias.connection_id == connection.id))])


def _check_free(connection, key, text):
    found = held(key)
    ask(Holder("team", connection.inbox_id), "alias", found)
    if found is not None:
        raise RuleBroken("address", "sends_already", address=text.strip())
