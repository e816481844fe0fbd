"""Somebody leaves: what is in their name, and handing it over or letting it go, before or after (BEHAVIOUR 0.16)."""

from dataclasses import dataclass

from sqlalchemy import delete, func, insert, select, update

from webapp.actions.audit import note
from webapp.actions.inboxes import access_changes
from webapp.actions.notices import tell
from webapp.actions.routing.known import naming
from webapp.actions.teams import check_nobody_left_out
from webapp.extensions import db
from webapp.live import announce
from webapp.models import (
    Connection,
    Contact,
    Conversation,
    Event,
    Hold,
    HoldRequest,
    Inbox,
    InboxMember,
    Person,
    Team,
    TeamMember,
)
from webapp.models.inbox import live_inboxes, member_ids
from webapp.models.types import now
from webapp.rules import RuleBroken
from webapp.rules.access import check_admin, may_act_in_inbox
from webapp.rules.statuses import ACTIVE

AT_ONCE = 500       # rows in one statement: SQLite takes a limited number of values


@dataclass(frozen=True)
class HeldAddress:
    """An address that the person holds, with its uses ("mail", "calendar"; empty when only the hold is left)."""

    hold: Hold
    uses: tuple[str, ...]
    mail: Connection | None            # the mail connection: its state and its health
    waiting: tuple[Person, ...] = ()   # who asked the admins for it


@dataclass(frozen=True)
class Estate:
    """Everything in a person's name."""

    held: list[HeldAddress]
    team_addresses: list[Connection]        # connected by them; the inbox's own, so they stay
    conversations: list[tuple[Inbox, int]]  # how many open ones are assigned to them
    inboxes: list[Inbox]                    # restricted ones that name them
    teams: list[Team]
    routes: list[tuple[Inbox, list[int]]]   # routing rules that name them: actions.routing.naming
    contacts: int                           # whose owner they are

    @property
    def to_settle(self):
        """How many things wait to be handed over or released."""
        several = self.held, self.conversations, self.inboxes, self.teams, self.routes
        return sum(map(len, several)) + bool(self.contacts)


def estate(person) -> Estate:
    return Estate(
        held=holdings([person.id]).get(person.id, []),
        team_addresses=db.session.scalars(select(Connection).where(
            Connection.connected_by_id == person.id, Connection.inbox_id.is_not(None),
            Connection.hold_id.is_not(None)).order_by(Connection.address)).all(),
        conversations=open_conversations(person),
        inboxes=db.session.scalars(live_inboxes().join(InboxMember, InboxMember.inbox_id == Inbox.id)
                                   .where(InboxMember.person_id == person.id)).all(),
        teams=db.session.scalars(select(Team).join(TeamMember, TeamMember.team_id == Team.id)
                                 .where(TeamMember.person_id == person.id).order_by(Team.name)).all(),
        routes=naming(person.id),
        contacts=db.session.scalar(select(func.count()).select_from(Contact).where(Contact.owner_id == person.id)))


def holdings(person_ids) -> dict[int, list[HeldAddress]]:
    """What each of these people holds, oldest first."""
    holds = db.session.scalars(select(Hold).where(Hold.person_id.in_(person_ids)).order_by(Hold.since, Hold.id)).all()
    uses, waiting, found = {}, {}, {}
    for row in db.session.scalars(select(Connection).where(Connection.hold_id.in_([h.id for h in holds]))):
        uses.setdefault(row.hold_id, []).append(row)
    for row in db.session.scalars(select(HoldRequest).where(
            HoldRequest.address_key.in_([h.address_key for h in holds]), HoldRequest.ended_at.is_(None))
            .order_by(HoldRequest.id)):
        waiting.setdefault(row.address_key, []).append(row.person)
    for hold in holds:
        rows = uses.get(hold.id, [])
        found.setdefault(hold.person_id, []).append(HeldAddress(
            hold, tuple(sorted(c.use for c in rows)), next((c for c in rows if c.use == "mail"), None),
            tuple(waiting.get(hold.address_key, ()))))
    return found


def open_conversations(person):
    """[(inbox, how many open conversations are assigned to this person)]; those of a deleted inbox, too."""
    counts = dict(db.session.execute(
        select(Conversation.inbox_id, func.count()).where(
            Conversation.assignee_id == person.id, Conversation.status.in_(ACTIVE))
        .group_by(Conversation.inbox_id)).all())
    rows = db.session.scalars(select(Inbox).where(Inbox.id.in_(counts)).order_by(Inbox.name)).all()
    return [(inbox, counts[inbox.id]) for inbox in rows]


