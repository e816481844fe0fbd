"""Which conversation a message belongs to: by Message-ID both ways, never by subject, and only if its sender may.

Mail arrives newest first during the first sync, so a child is often here before its parent: every Message-ID that a
message mentions is remembered as a key of its conversation, and the parent finds it by its own. Whom rules.threading
refuses is found again by the same keys when somebody new takes part: the order in which mail is read does not matter,
unless people have worked in a conversation. Then it stays as they left it.
"""

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

from flask import current_app
from sqlalchemy import case, delete, func, literal, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import aliased

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
from webapp.rules.threading import NOBODY, OURS, REPLY_TO, REPORT, Says, ids_of, ties

RECENT = timedelta(days=30)   # imported mail newer than this opens a conversation, older is history
# What is looked at for a batch, against floods of mail that refers to one that somebody knows: of each Message-ID the
# oldest mails and the newest mentions, so many keys of all, and so many refused conversations that may join now. Beyond
# that, what was refused stays so, until somebody puts it together by hand.
MOST_OF_ONE, MOST_OF_ALL, MOST_ASKED = 200, 20_000, 200
SPEAKING = (Message.message_id, Message.references, Message.outgoing, Message.bounce, Message.sender_ambiguous,
            Message.from_address, Message.reply_to)       # what `keys_of` asks
_PREFIX = re.compile(r"^\s*((re|fwd?|odp|aw|wg|sv|pd)\s*(\[\d+\])?\s*:\s*)+", re.IGNORECASE)
_OUR_ID = re.compile(rb"(?im)^(?:message-id|in-reply-to|references):[^\r\n]*?<([^<>\s]{10,400})>")


class _Key(NamedTuple):
    message_id: str
    conversation_id: int
    own: bool
    by: str


@dataclass
class Desk:
    """What is known of the conversations that a batch touches, read once for all of it, and what is to be written.

    A conversation is a Conversation when it is stored already, a Row when this batch opens it.
    """

    inbox_id: int
    own: str                                             # our own address key
    since: datetime                                      # mail from before is history
    known_until: datetime | None = None                  # the server numbered its mail anew: the same for what is older
    found: dict = field(default_factory=dict)            # conversation id -> conversation
    says: dict = field(default_factory=dict)             # Message-ID -> {conversation id: set of Says}
    speaking: dict = field(default_factory=dict)         # (Message-ID, by, or None: its own mail) -> set of these ids
    keys: dict = field(default_factory=dict)             # conversation id -> set of the Message-IDs in `says`
    shared: set = field(default_factory=set)             # Message-IDs that several conversations speak of
    participants: dict = field(default_factory=dict)     # conversation id -> set of address keys
    grown: dict = field(default_factory=dict)            # stored conversation's id -> address keys that are new there
    into: dict = field(default_factory=dict)             # conversation id -> the one that it was merged into
    worked: dict = field(default_factory=dict)           # conversation id -> have people worked in it
    stays: object = None                                 # a conversation that is merged into no other
    contacts: Contacts | None = None
    ids: list = field(default_factory=list)              # for conversations to open, ascending
    # Not written yet: a statement for a whole batch costs little more than one for a single message.
    opened: dict = field(default_factory=dict)           # conversation id -> Row
    filed: list = field(default_factory=list)            # (message, conversation)
    new_keys: list = field(default_factory=list)         # (conversation, Message-ID, Says)
    new_participants: list = field(default_factory=list)  # (conversation, address key)
    possible: dict = field(default_factory=dict)         # conversation -> the one that it refers to and may not join
    events: list = field(default_factory=list)           # Row each, of Event


def file(connection, fresh):
    """Put new messages of a team address into conversations: sets `conversation_id`. `fresh`: (Row of Message, Parsed,
    item) triples; the rows are written afterwards."""
    desk = _desk(connection, fresh)
    desk.known_until = connection.history_until
    with db.session.no_autoflush:       # what is changed may name rows that are not written yet
        for message, parsed, item in fresh:
            _file_one(desk, message, parsed, item)
        _ask_again(desk)
        _write(desk)
    announce(f"inbox-{desk.inbox_id}")
    touched = {m.conversation_id for m, _p, _i in fresh}
    announce(*(f"conversation-{i}" for i in sorted(touched - set(desk.opened))))    # nobody looks at a new one yet


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
    _remember_keys(desk, conversation, keys_of(message, ids_of(message.message_id, (), message.references)))
    _remember_participants(desk, conversation, {_key(a) for _n, a in message.to + message.cc} - {""})
    _count_in(desk, conversation, message, seen=True)
    _write(desk)
    _announce(conversation)


