"""What an open conversation shows: messages and events in order, who would be answered."""

from datetime import timedelta

from flask import request
from flask_login import current_user
from sqlalchemy import select
from sqlalchemy.orm import joinedload, selectinload, undefer

from webapp.actions import notes as notes_of
from webapp.actions import senders
from webapp.actions.threads import base_subject
from webapp.blueprints.team.composer import composer_of
from webapp.blueprints.team.presence import who_else
from webapp.blueprints.team.rows import known_tags, listing_of
from webapp.extensions import db
from webapp.models import (
    Conversation,
    Event,
    Follower,
    Message,
    Note,
    Outbox,
    Person,
    Team,
)
from webapp.models.conversation import visible_conversations
from webapp.rules.bounds import SPAM_DAYS
from webapp.rules.spam import offers
from webapp.rules.threading import changes_subject
from webapp.web import find
from webapp.web.forms import Act, WriteNote

MESSAGES_SHOWN = 30
MESSAGES_MOST = 500


def thread_of(found, form=None):
    """Messages and events of a conversation, oldest first; the older part folded behind a button. `form`: what was
    typed in the composer and refused."""
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
    notes = db.session.scalars(select(Note).where(Note.conversation_id == found.id).options(
        joinedload(Note.author), selectinload(Note.mentions)).order_by(Note.at, Note.id)).all()
    handles, written = {}, {}
    if notes or find.may_act(found.inbox):
        handles, _people, _members, written = notes_of.handles_in(found.inbox)
    timeline = sorted([(m.at, 0, m) for m in messages] + [(n.at, 0, n) for n in notes if not first or n.at >= first]
                      + [(e.at, 1, e) for e in events if not first or e.at >= first], key=lambda item: item[:2])
    return dict(conversation=found, inbox=found.inbox, timeline=[item[2] for item in timeline],
                older=found.message_count - len(messages), outboxes={o.message_id: o for o in outboxes},
                new_subjects=_new_subjects(found, messages), can_go_back=_can_go_back(found),
                authors=_authors(messages), people=find.assignees(found.inbox), may_act=find.may_act(found.inbox),
                note_form=WriteNote(formdata=None), form=Act(), others=others,
                possible=possible, **composer_of(found, messages, form), listing=listing_of(found),
                notes={n.id: n for n in notes}, handles=handles, written=written,
                present=who_else(found), deniable=_deniable(found),
                spam_lasts=timedelta(days=SPAM_DAYS), **_choices(found))


def _deniable(found):
    """Of spam, to admins: what can be denied for good of its sender, and is not yet."""
    if found.status != "spam" or not current_user.is_admin:
        return []
    known = senders.rules_of(found.inbox_id)
    return [pattern for pattern in offers(found.who_address) if known.get(pattern) != "deny"]


def _choices(found):
    """What one can choose from in the bar above a conversation."""
    following = db.session.get(Follower, (found.id, current_user.id)) is not None
    return dict(teams=db.session.scalars(select(Team).order_by(Team.name)).all(), following=following,
                other_inboxes=[i for i in find.inboxes_to_act() if i.id != found.inbox_id],
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
        if not (m.outgoing or m.auto or m.bounce or m.moved_id) and all(changes_subject(k, subject) for k in known):
            new[m.id] = subject
        known.add(subject)
    return new


def _authors(messages):
    ids = {m.author_id for m in messages if m.author_id}
    return {p.id: p for p in db.session.scalars(select(Person).where(Person.id.in_(ids)))} if ids else {}
