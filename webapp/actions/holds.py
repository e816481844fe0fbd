"""Who holds an address, changed on purpose: paused, switched to the other kind, released, asked for."""

from flask import current_app
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from webapp.actions import connections, leases
from webapp.actions.audit import note
from webapp.actions.notices import tell
from webapp.extensions import db
from webapp.mail.versions import READ_WITH
from webapp.models import Connection, Folder, HoldRequest
from webapp.models.connection import held
from webapp.models.inbox import is_member
from webapp.models.person import active_admins
from webapp.models.secret import SecretLost, seal, unseal
from webapp.models.types import now
from webapp.queue import later
from webapp.rules import RuleBroken
from webapp.rules.access import check_takes_out
from webapp.rules.connections import (
    check_address,
    check_connector,
    check_pause,
    check_release,
    check_servers,
    check_switch,
)

SERVERS = ("source", "imap_host", "imap_port", "imap_security", "smtp_host", "smtp_port", "smtp_security", "user_name")


def pause(actor, connection):
    """Nothing is read or sent until it goes on; the address stays held (BEHAVIOUR 0.3)."""
    _set_state(actor, connection, "paused", "connection.paused")
    leases.revoke(connection.id)        # a job that reads it right now stores nothing more


def resume(actor, connection):
    """What arrived meanwhile is caught up."""
    _set_state(actor, connection, "active", "connection.resumed")
    later("webapp.jobs.sync.pull", connection.id, queue="in")


def make_default(actor, connection):
    """Of several personal addresses the one to write from."""
    if connection.person_id != actor.id or connection.hold_id is None:
        raise RuleBroken("address", "not_now")
    db.session.execute(update(Connection).where(Connection.person_id == actor.id).values(is_default=False))
    db.session.refresh(connection)
    connection.is_default = True
    db.session.flush()
    connections.announce_health(connection)


def switch(actor, connection, inbox=None, from_name=""):
    """A personal address becomes one of `inbox`, or a team address (no inbox) the actor's own, in one transaction, so
    that nobody gets in between. The mail that was read stays where it is: personal mail its owner's, conversations in
    their inbox. Returns the new connection. Raises RuleBroken("address", ...)."""
    if connection.hold is None or connection.use != "mail":
        raise RuleBroken("address", "not_now")
    if connection.inbox_id:
        check_takes_out(connection.inbox.access, db.session.scalar(select(is_member(actor.id, connection.inbox_id))))
    uses = db.session.scalars(select(Connection.use).where(Connection.hold_id == connection.hold_id)).all()
    check_switch(actor.role, connection.kind, uses, "team" if inbox else "personal")
    check_servers(connection.address, (connection.imap_host, connection.smtp_host),
                  current_app.config["SETTINGS"].mail_presets())
    new = _copy(actor, connection, inbox, from_name)
    login, holder = connection.hold.login_key, connection.person_id or connection.inbox_id
    connections.unhook(actor, connection)
    connections.claim(new, login)
    note(actor, "connection.switched", f"connection-{new.id}", address=new.address, kind=new.kind,
         was=connection.kind, was_of=holder, holder=inbox.name if inbox else actor.name)
    connections.announce_health(new)
    later("webapp.jobs.sync.pull", new.id, queue="in")
    return new


def release(actor, hold):
    """An admin frees an address that a person holds. Of somebody who is gone in one click; somebody who is here is
    told. Audited; history stays (BEHAVIOUR 0.4)."""
    check_release(actor.role, "personal" if hold.person_id else "team")
    holder, address = hold.person, hold.address
    # Locked before the audit log's head, in the order of everything else that writes here.
    uses = db.session.scalars(select(Connection).where(Connection.hold_id == hold.id).with_for_update(
        key_share=True, of=Connection)).all()
    note(actor, "hold.released", f"hold-{hold.id}", address=address, holder=holder.name)
    if holder.state == "active" and holder.id != actor.id:
        tell(holder, "address.released", address=address, by=actor.name)
    for connection in uses:
        connections.disconnect(actor, connection)


def request(actor, address, kind):
    """Ask the admins for an address that somebody else holds; the actor is told when it is free. Asked once."""
    check_connector(actor.role, "personal")     # who connects nothing has no use for it
    key = check_address(address)
    found = held(key)
    if found is None or found.holder.kind == "personal" and found.holder.id == actor.id:
        raise RuleBroken("address", "not_taken")
    if db.session.scalar(select(HoldRequest.id).where(
            HoldRequest.person_id == actor.id, HoldRequest.address_key == key, HoldRequest.ended_at.is_(None))):
        return
    wanted = HoldRequest(person_id=actor.id, address=address.strip(), address_key=key, kind=kind, asked_at=now())
    try:
        with db.session.begin_nested():
            db.session.add(wanted)
            db.session.flush()
    except IntegrityError:      # the same person in another tab was faster
        return
    note(actor, "hold.requested", f"hold-{found.hold_id}", address=wanted.address, kind=kind)
    for admin in db.session.scalars(active_admins()).all():
        tell(admin, "hold.requested", address=wanted.address, by=actor.name, holder=found.name,
             holder_kind=found.holder.kind, holder_id=found.holder.id, gone=found.gone)


def _set_state(actor, connection, state, action):
    db.session.refresh(connection, with_for_update=True)      # another tab may just have disconnected it
    check_pause(connection.state, state)
    connection.state = state
    note(actor, action, f"connection-{connection.id}", address=connection.address)
    db.session.flush()
    connections.announce_health(connection)


def _copy(actor, old, inbox, from_name):
    """The same mailbox for another holder: its servers, its password, its folders to be read from the beginning."""
    new = Connection(connected_by_id=actor.id, read_with=READ_WITH, address=old.address, attempt=1,
                     from_name=from_name.strip(), history=old.history, person_id=None if inbox else actor.id,
                     inbox_id=inbox.id if inbox else None,
                     **{name: getattr(old, name) for name in SERVERS})
    new.checks = {name: check for name, check in (old.checks or {}).items() if name != "sync"}
    db.session.add(new)
    db.session.flush()
    try:
        new.secret = seal(unseal(old.secret, "connection", old.id, "secret"), "connection", new.id, "secret")
    except SecretLost:
        raise RuleBroken("address", "password_lost", address=old.address) from None
    for folder in old.folders:
        db.session.add(Folder(connection_id=new.id, name=folder.name, wire_name=folder.wire_name, role=folder.role,
                              delimiter=folder.delimiter, chosen=folder.chosen))
    connections.step(new, "sync", "run", started=now().isoformat())
    return new
