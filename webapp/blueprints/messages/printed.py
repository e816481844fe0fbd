"""A message on paper: who, when, to whom, and its text; nothing is loaded from anywhere."""

from webapp.blueprints.messages.routes import blueprint
from webapp.extensions import db
from webapp.models import Person
from webapp.web import find
from webapp.web.present import present


@blueprint.get("/messages/<int:message_id>/print")
def printed(message_id):
    message = find.message(message_id)
    author = db.session.get(Person, message.author_id) if message.author_id else None
    return present("messages/printed", message=message, messages=[message], subject=message.subject,
                   authors={author.id: author} if author else {}, older=0)
