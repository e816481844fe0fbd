"""Who of several gets a conversation, whose turn it is, and what waits until somebody is there.

Every choice is made with the inbox locked: two workers never give the same turn away. One conversation a transaction:
inbox, then conversation, in the order of all else. A group is {"people": ids, "team": id or None, "how": "turns" |
"least", "owner": id or None: asked first}.
"""

from datetime import timedelta
from typing import NamedTuple

from sqlalchemy import func, or_, select, update

from webapp.actions.acts import as_it_is, happened
from webapp.actions.locks import lock_conversation, lock_inbox
from webapp.actions.routing.known import able_people
from webapp.extensions import db
from webapp.live import announce
from webapp.models import Absence, Conversation, Inbox, Message, Person, Routed, Team, TeamMember, Turn
from webapp.models.types import now
from webapp.rules.availability import away_because
from webapp.rules.routing import Candidate, choose

AT_ONCE = 50
GIVES = ("assign", "team", "owner")         # actions that give a conversation to somebody
PASSES = ("nobody_available", "all_full")   # why nobody got it, for a while
OVER = ("closed", "spam", "trash", "merged")
KEPT_WAITING = timedelta(days=1)            # what was closed, and may be opened again by an undo


class Choice(NamedTuple):
    """Who gets a conversation: a person, a team as a whole, or nobody. `why`: rules.routing.choose, or nobody_named,
    no_owner, gone_team, team. `group`: among whom, where it was among several."""

    why: str
    person: Person | None = None
    team: Team | None = None
    group: dict | None = None


def choice_of(inbox, action, owner_id) -> Choice:
    """Whom an action means now, with nothing changed. `action`: None, too."""
    if not action or action["do"] not in GIVES:
        return Choice("nobody_named")
    if action["do"] == "team" and not action.get("how"):
        team = db.session.get(Team, action["team"])
        return Choice("team", team=team) if team is not None else Choice("gone_team")
    group = group_of(action, owner_id)
    if group is None:
        return Choice("no_owner")
    person, why = pick(inbox, group)
    return Choice(why, person, group=group)


def give(inbox, conversation, group, **facts):
    """To one of the group. Returns (person or None, why: rules.routing.choose). The inbox and the conversation are
    locked. `facts`: for its history."""
    person, why = pick(inbox, group)
    if person is not None:
        hand_to(inbox, conversation, person, why, **facts)
    return person, why


def hand_to(inbox, conversation, person, why, **facts):
    take_turn(inbox.id, person.id)
    before = as_it_is(conversation)
    conversation.assignee, conversation.assignee_id = person, person.id
    happened(None, conversation, "routed", None, before, to=person.id, name=person.name, why=why, **facts)
    announce(f"person-{person.id}")


def pick(inbox, group):
    """(person or None, why), with nothing changed."""
    able = {p.id: p for p in able_people(inbox)}
    if group.get("owner"):
        chosen, _why = choose(_candidates(inbox, [group["owner"]], able), cap=inbox.open_most)
        if chosen is not None:
            return able[chosen], "owner"
    chosen, why = choose(_candidates(inbox, members_of(group), able), group.get("how") or "turns", inbox.open_most)
    return able.get(chosen), why


def group_of(action, owner_id):
    """The group that an action means; None: nobody."""
    group = {"people": action.get("people") or [], "team": action.get("team"), "how": action.get("how") or "turns",
             "owner": owner_id if action["do"] == "owner" else None}
    return group if group["people"] or group["team"] or group["owner"] else None


def members_of(group):
    ids = set(group.get("people") or ())
    if group.get("team"):
        ids |= set(db.session.scalars(select(TeamMember.person_id).where(TeamMember.team_id == group["team"])))
    if group.get("owner") and not ids:
        ids = {group["owner"]}          # nobody else is named: it waits for them
    return sorted(ids)


def take_turn(inbox_id, person_id):
    number = (db.session.scalar(select(func.max(Turn.number)).where(Turn.inbox_id == inbox_id)) or 0) + 1
    row = db.session.get(Turn, (inbox_id, person_id), populate_existing=True)
    if row is None:
        db.session.add(row := Turn(inbox_id=inbox_id, person_id=person_id, number=number))
    row.number = number
    db.session.flush()


def away(people, at=None) -> dict:
    """{person id: rules.availability.away_because}"""
    at = at or now()
    day = at.date()
    spans = {}
    for row in db.session.scalars(select(Absence).where(
            Absence.person_id.in_([p.id for p in people]), *_about(day))):
        spans.setdefault(row.person_id, []).append((row.first, row.last))
    return {p.id: away_because(p.is_away, p.hours, spans.get(p.id, ()), p.time_zone, at) for p in people}


def _about(day):
    """Of this day in UTC, or of one beside it, which it may be somewhere."""
    return Absence.first <= day + timedelta(days=1), Absence.last >= day - timedelta(days=1)


def _candidates(inbox, ids, able):
    there = [able[i] for i in ids if i in able]
    reasons = away(there)
    turns = dict(db.session.execute(select(Turn.person_id, Turn.number).where(
        Turn.inbox_id == inbox.id, Turn.person_id.in_(ids))).all())
    full = dict(db.session.execute(select(Conversation.assignee_id, func.count()).where(
        Conversation.assignee_id.in_(ids), Conversation.status == "open").group_by(Conversation.assignee_id)).all())
    return [Candidate(p.id, True, reasons[p.id] is None, turns.get(p.id, 0), full.get(p.id, 0)) for p in there]


def still_free(conversation):
    return conversation.status == "open" and conversation.assignee_id is None and conversation.team_id is None


# --- waiting

