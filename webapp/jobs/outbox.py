"""A reply leaves (DESIGN 8): claimed, sent, its copy put into Sent. Never twice, except where nobody can know."""

from datetime import timedelta

from webapp.actions import outbox
from webapp.actions.receive import blobs
from webapp.extensions import db
from webapp.jobs import job, look, patiently, unit
from webapp.jobs.mailbox import RETRY_AFTER, imap_endpoint, login, open_imap, open_smtp, smtp_endpoint
from webapp.mail.types import Folder as MailFolder
from webapp.mail.types import MailError
from webapp.models import Outbox
from webapp.rules.connections import may_use


@job
def send(outbox_id):
    with unit():
        row = outbox.claim(outbox_id)
        if row is None:
            uncertain = db.session.get(Outbox, outbox_id)
            looking = uncertain is not None and uncertain.state == "uncertain"
        else:
            looking = False
            connection = row.connection
            if not may_use(connection.state, connection.holder_state, "send", connection.kind):
                outbox.refused(row, "disconnected")
                row = None
    if looking:
        return look_in_sent(outbox_id)
    if row is not None:
        _deliver(outbox_id)


def _deliver(outbox_id):
    endpoint, credentials, sender, recipients, sha256 = look(lambda: _letter(db.session.get(Outbox, outbox_id)))
    raw = blobs().get_raw(sha256)
    marked = []

    def before_dot():
        with unit():
            if not outbox.data_sent(outbox_id):
                raise MailError("lost")      # the lease was taken from us: the dot is not sent
        marked.append(True)

    try:
        with open_smtp(endpoint, credentials) as session:
            result = session.send(sender, recipients, raw, before_dot)
    except MailError as error:
        trouble = error
        return patiently(lambda: _failed(outbox_id, trouble, bool(marked)))
    patiently(lambda: _succeeded(outbox_id, result))


def _letter(row):
    return (smtp_endpoint(row.connection), login(row.connection), row.sender, [r.address for r in row.recipients],
            row.raw_sha256)


def _succeeded(outbox_id, result):
    with unit():
        outbox.sent(db.session.get(Outbox, outbox_id), result)


def _failed(outbox_id, error, dot_was_due):
    text = error.facts.get("answer", "")
    with unit():
        row = db.session.get(Outbox, outbox_id)
        if error.code == "uncertain" or dot_was_due and error.code in ("lost", "timed_out", "protocol"):
            outbox.uncertain(row)
        elif error.temporary or error.facts.get("at") == "sign_in":   # a person can mend a password within two days
            outbox.try_later(row, error.code, text)
        else:
            outbox.refused(row, error.code, text, error.facts.get("refused"))


@job
def copy(outbox_id):
    """Put the sent mail into the server's Sent folder, once: some servers do it themselves, so look first."""
    with unit():
        row = db.session.get(Outbox, outbox_id)
        if row is None or row.copy_state != "due" or row.state != "sent":
            return
        outbox.copy_later(row, timedelta(minutes=5))    # a crash here only means that we look again
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
