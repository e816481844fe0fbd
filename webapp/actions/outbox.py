"""Mail on its way out. Every change of state is a conditional UPDATE; whoever changes no row goes no further.

queued -> claimed -> data_sent -> sent, with retry, refused, uncertain and cancelled beside (rules.sending).
"""

from flask import current_app
from sqlalchemy import delete, or_, select, update

from webapp.actions import answers, drafts, threads
from webapp.actions.acts import set_status
from webapp.actions.locks import lock_conversation
from webapp.actions.summary import summarise
from webapp.extensions import db
from webapp.live import announce
from webapp.models import Answer, Closing, Connection, Conversation, Event, Message, Note, Outbox, OutboxRecipient
from webapp.models.types import now
from webapp.queue import later
from webapp.rules.sending import AFTER_REFUSED_SIGN_IN, DAY, FOLLOWS, LEASE, MINUTE, retry_after, room_at


def enqueue(actor, sender, message, recipients, not_before, token=None, written=None):
    """`sender`: what has a `connection` and an `address`. `actor` None: it leaves by itself."""
    row = Outbox(connection_id=sender.connection.id, message_id=message.id, author_id=actor.id if actor else None,
                 not_before=not_before, raw_sha256=message.raw_sha256, sender=sender.address,
                 token=token, written=written)
    row.recipients = [OutboxRecipient(address=a) for a in recipients]
    db.session.add(row)
    db.session.flush()
    if actor is not None and message.conversation is not None:
        answers.derive(message.conversation)
    if not_before <= now():
        later("webapp.jobs.outbox.send", row.id, queue="out")
    return row


def due():
    """SELECT of the ids whose time has come: waiting ones, and those whose worker died before the final dot."""
    return select(Outbox.id).where(or_(
        Outbox.state.in_(("queued", "retry")) & (Outbox.not_before <= now()),
        Outbox.state.in_(("claimed", "data_sent")) & (Outbox.lease_until < now()))).order_by(Outbox.not_before)


def copies_due():
    """SELECT of the ids whose copy in Sent is still to be made."""
    return select(Outbox.id).where(Outbox.copy_state == "due", Outbox.copy_at <= now())


def undo(actor, row):
    """Call a reply back while it waits. True when it was in time; its text is the writer's draft again."""
    message = row.message
    conversation = _locked_conversation(message)
    if conversation is None or not _change(row.id, ("queued",), "cancelled", Outbox.author_id == actor.id,
                                           Outbox.attempts == 0):
        return False
    message.conversation_id = None
    db.session.flush()
    is_gone = _is_gone(conversation)
    drafts.write_again(actor, None if is_gone else conversation, row.written or _plain(message), conversation.inbox)
    _announce(row, conversation.id)
    if is_gone:
        _vanish(conversation)
        return True
    _recount(conversation)
    if conversation.status == "waiting" and not row.is_for_later:        # for an answer to what did not leave
        set_status(conversation, "open")
    answers.derive(conversation)
    return True


def _locked_conversation(message):
    """The conversation that the message lies in, nobody else's until the commit; None when it was called back already.
    """
    while True:
        number = message.conversation_id
        found = lock_conversation(number)
        db.session.refresh(message, ["conversation_id"])
        if message.conversation_id == number:       # else somebody has put it elsewhere meanwhile
            return found


def _plain(message):
    return {**dict.fromkeys(drafts.FIELDS), "kind": "reply", "sender": "", "to": [], "cc": [], "bcc": [], "subject": "",
            "text": message.text, "files": []}


def _is_gone(conversation):
    """Was it a new message, and nothing else has come of it?"""
    return not any(db.session.scalar(select(model.id).where(model.conversation_id == conversation.id).limit(1))
                   for model in (Message, Note))


def _vanish(conversation):
    """What colleagues, or the writer, have begun to write in it stays, as new messages of their own."""
    drafts.make_new(conversation)
    for fact in (Answer, Closing, Event):
        db.session.execute(delete(fact).where(fact.conversation_id == conversation.id))
    db.session.delete(conversation)
    db.session.flush()


def hurry(actor, row):
    """What is to leave later, or is to be tried again later, leaves now. True when it still waited."""
    done = _wait_until(row.id, now())
    if done:
        row.message.at = min(row.message.at, now())
        _announce(row)
        later("webapp.jobs.outbox.send", row.id, queue="out")
    return done


