"""SELECTs of what reports count, of inboxes that the caller has found to be readable; `since` and `before` are moments.

Each is one aggregate, read from an index of its own. A slot is the beginning of an hour (or quarter, for zones that are
no whole hours off) in UTC: the reader's days are made of them. Seconds become minutes.
"""

from datetime import UTC, datetime

from sqlalchemy import Integer, String, case, cast, exists, func, literal_column, select, type_coerce

from webapp.extensions import db
from webapp.models.conversation import Conversation
from webapp.models.fact import Answer, Closing
from webapp.models.message import Message
from webapp.models.outbox import Outbox
from webapp.models.types import now

NOT_COUNTED = ("spam", "merged")


def mail(inbox_ids, since, before, quarters):
    """(slot, outgoing, how many). Not what machines wrote, nor spam."""
    return _of_mail(inbox_ids, since, before, _slot(Message.at, quarters), Message.outgoing)


def mail_of_each(inbox_ids, since, before):
    """(inbox, outgoing, author, how many)"""
    return _of_mail(inbox_ids, since, before, Conversation.inbox_id, Message.outgoing, Message.author_id)


def mail_in_all(inbox_ids, since, before):
    """(outgoing, how many)"""
    return _of_mail(inbox_ids, since, before, Message.outgoing)


def opened(inbox_ids, since, before, quarters):
    """(inbox, slot, how many)"""
    c = Conversation
    keys = (c.inbox_id, _slot(c.opened_at, quarters))
    return select(*keys, func.count()).where(
        *_opened(inbox_ids, since, before)).group_by(*_positions(keys))


def opened_in_all(inbox_ids, since, before):
    return select(func.count()).where(*_opened(inbox_ids, since, before))


def closings(inbox_ids, since, before, quarters):
    """(slot, how many)"""
    return _counted((_slot(Closing.at, quarters),), *_closings(inbox_ids, since, before))


def closing_times(inbox_ids, since, before, each=True):
    """(inbox, person, minutes, how many). `each` False: of all together, without inbox and person."""
    return _counted(_each(Closing, each, _minutes(Closing.seconds)), *_closings(inbox_ids, since, before))


def first_answers(inbox_ids, since, before, each=True):
    """(inbox, person, minutes of working time, how many)"""
    return _counted(_each(Answer, each, _minutes(Answer.work_seconds)), *_answers(inbox_ids, since, before),
                    Answer.is_first)


def in_time(inbox_ids, since, before, each=True):
    """(inbox, person, was it in time, how many), of answers that had a target."""
    return _counted(_each(Answer, each, Answer.in_time), *_answers(inbox_ids, since, before),
                    Answer.in_time.is_not(None))


def known_since(inbox_ids):
    """When the first answer was kept."""
    return select(func.min(Answer.answered_at)).where(Answer.inbox_id.in_(inbox_ids))


def moment_of(slot) -> datetime:
    return (slot if isinstance(slot, datetime) else datetime.fromisoformat(slot)).replace(tzinfo=UTC)


def _opened(inbox_ids, since, before):
    """By a person, or by us: what a machine began is no work."""
    c, m = Conversation, Message
    by_somebody = exists().where(m.conversation_id == c.id, m.at == c.opened_at, ~m.auto)
    return (c.inbox_id.in_(inbox_ids), c.opened_at >= since, c.opened_at < before, c.status.not_in(NOT_COUNTED),
            by_somebody)


def _of_mail(inbox_ids, since, before, *keys):
    """By the time of the mail, of which a period has so much, and not by the inbox, which has any number of
    conversations (+ 0: by no index of theirs). Not what has not left yet, or will not."""
    m, c, before = Message, Conversation, min(before, now())
    refused = select(Outbox.message_id).where(Outbox.state == "refused")
    return (select(*keys, func.count()).join(c, c.id == m.conversation_id)
            .where(m.at >= since, m.at < before, m.conversation_id.is_not(None), ~m.auto, m.id.not_in(refused),
                   (c.inbox_id + 0).in_(inbox_ids), c.status.not_in(NOT_COUNTED)).group_by(*_positions(keys)))


def _counted(keys, *conditions):
    return select(*keys, func.count()).where(*conditions).group_by(*_positions(keys))


def _each(model, each, key):
    return (model.inbox_id, model.person_id, key) if each else (key,)


def _closings(inbox_ids, since, before):
    return Closing.inbox_id.in_(inbox_ids), Closing.at >= since, Closing.at < before


def _answers(inbox_ids, since, before):
    return Answer.inbox_id.in_(inbox_ids), Answer.answered_at >= since, Answer.answered_at < before


def _minutes(seconds):
    """Up to two hours each; of what is longer, and shown in hours, quarters are enough."""
    seconds = cast(seconds, Integer)
    return case((seconds < 7200, seconds // 60), else_=seconds // 900 * 15)


def _slot(at, quarters):
    if db.session.get_bind().dialect.name == "postgresql":
        step = literal_column("interval '15 minutes'" if quarters else "interval '1 hour'")
        return func.date_bin(step, at, literal_column("timestamp '2000-01-01'"))
    stored = type_coerce(at, String)
    if not quarters:
        return func.substr(stored, 1, 13, type_=String) + literal_column("':00'", String)
    minute = cast(func.substr(stored, 15, 2), Integer) // 15 * 15
    return func.substr(stored, 1, 14, type_=String) + func.printf("%02d", minute, type_=String)


def _positions(keys):
    """GROUP BY the columns as they stand: PostgreSQL takes an expression with other parameters for another one."""
    return [literal_column(str(n)) for n in range(1, len(keys) + 1)]
