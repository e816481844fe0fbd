"""Answers that leave by themselves from an inbox: to the first mail of a conversation, or while nobody is there.

Filing says on the row that a mail is to be answered (what it says of itself, and that it is news). The answer is
decided and written later, in one transaction that takes this off the row and counts what left against the caps: nothing
is answered twice, whoever asks again, and a lost job costs only time.
"""

from flask import current_app
from sqlalchemy import and_, delete, func, or_, select, update

from webapp.actions import aliases, outbox, threads
from webapp.actions.blobs import blobs
from webapp.actions.locks import lock_conversation, lock_inbox
from webapp.actions.notices import tell
from webapp.extensions import db
from webapp.mail.compose import build_message, envelope_address, mint_message_id, references_for
from webapp.mail.parse import parse_header
from webapp.mail.text import snippet, to_html
from webapp.mail.types import Automatic, Mailbox
from webapp.models import AutoReply, Connection, Hold, Message
from webapp.models.person import active_admins
from webapp.models.types import now
from webapp.queue import later
from webapp.rules.autoreply import (
    COUNTED,
    DOMAIN_TIME,
    INBOX_TIME,
    OLDEST,
    SENDER_TIME,
    Mail,
    Sent,
    key_without_tag,
    may_answer,
    over_cap,
)
from webapp.rules.connections import may_use
from webapp.rules.hours import is_there
from webapp.rules.statuses import HIDDEN

JOB = "webapp.jobs.autoreply.answer"
FOLDERS = ("inbox", "all", "archive", "other")      # where new mail may lie; what a server calls junk is not answered
HEADERS = {"Auto-Submitted": "auto-replied", "X-Auto-Response-Suppress": "All", "Precedence": "bulk"}


def note_due(connection, folder, fresh):
    """`fresh`: (Row of Message, Parsed, item) triples that were just filed and are not written yet."""
    inbox = connection.inbox
    if folder.role not in FOLDERS or inbox.auto_off_at or not (inbox.auto_first or inbox.auto_away):
        return
    for message, parsed, _item in fresh:
        if _is_news(connection, message, parsed) and may_answer(_mail(connection, message, parsed.automatic)) is None:
            message.answer_due_at = now()
            later(JOB, message.id)


def due():
    """SELECT of the ids of messages that wait to be answered."""
    return select(Message.id).where(Message.answer_due_at <= now()).order_by(Message.answer_due_at)


def answer(message_id):
    """Decide, and write the answer. Returns its Outbox row, or None. The inbox is locked: what leaves it is counted one
    by one."""
    message = db.session.get(Message, message_id)
    if message is None or message.answer_due_at is None:
        return None
    inbox = lock_inbox(message.connection.inbox_id)
    conversation = lock_conversation(message.conversation_id)
    won = db.session.execute(update(Message).where(Message.id == message_id, Message.answer_due_at.is_not(None))
                             .values(answer_due_at=None).execution_options(synchronize_session=False)).rowcount
    db.session.refresh(message)
    if won != 1 or inbox is None or conversation is None or message.conversation_id != conversation.id:
        return None
    text = _text(inbox, conversation, message)
    if text is None or _speaks_against(inbox, conversation, message):
        return None
    return _write(message.connection, conversation, message, text)


def answer_by_rule(message, text):
    """A rule of its inbox says so; the caps and reasons are those of every answer that leaves by itself. False: one of
    them speaks against it. Its inbox and its conversation are locked."""
    inbox = message.connection.inbox
    db.session.execute(update(Message).where(Message.id == message.id).values(answer_due_at=None)
                       .execution_options(synchronize_session=False))       # one answer is enough
    if inbox.auto_off_at or message.at < now() - OLDEST or not text or _says_not_to(message):
        return False
    if _speaks_against(inbox, message.conversation, message):
        return False
    return _write(message.connection, message.conversation, message, text) is not None


def _says_not_to(message):
    """Its header, read again."""
    try:
        automatic = parse_header(blobs().get_rest(message.raw_sha256 or "")).automatic
    except LookupError:
        return "gone"
    return may_answer(_mail(message.connection, message, automatic))


def forget_old():
    """What no cap counts any more."""
    db.session.execute(delete(AutoReply).where(AutoReply.at < now() - 2 * COUNTED))


def _is_news(connection, message, parsed):
    """It came after the address was connected, was not there before the server numbered its mail anew, and was written
    lately: nobody wants an answer to what was moved from another server."""
    since = max(filter(None, (connection.created_at, connection.history_until, now() - OLDEST)))
    return not message.outgoing and parsed.readable and message.at > since and (
        parsed.date is None or abs(now() - parsed.date) < OLDEST)


