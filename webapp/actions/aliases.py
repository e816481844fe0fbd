"""Further addresses that a team connection writes from: known at the provider, without a mailbox of their own. Each is
held like any address, so nobody else can connect it, or write from it, meanwhile."""

from typing import NamedTuple

from sqlalchemy import delete, select
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
    db.session.refresh(connection, with_for_update=True)    # whoever disconnects it comes before, or after
    if connection.inbox_id is None or connection.hold_id is None:
        raise RuleBroken("address", "not_now")
    if len(connection.aliases) >= ALIASES_MAX:
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
    _let_go(actor, connection, [alias.hold])


def drop_all(actor, connection):
    """With the connection its aliases go."""
    _let_go(actor, connection, db.session.scalars(select(Hold).join(Alias, Alias.hold_id == Hold.id).where(
        Alias.connection_id == connection.id).order_by(Hold.id)).all())


def _let_go(actor, connection, holds):
    for hold in holds:
        db.session.execute(delete(Alias).where(Alias.hold_id == hold.id))
        db.session.delete(hold)
        db.session.flush()
    for hold in holds:      # the log's head is locked after all else
        note(actor, "alias.removed", f"connection-{connection.id}", address=hold.address, of=connection.address)
        tell_waiting(hold.address_key)
    db.session.expire(connection, ["aliases"])


def own_keys(connection):
    """Address keys under which a connection is written to."""
    return frozenset([check_address(connection.address), *db.session.scalars(
        select(Hold.address_key).join(Alias, Alias.hold_id == Hold.id).where(Alias.connection_id == connection.id))])


def _check_free(connection, key, text):
    found = held(key)
    ask(Holder("team", connection.inbox_id), "alias", found)
    if found is not None:
        raise RuleBroken("address", "sends_already", address=text.strip())
