"""A reply leaves (DESIGN 8): claimed, sent, its copy put into Sent. Never twice, except where nobody can know."""

import logging
from datetime import timedelta

from webapp.actions import outbox
from webapp.actions.blobs import blobs
from webapp.extensions import db
from webapp.jobs import job, look, patiently, unit
from webapp.jobs.mailbox import RETRY_AFTER, imap_endpoint, login, open_imap, open_smtp, smtp_endpoint
from webapp.mail.types import Folder as MailFolder
from webapp.mail.types import MailError
from webapp.models import Outbox
from webapp.rules.connections import may_use

log = logging.getLogger(__name__)


class _TakenOver(Exception):
    """Our lease ran out and somebody else sends it."""


@job
def send(outbox_id):
    with unit():
        row = outbox.claim(outbox_id)
        if row is None:
            uncertain = db.session.get(Outbox, outbox_id)
            looking = uncertain is not None and uncertain.state == "uncertain"
        else:
            looking, attempt = False, row.attempts
            connection = row.connection
            may_send = may_use(connection.state, connection.holder_state, "send", connection.kind)
    if looking:
        return look_in_sent(outbox_id)
    if row is not None and may_send:
        _deliver(outbox_id, attempt)
    elif row is not None:       # in a transaction of its own: it locks what comes before the row (actions.outbox.undo)
        patiently(lambda: _impossible(outbox_id, attempt, "disconnected"))


def _deliver(outbox_id, attempt):
    endpoint, credentials, sender, recipients, sha256 = look(lambda: _letter(db.session.get(Outbox, outbox_id)))
    raw = blobs().get_raw(sha256)
    marked = []

    def before_dot():
        with unit():
            if not outbox.data_sent(outbox_id, attempt):
                raise _TakenOver      # the dot is not sent
        marked.append(True)

    try:
        with open_smtp(endpoint, credentials) as session:
            result = session.send(sender, recipients, raw, before_dot)
    except _TakenOver:
        return log.warning("outbox %s: another worker has taken over", outbox_id)
    except ValueError as error:     # an address or bytes that no server may be given
        return patiently(lambda text=str(error): _impossible(outbox_id, attempt, "not_sendable", text))
    except MailError as error:
        trouble = error
        return patiently(lambda: _failed(outbox_id, attempt, trouble, bool(marked)))
    patiently(lambda: _succeeded(outbox_id, attempt, result))


def _letter(row):
    return (smtp_endpoint(row.connection), login(row.connection), row.sender,
            [r.address for r in row.recipients if r.state == "waiting"],
            row.raw_sha256)


def _succeeded(outbox_id, attempt, result):
    with unit():
        row = outbox.still_ours(outbox_id, attempt)
        if row is not None:
            outbox.sent(row, result)
        else:
            log.error("outbox %s: sent, but another worker has taken over", outbox_id)


def _impossible(outbox_id, attempt, code, text=""):
    with unit():
        row = outbox.still_ours(outbox_id, attempt)
        if row is not None:
            outbox.refused(row, code, text)


def _failed(outbox_id, attempt, error, dot_was_due):
    """Only a judgement on this very mail is final; a server in trouble or a password can be mended within two days."""
    text, refusals = error.facts.get("answer", ""), error.facts.get("refused")
    with unit():
        row = outbox.still_ours(outbox_id, attempt)
        if row is None:
            return
        if error.code == "uncertain" or dot_was_due and error.code in ("lost", "timed_out", "protocol"):
            outbox.uncertain(row)
        elif error.code == "smtp_refused" and not error.temporary and error.facts.get("at") != "sign_in":
            outbox.refused(row, error.code, text, refusals)
        else:
            outbox.try_later(row, error.code, text, refusals, error.facts.get("at") == "sign_in")


@job
def copy(outbox_id):
    """Put the sent mail into the server's Sent folder, once: some servers do it themselves, so look first."""
    with unit():
        if outbox.claim_copy(outbox_id, timedelta(minutes=5)) is None:
            return
    found = look(lambda: _copy_facts(db.session.get(Outbox, outbox_id)))
    if found is None:
        with unit():
            return outbox.copied(db.session.get(Outbox, outbox_id))
    endpoint, credentials, folder, message_id, sha256, at = found
    try:
        with open_imap(endpoint, credentials) as session:
            session.select(folder)
            if not session.search_message_id(folder, message_id):
                session.append(folder, blobs().get_raw(sha256), ("\\Seen",), at)
    except MailError as error:
        with unit():
            return outbox.copy_later(db.session.get(Outbox, outbox_id),
                                     max(RETRY_AFTER.get(error.code, timedelta(hours=1)), timedelta(minutes=1)))
    with unit():
        outbox.copied(db.session.get(Outbox, outbox_id))


@job
def look_in_sent(outbox_id):
    """An uncertain mail: is it in Sent? Then it left. If not, its writer is asked."""
    found = look(lambda: _copy_facts(db.session.get(Outbox, outbox_id)))
    if found is None:
        return
    endpoint, credentials, folder, message_id, _sha256, _at = found
    try:
        with open_imap(endpoint, credentials) as session:
            session.select(folder)
            there = session.search_message_id(folder, message_id)
    except MailError:
        return
    if there:
        with unit():
            outbox.found_in_sent(db.session.get(Outbox, outbox_id))


def _copy_facts(row):
    sent = next((f for f in row.connection.folders if f.role == "sent"), None)
    if sent is None or row.connection.secret is None:
        return None
    return (imap_endpoint(row.connection), login(row.connection),
            MailFolder(sent.name, sent.wire_name, sent.role, True, sent.delimiter),
            row.message.message_id, row.raw_sha256, row.message.at)
