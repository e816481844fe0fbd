"""What an open conversation shows: messages and events in order, who would be answered."""

from flask import request
from flask_login import current_user
from sqlalchemy import select
from sqlalchemy.orm import joinedload, selectinload, undefer

from webapp.actions import conversations
from webapp.blueprints.team.rows import view
from webapp.extensions import db
from webapp.models import Connection, Conversation, Draft, Event, Message, Outbox, Person
from webapp.models.conversation import visible_conversations
from webapp.rules import RuleBroken
from webapp.web import find
from webapp.web.forms import Act, Reply

MESSAGES_SHOWN = 30
MESSAGES_MOST = 500


def thread_of(found):
    """Messages and events of a conversation, oldest first; the older part folded behind a button."""
    limit = MESSAGES_MOST if request.args.get("older") == "all" else MESSAGES_SHOWN
    query = (select(Message).where(Message.conversation_id == found.id)
             .options(selectinload(Message.attachments), undefer(Message.text))
             .order_by(Message.at.desc(), Message.id.desc()).limit(limit))
    messages = db.session.scalars(query).all()[::-1]
    events = db.session.scalars(select(Event).where(Event.conversation_id == found.id)
                                .options(joinedload(Event.actor)).order_by(Event.at)).all()
    first = messages[0].at if messages and found.message_count > len(messages) else None
    outboxes = db.session.scalars(select(Outbox).where(Outbox.message_id.in_([m.id for m in messages]))
                                  .options(selectinload(Outbox.recipients))).all()
    others = db.session.scalars(visible_conversations(current_user).where(
        Conversation.contact_id == found.contact_id, Conversation.id != found.id)
        .order_by(Conversation.last_at.desc()).limit(5)).all() if found.contact_id else []
    possible = db.session.scalar(visible_conversations(current_user).where(
        Conversation.id == found.possible_reply_to_id)) if found.possible_reply_to_id else None
    sender = db.session.scalar(select(Connection).where(Connection.inbox_id == found.inbox_id,
                                                        Connection.state == "active").order_by(Connection.id))
    timeline = sorted([(m.at, 0, m) for m in messages] + [(e.at, 1, e) for e in events if not first or e.at >= first],
                      key=lambda item: item[:2])
    return dict(conversation=found, inbox=found.inbox, timeline=[item[2] for item in timeline],
                older=found.message_count - len(messages), outboxes={o.message_id: o for o in outboxes},
                authors=_authors(messages), people=find.assignees(found.inbox), may_act=find.may_act(found.inbox),
                draft=db.session.scalar(select(Draft).where(Draft.conversation_id == found.id,
                                                            Draft.person_id == current_user.id)),
                reply_form=Reply(formdata=None), form=Act(), others=others, possible=possible, sender=sender,
                to=_answered(messages, sender), status=found.status, view=view())


def _authors(messages):
    ids = {m.author_id for m in messages if m.author_id}
    return {p.id: p for p in db.session.scalars(select(Person).where(Person.id.in_(ids)))} if ids else {}


def _answered(messages, sender):
    """Whom a reply would go to, as shown above the composer."""
    answerable = [m for m in messages if conversations.answerable(m)]
    if sender is None or not answerable:
        return []
    try:
        newest = max(answerable, key=lambda m: (not m.auto, m.at, m.id))
        # A name for who has written here under it. Elsewhere, as by Reply-To, the address itself: names can lie.
        names = {m.from_address: m.from_name for m in messages if not m.outgoing}
        return [names.get(m.address) or m.address for m in conversations.answer_to(newest, sender)]
    except RuleBroken:
        return []
