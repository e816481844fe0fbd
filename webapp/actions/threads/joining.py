"""Conversations that are tied become one, also those that were refused before."""

from sqlalchemy import case, delete, select, update

from webapp.actions.threads.desk import able, are_tied, let_take_part, say
from webapp.actions.threads.keys import give_keys
from webapp.actions.threads.known import MOST_ASKED, know, neighbours
from webapp.actions.threads.shown import absorb
from webapp.extensions import db
from webapp.models import Conversation, Draft, Event, Follower, Message, Note, Outbox, Participant, Seen


def settle(desk, conversation):
    """Merge whatever is tied to this conversation, until nothing is. Returns it, or the one that it went into."""
    kept_apart = set()          # people have worked in both
    while other := next((c for c in _tied(desk, conversation) if c.id not in kept_apart), None):
        merged = _join(desk, conversation, other)
        if merged is None:
            kept_apart.add(other.id)
        conversation = merged or conversation
    return conversation


def _tied(desk, conversation):
    here = desk.participants.get(conversation.id, ())
    for message_id in sorted(desk.keys.get(conversation.id, set()) & desk.shared):
        for other in able(desk, message_id, here):
            if other is not conversation and are_tied(desk, message_id, conversation, other):
                yield other


def ask_again(desk):
    """Who takes part in a stored conversation since this batch may have been refused there before: his mail that speaks
    of the same as mail there is looked for, and may bring others who take part."""
    before = len(desk.found)
    while desk.grown and len(desk.found) < before + MOST_ASKED:
        grown, desk.grown = desk.grown, {}
        know(desk, neighbours, grown)
        for conversation_id in sorted(grown):
            if conversation_id not in desk.into:
                settle(desk, desk.found[conversation_id])


def _join(desk, one, two):
    """Make them one, and return it; None: people have worked in both. What is stored stays, for only what this batch
    opened can go without a trace; then what people have worked in; then the older one."""
    keep, other = sorted((one, two), key=lambda c: (c is not desk.stays, c.id in desk.opened, c.id))
    is_stored = other.id not in desk.opened
    if is_stored and _worked_in(desk, other):
        if keep is desk.stays or _worked_in(desk, keep):
            return None
        keep, other = other, keep
    absorb(keep, other)
    desk.into[other.id] = keep
    _give_unwritten(desk, other, keep)
    if is_stored:
        _give_stored(other, keep)
    else:
        del desk.opened[other.id]
    return keep


def _give_unwritten(desk, other, keep):
    theirs, ours = desk.participants.pop(other.id, set()), desk.participants.get(keep.id, set())
    if other.id not in desk.opened and (new := ours - theirs | desk.grown.pop(other.id, set())):
        desk.grown.setdefault(keep.id, set()).update(new)
    let_take_part(desk, keep, theirs)
    for message_id in desk.keys.pop(other.id, ()):
        for says in desk.says[message_id].pop(other.id):
            desk.speaking[message_id, None if says.own else says.by].discard(other.id)
            say(desk, keep.id, message_id, says)
        if len(desk.says[message_id]) == 1:
            desk.shared.discard(message_id)


def _give_stored(other, keep):
    db.session.execute(update(Message).where(Message.conversation_id == other.id).values(conversation_id=keep.id))
    give_keys(other, keep)
    db.session.execute(update(Conversation).where(Conversation.possible_reply_to_id == other.id).values(
        possible_reply_to_id=case((Conversation.id == keep.id, None), else_=keep.id)))
    for model in (Participant, Seen):
        db.session.execute(delete(model).where(model.conversation_id == other.id))
    db.session.expunge(other)
    db.session.execute(delete(Conversation).where(Conversation.id == other.id))


def _worked_in(desk, conversation):
    number = conversation.id
    if number not in desk.worked:
        desk.worked[number] = any(
            db.session.scalar(select(model.conversation_id).where(model.conversation_id == number).limit(1))
            for model in (Event, Draft, Note, Follower)) or bool(db.session.scalar(
                select(Outbox.id).join(Message, Outbox.message_id == Message.id)
                .where(Message.conversation_id == number).limit(1)))
    return desk.worked[number]
