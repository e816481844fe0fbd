"""What the rules may ask of a stored message; whatever costs something is read when a rule asks."""

from sqlalchemy import select

from webapp.actions.aliases import own_keys
from webapp.actions.blobs import blobs
from webapp.actions.threads import key_of
from webapp.extensions import db
from webapp.mail.charset import decode_words
from webapp.mail.language import language_of
from webapp.mail.parse import read_headers
from webapp.models import Attachment, Contact, ContactAddress, Conversation, ConversationTag, Message
from webapp.rules.bounds import MAIL_LANGUAGES
from webapp.rules.hours import is_there
from webapp.rules.routing import Mail


def mail_of(message, conversation, inbox):
    """Of a message that is stored, with the conversation that it lies in."""
    contact = _once(lambda: _contact(message))
    text = _once(lambda: _text(message))
    return Mail(
        sender=message.from_address or "", recipients=tuple(a for _n, a in (*message.to, *message.cc) if a),
        address=lambda: _address(message), subject=message.subject, text=text, header=lambda: _header(message),
        language=lambda: language_of(f"{message.subject}\n{text()}", MAIL_LANGUAGES),
        files=lambda: tuple(db.session.scalars(select(Attachment.filename).where(
            Attachment.message_id == message.id, ~Attachment.inline).order_by(Attachment.part_index))),
        size=message.size,
        is_known=lambda: contact() is not None and _is_known(contact(), conversation),
        owner_id=lambda: contact().owner_id if contact() is not None else None,
        tags=lambda: db.session.scalars(select(ConversationTag.tag_id).where(
            ConversationTag.conversation_id == conversation.id)).all(),
        written_by="list" if message.auto_kind == "list" else "robot" if message.auto or message.bounce else "person",
        in_hours=is_there(inbox.hours, message.at))


def try_mail(*, sender, subject, text, address, inbox, at):
    """Of a message that was typed to try the rules."""
    contact = _contact_of(sender)
    return Mail(sender=sender, recipients=(address,), address=key_of(address), subject=subject, text=text,
                language=lambda: language_of(f"{subject}\n{text}", MAIL_LANGUAGES), size=len(text),
                is_known=contact is not None, owner_id=contact.owner_id if contact is not None else None,
                in_hours=is_there(inbox.hours, at))


def _once(make):
    kept = []

    def get():
        if not kept:
            kept.append(make())
        return kept[0]
    return get


def _text(message):
    return db.session.scalar(select(Message.text).where(Message.id == message.id)) or ""


def _header(message):
    if not message.raw_sha256:
        return {}
    try:
        found = read_headers(blobs().get_rest(message.raw_sha256))
    except LookupError:
        return {}
    return {name: "\n".join(decode_words(v.decode("utf-8", "replace")) for v in values)
            for name, values in found.items()}


def _address(message):
    """The key of the one of ours that it was written to; else that of its mailbox."""
    own = own_keys(message.connection)
    named = (key_of(a or "") for _n, a in (*message.to, *message.cc))
    return next((key for key in named if key in own), key_of(message.connection.address))


def _contact(message):
    return None if message.outgoing or message.sender_ambiguous else _contact_of(message.from_address)


def _contact_of(address):
    key = key_of(address or "")
    return key and db.session.scalar(select(Contact).join(ContactAddress).where(
        ContactAddress.address_key == key)) or None


def _is_known(contact, conversation):
    """Was there a conversation before? The contact of a first mail is made by that mail."""
    return bool(db.session.scalar(select(Conversation.id).where(
        Conversation.contact_id == contact.id, Conversation.id < conversation.id).limit(1)))
