"""Which conversation a message belongs to: by Message-ID both ways, never by subject, and only if its sender may.

Mail arrives newest first during the first sync, so a child is often here before its parent: every Message-ID that a
message mentions is remembered as a key of its conversation, and the parent finds it by its own.
"""

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from flask import current_app
from sqlalchemy import case, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from webapp.actions.contacts import Contacts
from webapp.extensions import db
from webapp.live import announce
from webapp.mail.address import address_key
from webapp.mail.compose import is_ours
from webapp.mail.types import Fetched
from webapp.models import Conversation, Draft, Event, Message, Outbox, Participant, Seen, ThreadKey
from webapp.models.inbox import is_member
from webapp.models.rows import Row, next_ids, write_rows
from webapp.rules.access import may_act_in_inbox
from webapp.rules.threading import ids_of, may_join

OURS = ""                     # the sender of what we wrote, as a key
RECENT = timedelta(days=30)   # imported mail newer than this opens a conversation, older is history
_PREFIX = re.compile(r"^\s*((re|fwd?|odp|aw|wg|sv|pd)\s*(\[\d+\])?\s*:\s*)+", re.IGNORECASE)
_OUR_ID = re.compile(rb"(?im)^(?:message-id|in-reply-to|references):[^\r\n]*?<([^<>\s]{10,400})>")


@dataclass
class Desk:
    """What is known of the conversations that a batch touches, read once for all of it, and what is to be written.

    A conversation is a Conversation when it is stored already, a Row when this batch opens it.
    """

    inbox_id: int
    own: str                                             # our own address key
    since: datetime                                      # mail from before is history
    known_until: datetime | None = None                  # the server numbered its mail anew: the same for what is older
    keys: dict = field(default_factory=dict)             # Message-ID -> conversation
    mentioned: set = field(default_factory=set)          # the keys whose own mail is not here
    participants: dict = field(default_factory=dict)     # conversation id -> set of address keys
    senders: dict = field(default_factory=dict)          # conversation id -> set of address keys, OURS among them
    refused: dict = field(default_factory=dict)          # conversation id -> those that refer to it and may not join
    gone: set = field(default_factory=set)               # merged into another
    contacts: Contacts | None = None
    ids: list = field(default_factory=list)              # for conversations to open, ascending
    # Not written yet: a statement for a whole batch costs little more than one for a single message.
    opened: dict = field(default_factory=dict)           # conversation id -> Row
    filed: list = field(default_factory=list)            # (message, conversation)
    new_keys: dict = field(default_factory=dict)         # Message-ID -> (conversation, is it the mail's own)
    new_participants: list = field(default_factory=list)  # (conversation, address key)
    possible: dict = field(default_factory=dict)         # conversation -> the one that it refers to and may not join
    events: list = field(default_factory=list)           # Row each, of Event


def file(connection, fresh):
    """Put new messages of a team address into conversations: sets `conversation_id`. `fresh`: (Row of Message, Parsed,
    item) triples; the rows are written afterwards."""
    desk = _desk(connection, fresh)
    desk.known_until = connection.history_until
    known = {c.id for c in desk.keys.values()}
    with db.session.no_autoflush:       # what is changed may name rows that are not written yet
        for message, parsed, item in fresh:
            _file_one(desk, message, parsed, item)
        _write(desk)
    announce(f"inbox-{desk.inbox_id}")
    touched = {m.conversation_id for m, _p, _i in fresh}
    announce(*(f"conversation-{i}" for i in sorted(touched & known)))    # nobody looks at a new one yet


def file_unreadable(connection, message):
    """A message that nobody can read still gets a conversation, where it can be downloaded."""
    desk = Desk(connection.inbox_id, "", connection.created_at, connection.history_until, ids=next_ids(Conversation, 1))
    conversation = _open(desk, message)
    desk.filed.append((message, conversation))
    _count_in(desk, conversation, message, seen=False)
    _write(desk)
    _announce(conversation)


def file_own(conversation, message):
    """A reply that was just written here: no look-up, its conversation is known."""
    desk = Desk(conversation.inbox_id, "", message.connection.created_at, filed=[(message, conversation)])
    _remember_ids(desk, conversation, ids_of(message.message_id, (), message.references), message.message_id)
    _remember_participants(desk, conversation, {_key(a) for _n, a in message.to + message.cc} - {""})
    _count_in(desk, conversation, message, seen=True)
    _write(desk)
    _announce(conversation)


def is_our_id(message_id):
    return is_ours(message_id, current_app.config["SECRET_KEY"].encode())


def base_subject(subject):
    return _PREFIX.sub("", subject).strip()


