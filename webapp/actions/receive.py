"""A message arrives: the one thing to read. Raw bytes first, then rows, then names to the screens.

A batch lands in one transaction with the cursor of its folder. If it fails, each message is tried alone, and the one
that fails alone is kept raw and shown as unreadable: nothing is lost and nothing stops (DESIGN 7).
"""

import hashlib
import logging
from collections import deque
from dataclasses import replace
from datetime import UTC, datetime

from flask import current_app
from sqlalchemy import exists, select
from sqlalchemy.exc import OperationalError

from webapp.actions import places, threads
from webapp.actions.summary import summarise
from webapp.extensions import db
from webapp.live import announce
from webapp.mail import html as mail_html
from webapp.mail.apart import Apart, Died
from webapp.mail.pack import pack
from webapp.mail.parse import MAX_HEADERS, PARSER_VERSION, parse, parse_header
from webapp.mail.text import snippet
from webapp.mail.types import Fetched, FetchedHeader, MailError, Parsed
from webapp.models import Attachment, Folder, Message, Place
from webapp.models.blob import rows_of
from webapp.models.rows import Row, next_ids, write_rows
from webapp.models.types import now
from webapp.rules.folders import is_left_out

log = logging.getLogger(__name__)
EPOCH = datetime(1970, 1, 2, tzinfo=UTC)


CHUNK, CHUNK_BYTES = 16, 1_000_000      # messages that the parser gets at once, and their bytes
AHEAD, AHEAD_BYTES = 200, 4_000_000     # that it may have in hand before its answers are waited for


class Read:
    """What the server sent of one message, on its way into the database.

    `digest`, `raw_sha256`: none before `put_away`. `parsed`, `columns`, `attachments`: what it says, and its rows; none
    before `take`. `size`: bytes on the wire. `raw` is empty once nobody needs it: many are on their way at once.
    """

    def __init__(self, item):
        self.item, self.uid = item, item.uid
        self.raw = item.raw if isinstance(item, Fetched) else item.header
        self.size = len(item.raw) if isinstance(item, Fetched) else item.size
        self.raw_sha256 = None
        self.digest = None if isinstance(item, Fetched) else _digest(item)
        self.how = "whole" if isinstance(item, Fetched) else "header"
        self.parsed = self.columns = self.attachments = None

    def take(self, contents):
        self.parsed, self.columns, self.attachments = contents
        if isinstance(self.item, FetchedHeader):
            self.columns["has_attachments"] = self.item.has_attachments

    def pack(self):
        """The rows for Blobs, by its name. A report is kept at hand as well: it names our mail in its body."""
        self.digest = self.raw_sha256 = hashlib.sha256(self.raw).hexdigest()
        packed = pack(self.raw)
        if self.parsed and not self.parsed.bounce:
            self.raw, self.item = b"", self.item._replace(raw=b"")
        return rows_of(self.raw_sha256, packed)


def reading(items, apart):
    """A Read for each of these items, parsed in a process of its own (`apart`: Apart of contents_of), which works
    while the next ones come over the wire and the last ones are stored. Their raw bytes are not stored yet:
    `put_away`."""
    waiting, chunk, size, ahead = deque(), [], 0, 0
    try:
        for item in items:
            chunk.append(Read(item))
            size += len(chunk[-1].raw)
            del item        # else it lives on until the next one is here
            if len(chunk) >= CHUNK or size >= CHUNK_BYTES:
                _ask(apart, chunk, waiting)
                chunk, size, ahead = [], 0, ahead + size
                while ahead > AHEAD_BYTES or len(waiting) > AHEAD or waiting and apart.has_answer():
                    ahead -= len(waiting[0].raw)
                    yield _parsed(apart, waiting)
    except MailError:
        yield from _all_parsed(apart, chunk, waiting)      # what came before the trouble is not lost
        raise
    yield from _all_parsed(apart, chunk, waiting)


def put_away(reads, store):
    """Commit the raw bytes to `store` (Blobs), before the rows that name them. Needs no application: any thread may."""
    rows = {}
    for read in reads:
        if isinstance(read.item, Fetched):
            rows |= read.pack()
    if rows:
        store.put(rows)


