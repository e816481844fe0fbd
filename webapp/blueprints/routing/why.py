"""Why a conversation was routed as it was: as the rules stood then."""

from webapp.actions import routing
from webapp.blueprints.routing.routes import blueprint
from webapp.extensions import db
from webapp.models import Person, Team
from webapp.web import find
from webapp.web.present import present


@blueprint.get("/conversations/<int:conversation_id>/routing")
def why(conversation_id):
    found = find.conversation(conversation_id)
    kept = routing.kept_of(found.id)
    facts = kept.facts if kept is not None else {}
    person = db.session.get(Person, facts["to"]) if facts.get("to") else None
    team = db.session.get(Team, facts["team"]) if facts.get("team") else None
    return present("routing/why", conversation=found, kept=kept, known=routing.known_of(found.inbox),
                   who=(person or team).name if person or team else "")
