"""A conversation on paper."""

from webapp.blueprints.team.routes import blueprint
from webapp.blueprints.team.thread import messages_of
from webapp.rules.bounds import TEXT_SHOWN_MAX
from webapp.web import find
from webapp.web.present import present

MOST = 1_000_000      # characters on one page for paper


@blueprint.get("/conversations/<int:conversation_id>/print")
def printed(conversation_id):
    """All of its messages, oldest first; of a very long one the newest."""
    found = find.conversation(conversation_id)
    messages, authors = messages_of(found)
    while len(messages) > 1 and sum(min(len(m.text), TEXT_SHOWN_MAX) for m in messages) > MOST:
        messages = messages[1:]
    return present("messages/printed", message=messages[-1] if messages else None, messages=messages, authors=authors,
                   subject=found.subject, older=found.message_count - len(messages), conversation=found)