def _desk(connection, fresh):
    desk = Desk(connection.inbox_id, _key(connection.address), connection.created_at,
                ids=next_ids(Conversation, len(fresh)))
    ids = {i for m, p, item in fresh for i in _ids(m, p, item)}
    rows = db.session.execute(select(ThreadKey.message_id, ThreadKey.conversation_id, ThreadKey.own).where(
        ThreadKey.inbox_id == connection.inbox_id, ThreadKey.message_id.in_(ids))).all()
    wanted = {conversation_id for _message_id, conversation_id, _own in rows}
    if wanted:
        found = {c.id: c for c in db.session.scalars(select(Conversation).where(
            Conversation.id.in_(wanted) | Conversation.possible_reply_to_id.in_(wanted)))}
        for conversation in found.values():
            desk.refused.setdefault(conversation.possible_reply_to_id, []).append(conversation)
        desk.keys = {message_id: found[conversation_id] for message_id, conversation_id, _own in rows}
        desk.mentioned = {message_id for message_id, _conversation_id, own in rows if not own}
        for conversation_id, key in db.session.execute(select(Participant.conversation_id, Participant.address_key)
                                                       .where(Participant.conversation_id.in_(found))):
            desk.participants.setdefault(conversation_id, set()).add(key)
        answers = {c for _m, c, own in rows if not own} | found.keys() - wanted
        for conversation_id, address, ours in db.session.execute(
                select(Message.conversation_id, Message.from_address, Message.outgoing).distinct().where(
                    Message.conversation_id.in_(answers), ~Message.sender_ambiguous)):
            desk.senders.setdefault(conversation_id, set()).add(OURS if ours else _key(address))
    desk.contacts = Contacts({_key(p.sender.address) for _m, p, _i in fresh if p.sender} - {""})
    return desk


def _file_one(desk, message, parsed, item):
    sender = _key(parsed.sender.address) if parsed.sender and not parsed.sender_ambiguous else None
    ids = _ids(message, parsed, item)
    ours = [i for i in ids if i != parsed.message_id and is_our_id(i)] if parsed.bounce else []
    answers = desk.keys[message.message_id] if message.message_id in desk.mentioned else None
    wanted = list(dict.fromkeys(desk.keys[i] for i in ours or ids
                                if i in desk.keys and not (answers and i == message.message_id)))
    others = {_key(m.address) for m in (*parsed.to, *parsed.cc)} - {"", desk.own} | ({sender} if sender else set())
    named = {desk.keys[i] for i in ids if i in desk.keys and i not in desk.mentioned}
    # A delivery report may join only by a Message-ID that we minted: a stranger cannot make one up.
    allowed = [c for c in wanted if may_join(sender, message.outgoing or bool(ours), desk.participants.get(c.id, ()))
               and (c in named or ours or desk.senders.get(c.id, set()) & (others | {OURS}))]
    if allowed:
        conversation = _merge(desk, allowed)
    else:
        conversation = _open(desk, message)
        for other in wanted[:1]:
            _refuse(desk, conversation, other)
    desk.filed.append((message, conversation))
    desk.senders.setdefault(conversation.id, set()).update({OURS} if message.outgoing else {sender} - {None})
    _remember_participants(desk, conversation, others)
    _remember_ids(desk, conversation, ids if allowed or not wanted else ids[:1], message.message_id)
    conversation = _take_answers(desk, conversation, answers)
    _meet_contact(desk, conversation, message, parsed, sender)
    _count_in(desk, conversation, message, seen="\\Seen" in item.flags)


def _take_answers(desk, conversation, answers):
    """Mail that refers to this message may have been read before it, and mail from somebody who takes part only now may
    have been refused: it joins, as it would have in another order. `answers`: whoever mentions this message first, or
    None. Returns the conversation, which is another one when that one is older."""
    tried = []          # one that people have worked in stays where it is
    while joining := [c for c in _waiting(desk, conversation, answers)
                      if c not in tried and _answer_joins(desk, c, conversation)]:
        tried.append(joining[0])
        conversation = _merge(desk, [conversation, joining[0]])
    if answers is not None and answers is not conversation and answers not in desk.gone:
        _refuse(desk, answers, conversation)
    return conversation


def _waiting(desk, conversation, answers):
    if answers is not None:
        yield answers
        yield from desk.refused.get(answers.id, ())
    yield from desk.refused.get(conversation.id, ())


def _answer_joins(desk, answer, conversation):
    if answer is conversation or answer in desk.gone:
        return False
    participants = desk.participants.get(conversation.id, ())
    return any(may_join(key, key == OURS, participants) for key in desk.senders.get(answer.id, ()))


def _refuse(desk, conversation, other):
    desk.possible[conversation] = other
    desk.refused.setdefault(other.id, []).append(conversation)


def _write(desk):
    """Put into the database what the desk holds."""
    if desk.contacts:
        desk.contacts.write()
    write_rows(Conversation, list(desk.opened.values()))
    for message, conversation in desk.filed:
        message.conversation_id = conversation.id
    if desk.possible:
        db.session.execute(update(Conversation), [
            {"id": conversation.id, "possible_reply_to_id": other.id} for conversation, other in desk.possible.items()])
    for is_own in (True, False):
        rows = [{"inbox_id": desk.inbox_id, "message_id": message_id[:998], "conversation_id": conversation.id,
                 "own": own} for message_id, (conversation, own) in desk.new_keys.items() if own == is_own]
        if rows:
            db.session.execute(_insert_key(is_own), rows)
    if desk.new_participants:
        db.session.execute(_insert(Participant).on_conflict_do_nothing(), [
            {"conversation_id": conversation.id, "address_key": key} for conversation, key in desk.new_participants])
    write_rows(Event, desk.events)
    db.session.flush()