def heirs(person, inboxes):
    """Active people, but this one, who may act in every one of these inboxes; nobody acts in a deleted one."""
    people = db.session.scalars(select(Person).where(Person.state == "active", Person.id != person.id)
                                .order_by(Person.name)).all()
    for inbox in inboxes:
        if inbox.deleted_at is not None:
            return []
        members = set(db.session.scalars(member_ids(inbox.id)))
        people = [p for p in people if may_act_in_inbox(p.role, inbox.access, p.id in members)]
    return people


def hand_over(actor, person, inbox, heir):
    """The person's open conversations of one inbox go to `heir`, or, when that is None, to nobody. Returns how many.
    Raises RuleBroken("heir", "may_not_act"). `actor` None: the product itself."""
    if actor is not None:
        check_admin(actor.role)
    if heir is not None and heir not in heirs(person, [inbox]):
        raise RuleBroken("heir", "may_not_act", name=heir.name, inbox=inbox.name)
    moved = db.session.scalars(
        update(Conversation).where(Conversation.assignee_id == person.id, Conversation.status.in_(ACTIVE),
                                   Conversation.inbox_id == inbox.id)
        .values(assignee_id=heir.id if heir else None).returning(Conversation.id)).all()
    if not moved:
        return 0
    happened = {"kind": "assigned", "facts": {"to": heir.id, "name": heir.name}} if heir else {"kind": "unassigned",
                                                                                              "facts": {}}
    for start in range(0, len(moved), AT_ONCE):
        db.session.execute(insert(Event), [
            {"conversation_id": i, "actor_id": actor.id if actor else None, "at": now(), **happened}
            for i in moved[start:start + AT_ONCE]])
    note(actor, "conversations.handed_over", f"person-{person.id}", name=person.name, inbox=inbox.name,
         number=len(moved), to=heir.name if heir else None)
    if heir is not None and (actor is None or heir.id != actor.id):
        tell(heir, "handed_over", name=person.name, inbox=inbox.name, inbox_id=inbox.id, number=len(moved),
             by=actor.name if actor else "")
    announce(f"inbox-{inbox.id}", *(f"conversation-{i}" for i in moved))
    return len(moved)


def hand_over_all(actor, person, heir):
    """Of every inbox. `heir` may act in each of them, or is None; those of a deleted inbox go to nobody. Returns how
    many."""
    return sum(hand_over(actor, person, inbox, heir if inbox.deleted_at is None else None)
               for inbox, _count in open_conversations(person))


def hand_contacts(actor, person, heir):
    """The contacts that they own go to `heir`, or to nobody. Returns how many. Raises RuleBroken("heir",
    "may_not_act")."""
    if actor is not None:
        check_admin(actor.role)
    if heir is not None and heir.state != "active":
        raise RuleBroken("heir", "may_not_act", name=heir.name, inbox="")
    number = db.session.execute(update(Contact).where(Contact.owner_id == person.id)
                                .values(owner_id=heir.id if heir else None)).rowcount
    if number:
        note(actor, "contacts.handed_over", f"person-{person.id}", name=person.name, number=number,
             to=heir.name if heir else None)
    return number


def leave_inbox(actor, person, inbox):
    """No longer named in a restricted inbox. Raises RuleBroken("person", "left_with_nobody")."""
    check_admin(actor.role)
    with access_changes(actor, [inbox]):
        gone = db.session.execute(delete(InboxMember).where(InboxMember.person_id == person.id,
                                                            InboxMember.inbox_id == inbox.id)).rowcount
        check_nobody_left_out([inbox.id])
    if gone:
        note(actor, "inbox.member_removed", f"inbox-{inbox.id}", inbox=inbox.name, name=person.name)


def leave_everything(person):
    """Every membership ends, also where nobody is left: whoever has to go, goes at once. Returns the names of the
    inboxes and of the teams, for the audit log."""
    mine = estate(person)
    for model in (InboxMember, TeamMember):
        db.session.execute(delete(model).where(model.person_id == person.id))
    hand_contacts(None, person, None)
    announce(*(f"inbox-{inbox.id}" for inbox in mine.inboxes))
    return [inbox.name for inbox in mine.inboxes], [team.name for team in mine.teams]


def needed_in(person):
    """Inboxes in which nobody else is: once this person is gone, nobody reads them."""
    restricted = db.session.scalars(live_inboxes().where(Inbox.access == "members")).all()
    return [inbox for inbox in restricted if set(db.session.scalars(member_ids(inbox.id))) == {person.id}]
