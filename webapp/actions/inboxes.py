"""Team inboxes: made within the plan, renamed, opened to some or to all, joined by an admin, deleted."""

from contextlib import contextmanager

from flask import current_app
from sqlalchemy import delete, func, select

from webapp.actions import connections
from webapp.actions.audit import note
from webapp.actions.conversations import lose_assignee
from webapp.actions.notices import tell
from webapp.extensions import db
from webapp.live import announce
from webapp.models import Connection, Conversation, Inbox, InboxMember, InboxTeam, Person, Team
from webapp.models.connection import feeding
from webapp.models.inbox import live_inboxes, member_ids
from webapp.models.types import now
from webapp.rules import RuleBroken
from webapp.rules.access import (
    check_access_change,
    check_admin,
    check_deletable,
    check_inbox_name,
    check_typed_name,
    may_read_inbox,
)
from webapp.rules.connections import check_plan
from webapp.rules.statuses import ACTIVE


def ensure_default_inbox(name):
    """Every installation starts with one inbox (BEHAVIOUR 5.1)."""
    if not db.session.scalar(select(Inbox.id).where(Inbox.is_default)):
        db.session.add(Inbox(name=name, is_default=True))
        db.session.flush()


def create_inbox(actor, name, access="everyone", people=(), teams=()):
    """A further inbox; open to everyone, or to these people and teams. Raises RuleBroken("inbox", "plan_limit"),
    ("new_inbox", "inbox_name" | "inbox_exists"), ("access", "nobody_left")."""
    check_admin(actor.role, "inbox")
    name = check_inbox_name(name, "new_inbox")
    check_access_change(access, len(people), len(teams))
    _one_at_a_time()
    check_plan(db.session.scalar(live_inboxes().with_only_columns(func.count()).order_by(None)),
               current_app.config["SETTINGS"].inbox_limit)
    _check_free(name, "new_inbox")
    inbox = Inbox(name=name, access=access)
    db.session.add(inbox)
    db.session.flush()
    _set_members(inbox, access, people, teams)
    note(actor, "inbox.created", _subject(inbox), inbox=name, access=access, people=_names(people), teams=_names(teams))
    _tell_screens(inbox, readers(inbox))
    return inbox


def rename_inbox(actor, inbox, name):
    """Raises RuleBroken("name", "inbox_name" | "inbox_exists")."""
    check_admin(actor.role, "name")
    name, was = check_inbox_name(name, "name"), inbox.name
    if name == was:
        return
    _one_at_a_time()
    _check_free(name, "name", inbox.id)
    inbox.name = name
    note(actor, "inbox.renamed", _subject(inbox), inbox=name, was=was)
    _tell_screens(inbox, readers(inbox))


def change_access(actor, inbox, access, people=(), teams=()):
    """Open it to everyone, or to these people and teams alone. Removed people keep their places: they can come back.
    Raises RuleBroken("access", "nobody_left")."""
    check_admin(actor.role, "access")
    check_access_change(access, len(people), len(teams))
    with access_changes(actor, [inbox]):
        before = _members(inbox)
        inbox.access = access
        _set_members(inbox, access, people, teams)
        after = _members(inbox)
        if after != before:
            note(actor, "inbox.access_changed", _subject(inbox), inbox=inbox.name, access=access,
                 people=after["people"], teams=after["teams"], was=before)


def join_inbox(actor, inbox):
    """An admin adds themselves to a restricted inbox: audited, and told to its members (BEHAVIOUR 5.2)."""
    check_admin(actor.role, "access")
    if actor.id in readers(inbox):
        return
    with access_changes(actor, [inbox]):
        if actor.id not in readers(inbox):      # still, now that nobody else changes it
            db.session.add(InboxMember(inbox_id=inbox.id, person_id=actor.id))
        db.session.flush()


def delete_inbox(actor, inbox, typed_name):
    """Its addresses become free, its name too; its conversations stay with their contacts, to be read. Raises
    RuleBroken("inbox", "default_inbox"), ("typed", "other_name")."""
    check_admin(actor.role, "inbox")
    check_deletable(inbox.is_default)
    check_typed_name(typed_name, inbox.name)
    db.session.refresh(inbox, with_for_update={"key_share": True})      # before the log's head, as all else locks
    people, addresses = readers(inbox), []
    for connection in _connections(inbox):
        addresses.append(connection.address)
        connections.disconnect(actor, connection)
    inbox.deleted_at = now()
    note(actor, "inbox.deleted", _subject(inbox), inbox=inbox.name, addresses=addresses,
         conversations=db.session.scalar(select(func.count()).select_from(Conversation)
                                         .where(Conversation.inbox_id == inbox.id)))
    _tell_screens(inbox, people)


