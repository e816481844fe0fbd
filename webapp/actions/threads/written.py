"""What the desk holds goes into the database, a statement for each table."""

from sqlalchemy import update

from webapp.actions.threads.desk import now_in
from webapp.extensions import db
from webapp.models import Conversation, Event, Participant, ThreadKey
from webapp.models.rows import write_rows


def write(desk):
    """Put into the database what the desk holds."""
    if desk.contacts:
        desk.contacts.write()
    write_rows(Conversation, list(desk.opened.values()))
    for message, conversation in desk.filed:
        message.conversation_id = now_in(desk, conversation).id
    possible = [(conversation, now_in(desk, other)) for conversation, other in desk.possible.items()
                if conversation.id not in desk.into]
    if possible := [{"id": c.id, "possible_reply_to_id": other.id} for c, other in possible if c is not other]:
        db.session.execute(update(Conversation), possible)
    write_rows(ThreadKey, [
        {"inbox_id": desk.inbox_id, "message_id": message_id, "conversation_id": now_in(desk, conversation).id,
         "own": says.own, "by": says.by} for conversation, message_id, says in desk.new_keys], known_ok=True)
    write_rows(Participant, [{"conversation_id": now_in(desk, c).id, "address_key": key}
                             for c, key in desk.new_participants], known_ok=True)
    for event in desk.events:
        if event.conversation_id in desk.into:
            event.conversation_id = now_in(desk, desk.into[event.conversation_id]).id
    write_rows(Event, desk.events)
    db.session.flush()
