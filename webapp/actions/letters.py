"""A message of ours is written: an answer, something handed on, a new one. Row, recipients, final bytes and Message-ID
are made here and now; it leaves after the undo time, or when its time has come.

Nothing here reads notes.
"""

import secrets
from dataclasses import dataclass, field
from datetime import timedelta
from zoneinfo import ZoneInfo

from flask import current_app
from sqlalchemy import select
from sqlalchemy.orm import undefer

from webapp.actions import aliases, drafts, outbox, threads
from webapp.actions.blobs import blobs
from webapp.actions.contents import contents_of
from webapp.actions.conversations import assign, close, see
from webapp.extensions import db
from webapp.mail import quoted, thread_index, written_html
from webapp.mail.charset import clean_header
from webapp.mail.compose import Attachment as Enclosed
from webapp.mail.compose import build_message, envelope_address, mint_message_id, references_for
from webapp.mail.text import snippet, to_html
from webapp.mail.types import Mailbox
from webapp.models import Attachment, Connection, ContactAddress, Conversation, Message, Outbox
from webapp.models.types import now
from webapp.rules import RuleBroken, recipients
from webapp.rules.bounds import SUBJECT_MAX
from webapp.rules.connections import may_use
from webapp.rules.sending import check_files, check_later, check_letter, from_name, readable


@dataclass
class Letter:
    """What somebody wrote. People are [[name, address], ...]; `files`: DraftFile, or what has its columns."""

    kind: str
    text: str
    subject: str
    to: list
    cc: list = field(default_factory=list)
    bcc: list = field(default_factory=list)
    html: str | None = None
    sender: str = ""
    parent: Message | None = None
    files: list = field(default_factory=list)

    @property
    def parent_id(self):
        return self.parent.id if self.parent is not None else None


def send(actor, inbox, conversation, letter, *, token=None, at=None, seen=None, act=None, closes=False):
    """`conversation` None: a new one is opened in `inbox`. `at`: not before then. `seen`: id of the newest message that
    its writer had on the screen. `closes`: the conversation is done with. Returns the Outbox row.

    Raises RuleBroken: at "text" answered_meanwhile (message, by) when a colleague has answered since; sent_already when
    this composer has sent something else; at "to", "subject", "files", "until", "sender" what is wrong there.
    """
    _tidy(letter)
    _check(letter, token, at)
    if conversation is not None and letter.kind == "reply" and seen is not None:
        _check_alone(actor, conversation, seen)
    sender = sender_for(inbox, conversation, letter.sender)
    envelope, raw, facts = _written(actor, inbox, sender, letter, at)
    [sha256] = blobs().put_raw([raw])
    if conversation is None:
        conversation = _opened(inbox, letter, facts["at"])
    message = _stored(actor, sender.connection, letter, sha256, raw, {**facts, "at": at or facts["at"]})
    threads.file_own(conversation, message)
    if conversation.assignee_id is None:      # whoever answers takes it on (BEHAVIOUR 5.11)
        assign(actor, conversation, actor)
    see(actor, conversation)
    if closes:
        close(actor, conversation, act)
    undo = timedelta(seconds=current_app.config["SETTINGS"].undo_seconds)
    return outbox.enqueue(actor, sender, message, envelope, at or facts["at"] + undo, token=token,
                          written=drafts.as_written(letter, letter.files))


def sent_with(token):
    """What was sent from this composer, or None."""
    return db.session.scalar(select(Outbox).where(Outbox.token == token)) if token else None


def sent_before(actor, token, text, **more):
    """What was sent from this composer with these very words, or None: the click came twice, or from a second window.
    `more`: subject and people, where they count too."""
    if "subject" in more:       # it left as one clean line
        more["subject"] = clean_header(more["subject"], SUBJECT_MAX)
    row = sent_with(token)
    if row is None or row.author_id != actor.id:
        return None
    written = row.written or {}
    return row if all(written.get(n) == readable(said) for n, said in {"text": text, **more}.items()) else None