def contents_of(raw, how):
    """(Parsed without its body, columns of Message, columns of each Attachment). `how`: whole, header, or beyond: the
    whole was more than the parser could bear, look at its header only."""
    parsed = parse(raw) if how == "whole" else parse_header(raw)
    if how == "beyond":
        parsed = replace(parsed, readable=False)
    return replace(parsed, text="", html=None, parts=()), *_columns(parsed)


def read_alone(raw, apart=None):
    """What `contents_of` says of one whole message, asked in a process apart: its own, or that of `apart`."""
    if apart is None:
        with Apart(contents_of) as apart:
            return read_alone(raw, apart)
    try:
        apart.ask([(raw, "whole")])
        return apart.answer()
    except Died:
        return _beyond(apart, raw)


def _all_parsed(apart, chunk, waiting):
    _ask(apart, chunk, waiting)
    while waiting:
        yield _parsed(apart, waiting)


def _ask(apart, reads, waiting):
    waiting.extend(reads)
    if reads:
        apart.ask([(read.raw, read.how) for read in reads])


def _parsed(apart, waiting):
    """The first of those that were asked for, with its answer. A message that the parser does not survive is shown as
    unreadable, with its header if that is harmless; those behind it are asked for again."""
    read = waiting.popleft()
    try:
        contents = apart.answer()
    except Died:
        log.error("UID %s is more than the parser can bear", read.uid)
        contents = _beyond(apart, read.raw)
        if waiting:
            apart.ask([(read.raw, read.how) for read in waiting])
    read.take(contents)
    return read


def _beyond(apart, raw):
    try:
        apart.ask([(raw[:MAX_HEADERS], "beyond")])
        return apart.answer()
    except Died:
        nothing = Parsed(readable=False)
        return nothing, *_columns(nothing)


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
    announce(f"message-{message.id}")


def blobs():
    return current_app.extensions["blobs"]


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
        threads.file(connection, [(message, read.parsed, read.item) for message, read in fresh])
    write_rows(Message, [message for message, _read in fresh])
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
    from_us = folder.role == "sent" or folder.role == "all" and threads.is_from(parsed, connection.address)
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
    item = read.item
    return Row(id=number, connection_id=connection.id, conversation_id=None, digest=read.digest,
               raw_sha256=read.raw_sha256, state=_state(item, read.parsed), size=read.size,
               outgoing=folder.role == "sent", author_id=None, at=_arrival(item.internal_date or read.parsed.date),
               **read.columns)


def _columns(parsed):
    """Columns of Message from what the message says of itself, and of Attachment, a dict each. They can be read again
    when parser or sanitiser get better."""
    sender = parsed.sender or ("", "")
    columns = {"message_id": parsed.message_id, "references": list(parsed.references), "subject": parsed.subject,
               "auto": parsed.auto_submitted, "bounce": parsed.bounce, "sender_ambiguous": parsed.sender_ambiguous,
               "sender_hides": parsed.sender_hides, "authentication": parsed.authentication,
               "invitation": parsed.invitation,
               "from_name": sender[0], "from_address": sender[1],
               "reply_to": [list(m) for m in parsed.reply_to], "to": [list(m) for m in parsed.to],
               "cc": [list(m) for m in parsed.cc], **_body(parsed),
               "has_attachments": any(not p.inline for p in parsed.parts), "parser_version": PARSER_VERSION}
    return columns, [{"part_index": p.index, "filename": p.filename, "content_type": p.content_type, "size": p.size,
                      "sha256": p.sha256, "content_id": p.content_id, "inline": p.inline} for p in parsed.parts]


def _body(parsed):
    body = {"text": parsed.text, "html": None, "has_html": False, "images": [], "height": 0, "sanitizer_version": 0}
    if parsed.html is not None:
        clean = mail_html.clean(parsed.html, with_text=not parsed.text)
        body |= {"text": parsed.text or clean.text, "sanitizer_version": mail_html.SANITIZER_VERSION}
        if not clean.too_complex:
            body |= {"html": clean.html, "has_html": True, "images": [[i.kind, i.url] for i in clean.images],
                     "height": mail_html.estimate_height(clean.html)}
    return {**body, "snippet": snippet(body["text"])}


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


def _digest(item):
    return hashlib.sha256(item.header + b"|%d" % item.size).hexdigest()


def _state(item, parsed):
    if isinstance(item, Fetched):
        return "ok" if parsed.readable else "unreadable"
    return "header" if isinstance(item, FetchedHeader) else "too_big"
