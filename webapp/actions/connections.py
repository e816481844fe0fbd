"""Connecting an address, holding it, reconnecting, disconnecting.

An address is held from the moment its sign-in is proven: whoever only types somebody else's address, or a typo, blocks
nobody. `begin` asks the rules before the servers are tried, `claim` asks again and stores inside a savepoint; on a
clash it asks once more, and the winner's row gives the answer.
"""

from flask import current_app
from sqlalchemy import delete, func, select
from sqlalchemy.exc import IntegrityError

from webapp.actions import aliases, leases
from webapp.actions.audit import note
from webapp.actions.sign_in import count
from webapp.actions.waiting import tell_waiting
from webapp.extensions import db
from webapp.live import announce
from webapp.mail.address import login_key
from webapp.mail.versions import READ_WITH
from webapp.models import Alias, Connection, Folder, Hold, Inbox
from webapp.models.connection import connection_id_of, held
from webapp.models.secret import seal
from webapp.models.types import now
from webapp.queue import later
from webapp.rules import RuleBroken
from webapp.rules.bounds import FOLDER_NAME_MAX, FOLDERS_MAX
from webapp.rules.connections import Holder, ask, check_address, check_connector, check_servers, may_reconnect
from webapp.rules.history import check_history

STEPS = ("settings", "receive", "send", "folders", "sync")


def check(actor, holder, address, use="mail"):
    """Ask every rule that can be asked before signing in. Returns the address key."""
    check_connector(actor.role, holder.kind)
    key = check_address(address)
    if ask(holder, use, held(key)) == "here already":
        raise RuleBroken("address", "here_already", address=address.strip(),
                         connection=connection_id_of(key, use))
    return key


def begin(actor, kind, address, password, *, inbox=None, from_name="", servers=None, history="all"):
    """Start connecting; the job does the rest. The same person trying the same address again goes on with the same
    row. `servers`: what was typed by hand, {imap_host: ..., ...}, or None to look for it. `history`: how far back its
    mail is read."""
    check_history(history)
    holder = Holder("personal", actor.id) if kind == "personal" else Holder("team", inbox.id)
    check(actor, holder, address)
    count("connect", person=actor.id)
    connection = _unfinished(actor, holder, address)
    if connection is None:
        connection = Connection(connected_by_id=actor.id, read_with=READ_WITH, address=address.strip(),
                                person_id=actor.id if kind == "personal" else None,
                                inbox_id=inbox.id if inbox else None)
        db.session.add(connection)
        db.session.flush()
    connection.address, connection.from_name, connection.history = address.strip(), from_name.strip(), history
    _set_servers(connection, servers)
    _set_password(connection, password)
    _start(connection)
    return connection


def try_again(actor, connection, *, password=None, servers=None):
    """After a failed step, or to reconnect: a new password, other servers, or simply once more."""
    count("connect", person=actor.id)
    db.session.refresh(connection, with_for_update=True)      # another tab may just have disconnected it
    if connection.state == "removed":
        raise RuleBroken("password", "not_now")
    if connection.hold_id and servers:
        may_reconnect(connection.hold.address_key, login_key(servers["imap_host"], servers["user_name"]),
                      connection.hold.address_key, connection.hold.login_key)
    if servers is not None:
        if not password:
            _same_hosts(actor, connection, servers)
        _set_servers(connection, servers)
    if password:
        _set_password(connection, password)
    if connection.hold_id and (password or servers):
        note(actor, "connection.reconnected", f"connection-{connection.id}", address=connection.address,
             **_holder_of(connection))
    _start(connection)


def _same_hosts(actor, connection, servers):
    """The stored password is for the servers that it was typed for: others, whoever runs them, ask for it again."""
    typing = connection.state == "connecting" and connection.connected_by_id == actor.id
    if not typing and any(
            (getattr(connection, name) or "").lower() != servers[name].lower() for name in ("imap_host", "smtp_host")):
        raise RuleBroken("password", "required")


def claim(connection, login):
    """Hold the address and the login, and make the connection active. Raises RuleBroken like `check`."""
    holder = Holder(connection.kind, connection.person_id or connection.inbox_id)
    key = check_address(connection.address)
    db.session.refresh(connection, with_for_update=True)    # whoever disconnects it, or its whole inbox, comes first
    if connection.state == "removed" or connection.inbox_id and db.session.scalar(
            select(Inbox.deleted_at).where(Inbox.id == connection.inbox_id)):
        raise RuleBroken("address", "not_now")
    for _attempt in range(2):
        if connection.hold_id:      # the same job ran twice, and the other run was faster
            return connection.hold
        answer = ask(holder, connection.use, held(key, login, holder))
        if answer == "here already":
            raise RuleBroken("address", "here_already", address=connection.address,
                             connection=connection_id_of(key, connection.use))
        try:
            with db.session.begin_nested():
                hold = db.session.scalar(select(Hold).where(Hold.address_key == key))
                if hold is None:
                    hold = Hold(address=connection.address, address_key=key, person_id=connection.person_id,
                                inbox_id=connection.inbox_id)
                    db.session.add(hold)
                    db.session.flush()
                hold.login_key = hold.login_key or login
                db.session.execute(delete(Alias).where(Alias.hold_id == hold.id))     # it has a mailbox of its own now
                db.session.flush()
                connection.hold_id, connection.state = hold.id, "active"
                db.session.flush()
            if connection.person_id:
                _choose_default(connection.person_id)
            note(connection.connected_by, "connection.connected", f"connection-{connection.id}",
                 address=connection.address, **_holder_of(connection))
            return hold
        except IntegrityError:      # somebody was faster: their row gives the answer
            db.session.refresh(connection)
    raise RuleBroken("address", "taken", kind="unknown", uses=[], name="", since=None, gone=False, by_login=False,
                     address=connection.address, wanted=connection.kind, id=0)


