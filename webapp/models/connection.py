"""A connection: one use (mail, calendar) of a held address, its servers, its health, its folders."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    UniqueConstraint,
    or_,
    select,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from webapp.extensions import db
from webapp.models.hold import Alias, Hold
from webapp.models.inbox import Inbox
from webapp.models.person import Person
from webapp.models.types import Moment, no_longer_than, now, one_of
from webapp.rules.bounds import (
    ADDRESS_MAX,
    AUTHSERV_ID_MAX,
    CONNECTION_STATES,
    FOLDER_ROLES,
    FROM_NAME_MAX,
    HISTORIES,
    HOST_MAX,
    USER_NAME_MAX,
    USES,
)
from webapp.rules.connections import Held, Holder
from webapp.rules.folders import is_needed, is_offered


class Reconciled(NamedTuple):
    at: datetime
    missing: int
    extra: int


class Connection(db.Model):
    __table_args__ = (
        one_of("use", USES), one_of("state", CONNECTION_STATES), one_of("history", HISTORIES),
        CheckConstraint("(person_id IS NULL) <> (inbox_id IS NULL)", name="one_holder"),
        # A use belongs to the hold's own holder, whichever kind that is (MATCH SIMPLE skips the null one).
        ForeignKeyConstraint(["hold_id", "person_id"], ["hold.id", "hold.person_id"]),
        ForeignKeyConstraint(["hold_id", "inbox_id"], ["hold.id", "hold.inbox_id"]),
        UniqueConstraint("hold_id", "use"),
        CheckConstraint("use <> 'calendar' OR person_id IS NOT NULL", name="calendars_hang_on_people"),
        # The address is held from the proven sign-in until removal.
        CheckConstraint("(hold_id IS NULL) = (state IN ('connecting', 'removed'))", name="held_while_connected"),
        no_longer_than("address", ADDRESS_MAX), no_longer_than("from_name", FROM_NAME_MAX),
        no_longer_than("imap_host", HOST_MAX), no_longer_than("user_name", USER_NAME_MAX),
        no_longer_than("authserv_id", AUTHSERV_ID_MAX),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    use: Mapped[str] = mapped_column(default="mail")
    state: Mapped[str] = mapped_column(default="connecting")
    address: Mapped[str]
    hold_id: Mapped[int | None] = mapped_column(ForeignKey("hold.id"), index=True)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), index=True)
    inbox_id: Mapped[int | None] = mapped_column(ForeignKey("inbox.id"), index=True)
    connected_by_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    from_name: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime] = mapped_column(Moment, default=now)
    ended_at: Mapped[datetime | None] = mapped_column(Moment)
    # How its server signs Authentication-Results (RFC 8601), names with blanks between; none: as is known of providers.
    authserv_id: Mapped[str | None]
    is_default: Mapped[bool] = mapped_column(default=False)   # of several personal addresses the one to write from

    # The servers, as found or typed. `source` says which of the two, and from where.
    source: Mapped[str | None]
    imap_host: Mapped[str | None]
    imap_port: Mapped[int | None]
    imap_security: Mapped[str | None]
    smtp_host: Mapped[str | None]
    smtp_port: Mapped[int | None]
    smtp_security: Mapped[str | None]
    user_name: Mapped[str | None]
    secret: Mapped[bytes | None]                       # the password, AES-GCM (webapp.models.secret)

    # Each start of connecting has a number: a job of an older one may write nothing any more.
    attempt: Mapped[int] = mapped_column(default=0)
    # What the checklist shows: {step: {"state", "code", "facts", "seconds"}}.
    checks: Mapped[dict] = mapped_column(JSON, default=dict)
    # What stops it now, if anything; words come from the code.
    problem: Mapped[str | None]
    problem_facts: Mapped[dict | None] = mapped_column(JSON)
    problem_since: Mapped[datetime | None] = mapped_column(Moment)
    told_at: Mapped[datetime | None] = mapped_column(Moment)   # its people were told of the present problem
    retry_at: Mapped[datetime | None] = mapped_column(Moment)
    synced_at: Mapped[datetime | None] = mapped_column(Moment)
    caught_up: Mapped[bool] = mapped_column(default=False)  # the first sync has reached the oldest message
    history: Mapped[str] = mapped_column(default="all")     # how far back it goes
    # The server has numbered its mail anew: what came before this, and is only now read, is history and no news.
    history_until: Mapped[datetime | None] = mapped_column(Moment)

    read_with: Mapped[int] = mapped_column(default=0)     # version of what has read all of it (actions.reread)

    # One worker at a time. The fence grows with each lease; a worker whose fence is old may not commit.
    lease_until: Mapped[datetime | None] = mapped_column(Moment)
    fence: Mapped[int] = mapped_column(default=0)
    wanted: Mapped[bool] = mapped_column(default=False)     # something changed while the lease was taken

    hold: Mapped[Hold | None] = relationship(foreign_keys=[hold_id])
    person: Mapped[Person | None] = relationship(foreign_keys=[person_id])
    inbox: Mapped[Inbox | None] = relationship(foreign_keys=[inbox_id])
    connected_by: Mapped[Person] = relationship(foreign_keys=[connected_by_id])
    aliases: Mapped[list[Alias]] = relationship(viewonly=True, order_by=Alias.hold_id)
    folders: Mapped[list["Folder"]] = relationship(back_populates="connection", order_by="Folder.id")

    @property
    def kind(self):
        return "personal" if self.person_id else "team"

    @property
    def holder_state(self):
        """State of the person behind a personal connection; an inbox is always there."""
        return self.person.state if self.person_id else "active"

    @property
    def reconciled(self):
        """The last comparison of all its folders with the server; None before there was one."""
        folders = [f for f in self.folders if f.chosen]
        if not folders or any(f.reconciled_at is None for f in folders):
            return None
        return Reconciled(min(f.reconciled_at for f in folders), sum(f.missing for f in folders),
                          sum(f.extra for f in folders))


Index("ix_connection_state", Connection.state)
Index("uq_connection_default", Connection.person_id, unique=True, sqlite_where=text("is_default"),
      postgresql_where=text("is_default"))
# A person has one calendar (DESIGN 5).
Index("uq_connection_calendar", Connection.person_id, unique=True,
      sqlite_where=text("use = 'calendar' AND hold_id IS NOT NULL"),
      postgresql_where=text("use = 'calendar' AND hold_id IS NOT NULL"))


class Folder(db.Model):
    """A folder of the mailbox that is read. Stored so far: every UID in (low_uid, high_uid] that is in scope, and
    nothing below it. In scope is all above start_uid, and below it what the connection's `history` reaches."""

    __table_args__ = (UniqueConstraint("connection_id", "wire_name"), one_of("role", FOLDER_ROLES))

    id: Mapped[int] = mapped_column(primary_key=True)
    connection_id: Mapped[int] = mapped_column(ForeignKey("connection.id", ondelete="CASCADE"), index=True)
    name: Mapped[str]
    wire_name: Mapped[bytes]
    delimiter: Mapped[str] = mapped_column(default="/")
    role: Mapped[str]
    chosen: Mapped[bool] = mapped_column(default=False)
    uidvalidity: Mapped[int | None] = mapped_column(BigInteger)
    high_uid: Mapped[int] = mapped_column(BigInteger, default=0)   # newest UID that is stored or proven gone
    low_uid: Mapped[int] = mapped_column(BigInteger, default=0)    # the first sync goes down from here; 0: done
    start_uid: Mapped[int] = mapped_column(BigInteger, default=0)  # the newest when the first sync began
    ahead: Mapped[int] = mapped_column(default=0)      # messages that the first sync has yet to read
    # As the server said when all of it was last followed: while it says the same, nothing has changed.
    total: Mapped[int] = mapped_column(default=0)      # messages up to high_uid, those out of scope, too
    uidnext: Mapped[int | None] = mapped_column(BigInteger)
    highestmodseq: Mapped[int | None] = mapped_column(BigInteger)   # flags and deletions are known up to here
    flags_at: Mapped[datetime | None] = mapped_column(Moment)   # it was opened and followed then
    # The server numbered its messages anew then, and how many times shortly one after the other.
    renumbered_at: Mapped[datetime | None] = mapped_column(Moment)
    renumberings: Mapped[int] = mapped_column(default=0)
    # The last comparison with the server: what was missing here, and what was here and no longer there. Both mended.
    reconciled_at: Mapped[datetime | None] = mapped_column(Moment)
    missing: Mapped[int] = mapped_column(default=0)
    extra: Mapped[int] = mapped_column(default=0)
    connection: Mapped[Connection] = relationship(back_populates="folders")

    is_needed = property(lambda self: is_needed(self.role))
    is_offered = property(lambda self: is_offered(self.role))


