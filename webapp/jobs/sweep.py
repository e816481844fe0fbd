"""What the clock does: find every row whose time has come and hint at it again. A lost queue costs seconds."""

import logging
from datetime import timedelta

from flask import current_app
from sqlalchemy import or_, select

from webapp.actions import (
    answers,
    autoreply,
    conversations,
    erasing,
    health,
    left_files,
    links,
    notices,
    outbox,
    pictures,
    reread,
    routing,
    tallies,
)
from webapp.extensions import db
from webapp.jobs import detour, indexing, look, unit
from webapp.live import announce
from webapp.models import Connection, Conversation, Outbox
from webapp.models.types import now
from webapp.queue import crowded, enqueue

log = logging.getLogger(__name__)
STUCK = timedelta(seconds=150)   # a connecting step that has stood longer than a job may run


def replies():
    """Every second: what is to leave now."""
    _hint("webapp.jobs.outbox.send", "out", look(lambda: db.session.scalars(outbox.due().limit(200)).all()))


def abandoned():
    """Every few seconds: mailboxes whose worker was killed at work. Its lease has run out and nobody gave it back."""
    _hint("webapp.jobs.sync.pull", "in", look(lambda: db.session.scalars(select(Connection.id).where(
        Connection.state == "active", Connection.use == "mail", Connection.lease_until < now())).all()))


def snoozed():
    """Every few seconds: what was put off until now comes back."""
    for conversation_id in look(lambda: db.session.scalars(conversations.asleep_until_now().limit(200)).all()):
        with unit():
            over = Conversation.id == conversation_id, Conversation.snoozed_until <= now()
            conversation = db.session.scalar(select(Conversation).where(*over).with_for_update(key_share=True))
            if conversation is not None:        # somebody may have been faster
                conversations.wake(conversation)


def waiting():
    """Every few seconds: conversations that wait for somebody to be there, and people who are not from today on."""
    inboxes = look(lambda: db.session.scalars(routing.inboxes_that_wait().limit(200)).all())
    if inboxes:
        with unit():
            routing.forget_waiting()
    for inbox_id in inboxes:
        _each(routing.give_waiting, look(lambda i=inbox_id: routing.to_give(i)))
    _each(routing.remind, look(lambda: db.session.scalars(routing.to_remind().limit(50)).all()))
    for absence_id in look(lambda: [a.id for a in db.session.scalars(routing.to_hand_over().limit(50))]):
        _hand_over(absence_id)


def _hand_over(absence_id):
    """Conversation by conversation; whatever a crash leaves is found again until all is done."""
    numbers = look(lambda: routing.of_absent(absence_id))
    if numbers is None:
        return
    if _each(lambda number: routing.hand_on(absence_id, number), numbers):
        with unit():
            routing.handed_over(absence_id)


def _each(act, ids):
    """Each in a transaction of its own; one that fails stops no other. True: none failed."""
    fine = True
    for row_id in ids:
        try:
            with unit():
                act(row_id)
        except Exception:
            log.exception("%s goes on behind %s", getattr(act, "__name__", "the clock"), row_id)
            db.session.remove()
            fine = False
    return fine


def overdue(since):
    """Every few seconds: what became overdue is told to the screens. Returns until when."""
    until = now()
    if names := look(lambda: answers.overdue_between(since, until)):
        with unit():
            announce(*names)
    return until


