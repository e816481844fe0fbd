"""A message arrives: the one thing to read. Raw bytes first, then rows, then names to the screens.

A batch lands in one transaction with the cursor of its folder. If it fails, each message is tried alone, and the one
that fails alone is kept raw and shown as unreadable: nothing is lost and nothing stops (DESIGN 7).
"""

import hashlib
import logging
from datetime import UTC, datetime

from sqlalchemy import exists, select, update
from sqlalchemy.exc import OperationalError

from webapp.actions import answers, autoreply, bounces, indexing, places, routing, threads
from webapp.actions.aliases import own_keys
from webapp.actions.blobs import blobs
from webapp.actions.contents import contents_of, read_alone
from webapp.actions.reading import Read, put_away
from webapp.actions.summary import summarise
from webapp.extensions import db
from webapp.live import announce
from webapp.mail.parse import PARSER_VERSION
from webapp.mail.types import Fetched, FetchedHeader
from webapp.models import Attachment, Folder, Message, Place
from webapp.models.rows import Row, next_ids, write_rows
from webapp.models.types import now
from webapp.models.words import number_of
from webapp.rules.folders import is_left_out

log = logging.getLogger(__name__)
EPOCH = datetime(1970, 1, 2, tzinfo=UTC)


def receive(connection, folder, items):
    """Store what the server sent of one folder: Fetched, FetchedHeader (personal), Oversized, or what `reading` made
    of them, in any order.

    Running it twice with the same items changes nothing. Moves no cursor: the caller does, in the same transaction.
    """
    placed = places.stored_uids(folder, [i.uid for i in items])
    items = [i for i in items if i.uid not in placed and not is_left_out(folder.role, getattr(i, "item", i).flags)]
    if not items:
        return
    reads = items
    if not isinstance(items[0], Read):
        reads = [Read(item) for item in items]
        for read in reads:
            read.pack()
        put_away(reads, blobs())
    try:
        with db.session.begin_nested():
            _take_in(connection, folder, reads)
    except Exception as error:
        if database_in_trouble(error):
            raise
        log.exception("a batch of connection %s failed, one by one", connection.id)
        for read in reads:
            _take_in_alone(connection, folder, read)
    announce(f"connection-{connection.id}")
    if connection.person_id:
        announce(f"person-{connection.person_id}")


def keep_place(connection, folder, uid):
    """A message that the server lists and will not hand over: its place is kept, shown as unreadable."""
    digest = hashlib.sha256(f"{folder.id}|{folder.uidvalidity}|{uid}".encode()).hexdigest()
    _place(folder, [(_unreadable(connection, digest, None, 0, now()), uid, frozenset())])


def store_body(message, raw, contents=None):
    """The whole of a message whose header alone was read: its owner has opened it, or it was too large before.
    `contents`: what `read_alone` said of it."""
    contents = contents or read_alone(raw)
    [raw_sha256] = blobs().put_raw([raw])
    fill_in(message, raw_sha256, len(raw), *contents)


def fill_in(message, raw_sha256, size, parsed, columns, attachments):
    """The columns of what was read after the message had its place; its raw bytes are put away already."""
    message.raw_sha256, message.size = raw_sha256, size
    message.state = "ok" if parsed.readable else "unreadable"
    for name, value in columns.items():
        setattr(message, name, value)
    message.attachments = [Attachment(**a) for a in attachments]
    db.session.flush()
    indexing.put(message, parsed.words)
    announce(f"message-{message.id}")


def _take_in_alone(connection, folder, read):
    try:
        with db.session.begin_nested():
            _take_in(connection, folder, [read])
    except Exception as error:
        if database_in_trouble(error):
            raise
        log.exception("connection %s, folder %s, UID %s is kept raw", connection.id, folder.id, read.uid)
        with db.session.begin_nested():
            message_id = _known(connection.id, [read.digest]).get(read.digest) or _unreadable(
                connection, read.digest, read.raw_sha256, read.size, read.item.internal_date)
            _place(folder, [(message_id, read.uid, read.item.flags)])


