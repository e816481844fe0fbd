"""One whole message from the server: a personal one whose owner opens it, for only now its body is read (BEHAVIOUR
0.10), and one that was too large when it came."""

from flask import current_app

from webapp.actions import health, reread
from webapp.actions.contents import read_alone
from webapp.actions.receive import store_body
from webapp.extensions import db
from webapp.jobs import job, look, unit
from webapp.jobs.mailbox import RETRY_AFTER, imap_endpoint, login, open_imap
from webapp.mail.types import Folder as MailFolder
from webapp.mail.types import MailError
from webapp.models import Message
from webapp.models.types import now
from webapp.rules.connections import may_use

WAITING = ("password_refused", "throttled")     # no try before somebody has mended it, or before its time


@job
def fetch_body(message_id):
    try:
        facts = look(lambda: _facts(db.session.get(Message, message_id)))
        if facts is None:
            return _leave(message_id)
        raw = _read(*facts)
    except MailError as error:
        return _trouble(message_id, error)
    contents = None if raw is None else read_alone(raw)
    with unit():
        message = db.session.get(Message, message_id)
        if raw is None:
            message.state = "unreadable"
        elif message.raw_sha256 is None:
            (reread.fill_fetched if message.conversation_id else store_body)(message, raw, contents)
        reread.tell(message)


def _leave(message_id):
    """Of a team address: it stays too large for now, and somebody may ask again. A personal page asks by itself."""
    with unit():
        message = db.session.get(Message, message_id)
        if message is not None and message.conversation_id and message.state == "header":
            message.state = "too_big"
            reread.tell(message)


def _trouble(message_id, error):
    """A passing one: whoever still looks at the page asks again, every two seconds. Not where that does harm: a wrong
    password may lock the account."""
    if error.temporary and error.code not in WAITING and error.facts.get("reason") != "too_large":
        return _leave(message_id)
    with unit():
        message = db.session.get(Message, message_id)
        if error.facts.get("reason") == "too_large":
            message.state = "too_big"
            reread.tell(message)
        else:
            health.problem(message.connection, error.code, RETRY_AFTER.get(error.code), **error.facts)
    _leave(message_id)


def _read(endpoint, credentials, places):
    """The raw message from the first place that still has it; None when none has."""
    most = current_app.config["SETTINGS"].max_message_mb * 1_000_000
    with open_imap(endpoint, credentials) as session:
        for folder, uidvalidity, uid in places:
            try:
                if session.select(folder).uidvalidity == uidvalidity and session.uids(uid, uid):
                    return session.fetch_one(uid, most).raw
            except MailError as error:
                if error.code != "gone":
                    raise
    return None


def _facts(message):
    connection = message.connection
    if message.raw_sha256 or not may_use(connection.state, connection.holder_state, "sync", connection.kind):
        return None
    if connection.problem in WAITING and (connection.retry_at is None or connection.retry_at > now()):
        return None
    folders = {f.id: f for f in connection.folders}
    places = [(_mail_folder(folders[p.folder_id]), p.uidvalidity, p.uid)
              for p in sorted(message.places, key=lambda p: p.gone_at is not None)]     # first where it is
    return imap_endpoint(connection), login(connection), places


def _mail_folder(row):
    return MailFolder(row.name, row.wire_name, row.role, True, row.delimiter)