def file_again(message, parsed, item):
    """A mail that could not be read before: its conversation learns what it says. It stays there, for people may have
    worked on it; where it seems to belong is said. Answers to it that wait elsewhere join, as they would have."""
    conversation = message.conversation
    desk = _desk(message.connection, [(message, parsed, item)])
    with db.session.no_autoflush:
        desk.stays = desk.found[conversation.id] = conversation
        sender = _key(parsed.sender.address) if parsed.sender and not parsed.sender_ambiguous else None
        ids = _ids(message, parsed, item)
        message.references = _mentioned(ids, message)
        keys = keys_of(message, ids)
        elsewhere = [c for i, says in keys if not says.own for c in _owners_first(desk, i) if c is not conversation]
        for other in elsewhere[:1]:
            _refuse(desk, conversation, other)
        _remember_participants(desk, conversation, _taking_part(desk, parsed, sender))
        _remember_keys(desk, conversation, [k for k in keys if k[1].own or not elsewhere])
        _settle(desk, conversation)
        _ask_again(desk)
        _name_refused(desk, conversation, message.message_id)
        _meet_contact(desk, conversation, message, parsed, sender)
        _learn(conversation, message)
        _write(desk)
    _announce(conversation)


def _learn(conversation, message):
    """What the lists show, of a message that was counted in before anybody knew what it says."""
    conversation.has_attachments = conversation.has_attachments or message.has_attachments
    if message.at <= conversation.opened_at:
        conversation.subject = base_subject(message.subject)
    if message.at >= conversation.last_at:
        conversation.last_snippet = message.snippet
    _meet_customer(conversation, message)


def is_from(parsed, address):
    """Does it say that this address alone wrote it?"""
    return bool(parsed.sender) and not parsed.sender_ambiguous and _key(parsed.sender.address) == _key(address)


def is_our_id(message_id):
    return is_ours(message_id, current_app.config["SECRET_KEY"].encode())


def base_subject(subject):
    return _PREFIX.sub("", subject).strip()


def keys_of(message, ids):
    """[(Message-ID, Says)] of a mail, what it mentions first, the nearest of that first. `ids`: its own and those."""
    sender = "" if message.sender_ambiguous else _key(message.from_address or "")
    by = OURS if message.outgoing else sender or NOBODY
    keys = []
    for i in ids:
        minted = is_our_id(i)
        # Nobody else has an id that we minted: his mail mentions ours.
        own = i == message.message_id and (message.outgoing or not minted)
        keys.append((i[:998], Says(own, by)))
        if minted and message.bounce and i != message.message_id:
            keys.append((i[:998], Says(False, REPORT)))
        if own and not message.outgoing:
            keys += [(i[:998], Says(True, REPLY_TO + key)) for key in _answers_go_to(message) - {sender}]
    return sorted(keys, key=lambda k: k[0] == message.message_id)


def _answers_go_to(message):
    return {_key(address) for _name, address in (message.reply_to or ())[:5]} - {""}


def _desk(connection, fresh):
    desk = Desk(connection.inbox_id, _key(connection.address), connection.created_at,
                ids=next_ids(Conversation, len(fresh)))
    ids = {i[:998] for m, p, item in fresh for i in _ids(m, p, item)}
    _know(desk, _speaking_of, ids)
    desk.contacts = Contacts({_key(p.sender.address) for _m, p, _i in fresh if p.sender} - {""})
    return desk


