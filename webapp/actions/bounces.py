"""A report says that our mail did not arrive: which mail, at whom, and for good or for now.

Which one is told by a Message-ID that we minted and nobody else can (DEFENCE 4.5), of a mail that left from the same
inbox. Whoever has no such id, or another's, changes nothing: subjects and addresses can be guessed.
"""

from sqlalchemy import select
from sqlalchemy.orm import selectinload

from webapp.actions.threads import is_our_id
from webapp.extensions import db
from webapp.live import announce
from webapp.mail.address import address_key
from webapp.models import Connection, Message, Outbox

MOST_TEXT = 500


def note(connection, fresh):
    """`fresh`: (Row of Message, Parsed, item) triples that are about to be filed. Sets `bounce_of_id`."""
    for message, parsed, _item in fresh:
        if message.bounce and not message.outgoing and parsed.report:
            ours = _ours(connection, parsed)
            if ours is not None:
                message.bounce_of_id = ours.id
                _tell(ours, parsed.report["recipients"], message.at)


def _ours(connection, parsed):
    """The mail that did not arrive. What the report copies of it goes before what it answers to."""
    said = [*parsed.report["ids"], *reversed(parsed.in_reply_to), *reversed(parsed.references)]
    ids = [i for i in dict.fromkeys(said) if is_our_id(i)]
    if not ids:
        return None
    found = {m.message_id: m for m in db.session.scalars(
        select(Message).join(Connection, Connection.id == Message.connection_id).where(
            Message.message_id.in_(ids), Message.outgoing, Connection.inbox_id == connection.inbox_id))}
    return next((found[i] for i in ids if i in found), None)


def _tell(ours, failures, at):
    row = db.session.scalar(select(Outbox).where(Outbox.message_id == ours.id).options(
        selectinload(Outbox.recipients)))
    if row is None:
        return
    for recipient, failure in _whose(row.recipients, failures):
        kind = "hard" if failure["hard"] else "soft"
        if recipient.bounce is None or (recipient.bounce, kind) == ("soft", "hard"):
            recipient.bounce, recipient.bounced_at = kind, at
            recipient.bounce_text = _text(failure)
    db.session.flush()
    if ours.conversation_id:
        announce(f"conversation-{ours.conversation_id}")


def _whose(recipients, failures):
    """(our recipient, what failed there). Forwarded mail fails at an address that we don't know: where there is one
    recipient, it can only be his."""
    failed = {}
    for failure in failures:
        failed.setdefault(_key(failure["address"]), failure)
    pairs = [(r, failed[key]) for r in recipients if (key := _key(r.address)) and key in failed]
    if not pairs and len(recipients) == 1:
        pairs = [(recipients[0], failures[0] if failures else {"hard": True, "status": "", "text": ""})]
    return pairs


def _text(failure):
    status, text = failure["status"], failure["text"]
    return (text if not status or status in text else f"{status} {text}").strip()[:MOST_TEXT]


def _key(address):
    try:
        return address_key(address)
    except ValueError:
        return ""
