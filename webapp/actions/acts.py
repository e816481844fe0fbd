"""What one click does, to one conversation or to many, is one act: told in their history, and taken back together.

An event keeps what was before and what it made of it, as plain values. It goes back where nothing has changed since.
"""

import secrets
from datetime import UTC, datetime

from sqlalchemy import select

from webapp.actions import answers
from webapp.extensions import db
from webapp.live import announce
from webapp.models import ConversationTag, Event, Inbox, Person, Tag, Team
from webapp.models.inbox import may_act
from webapp.models.types import now
from webapp.rules.bounds import TAGS_MAX

FIELDS = ("status", "snoozed_until", "assignee_id", "team_id", "inbox_id", "within")


def new_act() -> str:
    return secrets.token_hex(12)


def as_it_is(conversation) -> dict:
    """What an act may change, as plain values."""
    values = {name: getattr(conversation, name) for name in FIELDS}
    until = values["snoozed_until"]
    values["snoozed_until"] = until and until.astimezone(UTC).isoformat()       # as the database gives it back
    return values


def happened(actor, conversation, kind, act=None, before=None, **facts):
    """`before`: `as_it_is` of before the change, when it is one that can be taken back."""
    if before is not None:
        after = as_it_is(conversation)
        changed = [name for name in FIELDS if before[name] != after[name]]
        facts |= {"was": {n: before[n] for n in changed}, "now": {n: after[n] for n in changed}}
    event = Event(conversation_id=conversation.id, kind=kind, actor_id=actor.id if actor else None, facts=facts,
                  act=act)
    db.session.add(event)
    db.session.flush()
    announce(f"inbox-{conversation.inbox_id}", f"conversation-{conversation.id}")
    return event


def set_status(conversation, status, snoozed_until=None):
    """Every change of status that somebody makes goes this way; what mail makes of one: threads.shown."""
    was = conversation.status
    if status != was:
        conversation.status_at = now()
    conversation.status, conversation.snoozed_until, conversation.woke_at = status, snoozed_until, None
    if status != was:
        answers.stands(conversation)


def events_of(actor, act):
    """What the actor did with one click, newest first."""
    return db.session.scalars(select(Event).where(Event.act == act, Event.actor_id == actor.id)
                              .order_by(Event.id.desc())).all()


def take_back(actor, conversation, event) -> bool:
    """Undo what this event says of this conversation (locked). False: somebody has changed it since, it was taken back
    already, or what it would go back to is no longer there or allowed."""
    if event.conversation_id != conversation.id:        # it was put into another one
        return False
    if event.facts.get("taken_back") or "was" not in event.facts:
        return False
    if "tag_id" in event.facts:
        done = _take_back_tag(conversation, event)
    else:
        done = _take_back_fields(actor, conversation, event)
    if done:
        event.facts = {**event.facts, "taken_back": True}
        happened(actor, conversation, "taken_back", of=event.kind)
    return done


def _take_back_fields(actor, conversation, event):
    here, was = as_it_is(conversation), event.facts["was"]
    if any(here[name] != value for name, value in event.facts["now"].items()):
        return False
    if not _may_go_back(actor, conversation, was):
        return False
    left = conversation.inbox_id
    if "status" in was:
        set_status(conversation, was["status"])
    for name in ("assignee_id", "team_id", "inbox_id", "within"):
        if name in was:
            setattr(conversation, name, was[name])
    db.session.flush()
    db.session.expire(conversation, ["assignee", "team", "inbox"])
    until = was.get("snoozed_until")
    if conversation.status == "snoozed" and "snoozed_until" in event.facts["now"] | was:
        conversation.snoozed_until = datetime.fromisoformat(until) if until else None
    if "status" in was and event.kind == "closed":
        answers.not_closed(conversation, event)
    if conversation.inbox_id != left:
        answers.say_due(conversation)
        announce(f"inbox-{left}")
    return True


def _may_go_back(actor, conversation, was):
    """Are the inbox, the team and the assignee of before still there, and may those who are concerned act there?"""
    inbox = db.session.get(Inbox, was.get("inbox_id", conversation.inbox_id))
    if "inbox_id" in was and not may_act(actor, inbox):
        return False
    if was.get("team_id") and db.session.get(Team, was["team_id"]) is None:
        return False
    return not was.get("assignee_id") or may_act(db.session.get(Person, was["assignee_id"]), inbox)


def _take_back_tag(conversation, event):
    key = (conversation.id, event.facts["tag_id"])
    row = db.session.get(ConversationTag, key)
    if (row is None) is (event.kind == "tagged"):
        return False
    if row is not None:
        db.session.delete(row)
    elif db.session.get(Tag, key[1]) is None or len(conversation.tags) >= TAGS_MAX:
        return False
    else:
        db.session.add(ConversationTag(conversation_id=key[0], tag_id=key[1]))
    db.session.flush()
    db.session.expire(conversation, ["tags"])
    return True
