"""A message arrives: the one thing to read. Raw bytes first, then rows, then names to the screens.

A batch lands in one transaction with the cursor of its folder. If it fails, each message is tried alone, and the one
that fails alone is kept raw and shown as unreadable: nothing is lost and nothing stops (DESIGN 7).
"""

import hashlib
import logging
from datetime import UTC, datetime

from flask import current_app
from sqlalchemy import insert, select
from sqlalchemy.exc import OperationalError

from webapp.actions import threads
from webapp.extensions import db
from webapp.live import announce
from webapp.mail import html as mail_html
from webapp.mail.parse import parse, parse_header
from webapp.mail.text import snippet
from webapp.mail.types import Fetched, FetchedHeader
from webapp.models import Attachment, Message, Place
from webapp.models.types import now

log = logging.getLogger(__name__)
EPOCH = datetime(1970, 1, 2, tzinfo=UTC)


def receive(connection, folder, items):
    """Store what the server sent of one folder: Fetched, FetchedHeader (personal) or Oversized, in any order.

    Running it twice with the same items changes nothing. Moves no cursor: the caller does, in the same transaction.
    """
    items = _unplaced(folder, items)
    raws = [item for item in items if isinstance(item, Fetched)]
    stored = dict(zip((i.uid for i in raws), blobs().put_raw(i.raw for i in raws), strict=True)) if raws else {}
    try:
        with db.session.begin_nested():
            _take_in(connection, folder, items, stored)
    except Exception as error:
        if _database_in_trouble(error):
            raise
        log.exception("a batch of connection %s failed, one by one", connection.id)
        for item in items:
            _take_in_alone(connection, folder, item, stored)
    if items:
        announce(f"connection-{connection.id}")
        if connection.person_id:
            announce(f"person-{connection.person_id}")


def keep_place(connection, folder, uid):
    """A message that the server lists and will not hand over: its place is kept, shown as unreadable."""
    digest = hashlib.sha256(f"{folder.id}|{folder.uidvalidity}|{uid}".encode()).hexdigest()
    _place(folder, [(_unreadable(connection, digest, None, 0, now()), uid, frozenset())])


def store_body(message, raw):
    """The body of a personal message whose header alone was read; its owner has opened it."""
    [message.raw_sha256] = blobs().put_raw([raw])
    message.size = len(raw)
    _fill(message, parse(raw))
    db.session.flush()
    announce(f"message-{message.id}")


def blobs():
    return current_app.extensions["blobs"]


def _unplaced(folder, items):
    """Without those whose place is known already."""
    known = set(db.session.scalars(select(Place.uid).where(
        Place.folder_id == folder.id, Place.uidvalidity == folder.uidvalidity,
        Place.uid.in_([i.uid for i in items]))))
    return [i for i in items if i.uid not in known]


def _take_in_alone(connection, folder, item, stored):
    try:
        with db.session.begin_nested():
            _take_in(connection, folder, [item], stored)
    except Exception as error:
        if _database_in_trouble(error):
            raise
        log.exception("connection %s, folder %s, UID %s is kept raw", connection.id, folder.id, item.uid)
        with db.session.begin_nested():
            message = _known(connection, [_digest(item, stored)]).get(_digest(item, stored)) or _unreadable(
                connection, _digest(item, stored), stored.get(item.uid), _size(item), item.internal_date)
            _place(folder, [(message, item.uid, item.flags)])


def _take_in(connection, folder, items, stored):
    digests = {item.uid: _digest(item, stored) for item in items}
    known = _known(connection, digests.values())
    fresh, placed = [], []
    for item in items:
        message = known.get(digests[item.uid])
        if message is None:
            parsed = parse(item.raw) if isinstance(item, Fetched) else parse_header(item.header)
            message = _our_own(connection, folder, parsed)
            if message is None:
                message = _message(connection, folder, item, parsed, digests[item.uid], stored.get(item.uid))
                fresh.append((message, parsed, item))
            known[digests[item.uid]] = message
        placed.append((message, item.uid, item.flags))
    _place(folder, placed)
    if connection.inbox_id and fresh:
        threads.file(connection, fresh)
        db.session.flush()


