"""Mail that a server lists and did not hand over: shown as unreadable meanwhile, and asked for again until it comes."""

from datetime import timedelta

from sqlalchemy import delete, exists, select

from webapp.actions.receive import receive, store_body
from webapp.extensions import db
from webapp.live import announce
from webapp.models import Conversation, Draft, Event, Message, Participant, Place, Seen, ThreadKey
from webapp.models.types import now

OFTEN, SELDOM = timedelta(hours=1), timedelta(hours=6)    # with each look for so long; afterwards this often
MOST = 100      # a look


def withheld(folder, before):
    """(UIDs of this folder that were not handed over before that moment and are to be asked for again now, newest
    first; is there one that the server no longer lists)."""
    at, since = now(), folder.connection.synced_at or now()
    rows = db.session.execute(select(Place.uid, Message.at, Place.gone_at).join(Message).where(
        *_kept(folder)).order_by(Place.uid.desc())).all()
    due = [uid for uid, kept, gone in rows
           if not gone and kept < before and (at - kept < OFTEN or (at - kept) // SELDOM != (since - kept) // SELDOM)]
    return due[:MOST], any(gone for _uid, _kept_at, gone in rows)


def forget(folder):
    """Those that the server does not list any more: nothing was ever there, and nothing is kept of it."""
    for message in db.session.scalars(select(Message).join(Place).where(
            *_kept(folder), Place.gone_at.is_not(None))).all():
        if not (message.conversation and _worked_in(message.conversation)):
            _remove(message)


def hand_over(folder, reads):
    """What came after all, as `receive.reading` made it: it takes the place of what stood for it."""
    by_uid = {read.uid: read for read in reads}
    rows = db.session.execute(select(Message, Place.uid).join(Place).where(
        *_kept(folder), Place.gone_at.is_(None), Place.uid.in_(list(by_uid)))).all()
    for message, uid in rows:
        _make_room(folder.connection, message, by_uid[uid])
    db.session.flush()
    receive(folder.connection, folder, reads)


def _kept(folder):
    return (Place.folder_id == folder.id, Place.uidvalidity == folder.uidvalidity,
            Message.state == "unreadable", Message.raw_sha256.is_(None), Message.size == 0)


def _make_room(connection, message, read):
    """Without a trace, unless people have worked there already: then the message stays theirs and is filled in."""
    if message.conversation is not None and _worked_in(message.conversation):
        _fill_in(connection, message, read)
    else:
        _remove(message)


def _remove(message):
    conversation = message.conversation
    db.session.execute(delete(Place).where(Place.message_id == message.id))
    db.session.execute(delete(Message).where(Message.id == message.id))
    if conversation is not None:
        for model in (Participant, Seen, ThreadKey):
            db.session.execute(delete(model).where(model.conversation_id == conversation.id))
        db.session.execute(delete(Conversation).where(Conversation.id == conversation.id))
        announce(f"inbox-{conversation.inbox_id}", f"conversation-{conversation.id}")


def _worked_in(conversation):
    return conversation.message_count > 1 or conversation.assignee_id or db.session.scalar(select(
        exists().where(Event.conversation_id == conversation.id) | exists().where(
            Draft.conversation_id == conversation.id)))


def _fill_in(connection, message, read):
    """Its conversation stays. When the same mail is here already, from another folder, the place is that one's."""
    twin = db.session.scalar(select(Message.id).where(Message.connection_id == connection.id,
                                                      Message.digest == read.digest))
    if twin is not None or read.raw_sha256 is None:
        db.session.execute(delete(Place).where(Place.message_id == message.id))
        return
    message.digest, message.state = read.digest, "ok" if read.parsed and read.parsed.readable else "unreadable"
    store_body(message, read.item.raw)
    announce(f"conversation-{message.conversation_id}")
