"""New mail finds its conversation, or opens one."""

from webapp.actions import answers, indexing
from webapp.actions.following import tell_of_mail
from webapp.actions.threads.desk import Desk, able, let_take_part, name_refused, owners_first, owns, refuse, say_keys
from webapp.actions.threads.joining import ask_again, settle
from webapp.actions.threads.keys import ids_in, key_of, keys_of, mentioned
from webapp.actions.threads.known import desk_for
from webapp.actions.threads.shown import count_in, learn, meet_contact, open_for
from webapp.actions.threads.written import write
from webapp.extensions import db
from webapp.live import announce
from webapp.models import Conversation
from webapp.models.rows import next_ids
from webapp.rules.threading import ids_of, ties


def file(connection, fresh):
    """Put new messages of a team address into conversations: sets `conversation_id`. `fresh`: (Row of Message, Parsed,
    item) triples; the rows are written afterwards."""
    desk = desk_for(connection, fresh)
    desk.known_until = connection.history_until
    with db.session.no_autoflush:       # what is changed may name rows that are not written yet
        for message, parsed, item in fresh:
            _file_one(desk, message, parsed, item)
        ask_again(desk)
        write(desk)
    tell_of_mail([(m, c) for m, c in desk.filed if c.id not in desk.opened], desk.since)
    announce(f"inbox-{desk.inbox_id}")
    touched = {m.conversation_id for m, _p, _i in fresh}
    announce(*{f"inbox-{desk.found[i].inbox_id}" for i in touched if i in desk.found})      # some were moved elsewhere
    announce(*(f"conversation-{i}" for i in sorted(touched - set(desk.opened))))    # nobody looks at a new one yet


def file_unreadable(connection, message):
    """A message that nobody can read still gets a conversation, where it can be downloaded."""
    desk = Desk(connection.inbox_id, frozenset(), connection.created_at, connection.history_until,
                ids=next_ids(Conversation, 1))
    conversation = open_for(desk, message)
    desk.filed.append((message, conversation))
    count_in(desk, conversation, message, seen=False)
    write(desk)
    _announce(conversation)


def file_own(conversation, message):
    """A reply that was just written here: no look-up, its conversation is known."""
    desk = Desk(message.connection.inbox_id or conversation.inbox_id, frozenset(), message.connection.created_at,
                filed=[(message, conversation)])
    say_keys(desk, conversation, keys_of(message, ids_of(message.message_id, (), message.references)))
    let_take_part(desk, conversation, {key_of(a) for _n, a in message.to + message.cc} - {""})
    count_in(desk, conversation, message, seen=True, written_here=True)
    write(desk)
    indexing.put_written(message)
    _announce(conversation)


def file_again(message, parsed, item):
    """A mail that could not be read before: its conversation learns what it says. It stays there, for people may have
    worked on it; where it seems to belong is said. Answers to it that wait elsewhere join, as they would have."""
    conversation = message.conversation
    desk = desk_for(message.connection, [(message, parsed, item)])
    with db.session.no_autoflush:
        desk.stays = desk.found[conversation.id] = conversation
        sender = key_of(parsed.sender.address) if parsed.sender and not parsed.sender_ambiguous else None
        ids = ids_in(message, parsed, item)
        message.references = mentioned(ids, message)
        keys = keys_of(message, ids)
        elsewhere = [c for i, says in keys if not says.own for c in owners_first(desk, i) if c is not conversation]
        for other in elsewhere[:1]:
            refuse(desk, conversation, other)
        let_take_part(desk, conversation, _taking_part(desk, parsed, sender))
        say_keys(desk, conversation, [k for k in keys if k[1].own or not elsewhere])
        settle(desk, conversation)
        ask_again(desk)
        name_refused(desk, conversation, message.message_id)
        meet_contact(desk, conversation, message, parsed, sender)
        learn(conversation, message)
        write(desk)
    answers.derive(conversation)
    _announce(conversation)


def _file_one(desk, message, parsed, item):
    sender = key_of(parsed.sender.address) if parsed.sender and not parsed.sender_ambiguous else None
    ids = ids_in(message, parsed, item)
    others = _taking_part(desk, parsed, sender)
    message.references = mentioned(ids, message)
    keys = keys_of(message, ids)
    conversation = _place_of(desk, keys, others)
    if conversation is None:
        conversation = open_for(desk, message)
        # Who mentions this mail waits for it, not it for him.
        other = next((c for i, says in keys for c in owners_first(desk, i) if not says.own or owns(desk, c, i)), None)
        if other:
            refuse(desk, conversation, other)
    desk.filed.append((message, conversation))
    let_take_part(desk, conversation, others)
    say_keys(desk, conversation, keys)
    conversation = settle(desk, conversation)
    name_refused(desk, conversation, message.message_id)
    meet_contact(desk, conversation, message, parsed, sender)
    count_in(desk, conversation, message, seen="\\Seen" in item.flags)


def _place_of(desk, keys, others):
    """Where a new mail goes: to the nearest that it answers; else to where the same is mentioned, or it is answered, or
    lies already. None: it opens a conversation."""
    def found(message_id, says, answered):
        return (other for other in able(desk, message_id, others) for theirs in desk.says[message_id][other.id]
                if (theirs.own and not says.own) is answered
                and ties(says, theirs, others, desk.participants.get(other.id, ())))
    return next((other for answered in (True, False) for key in keys for other in found(*key, answered)), None)


def _taking_part(desk, parsed, sender):
    """Address keys of a mail's people. We ourselves are none of them: strangers can write our address into From."""
    return ({key_of(m.address) for m in (*parsed.to, *parsed.cc)} | {sender or ""}) - {""} - desk.own


def _announce(conversation):
    announce(f"inbox-{conversation.inbox_id}", f"conversation-{conversation.id}")
