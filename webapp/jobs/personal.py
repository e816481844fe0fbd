"""A personal message whose owner opens it: only now its body is read (BEHAVIOUR 0.10)."""

from webapp.actions.receive import store_body
from webapp.extensions import db
from webapp.jobs import job, look, unit
from webapp.jobs.mailbox import imap_endpoint, login, open_imap
from webapp.live import announce
from webapp.mail.types import Folder as MailFolder
from webapp.mail.types import MailError
from webapp.models import Message
from webapp.rules.connections import may_use


@job
def fetch_body(message_id):
    facts = look(lambda: _facts(db.session.get(Message, message_id)))
    if facts is None:
        return
    endpoint, credentials, places = facts
    try:
        raw = _read(endpoint, credentials, places)
    except MailError:
        return      # a passing trouble: whoever still looks at the page asks again
    with unit():
        message = db.session.get(Message, message_id)
        if raw is None:
            message.state = "unreadable"
        elif message.raw_sha256 is None:
            message.state = "ok"
            store_body(message, raw)
        announce(f"message-{message_id}")


def _read(endpoint, credentials, places):
    """The raw message from the first place that still has it; None when none has."""
    with open_imap(endpoint, credentials) as session:
        for folder, uidvalidity, uid in places:
            try:
                if session.select(folder).uidvalidity == uidvalidity and session.uids(uid, uid):
                    return session.fetch_one(uid).raw
            except MailError as error:
                if error.code != "gone":
                    raise
    return None


def _facts(message):
    connection = message.connection
    if message.raw_sha256 or not may_use(connection.state, connection.holder_state, "sync", connection.kind):
        return None
    folders = {f.id: f for f in connection.folders}
    places = [(_mail_folder(folders[p.folder_id]), p.uidvalidity, p.uid) for p in message.places]
    return imap_endpoint(connection), login(connection), places


def _mail_folder(row):
    return MailFolder(row.name, row.wire_name, row.role, True, row.delimiter)
