"""Telling people something: on the screen, by mail, or both."""

from datetime import timedelta

from flask import current_app
from sqlalchemy import or_, select, update
from sqlalchemy.exc import IntegrityError

from webapp.extensions import db
from webapp.live import announce
from webapp.models import Notice
from webapp.models.types import now
from webapp.queue import later
from webapp.rules.sending import LEASE, retry_after

TOGETHER = ("mentioned", "followed")      # kinds of which several come in one mail


def tell(person, kind, /, *, key=None, shown=True, mail=True, mail_to=None, after=None, **facts):
    """One notice for one person; None when `key` says that it was told already.

    `kind` and `facts` (plain values) become words in webapp.words.notices. By mail only where the installation can
    send (POSTROOM_NOTICE_SMTP), to `mail_to` or else to the sign-in address. `after`: a time in which more of the kind
    may come; then all of it is one mail, without what was read on the screen meanwhile.
    """
    by_mail = mail and bool(current_app.config["SETTINGS"].notice_smtp)
    notice = Notice(person_id=person.id, kind=kind, facts=facts, key=key, shown=shown,
                    mail_state="queued" if by_mail else "none", mail_to=(mail_to or person.email) if by_mail else "",
                    mail_at=now() + (after or timedelta()) if by_mail else None)
    try:
        with db.session.begin_nested():
            db.session.add(notice)
            db.session.flush()
    except IntegrityError:
        if key is None:
            raise
        return None
    if by_mail and not after:
        later("webapp.jobs.notices.send", notice.id, queue="out")
    if shown:
        announce(f"person-{person.id}")
    return notice


def due():
    """SELECT of the ids whose mail is to leave, or whose worker died."""
    return select(Notice.id).where(Notice.mail_state == "queued", Notice.mail_at <= now()).order_by(Notice.mail_at)


def claim(notice_id):
    """The notice, ours for the time of a lease, or None: sent, not due, or another worker's. Its `attempts` is the
    number of the lease."""
    won = db.session.execute(update(Notice).where(Notice.id == notice_id, Notice.mail_state == "queued",
                                                  Notice.mail_at <= now())
                             .values(mail_at=now() + LEASE, attempts=Notice.attempts + 1)
                             .execution_options(synchronize_session=False)).rowcount
    return db.session.get(Notice, notice_id, populate_existing=True) if won == 1 else None


def claim_along(notice) -> list[int]:
    """Ids of others of the same kinds that wait for a mail to the same person: they go along with one that was just
    claimed, and are ours for as long. What another worker has, or claims at this moment, goes with its own mail."""
    if notice.kind not in TOGETHER:
        return []
    waiting = select(Notice.id).where(
        Notice.person_id == notice.person_id, Notice.kind.in_(TOGETHER), Notice.mail_state == "queued",
        Notice.id != notice.id, or_(Notice.attempts == 0, Notice.mail_at <= now())).with_for_update(skip_locked=True)
    return sorted(db.session.scalars(update(Notice).where(Notice.id.in_(waiting)).values(
        mail_at=now() + LEASE, attempts=Notice.attempts + 1).returning(Notice.id).execution_options(
        synchronize_session=False)))


def gone_along(ids):
    db.session.execute(update(Notice).where(Notice.id.in_(ids), Notice.mail_state == "queued").values(
        mail_state="sent", mail_at=None).execution_options(synchronize_session=False))


def ended(notice_id, attempt, state, problem=""):
    """Its mail is "sent", or "failed" for good."""
    _write(notice_id, attempt, mail_state=state, mail_at=None, problem=problem[:300])


def try_later(notice_id, attempt, problem, along=()):
    """The server could not take it now, nor what goes along. After two days we give up."""
    wait = retry_after(attempt)
    if wait is None:
        return ended(notice_id, attempt, "failed", problem)
    again = now() + wait
    _write(notice_id, attempt, mail_at=again, problem=problem[:300])
    db.session.execute(update(Notice).where(Notice.id.in_(along), Notice.mail_state == "queued").values(
        mail_at=again).execution_options(synchronize_session=False))


def _write(notice_id, attempt, **values):
    """Only while the lease of that attempt is the newest."""
    db.session.execute(update(Notice).where(Notice.id == notice_id, Notice.mail_state == "queued",
                                            Notice.attempts == attempt)
                       .values(**values).execution_options(synchronize_session=False))


def unread_of(actor, conversation_id):
    """SELECT of the ids of what the actor was told of that conversation and has not read."""
    return select(Notice.id).where(Notice.person_id == actor.id, Notice.read_at.is_(None), Notice.kind.in_(TOGETHER),
                                   Notice.facts["conversation"].as_integer() == conversation_id)


def read_of(actor, conversation_id) -> bool:
    """The actor has read there what they were told of; no mail tells it again. False: there was nothing."""
    told = db.session.execute(update(Notice).where(Notice.id.in_(unread_of(actor, conversation_id))).values(
        read_at=now()).execution_options(synchronize_session=False)).rowcount
    if told:
        announce(f"person-{actor.id}")
    return bool(told)


def read(actor, up_to_id):
    """The actor has seen their notices up to this one."""
    db.session.execute(update(Notice).where(Notice.person_id == actor.id, Notice.id <= up_to_id,
                                            Notice.read_at.is_(None)).values(read_at=now()))
    announce(f"person-{actor.id}")