def _known(connection, digests):
    rows = db.session.scalars(select(Message).where(Message.connection_id == connection.id,
                                                    Message.digest.in_(list(digests))))
    return {m.digest: m for m in rows}


def _our_own(connection, folder, parsed):
    """A mail that was written here and comes back from Sent: some servers change its bytes on the way, so its
    Message-ID, which we minted, tells."""
    if folder.role != "sent" or not parsed.message_id or not threads.is_our_id(parsed.message_id):
        return None
    return db.session.scalar(select(Message).where(
        Message.connection_id == connection.id, Message.message_id == parsed.message_id, Message.outgoing))


def _message(connection, folder, item, parsed, digest, raw_sha256):
    message = Message(connection_id=connection.id, digest=digest, raw_sha256=raw_sha256, size=_size(item),
                      outgoing=folder.role == "sent", state=_state(item, parsed),
                      at=_arrival(item.internal_date or parsed.date))
    _fill(message, parsed)
    if isinstance(item, FetchedHeader):
        message.has_attachments = item.has_attachments
    db.session.add(message)
    return message


def _fill(message, parsed):
    """Columns from what the message says of itself. Runs again when parser or sanitiser get better."""
    message.message_id = parsed.message_id
    message.references = list(parsed.references)
    message.subject, message.auto, message.bounce = parsed.subject, parsed.auto_submitted, parsed.bounce
    message.sender_ambiguous = parsed.sender_ambiguous
    if parsed.sender:
        message.from_name, message.from_address = parsed.sender
    message.reply_to, message.to, message.cc = ([list(m) for m in group]
                                                for group in (parsed.reply_to, parsed.to, parsed.cc))
    message.text = parsed.text
    if parsed.html is not None:
        clean = mail_html.clean(parsed.html)
        message.sanitizer_version = mail_html.SANITIZER_VERSION
        message.text = parsed.text or clean.text
        if not clean.too_complex:
            message.html, message.has_html = clean.html, True
            message.images = [[image.kind, image.url] for image in clean.images]
            message.height = mail_html.estimate_height(clean.html)
    message.snippet = snippet(message.text)
    message.attachments = [Attachment(part_index=p.index, filename=p.filename, content_type=p.content_type,
                                      size=p.size, sha256=p.sha256, content_id=p.content_id, inline=p.inline)
                           for p in parsed.parts]
    message.has_attachments = any(not p.inline for p in parsed.parts)


def _unreadable(connection, digest, raw_sha256, size, at):
    message = Message(connection_id=connection.id, digest=digest, raw_sha256=raw_sha256, size=size,
                      state="unreadable", at=_arrival(at))
    db.session.add(message)
    db.session.flush()
    if connection.inbox_id:
        threads.file_unreadable(connection, message)
    return message


def _place(folder, placed):
    """Write where these messages, (Message, UID, flags) each, lie on the server."""
    db.session.flush()
    if placed:
        db.session.execute(insert(Place), [
            {"message_id": message.id, "folder_id": folder.id, "uidvalidity": folder.uidvalidity, "uid": uid,
             "flags": sorted(flags)} for message, uid, flags in placed])


def _arrival(at):
    """When it came. A date ahead of us, or before there was mail, would hold it on top or break a calendar."""
    return max(EPOCH, min(at, now())) if at else now()


def _database_in_trouble(error):
    """Then the mail is not to blame. PostgreSQL's class 54 is: a value is too large for a row or an index."""
    sqlstate = getattr(getattr(error, "orig", None), "sqlstate", None) or ""
    return isinstance(error, OperationalError) and not sqlstate.startswith("54")


def _digest(item, stored):
    return stored.get(item.uid) or hashlib.sha256(item.header + b"|%d" % _size(item)).hexdigest()


def _size(item):
    return len(item.raw) if isinstance(item, Fetched) else item.size


def _state(item, parsed):
    if isinstance(item, Fetched):
        return "ok" if parsed.readable else "unreadable"
    return "header" if isinstance(item, FetchedHeader) else "too_big"