def step(connection, name, state, code=None, seconds=None, /, **facts):
    """One line of the checklist: todo, run, done or fail. `code` and `facts` become its words."""
    connection.checks = {**connection.checks, name: {"state": state, "code": code, "facts": facts, "seconds": seconds,
                                                     "at": now().isoformat()}}
    if state == "run" and connection.state == "connecting":
        connection.retry_at = None
    db.session.flush()
    announce(f"connection-{connection.id}")


def found(connection, candidate_source, imap, smtp, user):
    """The servers that were found for it; endpoints as in mail.types."""
    connection.source, connection.user_name = candidate_source, user
    connection.imap_host, connection.imap_port, connection.imap_security = imap
    connection.smtp_host, connection.smtp_port, connection.smtp_security = smtp
    db.session.flush()


def set_folders(connection, folders):
    """Remember the mailbox's folders, those with a role first; read INBOX and Sent, or all mail where there is no
    INBOX. Known ones keep their cursor."""
    roles = ("inbox" if any(f.role == "inbox" and f.selectable for f in folders) else "all", "sent")
    known = {f.wire_name: f for f in connection.folders}
    fit = [f for f in folders if f.selectable and len(f.wire_name) <= FOLDER_NAME_MAX]
    for folder in sorted(fit, key=lambda f: f.role == "other")[:FOLDERS_MAX]:
        row = known.get(folder.wire_name)
        if row is None:
            row = Folder(connection_id=connection.id, wire_name=folder.wire_name, name=folder.name, role=folder.role,
                         delimiter=folder.delimiter or "/")
            db.session.add(row)
            row.chosen = folder.role in roles
    db.session.flush()
    db.session.expire(connection, ["folders"])


def disconnect(actor, connection):
    """Remove the connection and free its address. Everything that was received or sent stays; whoever waits for the
    address is told."""
    address, connecting = connection.address, connection.state == "connecting"
    freed = unhook(actor, connection)
    if not connecting:
        note(actor, "connection.disconnected", f"connection-{connection.id}", address=address, **_holder_of(connection))
    if freed:
        tell_waiting(freed)


def unhook(actor, connection):
    """The connection lets go of its hold, and the hold of its address when nothing else uses it. Returns the address
    key that became free, or None."""
    hold, freed = connection.hold, None
    connection.state, connection.hold_id, connection.secret, connection.ended_at = "removed", None, None, now()
    connection.is_default = False
    db.session.flush()
    aliases.drop_all(actor, connection)
    leases.revoke(connection.id)        # a job that reads it right now stores nothing more
    if hold is not None and not db.session.scalar(select(func.count()).select_from(Connection).where(
            Connection.hold_id == hold.id)):
        freed = hold.address_key
        db.session.delete(hold)
    elif hold is not None and connection.use == "mail":
        hold.login_key = None       # a calendar signs in to no mailbox
    db.session.flush()
    db.session.expire(connection, ["hold"])
    if connection.person_id:
        _choose_default(connection.person_id)
    announce_health(connection)
    return freed


def announce_health(connection):
    announce(f"connection-{connection.id}",
             f"person-{connection.person_id}" if connection.person_id else f"inbox-{connection.inbox_id}", "watch")


def _holder_of(connection):
    holder = connection.person if connection.person_id else connection.inbox
    return {"kind": connection.kind, "holder": holder.name}


def _choose_default(person_id):
    """Of several personal addresses one is the default; when it goes, the oldest that is left."""
    mine = db.session.scalars(select(Connection).where(
        Connection.person_id == person_id, Connection.use == "mail", Connection.hold_id.is_not(None))
        .order_by(Connection.id)).all()
    if mine and not any(c.is_default for c in mine):
        mine[0].is_default = True
        db.session.flush()


def _start(connection):
    connection.attempt = (connection.attempt or 0) + 1
    connection.checks = {}
    connection.problem = connection.problem_facts = connection.problem_since = connection.retry_at = None
    step(connection, "settings", "run")
    later("webapp.jobs.connect.connect", connection.id)


def _set_servers(connection, servers):
    if servers is None:
        if connection.source == "typed" and connection.state == "connecting":
            connection.imap_host = connection.source = None
        return
    check_servers(connection.address, (servers["imap_host"], servers["smtp_host"]),
                  current_app.config["SETTINGS"].mail_presets())
    connection.source = "typed"
    for name, value in servers.items():
        setattr(connection, name, value)


def _set_password(connection, password):
    connection.secret = seal(password, "connection", connection.id, "secret")


def _unfinished(actor, holder, address):
    return db.session.scalar(select(Connection).where(
        Connection.state == "connecting", Connection.connected_by_id == actor.id,
        func.lower(Connection.address) == address.strip().lower(),
        (Connection.person_id if holder.kind == "personal" else Connection.inbox_id) == holder.id))