def _speaking_of(inbox_id, ids):
    """Rows of the keys with these Message-IDs."""
    newest = case((ThreadKey.own, ThreadKey.conversation_id), else_=-ThreadKey.conversation_id)
    place = func.row_number().over(partition_by=ThreadKey.message_id, order_by=(ThreadKey.own.desc(), newest))
    keys = select(ThreadKey, place.label("place")).where(
        ThreadKey.inbox_id == inbox_id, ThreadKey.message_id.in_(ids)).subquery()
    return db.session.execute(select(keys.c.message_id, keys.c.conversation_id, keys.c.own, keys.c.by).where(
        keys.c.place <= MOST_OF_ONE).order_by(keys.c.place).limit(MOST_OF_ALL)).all()


def _know(desk, read, what):
    """Put keys on the desk with their conversations, locked, and who takes part there."""
    found = {}
    for _attempt in range(3):
        rows = read(desk.inbox_id, what)
        wanted = {row.conversation_id for row in rows} - set(desk.found)
        if not wanted:
            break
        # Locked: whoever assigns, splits or merges meanwhile waits, and no count is lost.
        found = {c.id: c for c in db.session.scalars(select(Conversation).where(
            Conversation.id.in_(wanted), Conversation.status != "merged").order_by(Conversation.id)
            .with_for_update(key_share=True).execution_options(populate_existing=True))}
        if wanted == set(found):
            break       # else somebody has merged one since we read its keys: they are elsewhere now
    if found:
        desk.found |= found
        for conversation_id, key in db.session.execute(select(Participant.conversation_id, Participant.address_key)
                                                       .where(Participant.conversation_id.in_(found))):
            desk.participants.setdefault(conversation_id, set()).add(key)
    for row in rows:
        if row.conversation_id in desk.found and row.conversation_id not in desk.into:
            _say(desk, row.conversation_id, row.message_id, Says(row.own, row.by))


def _say(desk, conversation_id, message_id, says):
    """Is it new?"""
    all_says = desk.says.setdefault(message_id, {})
    known = all_says.setdefault(conversation_id, set())
    if says in known:
        return False
    known.add(says)
    desk.speaking.setdefault((message_id, None if says.own else says.by), set()).add(conversation_id)
    desk.keys.setdefault(conversation_id, set()).add(message_id)
    if len(all_says) > 1:
        desk.shared.add(message_id)
    return True


def _file_one(desk, message, parsed, item):
    sender = _key(parsed.sender.address) if parsed.sender and not parsed.sender_ambiguous else None
    ids = _ids(message, parsed, item)
    others = _taking_part(desk, parsed, sender)
    message.references = _mentioned(ids, message)
    keys = keys_of(message, ids)
    conversation = _place_of(desk, keys, others)
    if conversation is None:
        conversation = _open(desk, message)
        # Who mentions this mail waits for it, not it for him.
        other = next((c for i, says in keys for c in _owners_first(desk, i) if not says.own or _owns(desk, c, i)), None)
        if other:
            _refuse(desk, conversation, other)
    desk.filed.append((message, conversation))
    _remember_participants(desk, conversation, others)
    _remember_keys(desk, conversation, keys)
    conversation = _settle(desk, conversation)
    _name_refused(desk, conversation, message.message_id)
    _meet_contact(desk, conversation, message, parsed, sender)
    _count_in(desk, conversation, message, seen="\\Seen" in item.flags)


def _place_of(desk, keys, others):
    """Where a new mail goes: to the nearest that it answers; else to where the same is mentioned, or it is answered, or
    lies already. None: it opens a conversation."""
    def found(message_id, says, answered):
        return (other for other in _able(desk, message_id, others) for theirs in desk.says[message_id][other.id]
                if (theirs.own and not says.own) is answered
                and ties(says, theirs, others, desk.participants.get(other.id, ())))
    return next((other for answered in (True, False) for key in keys for other in found(*key, answered)), None)


def _able(desk, message_id, participants):
    """The conversations that `ties` could tie by this Message-ID to one where these take part, the oldest first: of a
    thousand strangers' who mention it, none."""
    speaking = (desk.speaking.get((message_id, by), ()) for by in (None, OURS, REPORT, *participants))
    return [desk.found[i] for i in sorted(set().union(*speaking), key=lambda i: (i in desk.opened, i))]


def _owners_first(desk, message_id):
    """The conversations that speak of this Message-ID: those with its mail first, then the oldest."""
    return [desk.found[i] for i in sorted(desk.says.get(message_id, ()), key=lambda i: (
        i not in desk.speaking.get((message_id, None), ()), i in desk.opened, i))]