def senders(inbox):
    """Each From of an inbox."""
    found = db.session.scalars(select(Connection).where(
        Connection.inbox_id == inbox.id, Connection.state == "active").order_by(Connection.id)).all()
    return [sender for c in found if _may_send(c) for sender in aliases.senders_of(c)]


def sender_for(inbox, conversation, wanted=""):
    """The From that was chosen; else the one that the customer wrote to, or the inbox's own first. Raises
    RuleBroken("text", "no_address")."""
    able = senders(inbox)
    for sender in able:
        if wanted and sender.address.lower() == wanted.lower():
            return sender
    latest = conversation is not None and db.session.scalar(
        select(Message).where(Message.conversation_id == conversation.id)
        .order_by(Message.at.desc(), Message.id.desc()).limit(1))
    if latest and _may_send(latest.connection):
        return aliases.written_to(latest)
    if not able:
        raise RuleBroken("text", "no_address", inbox=inbox.name)
    return able[0]


def _may_send(connection):
    return may_use(connection.state, connection.holder_state, "send", connection.kind)


def name_of(connection, actor, inbox=None):
    """Who customers see (rules.sending.from_name)."""
    inbox = connection.inbox or inbox
    company = connection.from_name or (inbox and (inbox.company or inbox.name)) or ""
    if connection.person_id:
        return connection.from_name or actor.name
    return from_name(inbox.from_form, actor.name, company)


def _tidy(letter):
    """What was typed, as it can be kept and sent."""
    letter.subject = clean_header(letter.subject, SUBJECT_MAX)
    for name in ("text", "html", "to", "cc", "bcc"):
        setattr(letter, name, readable(getattr(letter, name)))


def _check(letter, token, at):
    check_letter(letter.text, letter.html, letter.subject, bool(letter.files), letter.kind == "forward")
    recipients.check(letter.to, letter.cc, letter.bcc)
    check_files([f.size for f in letter.files])
    if at is not None:
        check_later(at, now())
    if sent_with(token) is not None:
        raise RuleBroken("text", "sent_already")


def _check_alone(actor, conversation, seen):
    """Nobody else has answered since the writer looked; a machine of ours answers nothing."""
    other = db.session.scalar(select(Message).where(
        Message.conversation_id == conversation.id, Message.outgoing, ~Message.auto, Message.id > seen,
        Message.author_id.is_distinct_from(actor.id)).order_by(Message.id.desc()).limit(1))
    if other is not None:
        raise RuleBroken("text", "answered_meanwhile", message=other.id, by=other.from_name or other.from_address)


def _written(actor, inbox, used, letter, at):
    """(envelope addresses, final bytes, what the row says of them)."""
    moment = now().replace(microsecond=0)
    sender = Mailbox(name_of(used.connection, actor, inbox), used.address)
    people = {name: [Mailbox(*p) for p in getattr(letter, name)] for name in ("to", "cc", "bcc")}
    parent = letter.parent if letter.kind == "reply" else None
    message_id = mint_message_id(used.address.rpartition("@")[2], current_app.config["SECRET_KEY"].encode())
    references = references_for(parent.message_id, tuple(parent.references)) if parent else ()
    text, html = _body(actor, inbox, letter)
    for name, there in people.items():
        for mailbox in there:
            _check_mailable(name, mailbox, parent is not None)
    raw = build_message(sender=sender, to=people["to"], cc=people["cc"], subject=letter.subject, text=text, html=html,
                        in_reply_to=parent.message_id if parent else None, references=references,
                        message_id=message_id, date=at or moment, attachments=_enclosed(letter),
                        extra_headers=_outlook(parent, moment) if parent else None)
    envelope = list(dict.fromkeys(envelope_address(m.address) for there in people.values() for m in there))
    return envelope, raw, {"message_id": message_id, "references": list(references), "at": moment, "text": text,
                           "from_name": sender.name, "from_address": sender.address}


