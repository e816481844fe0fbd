"""Why a message is in its conversation: derived from what is stored whenever somebody asks."""

from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import load_only

from webapp.actions.threads import is_our_id
from webapp.extensions import db
from webapp.models import Event, Message, Person


@dataclass
class Reason:
    """`kind`: see words.reasons. `other`: the message that ties it, if one does. `event`: what a colleague did, with
    the name of its actor. `writer`: who of us wrote it here."""

    kind: str
    other: Message | None = None
    event: Event | None = None
    writer: Person | None = None
    facts: dict = field(default_factory=dict)


def reason_of(message, conversation):
    """In this order: a colleague put it here; we wrote it here; it answers, or reports on, a mail that is here; a mail
    that is here names it, or the same mail that never came; it was the first."""
    if message.moved_id is not None:
        event = db.session.get(Event, message.moved_id)
        return Reason(event.kind, event=event)
    others = db.session.scalars(
        select(Message).where(Message.conversation_id == conversation.id, Message.id != message.id)
        .options(load_only(Message.id, Message.message_id, Message.references, Message.from_name, Message.from_address,
                           Message.at, Message.outgoing, Message.author_id)).order_by(Message.id)).all()
    if message.author_id:
        return Reason("ours", _answered(message, others), writer=db.session.get(Person, message.author_id))
    answered = _answered(message, others)
    if message.bounce and answered is not None and is_our_id(answered.message_id):
        return Reason("report", answered)
    if answered is not None:
        return Reason("answers", answered)
    return _named(message, others, [m for m in others if m.id < message.id])


def _answered(message, others):
    """The mail here that it names and that is nearest to it."""
    by_id = {m.message_id: m for m in reversed(others) if m.message_id}
    return next((by_id[i] for i in reversed(message.references) if i in by_id), None)


def _named(message, others, before):
    """`before`: those of the others that were read before it."""
    twin = next((m for m in before if m.message_id == message.message_id is not None), None)
    if twin is not None:
        return Reason("twin", twin)
    naming = [m for m in others if message.message_id in m.references]
    if naming and naming[0].id < message.id:
        return Reason("named", naming[0])
    known = set(message.references)
    for other in before:
        if shared := [i for i in other.references if i in known]:
            return Reason("ghost", other, facts={"message_id": shared[-1]})
    if not before:
        return Reason("first")
    return Reason("named", naming[0]) if naming else Reason("earlier")