def _owns(desk, conversation, message_id):
    return conversation.id in desk.speaking.get((message_id, None), ())


def _settle(desk, conversation):
    """Merge whatever is tied to this conversation, until nothing is. Returns it, or the one that it went into."""
    kept_apart = set()          # people have worked in both
    while other := next((c for c in _tied(desk, conversation) if c.id not in kept_apart), None):
        merged = _join(desk, conversation, other)
        if merged is None:
            kept_apart.add(other.id)
        conversation = merged or conversation
    return conversation


def _tied(desk, conversation):
    here = desk.participants.get(conversation.id, ())
    for message_id in sorted(desk.keys.get(conversation.id, set()) & desk.shared):
        for other in _able(desk, message_id, here):
            if other is not conversation and _are_tied(desk, message_id, conversation, other):
                yield other


def _ask_again(desk):
    """Who takes part in a stored conversation since this batch may have been refused there before: his mail that speaks
    of the same as mail there is looked for, and may bring others who take part."""
    before = len(desk.found)
    while desk.grown and len(desk.found) < before + MOST_ASKED:
        grown, desk.grown = desk.grown, {}
        _know(desk, _neighbours, grown)
        for conversation_id in sorted(grown):
            if conversation_id not in desk.into:
                _settle(desk, desk.found[conversation_id])


