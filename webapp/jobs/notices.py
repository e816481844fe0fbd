"""What the product writes to its people leaves by the admin's own mail server (POSTROOM_NOTICE_SMTP).

A notice that crashed after the final dot is sent again: being told twice is better than not at all.
"""

import logging
from datetime import UTC

from flask import current_app
from flask_babel import force_locale
from sqlalchemy import select

from webapp.actions import links, notices
from webapp.extensions import db
from webapp.jobs import job, look, patiently, unit
from webapp.jobs.mailbox import never_telling
from webapp.mail.compose import build_message, envelope_address, mint_message_id
from webapp.mail.smtp import SmtpSession
from webapp.mail.types import Mailbox, MailError
from webapp.models import Link, Notice
from webapp.models.link import token_of, usable
from webapp.models.types import now
from webapp.words.notices import say, together

log = logging.getLogger(__name__)
SECONDS = 100.0      # less than a job may take
# No vacation reply, no ticket, no loop (RFC 3834; the second is Exchange's).
HEADERS = {"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All"}


@job
def send(notice_id):
    """Claim it, write it, hand it over. What cannot be handed over now is due again later."""
    with unit():
        notice = notices.claim(notice_id)
        if notice is None:
            return
        attempt, along = notice.attempts, notices.claim_along(notice)
    server = current_app.config["SETTINGS"].notice_server()
    if server is None:      # the admin took the server away
        return _ended(notice_id, attempt, "failed", "no_server")
    try:
        letter = look(lambda: _letter(db.session.get(Notice, notice_id), along, server[2]))
    except ValueError as error:
        return _ended(notice_id, attempt, "failed", f"not_sendable: {error}")
    if letter is None:
        return _ended(notice_id, attempt, "failed", "over")
    try:
        _hand_over(server, *letter)
    except ValueError as error:
        return _ended(notice_id, attempt, "failed", f"not_sendable: {error}")
    except MailError as trouble:
        return _failed(notice_id, attempt, trouble, along)
    _ended(notice_id, attempt, "sent", along=along)


@job
def reset(link_id):
    """Somebody forgot a password: who is it?"""
    with unit():
        links.find_person(link_id)


def _letter(notice, along, sender):
    """(recipient, bytes), or None when there is nobody to tell, or nothing to tell any more. `along`: ids of notices
    that it tells of as well."""
    person, more = notice.person, {}
    if person.state != ("invited" if notice.kind == "invite" else "active"):
        return None
    if "link" in notice.facts:
        link = db.session.get(Link, notice.facts["link"])
        if not usable(link):
            return None
        more["token"] = token_of(link)
    if notice.kind in notices.TOGETHER:
        unread = db.session.scalars(select(Notice).where(
            Notice.id.in_((notice.id, *along)), Notice.read_at.is_(None)).order_by(Notice.id)).all()
        if not unread:
            return None
    settings = current_app.config["SETTINGS"]
    with force_locale(person.language):
        said = together(unread) if notice.kind in notices.TOGETHER else say(notice, **more)
        facts = dict(said=said, url=settings.base_url + said.path if said.path else "", settings=settings,
                     language=person.language, name=person.first_name if person.state == "active" else "")
        subject, text, html = (current_app.jinja_env.get_template(f"emails/notice/{part}").render(**facts)
                               for part in ("subject.txt", "body.txt", "body.html"))
    domain = sender.address.rpartition("@")[2]
    raw = build_message(
        sender=sender, to=[Mailbox("" if notice.mail_to != person.email else person.name, notice.mail_to)],
        subject=subject.strip(), text=text, html=html, date=now().astimezone(UTC).replace(microsecond=0),
        message_id=mint_message_id(domain, current_app.config["SECRET_KEY"].encode()), extra_headers=HEADERS)
    return envelope_address(notice.mail_to), raw


def _hand_over(server, recipient, raw):
    endpoint, login, sender = server
    policy = current_app.config["SETTINGS"].notice_policy()
    with never_telling(login.password), SmtpSession.open(endpoint, login, policy, SECONDS) as session:
        session.send(envelope_address(sender.address), [recipient], raw, lambda: None)


def _failed(notice_id, attempt, trouble, along):
    """Only a judgement on this recipient or this mail is final: the rest is the server's trouble, or the admin's."""
    at = trouble.facts.get("at")
    final = trouble.code == "smtp_refused" and not trouble.temporary and at in ("recipients", "message")
    problem = f"{trouble.code} {trouble.facts.get('answer', '')}".strip()
    log.warning("notice %s was not taken: %s", notice_id, problem)
    if final:
        return _ended(notice_id, attempt, "failed", problem)

    def later():
        with unit():
            notices.try_later(notice_id, attempt, problem, along)
    patiently(later)


def _ended(notice_id, attempt, state, problem="", along=()):
    def write():
        with unit():
            notices.ended(notice_id, attempt, state, problem)
            notices.gone_along(along)
    patiently(write)
