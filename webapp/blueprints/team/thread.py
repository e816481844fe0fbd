"""What an open conversation shows: messages and events in order, who would be answered."""

from flask import request
from flask_login import current_user
from sqlalchemy import select
from sqlalchemy.orm import joinedload, selectinload, undefer

from webapp.actions import notes as notes_of
from webapp.actions import replies
from webapp.actions.threads import base_subject
from webapp.blueprints.team.presence import who_else
from webapp.blueprints.team.rows import known_tags, listing_of
from webapp.extensions import db
from webapp.models import (
    Connection,
    Conversation,
    Draft,
    Event,
    Follower,
    Message,
    Note,
    Outbox,
    Person,
    Team,
)
from webapp.models.conversation import visible_conversations
from webapp.models.inbox import readable_inboxes
from webapp.rules import RuleBroken
from webapp.rules.senders import Sender, goes_elsewhere
from webapp.rules.threading import changes_subject
from webapp.web import find
from webapp.web.forms import Act, Reply, WriteNote

MESSAGES_SHOWN = 30
MESSAGES_MOST = 500


def thread_of(found):
    """Messages and events of a conversation, oldest first; the older part folded behind a button."""
    limit = MESSAGES_MOST if request.args.get("older") == "all" else MESSAGES_SHOWN
    query = (select(Message).where(Message.conversation_id == found.id)
             .options(selectinload(Message.attachments), undefer(Message.text))
             .order_by(Message.at.desc(), Message.id.desc()).limit(limit))
    messages = db.session.scalars(query).all()[::-1]
    inside = select(Conversation.id).where(Conversation.merged_into_id == found.id)    # their history is here, too
    events = db.session.scalars(
        select(Event).where((Event.conversation_id == found.id)
                            | Event.conversation_id.in_(inside) & (Event.kind != "merged"))
        .options(joinedload(Event.actor)).order_by(Event.at, Event.id)).all()
    first = messages[0].at if messages and found.message_count > len(messages) else None
    outboxes = db.session.scalars(select(Outbox).where(Outbox.message_id.in_([m.id for m in messages]))
                                  .options(selectinload(Outbox.recipients))).all()
    others = db.session.scalars(visible_conversations(current_user).where(
        Conversation.contact_id == found.contact_id, Conversation.id != found.id, Conversation.status != "merged")
        .order_by(Conversation.last_at.desc()).limit(5)).all() if found.contact_id else []
    possible = db.session.scalar(visible_conversations(current_user).where(
        Conversation.id == found.possible_reply_to_id)) if found.possible_reply_to_id else None
    sender = db.session.scalar(select(Connection).where(Connection.inbox_id == found.inbox_id,
                                                        Connection.state == "active").order_by(Connection.id))
    notes = db.session.scalars(select(Note).where(Note.conversation_id == found.id).options(
        joinedload(Note.author), selectinload(Note.mentions)).order_by(Note.at, Note.id)).all()
    known = notes_of.handles_in(found.inbox)[0] if notes or find.may_act(found.inbox) else {}
    timeline = sorted([(m.at, 0, m) for m in messages] + [(n.at, 0, n) for n in notes if not first or n.at >= first]
                      + [(e.at, 1, e) for e in events if not first or e.at >= first], key=lambda item: item[:2])
    return dict(conversation=found, inbox=found.inbox, timeline=[item[2] for item in timeline],
                older=found.message_count - len(messages), outboxes={o.message_id: o for o in outboxes},
                new_subjects=_new_subjects(found, messages), can_go_back=_can_go_back(found),
                authors=_authors(messages), people=find.assignees(found.inbox), may_act=find.may_act(found.inbox),
                draft=db.session.scalar(select(Draft).where(Draft.conversation_id == found.id,
                                                            Draft.person_id == current_user.id)),
                reply_form=Reply(formdata=None), note_form=WriteNote(formdata=None), form=Act(), others=others,
                possible=possible, sender=sender, **_answered(messages, sender), listing=listing_of(found),
                notes={n.id: n for n in notes}, handles=known, present=who_else(found), **_choices(found))


def _choices(found):
    """What one can choose from in the bar above a conversation."""
    inboxes = [i for i in db.session.scalars(readable_inboxes(current_user)) if i.id != found.inbox_id]
    following = db.session.get(Follower, (found.id, current_user.id)) is not None
    return dict(teams=db.session.scalars(select(Team).order_by(Team.name)).all(), following=following,
                other_inboxes=[i for i in inboxes if find.may_act(i)],
                all_tags=known_tags())


def messages_of(found):
    """(messages, oldest first, and {id: Person} of those of us who wrote them), with their texts."""
    query = (select(Message).where(Message.conversation_id == found.id)
             .options(selectinload(Message.attachments), undefer(Message.text))
             .order_by(Message.at.desc(), Message.id.desc()).limit(MESSAGES_MOST))
    messages = db.session.scalars(query).all()[::-1]
    return messages, _authors(messages)


def _can_go_back(found):
    """Ids of what moved messages into here that can go back."""
    return set(db.session.scalars(select(Message.moved_id).distinct().where(
        Message.conversation_id == found.id, Message.moved_id.is_not(None))))


def _new_subjects(found, messages):
    """{message id: subject} where somebody outside goes on with another subject, the first time each: it may be taken
    out (DEFENCE 4.6)."""
    new, known = {}, {found.subject}
    for m in messages:
        subject = base_subject(m.subject)
        if not (m.outgoing or m.bounce or m.moved_id) and all(changes_subject(k, subject) for k in known):
            new[m.id] = subject
        known.add(subject)
    return new


def _authors(messages):
    ids = {m.author_id for m in messages if m.author_id}
    return {p.id: p for p in db.session.scalars(select(Person).where(Person.id.in_(ids)))} if ids else {}


def _answered(messages, sender):
    """{to: whom a reply would go to, as shown above the composer; elsewhere: the message that asks for other addresses
    than its sender's, and these}."""
    answerable = [m for m in messages if replies.answerable(m)]
    nobody = {"to": [], "elsewhere": None}
    if sender is None or not answerable:
        return nobody
    try:
        newest = max(answerable, key=lambda m: (not m.auto, m.at, m.id))
        # A name for who has written here under it. Elsewhere, as by Reply-To, the address itself: names can lie.
        names = {m.from_address: m.from_name for m in messages if not m.outgoing}
        to = replies.answer_to(newest, sender)
    except RuleBroken:
        return nobody
    shown = [f"{names[m.address]} <{m.address}>" if names.get(m.address) else m.address for m in to]
    others = goes_elsewhere(Sender("", newest.from_address, reply_to=tuple(m.address for m in to)))
    return {"to": shown, "elsewhere": (newest, others) if others and not newest.outgoing else None}
