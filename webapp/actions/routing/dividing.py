"""Who of several gets a conversation, whose turn it is, and what waits until somebody is there.

Every choice is made with the inbox locked: two workers never give the same turn away. A group is
{"people": ids, "team": id or None, "how": "turns" | "least", "owner": id or None: asked first}.
"""

from datetime import timedelta

from sqlalchemy import func, select

from webapp.actions.acts import as_it_is, happened
from webapp.actions.routing.known import able_people, lock_inbox
from webapp.extensions import db
from webapp.live import announce
from webapp.models import Absence, Conversation, Routed, TeamMember, Turn
from webapp.models.types import now
from webapp.rules.availability import away_because
from webapp.rules.routing import Candidate, choose

AT_ONCE = 100
GIVES = ("assign", "team", "owner")         # actions that give a conversation to somebody


def give(inbox, conversation, group, **facts):
    """To one of the group. Returns (person or None, why: rules.routing.choose). The inbox and the conversation are
    locked. `facts`: for its history."""
    person, why = pick(inbox, group)
    if person is None:
        return None, why
    take_turn(inbox.id, person.id)
    before = as_it_is(conversation)
    conversation.assignee, conversation.assignee_id = person, person.id
    happened(None, conversation, "routed", None, before, to=person.id, name=person.name, why=why, **facts)
    announce(f"person-{person.id}")
    return person, why


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


def inboxes_that_wait():
    """SELECT of the ids of inboxes with conversations that wait for somebody."""
    return select(Routed.inbox_id).where(Routed.waits.is_not(None)).distinct()


def divide_waiting(inbox_id):
    """What waits, the oldest first, to whomever is there now. How many were given away."""
    inbox = lock_inbox(inbox_id)
    if inbox is None:
        return 0
    rows = db.session.scalars(select(Routed).where(Routed.inbox_id == inbox_id, Routed.waits.is_not(None))
                              .order_by(Routed.at, Routed.message_id).limit(AT_ONCE)).all()
    given, nobody = 0, []
    for row in rows:
        if row.waits in nobody:
            continue
        conversation = _locked(row.conversation_id)
        if conversation is None or not still_free(conversation) or conversation.inbox_id != inbox_id:
            row.waits = None        # somebody was faster
            continue
        person, why = give(inbox, conversation, row.waits, waited=True)
        if person is None:
            nobody.append(row.waits)
            continue
        row.facts = {**row.facts, "to": person.id, "why": why}
        row.waits, given = None, given + 1
    db.session.flush()
    return given


def still_free(conversation):
    return conversation.status == "open" and conversation.assignee_id is None and conversation.team_id is None


def to_hand_over(at=None):
    """SELECT of absences that may have begun, and whose conversations are to go to others."""
    day = (at or now()).date()
    return select(Absence).where(Absence.hand_over, Absence.handed_at.is_(None), *_about(day))


def hand_over(absence_id):
    """The open conversations of somebody who is not there now go to others, as the rules had it; where no rule had
    anybody else, they are nobody's."""
    absence = db.session.scalar(select(Absence).where(Absence.id == absence_id).with_for_update(key_share=True))
    if absence is None or absence.handed_at is not None:
        return
    person = absence.person
    if away([person])[person.id] != "absent":
        return
    absence.handed_at = now()
    for number in db.session.scalars(select(Conversation.id).where(
            Conversation.assignee_id == person.id, Conversation.status == "open").order_by(Conversation.id)).all():
        _hand_on(person, number)
    db.session.flush()


def _hand_on(person, number):
    inbox = lock_inbox(db.session.scalar(select(Conversation.inbox_id).where(Conversation.id == number)))
    conversation = _locked(number)
    if inbox is None or conversation is None or conversation.assignee_id != person.id or (
            conversation.inbox_id != inbox.id or conversation.status != "open"):
        return
    row = db.session.scalar(select(Routed).where(Routed.conversation_id == number).order_by(
        Routed.at.desc(), Routed.message_id.desc()).limit(1))
    group = (row.facts.get("group") if row is not None else None) or _of_others(inbox, conversation)
    before = as_it_is(conversation)
    conversation.assignee = conversation.assignee_id = None
    happened(None, conversation, "handed_over", None, before, of=person.id, name=person.name)
    if group and give(inbox, conversation, group)[0] is None and row is not None:
        row.waits = group


def _of_others(inbox, conversation):
    action = inbox.otherwise
    if not action or action["do"] not in GIVES:
        return None
    return group_of(action, conversation.contact.owner_id if conversation.contact is not None else None)


def _locked(number):
    return db.session.scalar(select(Conversation).where(Conversation.id == number).with_for_update(
        key_share=True, of=Conversation).execution_options(populate_existing=True))
