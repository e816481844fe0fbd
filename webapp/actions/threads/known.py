"""What a batch has to know is read from the database: a few statements for all of it."""

from typing import NamedTuple

from sqlalchemy import case, func, select
from sqlalchemy.orm import aliased

from webapp.actions.aliases import own_keys
from webapp.actions.contacts import Contacts
from webapp.actions.senders import rules_of
from webapp.actions.threads.desk import Desk, say
from webapp.actions.threads.keys import ids_in, key_of
from webapp.extensions import db
from webapp.models import Conversation, Participant, ThreadKey
from webapp.models.rows import next_ids
from webapp.rules.threading import REPLY_TO, Says

# What is looked at for a batch, against floods of mail that refers to one that somebody knows: of each Message-ID the
# oldest mails and the newest mentions, so many keys of all, and so many refused conversations that may join now. Beyond
# that, what was refused stays so, until somebody puts it together by hand.
MOST_OF_ONE, MOST_OF_ALL, MOST_ASKED = 200, 20_000, 200


class _Key(NamedTuple):
    message_id: str
    conversation_id: int
    own: bool
    by: str


def desk_for(connection, fresh):
    desk = Desk(connection.inbox_id, own_keys(connection), connection.created_at,
                ids=next_ids(Conversation, len(fresh)), senders=rules_of(connection.inbox_id))
    ids = {i[:998] for m, p, item in fresh for i in ids_in(m, p, item)}
    know(desk, _speaking_of, ids)
    desk.contacts = Contacts({key_of(p.sender.address) for _m, p, _i in fresh if p.sender} - {""})
    return desk


def know(desk, read, what):
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
            say(desk, row.conversation_id, row.message_id, Says(row.own, row.by))


def _speaking_of(inbox_id, ids):
    """Rows of the keys with these Message-IDs."""
    newest = case((ThreadKey.own, ThreadKey.conversation_id), else_=-ThreadKey.conversation_id)
    place = func.row_number().over(partition_by=ThreadKey.message_id, order_by=(ThreadKey.own.desc(), newest))
    keys = select(ThreadKey, place.label("place")).where(
        ThreadKey.inbox_id == inbox_id, ThreadKey.message_id.in_(ids)).subquery()
    return db.session.execute(select(keys.c.message_id, keys.c.conversation_id, keys.c.own, keys.c.by).where(
        keys.c.place <= MOST_OF_ONE).order_by(keys.c.place).limit(MOST_OF_ALL)).all()


def neighbours(inbox_id, grown):
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