def _mail(connection, message, automatic, spam=False):
    rows = db.session.execute(select(Connection.address, Connection.inbox_id).where(
        Connection.state != "removed").union(select(Hold.address, Hold.inbox_id))).all()
    return Mail(sender=message.from_address, to=tuple(a for _n, a in (*message.to, *message.cc)),
                reply_to=tuple(a for _n, a in message.reply_to), subject=message.subject, automatic=automatic,
                ambiguous=message.sender_ambiguous, bounce=message.bounce, invitation=bool(message.invitation),
                spam=spam, own=frozenset(a for a, _i in rows),
                here=frozenset(a for a, i in rows if i == connection.inbox_id) | {connection.address})


def _text(inbox, conversation, message):
    """Which of its texts, if any. Where somebody of us has written meanwhile, none."""
    if inbox.deleted_at or inbox.auto_off_at or message.at < now() - OLDEST:
        return None
    here = select(Message.id).where(Message.conversation_id == conversation.id, Message.id != message.id)
    if db.session.scalar(here.where(Message.outgoing, ~Message.auto, Message.at >= message.at,
                                 Message.at <= now()).limit(1)):
        return None
    if inbox.auto_away and inbox.auto_away_text and not is_there(inbox.hours, message.at):
        return inbox.auto_away_text
    before = or_(Message.at < message.at, and_(Message.at == message.at, Message.id < message.id))
    is_first = not db.session.scalar(here.where(before).limit(1))
    return inbox.auto_first_text if inbox.auto_first and inbox.auto_first_text and is_first else None


def _speaks_against(inbox, conversation, message):
    """A reason of rules.autoreply; what the header said was asked when it was filed."""
    spam = conversation.status in HIDDEN
    reason = may_answer(_mail(message.connection, message, Automatic(), spam)) or over_cap(_sent(inbox, message))
    if reason == "too_many":
        _stop(inbox)
    return reason


def _sent(inbox, message):
    key = key_without_tag(message.from_address)

    def count(time, *conditions):
        return db.session.scalar(select(func.count()).select_from(AutoReply).where(
            AutoReply.inbox_id == inbox.id, AutoReply.at > now() - time, *conditions))
    return Sent(count(SENDER_TIME, AutoReply.address_key == key),
                count(DOMAIN_TIME, AutoReply.domain == key.rpartition("@")[2]), count(INBOX_TIME))


def _stop(inbox):
    """The circuit breaker: until an admin looks."""
    inbox.auto_off_at = now()
    for person in db.session.scalars(active_admins()):
        tell(person, "autoreply.stopped", key=f"autoreply-{inbox.id}-{inbox.auto_off_at.isoformat()}",
             inbox=inbox.name, inbox_id=inbox.id)
    db.session.flush()


def _write(connection, conversation, parent, text):
    if not may_use(connection.state, connection.holder_state, "send", connection.kind):
        return None
    at = now().replace(microsecond=0)
    used = aliases.written_to(parent)
    sender = Mailbox(connection.from_name or connection.inbox.company or connection.inbox.name, used.address)
    to = Mailbox(parent.from_name, parent.from_address)
    subject = f"Auto: {parent.subject}".strip()
    references = references_for(parent.message_id, tuple(parent.references))
    message_id = mint_message_id(used.address.rpartition("@")[2], current_app.config["SECRET_KEY"].encode())
    try:
        recipients = [envelope_address(to.address)]
        raw = build_message(sender=sender, to=[to], subject=subject, text=text, html=to_html(text),
                            in_reply_to=parent.message_id, references=references, message_id=message_id,
                            date=at, extra_headers=HEADERS)
    except ValueError:      # an address that no mail can be sent to
        return None
    [sha256] = blobs().put_raw([raw])
    message = Message(connection_id=connection.id, digest=sha256, raw_sha256=sha256, size=len(raw), outgoing=True,
                      message_id=message_id, references=list(references), subject=subject, from_name=sender.name,
                      from_address=sender.address, to=[list(to)], at=at, text=text, snippet=snippet(text), auto=True,
                      auto_kind="robot")
    message.connection = connection
    key = key_without_tag(parent.from_address)
    db.session.add(message)
    db.session.add(AutoReply(inbox_id=connection.inbox_id, address_key=key, domain=key.rpartition("@")[2],
                             message_id=parent.id))
    db.session.flush()
    threads.file_own(conversation, message)
    return outbox.enqueue(None, used, message, recipients, at)
