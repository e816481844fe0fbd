"""Who waits for an answer of ours, until when it is due, and how long each took.

A conversation says since when somebody waits (`asked_at`), and from that, its status and its inbox's target, until
when they are to be answered (`due_at`). Robots, lists and reports wait for nothing, nor does mail from before the
address was connected. Mail that is filed changes it in memory; whatever else happens derives it from the messages.
"""

from sqlalchemy import and_, case, func, or_, select
from sqlalchemy.orm import aliased

from webapp.actions.locks import lock_conversation, lock_inbox
from webapp.extensions import db
from webapp.live import announce
from webapp.models import Answer, Closing, Connection, Conversation, Event, Inbox, Message, Outbox, OutboxRecipient
from webapp.models.rows import write_rows
from webapp.models.types import now
from webapp.rules.statuses import ACTIVE
from webapp.rules.targets import due, target_of, took

JOB = "webapp.jobs.targets.recompute"
NOT_SENT = ("refused", "cancelled")


def is_question(message, since):
    """Does it wait for an answer? `since`: what came before is history."""
    return (not message.outgoing and not message.auto and not message.auto_kind and not message.bounce
            and message.state != "unreadable" and message.at > since)


def asked(conversation, message):
    """A question was counted in. One that was read after our answer to it is looked at once its row is there."""
    if conversation.last_out_at is None or message.at > conversation.last_out_at:
        if conversation.asked_at is None:
            conversation.within = None      # a rule said it of what was asked before
            conversation.asks_first = conversation.last_out_at is None
        conversation.asked_at = min(conversation.asked_at or message.at, message.at)


def join(keep, other):
    """Two conversations became one."""
    keep.settled_id = settled_of_both(keep, other)
    known = [at for at in (keep.asked_at, other.asked_at) if at is not None]
    keep.asked_at = min((at for at in known if keep.last_out_at is None or at > keep.last_out_at), default=None)
    keep.asks_first = keep.last_out_at is None
    say_due(keep)


def settled_of_both(one, other):
    """Up to which message nobody waits any more in what holds the mail of both: what was closed stays so, and nobody
    who waits now is forgotten. Asked before either of them changes."""
    highest = max(one.settled_id, other.settled_id)
    waiting = [c.asked_at for c in (one, other) if c.asked_at is not None]
    if not highest or not waiting:
        return highest
    oldest = db.session.scalar(select(func.min(Message.id)).where(       # what is not written yet is newer
        Message.conversation_id.in_((one.id, other.id)), ~Message.outgoing, Message.at.in_(waiting)))
    return highest if oldest is None else min(highest, oldest - 1)


def say_due(conversation):
    """Of a Conversation, or of the Row of a new one. Everything that it depends on has its value already."""
    conversation.due_at = None
    if conversation.asked_at is not None:
        inbox = db.session.get(Inbox, conversation.inbox_id)
        target = conversation.within or target_of(inbox.first_within, inbox.later_within, conversation.asks_first)
        conversation.due_at = due(conversation.status, conversation.asked_at, target, inbox.hours)


def derive(conversation):
    """Since when somebody waits, as the messages have it."""
    db.session.flush()
    m = Message
    last = db.session.scalar(_ours(conversation.id).order_by(_written.desc(), m.id.desc()).limit(1))
    query = _questions(conversation.id).where(m.id > conversation.settled_id)
    if last is not None:
        query = query.where(m.at > last)
    conversation.asked_at = db.session.scalar(query.with_only_columns(m.at, maintain_column_froms=True)
                                              .order_by(m.at, m.id).limit(1))
    conversation.asks_first = last is None
    say_due(conversation)
    db.session.flush()


def stands(conversation):
    """Somebody changed its status. Who closes it says that nobody waits any more."""
    if conversation.status == "closed":
        conversation.settled_id = db.session.scalar(select(func.max(Message.id)).where(
            Message.conversation_id == conversation.id)) or 0
        conversation.asked_at = None
    say_due(conversation)


