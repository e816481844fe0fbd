"""Which conversation a message belongs to: by Message-ID both ways, never by subject, and only if its sender may.

Mail arrives newest first during the first sync, so a child is often here before its parent: every Message-ID that a
message mentions is remembered as a key of its conversation, and the parent finds it by its own.
"""

import re
from dataclasses import dataclass, field
from datetime import timedelta

from flask import current_app
from sqlalchemy import delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from webapp.actions.contacts import contacts_by_key, create_contact
from webapp.extensions import db
from webapp.live import announce
from webapp.mail.address import address_key
from webapp.mail.compose import is_ours
from webapp.mail.types import Fetched
from webapp.models import Conversation, Draft, Event, Message, Outbox, Participant, Seen, ThreadKey
from webapp.models.inbox import is_member
from webapp.rules.access import may_act_in_inbox
from webapp.rules.threading import ids_of, may_join

RECENT = timedelta(days=30)   # imported mail newer than this opens a conversation, older is history
_PREFIX = re.compile(r"^\s*((re|fwd?|odp|aw|wg|sv|pd)\s*(\[\d+\])?\s*:\s*)+", re.IGNORECASE)
_OUR_ID = re.compile(rb"(?im)^(?:message-id|in-reply-to|references):[^\r\n]*?<([^<>\s]{10,400})>")


@dataclass
class Desk:
    """What is known of the conversations that a batch touches, read once for all of it, and what is to be written."""

    inbox_id: int
    own: str                                             # our own address key
    keys: dict = field(default_factory=dict)             # Message-ID -> Conversation
    mentioned: set = field(default_factory=set)          # the keys whose own mail is not here
    participants: dict = field(default_factory=dict)     # Conversation -> set of address keys
    contacts: dict = field(default_factory=dict)         # address key -> Contact
    # Not written yet: a statement for a whole batch costs little more than one for a single message.
    filed: list = field(default_factory=list)            # (Message, Conversation)
    new_keys: dict = field(default_factory=dict)         # Message-ID -> (Conversation, is it the mail's own)
    new_participants: list = field(default_factory=list)  # (Conversation, address key)
    possible: list = field(default_factory=list)         # (Conversation, the one that it refers to and may not join)


def file(connection, fresh):
    """Put new messages of a team address into conversations. `fresh`: (Message, Parsed, item) triples."""
    desk = _desk(connection, fresh)
    known = {c.id for c in desk.keys.values()}
    for message, parsed, item in fresh:
        _file_one(connection, desk, message, parsed, item)
    _write(desk)
    announce(f"inbox-{desk.inbox_id}")
    touched = {m.conversation_id for m, _p, _i in fresh}
    announce(*(f"conversation-{i}" for i in sorted(touched & known)))    # nobody looks at a new one yet


def file_unreadable(connection, message):
    """A message that nobody can read still gets a conversation, where it can be downloaded."""
    conversation = _open(connection, message)
    db.session.flush()
    message.conversation_id = conversation.id
    _count_in(conversation, message, seen=False)
    _announce(conversation)


def file_own(conversation, message):
    """A reply that was just written here: no look-up, its conversation is known."""
    desk = Desk(conversation.inbox_id, "", filed=[(message, conversation)])
    _remember_ids(desk, conversation, ids_of(message.message_id, (), message.references), message.message_id)
    _remember_participants(desk, conversation, {_key(a) for _n, a in message.to + message.cc} - {""})
    _write(desk)
    _count_in(conversation, message, seen=True)
    _announce(conversation)


def is_our_id(message_id):
    return is_ours(message_id, current_app.config["SECRET_KEY"].encode())


def base_subject(subject):
    return _PREFIX.sub("", subject).strip()


def _desk(connection, fresh):
    desk = Desk(connection.inbox_id, _key(connection.address))
    ids = {i for m, p, item in fresh for i in _ids(m, p, item)}
    rows = db.session.execute(select(ThreadKey.message_id, ThreadKey.conversation_id, ThreadKey.own).where(
        ThreadKey.inbox_id == connection.inbox_id, ThreadKey.message_id.in_(ids))).all()
    wanted = {conversation_id for _message_id, conversation_id, _own in rows}
    if wanted:
        found = {c.id: c for c in db.session.scalars(select(Conversation).where(Conversation.id.in_(wanted)))}
        desk.keys = {message_id: found[conversation_id] for message_id, conversation_id, _own in rows}
        desk.mentioned = {message_id for message_id, _conversation_id, own in rows if not own}
        for conversation_id, key in db.session.execute(select(Participant.conversation_id, Participant.address_key)
                                                       .where(Participant.conversation_id.in_(wanted))):
            desk.participants.setdefault(found[conversation_id], set()).add(key)
    desk.contacts = contacts_by_key({_key(p.sender.address) for _m, p, _i in fresh if p.sender} - {""})
    return desk


