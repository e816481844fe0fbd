"""Mail that a server lists and did not hand over: shown as unreadable meanwhile, and asked for again until it comes."""

from datetime import timedelta

from sqlalchemy import and_, delete, exists, literal_column, or_, select

from webapp.actions.receive import fill_in, receive
from webapp.extensions import db
from webapp.live import announce
from webapp.models import Conversation, Draft, Event, Message, Participant, Place, Seen, ThreadKey
from webapp.models.types import now

OFTEN, SELDOM = timedelta(hours=1), timedelta(hours=6)    # with each look for so long; afterwards this often
MOST = 100      # a look
MOST_AT_ONCE = 500      # rows a statement


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
    """Those that the server does not list any more: nothing was ever there, and nothing is kept of it. Many at once,
    for a server whose disk is broken hands over none of its mail."""
    rows = db.session.execute(select(Message.id, Message.conversation_id, Conversation.inbox_id).join(
        Place, Place.message_id == Message.id).outerjoin(
        Conversation, Conversation.id == Message.conversation_id).where(
        *_kept(folder), Place.gone_at.is_not(None), ~_is_worked_in())).all()
    for start in range(0, len(rows), MOST_AT_ONCE):
        part = rows[start:start + MOST_AT_ONCE]
        _delete([row.id for row in part], [row.conversation_id for row in part if row.conversation_id])
    announce(*sorted({f"inbox-{row.inbox_id}" for row in rows if row.inbox_id}))


def hand_over(folder, reads):
    """What came after all, as `reading` made it: it takes the place of what stood for it."""
    by_uid = {read.uid: read for read in reads}
    rows = db.session.execute(select(Message, Place.uid).join(Place).where(
        *_kept(folder), Place.gone_at.is_(None), Place.uid.in_(list(by_uid)))).all()
    for message, uid in rows:
        _make_room(folder.connection, message, by_uid[uid])
    db.session.flush()
    receive(folder.connection, folder, reads)


def _kept(folder):
    """Found by the index of what is unreadable, which has the state as it is here. "+ 0": not by way of the folder's
    places, which may be a million."""
    return (Message.connection_id == folder.connection_id, Message.state == literal_column("'unreadable'"),
            Message.raw_sha256.is_(None), Message.size == 0,
            Place.folder_id + 0 == folder.id, Place.uidvalidity + 0 == folder.uidvalidity)


def _make_room(connection, message, read):
    """Without a trace, unless people have worked there already: then the message stays theirs and is filled in."""
    if message.conversation is not None and _worked_in(message.conversation):
        _fill_in(connection, message, read)
    else:
        _remove(message)


def _remove(message):
    conversation = message.conversation
    _delete([message.id], [conversation.id] if conversation else [])
    db.session.expunge(message)         # what comes next may get its number
    if conversation is not None:
        db.session.expunge(conversation)
        announce(f"inbox-{conversation.inbox_id}", f"conversation-{conversation.id}")


def _delete(message_ids, conversation_ids):
    """Rows, not objects: the session is not asked which of its own these were."""
    for column, ids in ((Place.message_id, message_ids), (Message.id, message_ids),
                        *((model.conversation_id, conversation_ids) for model in (Participant, Seen, ThreadKey)),
                        (Conversation.id, conversation_ids)):
        if ids:
            db.session.execute(delete(column.class_).where(column.in_(ids)), execution_options={
                "synchronize_session": False})


def _worked_in(conversation):
    return db.session.scalar(select(_is_worked_in()).where(Conversation.id == conversation.id))


def _is_worked_in():
    """Of the Conversation of a query; false where there is none."""
    of = Conversation.id
    return and_(of.is_not(None), or_(
        Conversation.message_count > 1, Conversation.assignee_id.is_not(None),
        exists().where(Event.conversation_id == of), exists().where(Draft.conversation_id == of)))


def _fill_in(connection, message, read):
    """Its conversation stays. When the same mail is here already, from another folder, the place is that one's."""
    twin = db.session.scalar(select(Message.id).where(Message.connection_id == connection.id,
                                                      Message.digest == read.digest))
    if twin is not None or read.raw_sha256 is None:
        db.session.execute(delete(Place).where(Place.message_id == message.id))
        return
    message.digest = read.digest
    fill_in(message, read.raw_sha256, read.size, read.parsed, read.columns, read.attachments)
    announce(f"conversation-{message.conversation_id}")