def _check_mailable(name, mailbox, answers):
    """An address that mail can't be sent to is said at its field."""
    try:
        envelope_address(mailbox.address)
    except ValueError:
        if answers and name == "to":
            raise RuleBroken("text", "nobody_to_answer") from None
        raise RuleBroken(name, "bad_recipients", addresses=[mailbox.address[:80]]) from None


def _body(actor, inbox, letter):
    """(text, HTML): what was written, the signature of the inbox, and the original."""
    texts, htmls = [letter.text.rstrip()], [letter.html if letter.html else to_html(letter.text)]
    if inbox.signature or inbox.signature_html:
        texts.append("-- \n" + inbox.signature)
        htmls.append(inbox.signature_html or to_html(inbox.signature))
    if letter.parent is not None:
        original = _original(actor, letter.parent)
        make = quoted.handed_on if letter.kind == "forward" else quoted.below_answer
        text, html = make(original, actor.language)
        texts.append(text)
        htmls.append(html)
    return "\n\n".join(filter(None, texts)), "\n".join(filter(None, htmls))


def _original(actor, message):
    words = db.session.scalars(select(Message).where(Message.id == message.id).options(
        undefer(Message.text), undefer(Message.html)).execution_options(populate_existing=True)).one()
    return quoted.Original(who=recipients.written([[words.from_name, words.from_address]]), subject=words.subject,
                           at=words.at.astimezone(ZoneInfo(actor.time_zone)), to=recipients.written(words.to),
                           text=words.text, html=words.html if words.has_html else None)


def _enclosed(letter):
    used = written_html.cids(letter.html or "")
    return [Enclosed(f.filename, f.content_type, content_of(f), f.content_id if f.content_id in used else None)
            for f in letter.files]


def content_of(file) -> bytes:
    """The bytes of a file of a draft. Raises RuleBroken("files", "file_gone")."""
    content = blobs().get_part(file.sha256)
    if content is None:
        raise RuleBroken("files", "file_gone", name=file.filename)
    return content


def _outlook(parent, at):
    """Outlook threads by headers of its own; whoever answers it goes on with them."""
    if not parent.raw_sha256:
        return None
    try:
        found = thread_index.of(blobs().get_rest(parent.raw_sha256))
    except LookupError:
        return None
    index = thread_index.answered(found.get(b"thread-index", b""), at, secrets.randbits(8))
    if index is None:
        return None
    topic = found.get(b"thread-topic", b"").decode("utf-8", "replace")
    return {"Thread-Index": index, **({"Thread-Topic": topic} if topic else {})}


def _opened(inbox, letter, at):
    people = letter.to + letter.cc + letter.bcc
    contact = db.session.scalar(select(ContactAddress.contact_id).where(
        ContactAddress.address_key == threads.key_of(people[0][1])))
    conversation = Conversation(inbox_id=inbox.id, subject=threads.base_subject(letter.subject), status="waiting",
                                opened_at=at, last_at=at, contact_id=contact)
    conversation.inbox = inbox
    db.session.add(conversation)
    db.session.flush()
    return conversation


def _stored(actor, connection, letter, sha256, raw, facts):
    message = Message(connection_id=connection.id, digest=sha256, raw_sha256=sha256, size=len(raw), outgoing=True,
                      author_id=actor.id, subject=letter.subject, snippet=snippet(letter.text),
                      **{n: [list(p) for p in getattr(letter, n)] for n in ("to", "cc", "bcc")}, **facts)
    message.connection = connection
    db.session.add(message)
    if letter.html or letter.files:
        _read_in(message, raw, bool(letter.html))
    db.session.flush()
    return message


def _read_in(message, raw, formatted):
    """What is shown of it is read from its own bytes, as of any mail: its files, and how it looks."""
    _parsed, columns, files = contents_of(raw, "whole")
    message.has_attachments = columns["has_attachments"]
    if formatted:
        for name in ("html", "has_html", "images", "height", "sanitizer_version"):
            setattr(message, name, columns[name])
    message.attachments = [Attachment(**file) for file in files]
