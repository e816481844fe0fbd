"""What somebody has typed and not sent."""

from sqlalchemy import delete, select

from webapp.extensions import db
from webapp.models import Draft
from webapp.models.types import now


def save_draft(actor, conversation, text):
    draft = db.session.scalar(select(Draft).where(Draft.conversation_id == conversation.id,
                                                  Draft.person_id == actor.id))
    if not text.strip():
        return drop_draft(actor, conversation)
    if draft is None:
        draft = Draft(conversation_id=conversation.id, person_id=actor.id)
        db.session.add(draft)
    draft.text, draft.saved_at = text, now()
    db.session.flush()
    return draft


def drop_draft(actor, conversation):
    db.session.execute(delete(Draft).where(Draft.conversation_id == conversation.id, Draft.person_id == actor.id))
