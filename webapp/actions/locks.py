"""Rows that are ours until the commit. Whoever locks several takes the inbox first, then the conversation, then the
rest; of two inboxes the smaller number first. Locks let foreign keys point at the row meanwhile (FOR NO KEY UPDATE)."""

from sqlalchemy import select

from webapp.extensions import db
from webapp.models import Conversation, Inbox


def lock_inbox(inbox_id) -> Inbox | None:
    """What is decided of its mail is decided one after the other."""
    return _locked(Inbox, inbox_id)


def lock_conversation(conversation_id) -> Conversation | None:
    return _locked(Conversation, conversation_id)


def _locked(model, row_id):
    """As it is now; None when there is none."""
    return db.session.scalar(select(model).where(model.id == row_id).with_for_update(key_share=True, of=model)
                             .execution_options(populate_existing=True))