def claim(outbox_id):
    """The row, leased to us, or None: not due, taken by another worker, or it died past the final dot.

    Its `attempts` is the number of our lease: whoever holds an older one may change nothing any more.
    """
    lost = _change(outbox_id, ("data_sent",), "uncertain", Outbox.lease_until < now(), problem="lost_answer")
    _change(outbox_id, ("claimed",), "retry", Outbox.lease_until < now(), not_before=now())
    if not lost and _must_wait(outbox_id):
        return None
    conversation = _of_later(outbox_id)
    claimed = _change(outbox_id, ("queued", "retry"), "claimed", Outbox.not_before <= now(),
                      lease_until=now() + LEASE, attempts=Outbox.attempts + 1, claimed_at=now())
    row = db.session.get(Outbox, outbox_id, populate_existing=True)
    if claimed and conversation is not None:
        threads.left(conversation, row.message)
        answers.derive(conversation)
        _announce(row)
    if lost:
        _announce(row)
    return row if claimed else None


def _of_later(outbox_id):
    """The conversation, locked, of what has not been tried yet and whose writer chose a time: it is counted in when
    that comes (threads.left). Locked before the row, as `undo` does."""
    row = db.session.get(Outbox, outbox_id, populate_existing=True)
    waits = row is not None and row.attempts == 0 and row.state == "queued" and row.not_before <= now()
    return _locked_conversation(row.message) if waits and row.is_for_later else None


def _must_wait(outbox_id):
    """Has its address sent what it may in this minute or day? Then it waits for its turn, and says so."""
    row = db.session.get(Outbox, outbox_id, populate_existing=True)
    if row is None or row.state not in ("queued", "retry") or row.not_before > now():
        return False
    per_minute, per_day = current_app.config["SETTINGS"].sending_limits(row.connection.kind)
    if not (per_minute or per_day):
        return False
    # One after the other: two workers would both find room for the last one. Whoever files mail of it goes on.
    db.session.execute(select(Connection.id).where(Connection.id == row.connection_id).with_for_update(key_share=True))
    left = db.session.scalars(select(Outbox.claimed_at).where(
        Outbox.connection_id == row.connection_id, Outbox.claimed_at > now() - DAY).order_by(Outbox.claimed_at)).all()
    at, limit = room_at(per_minute, per_day, [t for t in left if t > now() - MINUTE], left)
    if at is None:
        return False
    _wait_until(row.id, max(at, now()), problem=limit)
    _announce(row)
    return True


def still_ours(outbox_id, attempt):
    """The row, locked, when the lease of that attempt is still the newest; None when another worker took over."""
    return db.session.scalar(select(Outbox).where(Outbox.id == outbox_id, Outbox.attempts == attempt)
                             .with_for_update().execution_options(populate_existing=True))


def data_sent(outbox_id, attempt):
    """Right before the final dot: from here on the mail may have left. False: somebody else has taken over."""
    return _change(outbox_id, ("claimed",), "data_sent", Outbox.attempts == attempt)


def sent(row, result):
    """The server took it, for some or all recipients. Those that it put off (4xx) are tried again, alone."""
    wait = retry_after(row.attempts)
    for recipient in _waiting(row):
        recipient.code, recipient.text = result.refused.get(recipient.address, (250, ""))
        if recipient.code < 400:
            recipient.state = "accepted"
        elif recipient.code >= 500 or wait is None:
            recipient.state = "refused"
    copy = {"copy_state": "due", "copy_at": now()} if row.copy_state == "none" else {}
    left = _waiting(row)
    if left:
        _change(row.id, ("data_sent",), "retry", not_before=now() + wait, problem="smtp_refused",
                problem_text=left[0].text[:500], **copy)
    else:
        _change(row.id, ("data_sent", "uncertain"), "sent", sent_at=now(), problem=None, **copy)
    answers.left(row)
    _announce(row)
    later("webapp.jobs.outbox.copy", row.id, queue="out")