def reopened(conversation):
    """Somebody opened it again: whoever waited when it was closed last waits still."""
    last = db.session.scalar(select(Closing).where(Closing.conversation_id == conversation.id)
                             .order_by(Closing.at.desc(), Closing.id.desc()).limit(1))
    conversation.settled_id = last.settled_before if last else 0
    derive(conversation)


def take_in(filed):
    """The rows of mail that was filed are written: what of it is, or has, an answer? `filed`: (message, since when mail
    of its address is no history) pairs."""
    found = [m for m, since in filed if m.at > since and not m.auto and (m.outgoing or is_question(m, since))]
    answered = {}
    for message in found:
        conversation = answered.get(message.conversation_id) or db.session.get(Conversation, message.conversation_id)
        if message.outgoing or conversation.last_out_at and message.at <= conversation.last_out_at:
            answered[conversation.id] = conversation
            for answer_id in _answers_beside(message):
                _note(answer_id)
    for conversation in answered.values():
        derive(conversation)


def again(conversation_id):
    """What was said of it may not hold any more: one of our mails did not leave."""
    found = lock_conversation(conversation_id)
    if found is not None:
        derive(found)


def left(row):
    """A server took this mail of ours (Outbox), at least for somebody."""
    _note(row.message_id)


def closed(conversation, event, settled_before):
    before = db.session.scalar(select(func.max(Closing.at)).where(Closing.conversation_id == conversation.id))
    again = before and min(filter(None, (
        db.session.scalar(select(func.min(Message.at)).where(
            Message.conversation_id == conversation.id, ~Message.outgoing, Message.at > before)),
        db.session.scalar(select(func.max(Event.at)).where(
            Event.conversation_id == conversation.id, Event.kind == "reopened", Event.at > before)))), default=None)
    since = min(again or before or conversation.opened_at, event.at)
    db.session.add(Closing(event_id=event.id, conversation_id=conversation.id, inbox_id=conversation.inbox_id,
                           person_id=event.actor_id, since=since, at=event.at,
                           seconds=int((event.at - since).total_seconds()), settled_before=settled_before))


def not_closed(conversation, event):
    """It was taken back: whoever waited waits still."""
    closing = db.session.scalar(select(Closing).where(Closing.event_id == event.id))
    if closing is not None:
        conversation.settled_id = closing.settled_before
        db.session.delete(closing)
        derive(conversation)


def to_recompute():
    """SELECT of the ids of inboxes whose target or hours changed."""
    return select(Inbox.id).where(Inbox.due_after.is_not(None), Inbox.deleted_at.is_(None))


def recompute(inbox_id, most):
    """Of the next conversations of this inbox, until when each is to be answered. False: there are no more."""
    inbox = lock_inbox(inbox_id)
    if inbox is None or inbox.due_after is None:
        return False
    found = db.session.scalars(select(Conversation).where(
        Conversation.inbox_id == inbox_id, Conversation.status.in_(ACTIVE), Conversation.id > inbox.due_after)
        .order_by(Conversation.id).limit(most).with_for_update(key_share=True, of=Conversation)
        .execution_options(populate_existing=True)).all()
    for conversation in found:
        derive(conversation)
    inbox.due_after = found[-1].id if len(found) == most else None
    announce(f"inbox-{inbox_id}")
    return inbox.due_after is not None


def overdue_between(since, until):
    """Names, for the screens, of what became overdue meanwhile."""
    rows = db.session.execute(select(Conversation.id, Conversation.inbox_id).where(
        Conversation.due_at > since, Conversation.due_at <= until).limit(500)).all()
    return [*(f"conversation-{row.id}" for row in rows), *sorted({f"inbox-{row.inbox_id}" for row in rows})]


def _ours(conversation_id):
    """SELECT of when we wrote what left, or is about to: the mail of people."""
    return select(_written).select_from(Message).outerjoin(Outbox, Outbox.message_id == Message.id).where(
        Message.conversation_id == conversation_id, Message.outgoing, ~Message.auto, ~Message.is_to_leave(),
        or_(Outbox.id.is_(None), and_(Outbox.state.not_in(NOT_SENT), _answers())))