def _neighbours(inbox_id, grown):
    """Rows of keys, of both sides: conversations in which the new people of these have said something of the same
    Message-ID, the newest first."""
    keys = sorted({key for new in grown.values() for key in new})[:MOST_OF_ALL // 4]     # a statement holds no more
    here, there = aliased(ThreadKey), aliased(ThreadKey)
    pairs = db.session.execute(select(
        here.message_id, here.conversation_id.label("here"), here.own.label("here_own"), here.by.label("here_by"),
        there.conversation_id, there.own, there.by).where(
        here.conversation_id.in_(grown), there.inbox_id == inbox_id, there.message_id == here.message_id,
        there.conversation_id != here.conversation_id, there.by.in_([*keys, *(REPLY_TO + k for k in keys)]))
        .order_by(there.conversation_id.desc()).limit(MOST_OF_ALL)).all()
    newest = list(dict.fromkeys(p.conversation_id for p in pairs))[:MOST_ASKED]
    pairs = [p for p in pairs if p.conversation_id in newest]
    return list(dict.fromkeys(
        [_Key(p.message_id, p.here, p.here_own, p.here_by) for p in pairs]
        + [_Key(p.message_id, p.conversation_id, p.own, p.by) for p in pairs]))


def _taking_part(desk, parsed, sender):
    """Address keys of a mail's people. We ourselves are none of them: strangers can write our address into From."""
    return ({_key(m.address) for m in (*parsed.to, *parsed.cc)} | {sender or ""}) - {"", desk.own}


def _mentioned(ids, message):
    """What goes into `references`: whatever ties the mail to others, In-Reply-To too, the nearest last."""
    return [i for i in reversed(ids) if i != message.message_id]


def _name_refused(desk, conversation, message_id):
    """Who referred to this mail before it was here, and may not join now that it is."""
    message_id = (message_id or "")[:998]
    if _owns(desk, conversation, message_id):
        for other in _owners_first(desk, message_id):
            if (other is not conversation and not _owns(desk, other, message_id)
                    and not _are_tied(desk, message_id, conversation, other)):
                _refuse(desk, other, conversation)


def _are_tied(desk, message_id, one, other):
    says = desk.says[message_id]
    with_one, with_other = (desk.participants.get(c.id, ()) for c in (one, other))
    return any(ties(a, b, with_one, with_other) for a in says[one.id] for b in says[other.id])


def _refuse(desk, conversation, other):
    """What is said of it: the first is named."""
    if conversation.possible_reply_to_id is None:
        desk.possible.setdefault(conversation, other)


def _now(desk, conversation):
    """The conversation that it has become."""
    while conversation.id in desk.into:
        conversation = desk.into[conversation.id]
    return conversation


def _write(desk):
    """Put into the database what the desk holds."""
    if desk.contacts:
        desk.contacts.write()
    write_rows(Conversation, list(desk.opened.values()))
    for message, conversation in desk.filed:
        message.conversation_id = _now(desk, conversation).id
    possible = [(conversation, _now(desk, other)) for conversation, other in desk.possible.items()
                if conversation.id not in desk.into]
    if possible := [{"id": c.id, "possible_reply_to_id": other.id} for c, other in possible if c is not other]:
        db.session.execute(update(Conversation), possible)
    if desk.new_keys:
        db.session.execute(_insert(ThreadKey).on_conflict_do_nothing(), [
            {"inbox_id": desk.inbox_id, "message_id": message_id, "conversation_id": _now(desk, conversation).id,
             "own": says.own, "by": says.by} for conversation, message_id, says in desk.new_keys])
    if desk.new_participants:
        db.session.execute(_insert(Participant).on_conflict_do_nothing(), [
            {"conversation_id": _now(desk, c).id, "address_key": key} for c, key in desk.new_participants])
    for event in desk.events:
        if event.conversation_id in desk.into:
            event.conversation_id = _now(desk, desk.into[event.conversation_id]).id
    write_rows(Event, desk.events)
    db.session.flush()


def _ids(message, parsed, item):
    ids = ids_of(parsed.message_id, parsed.in_reply_to, parsed.references)
    if parsed.bounce and isinstance(item, Fetched):   # a report names our message inside, not in its own header
        ids += [i for i in (m.decode("ascii", "replace") for m in _OUR_ID.findall(item.raw)) if is_our_id(i)]
        if any(is_our_id(i) for i in ids):      # it ties nothing else
            ids = [i for i in ids if i == message.message_id or is_our_id(i)]
    return list(dict.fromkeys(ids))


def _open(desk, message):
    recent = message.at > desk.since - RECENT and not _looked_at(desk, message)
    conversation = Row(id=desk.ids.pop(0), inbox_id=desk.inbox_id, subject=base_subject(message.subject),
                       status="open" if recent else "closed", assignee_id=None, contact_id=None, opened_at=message.at,
                       last_at=message.at, last_outgoing=False, last_snippet="", who=who_of(message), who_at=None,
                       message_count=0, has_attachments=False, last_in_id=0, possible_reply_to_id=None,
                       merged_into_id=None)
    desk.opened[conversation.id] = desk.found[conversation.id] = conversation
    return conversation


def _join(desk, one, two):
    """Make them one, and return it; None: people have worked in both. What is stored stays, for only what this batch
    opened can go without a trace; then what people have worked in; then the older one."""
    keep, other = sorted((one, two), key=lambda c: (c is not desk.stays, c.id in desk.opened, c.id))
    is_stored = other.id not in desk.opened
    if is_stored and _worked_in(desk, other):
        if keep is desk.stays or _worked_in(desk, keep):
            return None
        keep, other = other, keep
    _absorb(keep, other)
    desk.into[other.id] = keep
    _give_unwritten(desk, other, keep)
    if is_stored:
        _give_stored(other, keep)
    else:
        del desk.opened[other.id]
    return keep


def _give_unwritten(desk, other, keep):
    theirs, ours = desk.participants.pop(other.id, set()), desk.participants.get(keep.id, set())
    if other.id not in desk.opened and (new := ours - theirs | desk.grown.pop(other.id, set())):
        desk.grown.setdefault(keep.id, set()).update(new)
    _remember_participants(desk, keep, theirs)
    for message_id in desk.keys.pop(other.id, ()):
        for says in desk.says[message_id].pop(other.id):
            desk.speaking[message_id, None if says.own else says.by].discard(other.id)
            _say(desk, keep.id, message_id, says)
        if len(desk.says[message_id]) == 1:
            desk.shared.discard(message_id)


def _give_stored(other, keep):
    db.session.execute(update(Message).where(Message.conversation_id == other.id).values(conversation_id=keep.id))
    give_keys(other, keep)
    db.session.execute(update(Conversation).where(Conversation.possible_reply_to_id == other.id).values(
        possible_reply_to_id=case((Conversation.id == keep.id, None), else_=keep.id)))
    for model in (Participant, Seen):
        db.session.execute(delete(model).where(model.conversation_id == other.id))
    db.session.expunge(other)
    db.session.execute(delete(Conversation).where(Conversation.id == other.id))


def remember_keys(conversation, messages):
    """`messages`: rows with SPEAKING, which lie in this conversation."""
    keys = {key for m in messages for key in keys_of(m, ids_of(m.message_id, (), m.references))}
    rows = [{"inbox_id": conversation.inbox_id, "message_id": i, "conversation_id": conversation.id, **says._asdict()}
            for i, says in sorted(keys)]
    if rows:
        db.session.execute(_insert(ThreadKey).on_conflict_do_nothing(), rows)


def give_keys(source, target):
    """All of them: the target may have the same."""
    columns = [ThreadKey.inbox_id, ThreadKey.message_id, ThreadKey.own, ThreadKey.by]
    db.session.execute(_insert(ThreadKey).from_select(
        [*(c.key for c in columns), "conversation_id"],
        select(*columns, literal(target.id)).where(ThreadKey.conversation_id == source.id)).on_conflict_do_nothing())
    db.session.execute(delete(ThreadKey).where(ThreadKey.conversation_id == source.id))


def _worked_in(desk, conversation):
    number = conversation.id
    if number not in desk.worked:
        desk.worked[number] = any(
            db.session.scalar(select(model.conversation_id).where(model.conversation_id == number).limit(1))
            for model in (Event, Draft)) or bool(db.session.scalar(
                select(Outbox.id).join(Message, Outbox.message_id == Message.id)
                .where(Message.conversation_id == number).limit(1)))
    return desk.worked[number]


def _absorb(keep, other):
    keep.message_count += other.message_count
    keep.has_attachments = keep.has_attachments or other.has_attachments
    keep.last_in_id = max(keep.last_in_id, other.last_in_id)
    keep.contact_id = keep.contact_id or other.contact_id
    if other.who_at and (keep.who_at is None or other.who_at > keep.who_at) or (
            not keep.who_at and other.last_at > keep.last_at):
        keep.who, keep.who_at = other.who, other.who_at
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
    _meet_customer(conversation, message)
    if message.at >= conversation.last_at or conversation.message_count == 1:
        conversation.last_at, conversation.last_outgoing = message.at, message.outgoing
        conversation.last_snippet = message.snippet
    if not message.outgoing:
        if not seen and not _looked_at(desk, message):
            conversation.last_in_id = max(conversation.last_in_id, message.id)
        _reopen(desk, conversation, message)


def _meet_customer(conversation, message):
    """Whose conversation the list says it is: whoever of them wrote last; until somebody has, whom we wrote to."""
    if names_customer(message):
        if conversation.who_at is None or message.at >= conversation.who_at:
            conversation.who, conversation.who_at = who_of(message), message.at
    elif conversation.who_at is None and message.at >= conversation.last_at:
        conversation.who = who_of(message) or conversation.who


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


def _remember_keys(desk, conversation, keys):
    desk.new_keys += [(conversation, i, says) for i, says in keys if _say(desk, conversation.id, i, says)]


def _remember_participants(desk, conversation, keys):
    known = desk.participants.setdefault(conversation.id, set())
    new = sorted(keys - known)[:500]
    desk.new_participants += [(conversation, key) for key in new]
    known.update(new)
    if new and conversation.id in desk.found and conversation.id not in desk.opened:
        desk.grown.setdefault(conversation.id, set()).update(new)


def _insert(model):
    return (postgresql if db.session.get_bind().dialect.name == "postgresql" else sqlite).insert(model)


def names_customer(message):
    """Does its sender tell whose conversation this is? Neither we nor a mail server that returns something do."""
    return bool(not message.outgoing and message.from_address and not message.bounce)


def who_of(message):
    """A name or an address: the sender's; of our own mail the first that it went to."""
    if message.outgoing:
        name, address = message.to[0] if message.to else ("", "")
    else:
        name, address = message.from_name, message.from_address
    return name or address


@lru_cache(maxsize=4_096)       # the same people write again and again
def _key(address):
    try:
        return address_key(address)
    except ValueError:
        return ""


def _announce(conversation):
    announce(f"inbox-{conversation.inbox_id}", f"conversation-{conversation.id}")
