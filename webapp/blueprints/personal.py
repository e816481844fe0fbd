"""One's own addresses: the list with its health, and their mail, which nobody else reads."""

from flask import Blueprint, request
from flask_login import current_user
from sqlalchemy import func, select

from webapp.extensions import db
from webapp.models import Message
from webapp.models.connection import own_connections, past_connections
from webapp.queue import enqueue
from webapp.web import find, paging
from webapp.web.forms import Act
from webapp.web.present import fragment, present

blueprint = Blueprint("personal", __name__)


@blueprint.get("/mailboxes")
def index():
    mailboxes = _own()
    chosen = request.args.get("show", type=find.row_id)
    shown = next((c for c in mailboxes if c.id == chosen), next(iter(mailboxes), None))
    stored, sent = db.session.execute(
        select(func.count(), func.count().filter(Message.outgoing)).select_from(Message)
        .where(Message.connection_id == shown.id)).one() if shown else (0, 0)
    return present("personal/mailboxes", mailboxes=mailboxes, shown=shown, side_mailboxes=mailboxes, stored=stored,
                   sent=sent, form=Act(), past=_past())


@blueprint.get("/mailboxes/<int:connection_id>/mail")
def mail(connection_id):
    connection = find.own_mailbox(connection_id)
    query = select(Message).where(Message.connection_id == connection.id)
    rows, more = paging.page(db.session, query, Message.at, Message.id, request.args.get("before"))
    messages = [row[0] for row in rows]
    return present("personal/mail", connection=connection, messages=messages, side_mailboxes=_own(),
                   before=paging.cursor_of(messages[-1].at, messages[-1].id) if more else None)


@blueprint.get("/mailboxes/<int:connection_id>/mail/<int:message_id>")
def message(connection_id, message_id):
    """Opening a message reads its body from the server, now and not before."""
    connection, found = find.own_mailbox(connection_id), find.message(message_id)
    if found.connection_id != connection.id:
        found = find.message(0)
    if found.state == "header" and connection.state == "active":
        enqueue("webapp.jobs.personal.fetch_body", (found.id,), queue="in")
    if request.args.get("part") == "body":
        return fragment("personal/body", connection=connection, message=found)
    return present("personal/message", connection=connection, message=found, side_mailboxes=_own())


def _past():
    """Disconnected ones that left mail behind."""
    return [c for c in db.session.scalars(past_connections(current_user)) if db.session.scalar(
        select(Message.id).where(Message.connection_id == c.id).limit(1))]


def _own():
    return db.session.scalars(own_connections(current_user)).all()