# A letter for later answers what was there when it was written, not what has come since.
_written = case((Message.at > Outbox.created_at, Outbox.created_at), else_=Message.at)


def _said_at(mail):
    written = db.session.scalar(select(Outbox.created_at).where(Outbox.message_id == mail.id))
    return mail.at if written is None else min(mail.at, written)


def _answers():
    """What was handed on to somebody else answers nobody."""
    return or_(Outbox.written.is_(None), func.coalesce(Outbox.written["kind"].as_string(), "") != "forward")


def _questions(conversation_id):
    return select(Message).join(Connection, Connection.id == Message.connection_id).where(
        Message.conversation_id == conversation_id, ~Message.outgoing, ~Message.auto, Message.auto_kind == "",
        ~Message.bounce, Message.state != "unreadable", Message.at > Connection.created_at,
        or_(Connection.history_until.is_(None), Message.at > Connection.history_until))


def _answers_beside(message):
    """Ids of answers that this message changes: itself, and the next of ours after it."""
    following = db.session.scalar(_ours(message.conversation_id).with_only_columns(
        Message.id, maintain_column_froms=True).where(or_(_written > message.at, and_(
            _written == message.at, Message.id != message.id))).order_by(_written, Message.id).limit(1))
    return [i for i in (message.id if message.outgoing else None, following) if i]


def _note(message_id):
    """Keep what this mail of ours answered. It stays as it was kept, unless mail from before it is read later."""
    mail = db.session.get(Message, message_id)
    conversation = mail.conversation_id and db.session.get(Conversation, mail.conversation_id)
    if conversation is None or mail.auto or not (at := _left_at(mail)):
        return
    said = _said_at(mail)
    before = db.session.scalar(_ours(conversation.id).where(or_(_written < said, and_(
        _written == said, Message.id < mail.id))).order_by(_written.desc(), Message.id.desc()).limit(1))
    query = _questions(conversation.id).where(Message.at <= said, Message.id > _settled_at(conversation, said))
    if before is not None:
        query = query.where(Message.at > before)
    question = db.session.scalar(query.order_by(Message.at, Message.id).limit(1))
    kept = db.session.scalar(select(Answer).where(Answer.message_id == mail.id))
    if kept and question and (kept.asked_at, kept.is_first) == (question.at, before is None):
        return
    if kept is not None:
        at = kept.answered_at
        db.session.delete(kept)
        db.session.flush()
    if question is not None:
        _write(mail, conversation, question.at, at, before is None, kept)


def _settled_at(conversation, at):
    """Up to which message nobody waited any more then."""
    later = db.session.scalar(select(Closing.settled_before).where(
        Closing.conversation_id == conversation.id, Closing.at >= at).order_by(Closing.at, Closing.id).limit(1))
    return conversation.settled_id if later is None else later


def _left_at(mail):
    """When; None: it has not."""
    row = db.session.scalar(select(Outbox).where(Outbox.message_id == mail.id).execution_options(
        populate_existing=True))
    if row is None:
        return mail.at
    if (row.written or {}).get("kind") == "forward":
        return None
    taken = aliased(OutboxRecipient)
    if row.state != "sent" and not db.session.scalar(select(taken.id).where(
            taken.outbox_id == row.id, taken.state == "accepted").limit(1)):
        return None
    return row.sent_at or now()


def _write(mail, conversation, asked_at, at, is_first, kept):
    """`kept`: what was kept of it before; the target of then stays."""
    inbox = db.session.get(Inbox, conversation.inbox_id)
    same = kept is not None and kept.is_first == is_first
    target = kept.target if same else conversation.within or target_of(
        inbox.first_within, inbox.later_within, is_first)
    seconds, worked, in_time = took(asked_at, at, target, inbox.hours)
    write_rows(Answer, [dict(
        message_id=mail.id, conversation_id=conversation.id, inbox_id=inbox.id, person_id=mail.author_id,
        asked_at=asked_at, answered_at=at, seconds=seconds, work_seconds=worked, is_first=is_first, target=target,
        in_time=in_time)], known_ok=True)