def everything():
    """Every half minute: mailboxes to poll, first syncs to go on with, copies, uncertain mail, stuck steps."""
    mailboxes = look(_mailboxes_due)
    uncertain = look(lambda: detour.uncertain(mailboxes))
    _hint("webapp.jobs.sync.pull", "in", [i for i in mailboxes if i not in uncertain])
    _hint("webapp.jobs.sync.backfill", "slow", [i for i in mailboxes if i in uncertain])
    _hint("webapp.jobs.outbox.copy", "out", look(lambda: db.session.scalars(outbox.copies_due().limit(200)).all()))
    _hint("webapp.jobs.outbox.look_in_sent", "out", look(_uncertain))
    _hint("webapp.jobs.notices.send", "out", look(lambda: db.session.scalars(notices.due().limit(200)).all()))
    _hint("webapp.jobs.notices.reset", "out", look(lambda: db.session.scalars(links.resets_to_find().limit(200)).all()))
    _hint("webapp.jobs.connect.connect", "in", look(_stuck) + look(_connecting_again))
    _hint("webapp.jobs.reread.older", "slow", look(lambda: db.session.scalars(reread.behind().limit(20)).all()))
    _hint(pictures.JOB, pictures.QUEUE, look(lambda: db.session.scalars(pictures.due().limit(200)).all()))
    if look(indexing.anything_left) and not crowded("slow"):
        enqueue(indexing.JOB, queue="slow")
    _hint(answers.JOB, "slow", look(lambda: db.session.scalars(answers.to_recompute().limit(200)).all()))
    _hint(routing.JOB, "in", look(lambda: db.session.scalars(routing.due().limit(200)).all()))
    _hint(autoreply.JOB, "in", look(lambda: db.session.scalars(autoreply.due().limit(200)).all()))
    _hint("webapp.jobs.erase.spam", "slow", look(lambda: db.session.scalars(erasing.due().limit(20)).all()))
    _hint("webapp.jobs.erase.forget", "slow", look(lambda: db.session.scalars(erasing.to_forget().limit(100)).all()))
    if look(pictures.anything_old):
        with unit():
            pictures.forget_old()
    if look(left_files.anything_left):
        with unit():
            left_files.forget_left()
    if look(tallies.are_many):
        with unit():
            tallies.fold()
    stopped()


def stopped():
    """Mailboxes that stopped, and whose people do not know yet."""
    for connection_id in look(lambda: db.session.scalars(health.to_tell().limit(200)).all()):
        with unit():
            connection = db.session.get(Connection, connection_id)
            if connection.problem and connection.told_at is None:     # it may work again by now
                health.tell_stopped(connection)


def _hint(name, queue, ids):
    """Not on top of a queue that nobody works off: whatever is due is found again."""
    if ids and not crowded(queue):
        for row_id in ids:
            enqueue(name, (row_id,), queue=queue)


def _mailboxes_due():
    poll = timedelta(seconds=current_app.config["SETTINGS"].poll_seconds)
    free = or_(Connection.lease_until.is_(None), Connection.lease_until < now())
    waited = or_(Connection.problem.is_(None), Connection.retry_at <= now())
    return db.session.scalars(select(Connection.id).where(
        Connection.state == "active", Connection.use == "mail", free, waited,
        or_(Connection.wanted, Connection.caught_up.is_(False), Connection.synced_at.is_(None),
            Connection.synced_at < now() - poll))).all()


def _uncertain():
    return db.session.scalars(select(Outbox.id).where(Outbox.state == "uncertain", Outbox.not_before
                                                      > now() - timedelta(days=1))).all()


def _stuck():
    """Connecting, and its running step is older than any job: the job was lost or killed."""
    latest, first = (now() - STUCK).isoformat(), (now() - timedelta(days=1)).isoformat()
    rows = db.session.execute(select(Connection.id, Connection.checks).where(
        Connection.state.in_(("connecting", "active")), Connection.secret.is_not(None)))
    return [i for i, checks in rows if any(c["state"] == "run" and first < c["at"] < latest
                                           for name, c in (checks or {}).items() if name != "sync")]


def _connecting_again():
    """First connects that met a passing trouble, for a day; then they wait for a person."""
    return db.session.scalars(select(Connection.id).where(
        Connection.state == "connecting", Connection.secret.is_not(None), Connection.retry_at <= now(),
        Connection.created_at > now() - timedelta(days=1))).all()
