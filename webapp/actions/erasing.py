"""Old spam is deleted for good (BEHAVIOUR 5.18): the conversation and all that people wrote in it, and what its mail
says. An empty message stays with its places, so that no sync takes it for mail that is missing.

The row says first that it was erased; then its bytes go, if nobody else has them; then it names them no more. Whatever
dies in between is found again.
"""

from datetime import timedelta

from sqlalchemy import delete, or_, select, update

from webapp.actions.blobs import blobs
from webapp.actions.notices import TOGETHER
from webapp.extensions import db
from webapp.live import announce
from webapp.models import (
    Attachment,
    Conversation,
    DraftFile,
    Event,
    Follower,
    Mention,
    Message,
    Note,
    Notice,
    Outbox,
    Picture,
    PictureLeave,
    Routed,
    RouteHit,
)
from webapp.models.types import now
from webapp.rules.bounds import SPAM_DAYS

BY_RULES = ("routed", "unassigned")      # kinds of notices of actions.routing
DONE_WITH = ("sent", "refused", "cancelled")
EMPTY = {"conversation_id": None, "moved_id": None, "bounce_of_id": None, "author_id": None, "references": [],
         "subject": "", "from_name": "", "from_address": "", "sender_ambiguous": False, "sender_hides": False,
         "authentication": None, "invitation": None, "reply_to": [], "to": [], "cc": [], "bcc": [], "auto": False,
         "auto_kind": "", "bounce": False, "snippet": "", "text": "", "html": None, "has_html": False, "height": 0,
         "images": [], "sanitizer_version": 0, "has_attachments": False, "state": "ok", "answer_due_at": None}


def due():
    """SELECT of the ids of conversations whose days in spam are over, the oldest first."""
    return select(Conversation.id).where(Conversation.status == "spam", Conversation.status_at <= _before()).order_by(
        Conversation.status_at)


def to_forget():
    """SELECT of the ids of erased messages whose bytes are still there."""
    return select(Message.id).where(Message.erased_at.is_not(None), Message.raw_sha256.is_not(None)).order_by(
        Message.erased_at)


def erase(conversation_id) -> bool:
    """Delete the conversation, if it still is to be. False: it is not, or mail of it is still on its way out."""
    found = db.session.scalar(select(Conversation).where(
        Conversation.id == conversation_id, Conversation.status == "spam", Conversation.status_at <= _before())
        .with_for_update(of=Conversation).execution_options(populate_existing=True))
    if found is None:
        return False
    inside = [found.id, *db.session.scalars(select(Conversation.id).where(Conversation.merged_into_id == found.id))]
    messages = select(Message.id).where(Message.conversation_id.in_(inside))
    if db.session.scalar(select(Outbox.id).where(Outbox.message_id.in_(messages), or_(
            Outbox.state.not_in(DONE_WITH), Outbox.copy_state == "due")).limit(1)):
        return False
    _empty(messages, inside)
    inbox_id = found.inbox_id
    db.session.expunge(found)
    for column in (Conversation.possible_reply_to_id, Conversation.merged_into_id):
        db.session.execute(update(Conversation).where(column.in_(inside)).values({column: None}))
    # Notes, drafts, events, participants, thread keys, tags, followers and marks of reading go with them.
    db.session.execute(delete(Conversation).where(Conversation.id.in_(inside)))
    announce(f"inbox-{inbox_id}", *(f"conversation-{i}" for i in inside))
    return True


def forget(message_id):
    """The bytes of an erased message, where no other row names them."""
    message = db.session.scalar(select(Message).where(Message.id == message_id, Message.erased_at.is_not(None),
                                                      Message.raw_sha256.is_not(None)).with_for_update(of=Message))
    if message is None:
        return
    name = message.raw_sha256
    elsewhere = (db.session.scalar(select(Message.id).where(
        Message.raw_sha256 == name, Message.id != message.id, Message.erased_at.is_(None)).limit(1))
        or db.session.scalar(select(Outbox.id).where(Outbox.raw_sha256 == name).limit(1)))
    if not elsewhere:
        parts = blobs().parts_of(name)
        kept = {sha for column in (DraftFile.sha256, Attachment.sha256)
                for sha in db.session.scalars(select(column).where(column.in_(parts)).distinct())}
        blobs().forget_raw(name, keep=kept)
    message.raw_sha256 = None
    db.session.flush()


def _empty(messages, inside):
    """What is left of each: when it came, its size, and by what it is recognised on its server."""
    ids = list(db.session.scalars(messages))
    for part in (ids[start:start + 500] for start in range(0, len(ids), 500)):
        db.session.execute(delete(Outbox).where(Outbox.message_id.in_(part)))
        for model in (Attachment, Picture, Routed, RouteHit):
            db.session.execute(delete(model).where(model.message_id.in_(part)))
        db.session.execute(delete(PictureLeave).where(PictureLeave.scope == "message",
                                                      PictureLeave.value.in_([str(i) for i in part])))
        db.session.execute(update(Message).where(Message.bounce_of_id.in_(part)).values(bounce_of_id=None))
        db.session.execute(update(Message).where(Message.id.in_(part)).values(erased_at=now(), **EMPTY)
                           .execution_options(synchronize_session=False))
    _drop_notices(inside)
    events = select(Event.id).where(Event.conversation_id.in_(inside))
    db.session.execute(update(Message).where(Message.moved_id.in_(events)).values(moved_id=None)
                       .execution_options(synchronize_session=False))


def _drop_notices(inside):
    """What people were told of it: words of notes and the subject. Whom a rule told is known nowhere else."""
    db.session.execute(delete(Notice).where(
        Notice.kind.in_(BY_RULES), Notice.facts["conversation"].as_integer().in_(inside))
        .execution_options(synchronize_session=False))
    called = select(Mention.person_id).join(Note, Note.id == Mention.note_id).where(Note.conversation_id.in_(inside))
    told = set(db.session.scalars(called.union(select(Follower.person_id).where(
        Follower.conversation_id.in_(inside)))))
    if told:
        db.session.execute(delete(Notice).where(
            Notice.person_id.in_(told), Notice.kind.in_(TOGETHER),
            Notice.facts["conversation"].as_integer().in_(inside)).execution_options(synchronize_session=False))


def _before():
    return now() - timedelta(days=SPAM_DAYS)