def own_connections(person):
    """SELECT of a person's personal addresses, not the removed ones."""
    return (select(Connection).where(Connection.person_id == person.id, Connection.state != "removed")
            .order_by(Connection.id))


def past_connections(person):
    """SELECT of a person's personal addresses that were disconnected and left mail behind."""
    return (select(Connection).where(Connection.person_id == person.id, Connection.state == "removed",
                                     Connection.use == "mail", Connection.imap_host.is_not(None))
            .order_by(Connection.id))


def visible_connections(person):
    """SELECT of the connections whose settings and health this person may see: the own ones, and for admins the
    shared ones. Never another person's."""
    mine = Connection.person_id == person.id
    seen = or_(mine, Connection.inbox_id.is_not(None)) if person.role == "admin" else mine
    return select(Connection).where(seen, Connection.state != "removed")


def feeding(inbox_ids):
    """SELECT of the connections of these inboxes that are not disconnected."""
    return select(Connection).where(Connection.inbox_id.in_(inbox_ids), Connection.state != "removed").order_by(
        Connection.id)


def held(address_key=None, login_key=None, asks=None):
    """Who holds this address, else who holds this login, as the rules see it. None when nobody does. What the Holder
    who `asks` has of it without a login (a calendar, an alias) says nothing of the mailbox: then the login decides."""
    hold = db.session.scalar(select(Hold).where(Hold.address_key == address_key)) if address_key else None
    found = _as_held(hold, False) if hold is not None else None
    if login_key and (hold is None or hold.login_key is None and found.holder == asks):
        other = db.session.scalar(select(Hold).where(Hold.login_key == login_key))
        return _as_held(other, True) if other is not None else found
    return found


def connection_id_of(address_key, use):
    """The connection that uses a held address; 0 when there is none."""
    return db.session.scalar(select(Connection.id).join(Hold, Connection.hold_id == Hold.id).where(
        Hold.address_key == address_key, Connection.use == use)) or 0


def _as_held(hold, by_login):
    uses = db.session.scalars(select(Connection.use).where(Connection.hold_id == hold.id)).all()
    person = hold.person
    gone = person is not None and person.state == "removed"
    return Held(Holder("personal", hold.person_id) if person else Holder("team", hold.inbox_id), frozenset(uses),
                address=hold.address, name=person.name if person else hold.inbox.name,
                since=person.state_at if gone else hold.since, gone=gone, by_login=by_login, hold_id=hold.id,
                restricted=person is None and hold.inbox.access == "members")