def _ids(message, parsed, item):
    ids = ids_of(parsed.message_id, parsed.in_reply_to, parsed.references)
    if parsed.bounce and isinstance(item, Fetched):   # a report names our message inside, not in its own header
        ids += [i for i in (m.decode("ascii", "replace") for m in _OUR_ID.findall(item.raw)) if is_our_id(i)]
    return list(dict.fromkeys(ids))


def _open(desk, message):
    recent = message.at > desk.since - RECENT and not _looked_at(desk, message)
    conversation = Row(id=desk.ids.pop(0), inbox_id=desk.inbox_id, subject=base_subject(message.subject),
                       status="open" if recent else "closed", assignee_id=None, contact_id=None, opened_at=message.at,
                       last_at=message.at, last_outgoing=False, last_snippet="", who=_who(message), message_count=0,
                       has_attachments=False, last_in_id=0, possible_reply_to_id=None)
    desk.opened[conversation.id] = conversation
    return conversation


def _merge(desk, allowed):
    """The conversation to join. Two that a missing message now ties together become one, unless people have worked
    in the second already. What is stored stays: only what this batch opened can go without a trace."""
    keep, *others = sorted(allowed, key=lambda c: c.id in desk.opened)
    for other in others:
        is_stored = other.id not in desk.opened
        if is_stored and _worked_in(other.id):
            continue
        desk.gone.add(other)
        _absorb(keep, other)
        _give_unwritten(desk, other, keep)
        if is_stored:
            _give_stored(other, keep)
        else:
            del desk.opened[other.id]
    return keep


def _give_unwritten(desk, other, keep):
    desk.filed = [(message, keep if c is other else c) for message, c in desk.filed]
    desk.keys = {i: keep if c is other else c for i, c in desk.keys.items()}
    desk.new_keys = {i: (keep if c is other else c, own) for i, (c, own) in desk.new_keys.items()}
    desk.possible = {c: keep if target is other else target for c, target in desk.possible.items()
                     if c is not other and not (c is keep and target is other)}
    desk.refused = {i: [c for c in waiting if c is not other] for i, waiting in desk.refused.items()}
    desk.refused.setdefault(keep.id, []).extend(c for c in desk.refused.pop(other.id, ()) if c is not keep)
    desk.new_participants = [(c, key) for c, key in desk.new_participants if c is not other]
    for event in desk.events:
        event.conversation_id = keep.id if event.conversation_id == other.id else event.conversation_id
    _remember_participants(desk, keep, desk.participants.pop(other.id, set()))
    desk.senders.setdefault(keep.id, set()).update(desk.senders.pop(other.id, ()))


def _give_stored(other, keep):
    for model in (Message, ThreadKey):
        db.session.execute(update(model).where(model.conversation_id == other.id).values(conversation_id=keep.id))
    db.session.execute(update(Conversation).where(Conversation.possible_reply_to_id == other.id).values(
        possible_reply_to_id=case((Conversation.id == keep.id, None), else_=keep.id)))
    for model in (Participant, Seen):
        db.session.execute(delete(model).where(model.conversation_id == other.id))
    db.session.expunge(other)
    db.session.execute(delete(Conversation).where(Conversation.id == other.id))


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


def _looked_at(desk, message):
    """Was it there when we looked, before the server numbered its mail anew? Then nobody hears of it again."""
    return desk.known_until is not None and message.at <= desk.known_until


def _count_in(desk, conversation, message, seen):
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
        if not seen and not _looked_at(desk, message):
            conversation.last_in_id = max(conversation.last_in_id, message.id)
        _reopen(desk, conversation, message)


def _reopen(desk, conversation, message):
    """New mail opens a closed conversation again; history that is only now read does not, nor does a robot,
    unless it reports that our answer did not arrive."""
    wakes = message.bounce or not message.auto
    if conversation.status == "closed" and wakes and message.at > desk.since and not _looked_at(desk, message):
        conversation.status = "open"
        if conversation.assignee_id and not _may_still_act(conversation.assignee, conversation.inbox):
            conversation.assignee = None        # whoever had it is gone: somebody else sees it among the unassigned
        desk.events.append(Row(conversation_id=conversation.id, kind="reopened_by_mail", actor_id=None, facts={},
                               at=message.at))


def _may_still_act(person, inbox):
    member = bool(db.session.scalar(select(is_member(person.id, inbox.id))))
    return person.state == "active" and may_act_in_inbox(person.role, inbox.access, member)


def _meet_contact(desk, conversation, message, parsed, sender):
    if message.outgoing or not sender or sender == desk.own or message.bounce:
        return
    contact_id = desk.contacts.meet(sender, parsed.sender)
    if conversation.contact_id is None:
        conversation.contact_id = contact_id


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
    known = desk.participants.setdefault(conversation.id, set())
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