@contextmanager
def access_changes(actor, inboxes):
    """Around whatever changes who may read these inboxes: their own settings, or a team that belongs to them.

    An admin who could not read one before and can afterwards has joined it, by whichever way: that is audited and told
    to its members. Who can read it no longer is taken off its open conversations. One change of an inbox at a time.
    """
    db.session.execute(select(Inbox.id).where(Inbox.id.in_([inbox.id for inbox in inboxes])).order_by(Inbox.id)
                       .with_for_update(key_share=True))
    before = {inbox.id: readers(inbox) for inbox in inboxes}
    yield
    db.session.flush()
    for inbox in inboxes:
        old, new = before[inbox.id], readers(inbox)
        if actor is not None and actor.id in new - old:
            _joined(actor, inbox, old)
        if old - new:
            _unassign(actor, inbox, new)
        _tell_screens(inbox, old ^ new)


def readers(inbox):
    """Ids of the people who may read an inbox; those who may sign in, or may again one day."""
    if may_read_inbox(inbox.access, False):
        return set(db.session.scalars(select(Person.id)))
    return set(db.session.scalars(member_ids(inbox.id)))


def _one_at_a_time():
    """Whoever makes or names an inbox waits here for whoever does: two admins, one last inbox, one name."""
    db.session.execute(select(Inbox.id).where(Inbox.is_default).with_for_update())


def _check_free(name, field, own_id=None):
    """Two names that differ in capitals alone would be mixed up."""
    for inbox_id, other in db.session.execute(select(Inbox.id, Inbox.name).where(Inbox.deleted_at.is_(None))):
        if inbox_id != own_id and other.casefold() == name.casefold():
            raise RuleBroken(field, "inbox_exists", name=other)


def _set_members(inbox, access, people, teams):
    here = select(Person.id).where(Person.state != "removed")
    db.session.execute(delete(InboxMember).where(InboxMember.inbox_id == inbox.id, InboxMember.person_id.in_(here)))
    db.session.execute(delete(InboxTeam).where(InboxTeam.inbox_id == inbox.id))
    if access == "members":
        db.session.add_all([InboxMember(inbox_id=inbox.id, person_id=p.id) for p in people if p.state != "removed"])
        db.session.add_all([InboxTeam(inbox_id=inbox.id, team_id=t.id) for t in teams])
    db.session.flush()


def _members(inbox):
    """Who it is open to, in plain words for the audit log."""
    people = db.session.scalars(select(Person.name).join(InboxMember, InboxMember.person_id == Person.id)
                                .where(InboxMember.inbox_id == inbox.id, Person.state != "removed")
                                .order_by(Person.name, Person.id))
    teams = db.session.scalars(select(Team.name).join(InboxTeam, InboxTeam.team_id == Team.id)
                               .where(InboxTeam.inbox_id == inbox.id).order_by(Team.name))
    return {"access": inbox.access, "people": people.all(), "teams": teams.all()}


def _joined(actor, inbox, members):
    note(actor, "inbox.joined", _subject(inbox), inbox=inbox.name, opened=inbox.access == "everyone")
    for person in db.session.scalars(select(Person).where(Person.id.in_(members), Person.state == "active")):
        tell(person, "inbox.joined", name=actor.name, inbox=inbox.name, inbox_id=inbox.id,
             opened=inbox.access == "everyone")


def _unassign(actor, inbox, still):
    """Nobody answers in what they can't open: those conversations are for somebody else to take on."""
    left = db.session.scalars(select(Conversation).where(
        Conversation.inbox_id == inbox.id, Conversation.status.in_(ACTIVE), Conversation.assignee_id.is_not(None)))
    for conversation in left.all():
        if conversation.assignee_id not in still:
            lose_assignee(actor, conversation)


def _connections(inbox):
    """Locked: one that is just being claimed is waited for, and let go of with what it holds."""
    return db.session.scalars(feeding([inbox.id]).with_for_update(of=Connection).execution_options(
        populate_existing=True)).all()


def _tell_screens(inbox, people):
    announce(f"inbox-{inbox.id}", *(f"person-{i}" for i in sorted(people)))


def _names(rows):
    return sorted(row.name for row in rows)


def _subject(inbox):
    return f"inbox-{inbox.id}"