def inboxes_that_wait():
    """SELECT of the ids of inboxes with conversations that wait for somebody."""
    return select(Routed.inbox_id).where(Routed.waits.is_not(None)).distinct()


def forget_waiting():
    """What somebody has taken on, what lies elsewhere, and what has been over for a while waits no longer. A snooze, or
    a closing that may be undone, only puts it off."""
    gone = select(Message.id).join(Conversation, Conversation.id == Message.conversation_id).where(
        Message.id == Routed.message_id, or_(
            Conversation.assignee_id.is_not(None), Conversation.team_id.is_not(None),
            Conversation.inbox_id != Routed.inbox_id,
            Conversation.status.in_(OVER) & (Conversation.status_at < now() - KEPT_WAITING))).exists()
    db.session.execute(update(Routed).where(Routed.waits.is_not(None), gone).values(waits=None)
                       .execution_options(synchronize_session=False))


def to_give(inbox_id):
    """Ids of messages whose conversations wait, the oldest first, and for whom somebody is there now."""
    inbox = db.session.get(Inbox, inbox_id)
    if inbox is None or inbox.deleted_at is not None:
        return []
    found, is_somebody = [], []
    for message_id, waits in db.session.execute(
            select(Routed.message_id, Routed.waits).join(Message, Message.id == Routed.message_id)
            .join(Conversation, Conversation.id == Message.conversation_id)
            .where(Routed.inbox_id == inbox_id, Routed.waits.is_not(None), Conversation.status == "open",
                   Conversation.assignee_id.is_(None), Conversation.team_id.is_(None))
            .order_by(Routed.at, Routed.message_id)):
        known = next((there for group, there in is_somebody if group == waits), None)
        if known is None:
            is_somebody.append((waits, known := pick(inbox, waits)[0] is not None))
        if known:
            found.append(message_id)
            if len(found) == AT_ONCE:
                break
    return found


def give_waiting(message_id):
    """True when it went to somebody."""
    inbox_id = db.session.scalar(select(Routed.inbox_id).where(Routed.message_id == message_id))
    inbox = lock_inbox(inbox_id) if inbox_id else None
    number = db.session.scalar(select(Message.conversation_id).where(Message.id == message_id))
    conversation = lock_conversation(number)
    row = db.session.get(Routed, message_id, populate_existing=True)
    if inbox is None or inbox.deleted_at is not None or conversation is None or row is None or row.waits is None or (
            not still_free(conversation) or conversation.inbox_id != inbox.id):
        return False
    person, why = give(inbox, conversation, row.waits, waited=True)
    if person is None:
        return False
    row.facts = {**row.facts, "to": person.id, "why": why}
    row.waits = row.remind_at = None
    db.session.flush()
    return True


# --- handing over

def to_hand_over(at=None):
    """SELECT of absences that may have begun, and whose conversations are to go to others."""
    day = (at or now()).date()
    return select(Absence).where(Absence.hand_over, Absence.handed_at.is_(None), *_about(day))


def of_absent(absence_id):
    """Ids of the open conversations of somebody whose absence has begun; None: it has not, or that is done."""
    absence = db.session.get(Absence, absence_id)
    if absence is None or absence.handed_at is not None or away([absence.person])[absence.person_id] != "absent":
        return None
    return db.session.scalars(select(Conversation.id).where(
        Conversation.assignee_id == absence.person_id, Conversation.status == "open").order_by(Conversation.id)).all()


def handed_over(absence_id):
    absence = db.session.get(Absence, absence_id)
    if absence is not None:
        absence.handed_at = now()
        db.session.flush()


def hand_on(absence_id, number):
    """One of them goes to others, as the rules had it; what a team has as a whole is the team's again. Where no rule
    has anybody else, it is nobody's."""
    person = db.session.get(Absence, absence_id).person
    inbox = lock_inbox(db.session.scalar(select(Conversation.inbox_id).where(Conversation.id == number)))
    conversation = lock_conversation(number)
    if inbox is None or conversation is None or conversation.assignee_id != person.id or (
            conversation.inbox_id != inbox.id or conversation.status != "open"):
        return
    before = as_it_is(conversation)
    conversation.assignee = conversation.assignee_id = None
    happened(None, conversation, "handed_over", None, before, of=person.id, name=person.name)
    row = newest_of(conversation.id)
    group = (row.facts.get("group") if row is not None else None) or _of_others(inbox, conversation)
    if conversation.team_id is None and group and inbox.deleted_at is None:
        _give_or_wait(inbox, conversation, group, row)
    db.session.flush()


def _give_or_wait(inbox, conversation, group, row):
    given, why = give(inbox, conversation, group)
    if row is None:
        if given is not None or not conversation.last_in_id:
            return
        db.session.add(row := Routed(message_id=conversation.last_in_id, inbox_id=inbox.id, facts={}))
    row.facts = {**{k: v for k, v in row.facts.items() if k != "to"}, "group": group, "why": why,
                 **({"to": given.id} if given else {})}
    row.inbox_id, row.waits = inbox.id, group if given is None and why in PASSES else None


def _of_others(inbox, conversation):
    action = inbox.otherwise
    if not action or action["do"] not in GIVES:
        return None
    return group_of(action, conversation.contact.owner_id if conversation.contact is not None else None)


def newest_of(conversation_id):
    """What was decided last of the mail of a conversation, wherever that lay then; or None."""
    return db.session.scalar(select(Routed).join(Message, Message.id == Routed.message_id).where(
        Message.conversation_id == conversation_id, Routed.due_at.is_(None)).order_by(
        Routed.at.desc(), Routed.message_id.desc()).limit(1))
