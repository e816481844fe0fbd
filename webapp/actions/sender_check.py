"""Whose Authentication-Results are believed in a mailbox: set by a person, suggested by its recent mail."""

from collections import Counter

from sqlalchemy import select

from webapp.actions.audit import note
from webapp.extensions import db
from webapp.models import Message
from webapp.rules import RuleBroken
from webapp.rules.senders import check_authserv_ids

RECENT = 200      # messages that suggest names
MOST = 5


def set_authserv_ids(actor, connection, text):
    """`text`: names with blanks between; "" believes nobody. Raises RuleBroken("authserv_id", ...)."""
    names = check_authserv_ids(text)
    if connection.use != "mail" or connection.state == "removed":
        raise RuleBroken("authserv_id", "not_now")
    if names == connection.authserv_id:
        return
    note(actor, "connection.sender_check_changed", f"connection-{connection.id}", address=connection.address,
         was=connection.authserv_id or "", names=names)
    connection.authserv_id = names
    db.session.flush()


def suggested(connection):
    """[(name, in how many of the recent mails it is the topmost)], most often first. Strangers can write such names,
    too: a person decides."""
    rows = db.session.scalars(select(Message.authentication).where(
        Message.connection_id == connection.id, Message.outgoing.is_(False))
        .order_by(Message.at.desc(), Message.id.desc()).limit(RECENT))
    return Counter(said["id"] for said in rows if said and said.get("id")).most_common(MOST)
