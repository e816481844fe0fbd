"""What the lists show of a conversation, derived from its messages: the same that `threads` keeps with every mail."""

from sqlalchemy import delete, select

from webapp.actions import answers, threads
from webapp.extensions import db
from webapp.mail.address import address_key
from webapp.models import Alias, Connection, ContactAddress, Hold, Message, Participant
from webapp.models.rows import write_rows

COLUMNS = (Message.id, Message.at, Message.outgoing, Message.author_id, Message.auto, Message.bounce,
           Message.sender_ambiguous, Message.from_name, Message.from_address, Message.to, Message.cc, Message.subject,
           Message.snippet, Message.has_attachments)


def summarise(conversation, unread_to):
    """`unread_to`: the newest incoming message that ever counted as new; older mail that was read elsewhere before it
    came may count as new, too, when it lies beside it. A conversation without messages keeps its subject and times."""
    messages = db.session.execute(
        select(*COLUMNS, Connection.address).join(Connection, Connection.id == Message.connection_id)
        .where(Message.conversation_id == conversation.id).order_by(Message.at, Message.id)).all()
    conversation.message_count = len(messages)
    conversation.last_in_id = max((m.id for m in messages if not m.outgoing and m.id <= unread_to), default=0)
    conversation.has_attachments = any(m.has_attachments for m in messages)
    ours = _ours(conversation, messages)
    if messages:
        _tell(conversation, messages, ours)
    _take_part(conversation, messages, ours)
    answers.derive(conversation)
    db.session.flush()


def _tell(conversation, messages, ours):
    # No machine of ours is shown there, and nothing that is still to leave.
    messages = [m for m in messages if not (m.outgoing and m.auto or threads.is_to_leave(m))] or messages
    oldest, newest = min(messages, key=lambda m: (m.at, -m.id)), messages[-1]
    conversation.opened_at, conversation.subject = threads.counts_at(oldest), threads.base_subject(oldest.subject)
    conversation.last_at, conversation.last_outgoing = threads.counts_at(newest), newest.outgoing
    conversation.last_snippet = newest.snippet
    conversation.last_out_at = max((m.at for m in messages if m.outgoing and not threads.is_to_leave(m)), default=None)
    customers = [m for m in messages if threads.names_customer(m)]
    last = customers[-1] if customers else None
    conversation.who, conversation.who_address = threads.who_of(last or newest)
    conversation.who_at = last.at if last else None
    keys = list(dict.fromkeys(key for m in customers if not m.sender_ambiguous
                              and (key := _key(m.from_address)) not in ours))
    contacts = dict(db.session.execute(select(ContactAddress.address_key, ContactAddress.contact_id).where(
        ContactAddress.address_key.in_(keys))).all())
    if conversation.contact_id not in contacts.values():
        conversation.contact_id = next((contacts[key] for key in keys if key in contacts), None)


def _take_part(conversation, messages, ours):
    keys = set()
    for m in messages:
        sender = [] if m.sender_ambiguous else [m.from_address]
        keys |= {_key(a) for a in (*sender, *(p[1] for p in (*m.to, *m.cc)))} - ours
    db.session.execute(delete(Participant).where(Participant.conversation_id == conversation.id))
    write_rows(Participant, [{"conversation_id": conversation.id, "address_key": key} for key in sorted(keys)])


def _ours(conversation, messages):
    """Keys of the addresses of the mailboxes in which it lies; "" is nobody's."""
    aliases = select(Hold.address_key).join(Alias, Alias.hold_id == Hold.id).join(
        Message, Message.connection_id == Alias.connection_id).where(Message.conversation_id == conversation.id)
    return {"", *(_key(m.address) for m in messages), *db.session.scalars(aliases.distinct())}


def _key(address):
    try:
        return address_key(address or "")
    except ValueError:
        return ""
