"""What a mail says of Message-IDs, its own and those that it mentions: by that conversations find each other."""

import re
from functools import lru_cache

from flask import current_app
from sqlalchemy import delete, literal, select
from sqlalchemy.dialects import postgresql, sqlite

from webapp.extensions import db
from webapp.mail.address import address_key
from webapp.mail.compose import is_ours
from webapp.mail.types import Fetched
from webapp.models import Connection, Message, ThreadKey
from webapp.rules.threading import NOBODY, OURS, REPLY_TO, REPORT, Says, ids_of

SPEAKING = (Message.connection_id, Message.message_id, Message.references, Message.outgoing, Message.bounce,
            Message.sender_ambiguous, Message.from_address, Message.reply_to)       # for `keys_of`, `remember_keys`
_OUR_ID = re.compile(rb"(?im)^(?:message-id|in-reply-to|references):[^\r\n]*?<([^<>\s]{10,400})>")


def is_from(parsed, keys):
    """Does it say that somebody with one of these address keys alone wrote it?"""
    return bool(parsed.sender) and not parsed.sender_ambiguous and key_of(parsed.sender.address) in keys


def is_our_id(message_id):
    return is_ours(message_id, current_app.config["SECRET_KEY"].encode())


def keys_of(message, ids):
    """[(Message-ID, Says)] of a mail, what it mentions first, the nearest of that first. `ids`: its own and those."""
    sender = "" if message.sender_ambiguous else key_of(message.from_address or "")
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
    return {key_of(address) for _name, address in (message.reply_to or ())[:5]} - {""}


def ids_in(message, parsed, item):
    ids = ids_of(parsed.message_id, parsed.in_reply_to, parsed.references)
    if parsed.bounce and isinstance(item, Fetched):   # a report names our message inside, not in its own header
        ids += [i for i in (m.decode("ascii", "replace") for m in _OUR_ID.findall(item.raw)) if is_our_id(i)]
        if any(is_our_id(i) for i in ids):      # it ties nothing else
            ids = [i for i in ids if i == message.message_id or is_our_id(i)]
    return list(dict.fromkeys(ids))


def mentioned(ids, message):
    """What goes into `references`: whatever ties the mail to others, In-Reply-To too, the nearest last."""
    return [i for i in reversed(ids) if i != message.message_id]


def remember_keys(conversation, messages):
    """`messages`: rows with SPEAKING, which lie in this conversation. Their keys are those of the inbox that their
    address feeds, wherever the conversation was moved: there the next mail is looked for."""
    fed = dict(db.session.execute(select(Connection.id, Connection.inbox_id).where(
        Connection.id.in_({m.connection_id for m in messages}))).all())
    keys = {(fed.get(m.connection_id) or conversation.inbox_id, *key) for m in messages
            for key in keys_of(m, ids_of(m.message_id, (), m.references))}
    rows = [{"inbox_id": inbox_id, "message_id": i, "conversation_id": conversation.id, **says._asdict()}
            for inbox_id, i, says in sorted(keys)]
    if rows:
        db.session.execute(insert_into(ThreadKey).on_conflict_do_nothing(), rows)


def give_keys(source, target):
    """All of them: the target may have the same."""
    columns = [ThreadKey.inbox_id, ThreadKey.message_id, ThreadKey.own, ThreadKey.by]
    db.session.execute(insert_into(ThreadKey).from_select(
        [*(c.key for c in columns), "conversation_id"],
        select(*columns, literal(target.id)).where(ThreadKey.conversation_id == source.id)).on_conflict_do_nothing())
    db.session.execute(delete(ThreadKey).where(ThreadKey.conversation_id == source.id))


def insert_into(model):
    return (postgresql if db.session.get_bind().dialect.name == "postgresql" else sqlite).insert(model)


@lru_cache(maxsize=4_096)       # the same people write again and again
def key_of(address):
    try:
        return address_key(address)
    except ValueError:
        return ""