def _file_one(connection, desk, message, parsed, item):
    sender = _key(parsed.sender.address) if parsed.sender and not parsed.sender_ambiguous else None
    ids = _ids(message, parsed, item)
    ours = [i for i in ids if i != parsed.message_id and is_our_id(i)] if parsed.bounce else []
    wanted = list(dict.fromkeys(desk.keys[i] for i in ours or ids if i in desk.keys))
    # A delivery report may join only by a Message-ID that we minted: a stranger cannot make one up.
    allowed = [c for c in wanted if may_join(sender, message.outgoing or bool(ours), desk.participants.get(c, ()))]
    if allowed:
        conversation = _merge(desk, allowed)
    else:
        conversation = _open(connection, message)
        desk.possible += [(conversation, other) for other in wanted[:1]]
    desk.filed.append((message, conversation))
    others = {_key(m.address) for m in (*parsed.to, *parsed.cc)} | ({sender} if sender else set())
    _remember_participants(desk, conversation, others - {"", desk.own})
    _remember_ids(desk, conversation, ids if allowed or not wanted else ids[:1], message.message_id)
    _meet_contact(desk, conversation, message, parsed, sender)
    _count_in(conversation, message, seen="\\Seen" in item.flags)


def _write(desk):
    """Put into the database what the desk holds. Conversations first: they get their numbers."""
    db.session.flush()
    for message, conversation in desk.filed:
        message.conversation_id = conversation.id
    for conversation, other in desk.possible:
        conversation.possible_reply_to_id = other.id
    for is_own in (True, False):
        rows = [{"inbox_id": desk.inbox_id, "message_id": message_id[:998], "conversation_id": conversation.id,
                 "own": own} for message_id, (conversation, own) in desk.new_keys.items() if own == is_own]
        if rows:
            db.session.execute(_insert_key(is_own), rows)
    if desk.new_participants:
        db.session.execute(_insert(Participant).on_conflict_do_nothing(), [
            {"conversation_id": conversation.id, "address_key": key} for conversation, key in desk.new_participants])
    desk.filed, desk.possible, desk.new_keys, desk.new_participants = [], [], {}, []


def _ids(message, parsed, item):
    ids = ids_of(parsed.message_id, parsed.in_reply_to, parsed.references)
    if parsed.bounce and isinstance(item, Fetched):   # a report names our message inside, not in its own header
        ids += [i for i in (m.decode("ascii", "replace") for m in _OUR_ID.findall(item.raw)) if is_our_id(i)]
    return list(dict.fromkeys(ids))


def _open(connection, message):
    recent = message.at > connection.created_at - RECENT
    conversation = Conversation(inbox_id=connection.inbox_id, subject=base_subject(message.subject),
                                status="open" if recent else "closed", opened_at=message.at, last_at=message.at,
                                message_count=0, last_in_id=0, who=_who(message), has_attachments=False)
    db.session.add(conversation)
    return conversation


def _merge(desk, allowed):
    """The conversation to join. Two that a missing message now ties together become one, unless people have worked
    in the second already."""
    keep, *others = allowed
    if others:
        _write(desk)
    for other in others:
        if _worked_in(other.id):
            continue
        for model in (Message, ThreadKey):
            db.session.execute(update(model).where(model.conversation_id == other.id)
                               .values(conversation_id=keep.id))
        db.session.execute(update(Conversation).where(Conversation.possible_reply_to_id == other.id)
                           .values(possible_reply_to_id=keep.id))
        _remember_participants(desk, keep, desk.participants.pop(other, set()))
        desk.keys = {i: keep if c is other else c for i, c in desk.keys.items()}
        _absorb(keep, other)
        for model in (Participant, Seen):
            db.session.execute(delete(model).where(model.conversation_id == other.id))
        db.session.flush()
        db.session.delete(other)
        db.session.flush()
    return keep