def refused(row, code, text="", recipients=None):
    """A final no. Shown on the message, for each recipient. Where some got it in an earlier attempt, it was sent."""
    for recipient in _waiting(row):
        answer = (recipients or {}).get(recipient.address, (None, text))
        recipient.state, (recipient.code, recipient.text) = "refused", answer
    if any(r.state == "accepted" for r in row.recipients):
        _change(row.id, ("claimed", "data_sent"), "sent", sent_at=now(), problem=None)
        answers.left(row)
    else:
        _change(row.id, ("claimed", "data_sent"), "refused", problem=code, problem_text=text[:500])
        answers.again(row.message.conversation_id)      # the customer still waits
    _announce(row)


def try_later(row, code, text="", recipients=None, at_sign_in=False):
    """A passing trouble, surely before the final dot or refused there with a 4xx."""
    wait = retry_after(row.attempts)
    if wait is None:
        return refused(row, code, text, recipients)
    if at_sign_in:      # an account may lock after wrong passwords
        wait = max(wait, AFTER_REFUSED_SIGN_IN)
    for recipient in _waiting(row):
        answer = (recipients or {}).get(recipient.address)
        if answer and answer[0] >= 500:
            recipient.state, (recipient.code, recipient.text) = "refused", answer
    _change(row.id, ("claimed", "data_sent"), "retry", not_before=now() + wait, problem=code, problem_text=text[:500])
    _announce(row)


def retry_now(connection):
    """The address was connected again: what waited for it leaves."""
    ids = db.session.scalars(update(Outbox).where(Outbox.connection_id == connection.id, Outbox.state == "retry")
                             .values(not_before=now()).returning(Outbox.id)).all()
    for outbox_id in ids:
        later("webapp.jobs.outbox.send", outbox_id, queue="out")


def uncertain(row):
    """The connection was lost after the final dot: it may have left. Never sent again blindly."""
    _change(row.id, ("data_sent",), "uncertain", problem="lost_answer")
    _announce(row)


def found_in_sent(row):
    """The server's Sent folder has it: so it left, to whomever had not refused it."""
    for recipient in _waiting(row):
        recipient.state = "accepted"
    _change(row.id, ("uncertain",), "sent", sent_at=now(), copy_state="done", problem=None)
    answers.left(row)
    _announce(row)


def send_again(actor, row):
    """The writer decides about an uncertain mail. `attempts` goes on: a lost worker's lease stays an old one."""
    done = _change(row.id, ("uncertain",), "queued", not_before=now(), problem=None)
    if done:
        _announce(row)
        later("webapp.jobs.outbox.send", row.id, queue="out")
    return done


def claim_copy(outbox_id, wait):
    """The row, when its copy is due and nobody else makes it now. A crash only means a second look after `wait`."""
    claimed = db.session.execute(
        update(Outbox).where(Outbox.id == outbox_id, Outbox.copy_state == "due", Outbox.copy_at <= now())
        .values(copy_at=now() + wait).execution_options(synchronize_session=False)).rowcount == 1
    return db.session.get(Outbox, outbox_id, populate_existing=True) if claimed else None


def copied(row):
    row.copy_state = "done"
    db.session.flush()


def copy_later(row, wait):
    row.copy_at = now() + wait
    db.session.flush()


def _waiting(row):
    return [r for r in row.recipients if r.state == "waiting"]


def _wait_until(outbox_id, at, **values):
    """It waits as before, until then. False: it no longer does."""
    return db.session.execute(
        update(Outbox).where(Outbox.id == outbox_id, Outbox.state.in_(("queued", "retry")))
        .values(not_before=at, **values).execution_options(synchronize_session=False)).rowcount == 1


def _change(outbox_id, states, to, *conditions, **values):
    assert all(to in FOLLOWS[s] for s in states), (states, to)
    return db.session.execute(update(Outbox).where(Outbox.id == outbox_id, Outbox.state.in_(states), *conditions)
                              .values(state=to, **values).execution_options(synchronize_session=False)).rowcount == 1


def _recount(conversation):
    """After a reply was called back: the list shows what was there before it."""
    summarise(conversation, conversation.last_in_id)
    if not conversation.message_count:      # notes alone
        conversation.last_out_at = None
        db.session.flush()


def _announce(row, conversation_id=None):
    conversation_id = conversation_id or row.message.conversation_id
    if conversation_id:
        conversation = db.session.get(Conversation, conversation_id)
        announce(f"conversation-{conversation_id}", f"inbox-{conversation.inbox_id}")
