"""Stored mail is read again from its raw bytes: what no parser could read when it came, and HTML that an older
sanitiser cleaned. The same row is filled: nothing is doubled, nobody is notified, and it stays in its conversation.
"""

import logging

from sqlalchemy import and_, or_, select, update

from webapp.actions import indexing, pictures, threads
from webapp.actions.receive import blobs, database_in_trouble, store_body
from webapp.extensions import db
from webapp.live import announce
from webapp.mail.html import SANITIZER_VERSION
from webapp.mail.parse import PARSER_VERSION
from webapp.mail.types import Fetched
from webapp.mail.versions import READ_WITH
from webapp.models import Connection, Message
from webapp.models.types import now
from webapp.queue import later

log = logging.getLogger(__name__)
BODY = ("text", "html", "has_html", "images", "height", "sanitizer_version", "snippet", "sender_hides",
        "authentication", "invitation")


def can_ask(message):
    """Is there anything to read again: raw bytes, or a place on the server to fetch them from?"""
    return message.state == "unreadable" and bool(message.raw_sha256) or message.state == "too_big"


def ask(_actor, message):
    """Somebody wants this message to be read again, or to be fetched now that larger ones may be. The row says so
    itself, and the clock finds its connection, so a lost job costs seconds."""
    if not can_ask(message):
        return
    if message.state == "too_big":
        message.state = "header"
        later("webapp.jobs.personal.fetch_body", message.id)
    else:
        message.parser_version = 0
        later("webapp.jobs.reread.again", message.id)
    db.session.execute(update(Connection).where(Connection.id == message.connection_id).values(read_with=0))
    tell(message)


def behind():
    """SELECT of connections whose stored mail was not yet looked through with this version."""
    return select(Connection.id).where(Connection.use == "mail", Connection.read_with < READ_WITH)


def older(connection_id, most=2000):
    """Ids of the next messages that are to be read again: the unreadable first, then HTML, the newest of each first."""
    return db.session.scalars(select(Message.id).where(
        Message.connection_id == connection_id, or_(_unreadable(), _old_html()))
        .order_by(Message.state.desc(), Message.at.desc()).limit(most)).all()


def to_fetch(connection_id):
    """Ids of team messages whose whole was asked for and did not come yet."""
    return db.session.scalars(select(Message.id).where(
        Message.connection_id == connection_id, Message.state == "header",
        Message.conversation_id.is_not(None))).all()


def done(connection_id):
    """All of a connection is looked through, unless somebody has asked for something meanwhile."""
    connection = db.session.get(Connection, connection_id, with_for_update={"of": Connection})
    if connection is not None and not older(connection_id, 1) and not to_fetch(connection_id):
        connection.read_with = READ_WITH


def fill(message_id, raw, contents):
    """What `read_alone` said of these raw bytes goes into their row. False: somebody was faster."""
    message = _due(message_id)
    if message is None:
        return False
    try:
        with db.session.begin_nested():
            (_fill_whole if message.state == "unreadable" else _fill_body)(message, raw, contents)
    except Exception as error:
        if database_in_trouble(error):
            raise
        log.exception("message %s stays as it is", message_id)
        give_up(message_id, refused=True)
    return True


def give_up(message_id, refused=False):
    """It can't be read by this version either. A newer one will try again. `refused`: its bytes are there, and this
    version finds nothing in them that it would show."""
    if message := _due(message_id):
        message.parser_version = PARSER_VERSION
        if message.state == "unreadable":
            message.reread_at = now()
        else:
            message.sanitizer_version = SANITIZER_VERSION
            if refused:     # what the older sanitiser let through is not shown any more: its text is, and the original
                pictures.drop(message)
                message.html, message.has_html, message.images, message.height = None, False, [], 0
        tell(message)


def fill_fetched(message, raw, contents):
    """The whole of a team message that was too large when it came: its header is known, the rest is new."""
    store_body(message, raw, contents)
    twin = db.session.scalar(select(Message.id).where(
        Message.connection_id == message.connection_id, Message.digest == message.raw_sha256, Message.id != message.id))
    if twin is None:        # from now on it is known by its bytes, as when its server numbers its mail anew
        message.digest = message.raw_sha256
    _file_again(message, raw, contents[0])
    tell(message)


def tell(message):
    announce(f"message-{message.id}")
    if message.conversation_id:
        announce(f"conversation-{message.conversation_id}")


def _due(message_id):
    """The row, locked, if it still is to be read again: a second worker finds it done."""
    return db.session.scalar(select(Message).where(
        Message.id == message_id, or_(_unreadable(), _old_html())).with_for_update(of=Message))


def _unreadable():
    return and_(Message.state == "unreadable", Message.raw_sha256.is_not(None), Message.parser_version < PARSER_VERSION)


def _old_html():
    return and_(Message.state == "ok", Message.raw_sha256.is_not(None), Message.author_id.is_(None),
                Message.sanitizer_version.between(1, SANITIZER_VERSION - 1))


def _fill_whole(message, raw, contents):
    store_body(message, raw, contents)
    message.reread_at = now()
    _file_again(message, raw, contents[0])
    tell(message)


def _file_again(message, raw, parsed):
    if message.conversation_id:
        threads.file_again(message, parsed, Fetched(0, raw, message.at, frozenset()))


def _fill_body(message, _raw, contents):
    """Only what is shown of it: its sender and its files are as they were."""
    parsed, columns, _attachments = contents
    if not parsed.readable:
        raise ValueError(f"message {message.id} was readable before")
    conversation = message.conversation
    if message.images != columns["images"]:
        pictures.drop(message)
    if conversation is not None and conversation.last_snippet == message.snippet:
        conversation.last_snippet = columns["snippet"]
    for name in BODY:
        setattr(message, name, columns[name])
    message.parser_version = PARSER_VERSION
    indexing.put(message, parsed.words)
    tell(message)


def raw_of(raw_sha256):
    return blobs().get_raw(raw_sha256)