def _worked_in(conversation_id):
    return any(db.session.scalar(select(model.conversation_id).where(model.conversation_id == conversation_id).limit(1))
               for model in (Event, Draft)) or db.session.scalar(
        select(Outbox.id).join(Message, Outbox.message_id == Message.id)
        .where(Message.conversation_id == conversation_id).limit(1))


def _absorb(keep, other):
    keep.message_count += other.message_count
    keep.has_attachments = keep.has_attachments or other.has_attachments
    keep.last_in_id = max(keep.last_in_id, other.last_in_id)
    keep.contact_id = keep.contact_id or other.contact_id
    if other.opened_at < keep.opened_at:
        keep.opened_at, keep.subject = other.opened_at, other.subject
    if other.last_at > keep.last_at:
        keep.last_at, keep.last_snippet, keep.last_outgoing = other.last_at, other.last_snippet, other.last_outgoing
    if "open" in (keep.status, other.status):
        keep.status = "open"


def _count_in(conversation, message, seen):
    conversation.message_count += 1
    conversation.has_attachments = conversation.has_attachments or message.has_attachments
    if message.at <= conversation.opened_at:
        conversation.opened_at, conversation.subject = message.at, base_subject(message.subject)
    if message.at >= conversation.last_at or conversation.message_count == 1:
        conversation.last_at, conversation.last_outgoing = message.at, message.outgoing
        conversation.last_snippet = message.snippet
        if not message.outgoing and message.from_address and not message.bounce:
            conversation.who = _who(message)
    if not message.outgoing:
        if not seen:
            conversation.last_in_id = max(conversation.last_in_id, message.id)
        _reopen(conversation, message)


def _reopen(conversation, message):
    """New mail opens a closed conversation again; history that is only now read does not, nor does a robot,
    unless it reports that our answer did not arrive."""
    wakes = message.bounce or not message.auto
    if conversation.status == "closed" and wakes and message.at > message.connection.created_at:
        conversation.status = "open"
        if conversation.assignee is not None and not _may_still_act(conversation.assignee, conversation.inbox):
            conversation.assignee = None        # whoever had it is gone: somebody else sees it among the unassigned
        db.session.flush()
        db.session.add(Event(conversation_id=conversation.id, kind="reopened_by_mail", at=message.at))


def _may_still_act(person, inbox):
    member = bool(db.session.scalar(select(is_member(person.id, inbox.id))))
    return person.state == "active" and may_act_in_inbox(person.role, inbox.access, member)


def _meet_contact(desk, conversation, message, parsed, sender):
    if message.outgoing or not sender or sender == desk.own or message.bounce:
        return
    if sender not in desk.contacts:
        desk.contacts[sender] = create_contact(parsed.sender.name, parsed.sender.address, sender)
    if conversation.contact_id is None and conversation.contact is None:
        conversation.contact = desk.contacts[sender]


def _remember_ids(desk, conversation, ids, own):
    """A mail's own Message-ID is its conversation's. One that is only mentioned belongs to whoever mentions it first,
    until its own mail comes: a stranger who was read before the mail that he refers to takes nothing over."""
    for message_id in ids:
        is_own = message_id == own
        if message_id not in desk.keys or is_own and message_id in desk.mentioned:
            desk.keys[message_id], desk.new_keys[message_id] = conversation, (conversation, is_own)
            (desk.mentioned.discard if is_own else desk.mentioned.add)(message_id)


def _insert_key(is_own):
    insert = _insert(ThreadKey)
    if not is_own:
        return insert.on_conflict_do_nothing()
    return insert.on_conflict_do_update(
        index_elements=["inbox_id", "message_id"], where=ThreadKey.own.is_(False),
        set_={"own": True, "conversation_id": insert.excluded.conversation_id})


def _remember_participants(desk, conversation, keys):
    known = desk.participants.setdefault(conversation, set())
    new = sorted(keys - known)[:500]
    desk.new_participants += [(conversation, key) for key in new]
    known.update(new)


def _insert(model):
    return (postgresql if db.session.get_bind().dialect.name == "postgresql" else sqlite).insert(model)


def _who(message):
    if message.outgoing:
        name, address = message.to[0] if message.to else ("", "")
    else:
        name, address = message.from_name, message.from_address
    return name or address


def _key(address):
    try:
        return address_key(address)
    except ValueError:
        return ""


def _announce(conversation):
    announce(f"inbox-{conversation.inbox_id}", f"conversation-{conversation.id}")