def _take_in(connection, folder, reads):
    known = _known(connection.id, [r.digest for r in reads])
    if folder.role == "sent" and known:
        _turn_ours(known.values())
    if known:       # what was erased is not kept again: its bytes were put away before anybody knew
        db.session.execute(update(Message).where(Message.id.in_(known.values()), Message.erased_at.is_not(None))
                           .values(raw_sha256=Message.digest).execution_options(synchronize_session=False))
    new = {}            # the first of each digest
    for read in reads:
        if read.digest not in known and read.digest not in new:
            if read.columns is None:
                read.take(contents_of(read.raw, read.how))
            if own := _our_own(connection, folder, read.parsed):
                known[read.digest] = own
            else:
                new[read.digest] = read
    fresh = [(_message(i, connection, folder, read), read)
             for i, read in zip(next_ids(Message, len(new)), new.values(), strict=True)]
    if connection.inbox_id and fresh:
        filed = [(message, read.parsed, read.item) for message, read in fresh]
        bounces.note(connection, filed)
        threads.file(connection, filed)
        autoreply.note_due(connection, folder, filed)
    write_rows(Message, [message for message, _read in fresh])
    if connection.inbox_id and fresh:
        since = max(filter(None, (connection.created_at, connection.history_until)))
        answers.take_in([(message, since) for message, _read in fresh])
        routing.note_due(connection, folder, [message for message, _read in fresh])
    indexing.put_new((message.words_id, read.parsed.words) for message, read in fresh)
    write_rows(Attachment, [{"message_id": message.id, **a} for message, read in fresh for a in read.attachments])
    known.update((message.digest, message.id) for message, _read in fresh)
    _place(folder, [(known[read.digest], read.uid, read.item.flags) for read in reads])


def _known(connection_id, digests):
    """{digest: message id} of what is stored already."""
    return dict(db.session.execute(select(Message.digest, Message.id).where(
        Message.connection_id == connection_id, Message.digest.in_(digests))).all())


def _our_own(connection, folder, parsed):
    """A mail that was written here and comes back from Sent, or from \\All with our address on it: some servers change
    its bytes on the way, so its Message-ID, which we minted, tells."""
    from_us = folder.role == "sent" or folder.role == "all" and threads.is_from(parsed, own_keys(connection))
    if not from_us or not parsed.message_id or not threads.is_our_id(parsed.message_id):
        return None
    return db.session.scalar(select(Message.id).where(
        Message.connection_id == connection.id, Message.message_id == parsed.message_id, Message.outgoing))


def _turn_ours(message_ids):
    """What lies in Sent was met before, under another label, and taken for somebody's. What lies in the inbox as well
    was sent to ourselves."""
    in_inbox = exists().where(Place.message_id == Message.id, Place.folder_id == Folder.id, Folder.role == "inbox")
    for message in db.session.scalars(select(Message).where(Message.id.in_(message_ids), ~Message.outgoing, ~in_inbox)):
        message.outgoing = True
        if conversation := message.conversation:
            threads.remember_keys(conversation, [message])
            db.session.flush()
            summarise(conversation, unread_to=conversation.last_in_id)
            announce(f"inbox-{conversation.inbox_id}", f"conversation-{conversation.id}")


def _message(number, connection, folder, read):
    item, at = read.item, _arrival(read.item.internal_date or read.parsed.date)
    return Row(id=number, words_id=number_of(at, number), connection_id=connection.id, conversation_id=None,
               digest=read.digest, raw_sha256=read.raw_sha256, state=_state(item, read.parsed), size=read.size,
               outgoing=folder.role == "sent", author_id=None, bounce_of_id=None, answer_due_at=None, at=at,
               **read.columns)


def _unreadable(connection, digest, raw_sha256, size, at):
    """The id of a new message that shows nothing but that it is there."""
    message = Message(connection_id=connection.id, digest=digest, raw_sha256=raw_sha256, size=size,
                      state="unreadable", at=_arrival(at), parser_version=PARSER_VERSION)
    db.session.add(message)
    db.session.flush()
    if connection.inbox_id:
        threads.file_unreadable(connection, message)
    return message.id


def _place(folder, placed):
    """Write where these messages, (message id, UID, flags) each, lie on the server."""
    write_rows(Place, [
        {"message_id": message_id, "folder_id": folder.id, "uidvalidity": folder.uidvalidity, "uid": uid,
         "flags": sorted(flags)} for message_id, uid, flags in placed])


def _arrival(at):
    """When it came. A date ahead of us, or before there was mail, would hold it on top or break a calendar."""
    return max(EPOCH, min(at, now())) if at else now()


def database_in_trouble(error):
    """Then the mail is not to blame. PostgreSQL's class 54 is: a value is too large for a row or an index."""
    sqlstate = getattr(getattr(error, "orig", None), "sqlstate", None) or ""
    return isinstance(error, OperationalError) and not sqlstate.startswith("54")


def _state(item, parsed):
    if isinstance(item, Fetched):
        return "ok" if parsed.readable else "unreadable"
    return "header" if isinstance(item, FetchedHeader) else "too_big"
