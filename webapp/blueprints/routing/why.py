"""Why a conversation was routed as it was: as the rules stood then."""

from webapp.actions import routing
from webapp.blueprints.routing.routes import blueprint
from webapp.extensions import db
from webapp.models import Inbox, Person, Team
from webapp.web import find
from webapp.web.present import present


@blueprint.get("/conversations/<int:conversation_id>/routing")
def why(conversation_id):
    found = find.conversation(conversation_id)
    kept = routing.newest_of(found.id)
    facts = kept.facts if kept is not None else {}
    # The rules that decided may be of an inbox that it has left.
    rules_of = db.session.get(Inbox, facts.get("inbox", found.inbox_id))
    person = db.session.get(Person, facts["to"]) if facts.get("to") else None
    team = db.session.get(Team, facts["team"]) if facts.get("team") else None
    return present("routing/why", conversation=found, kept=kept, known=routing.known_of(rules_of),
                   may_read_rules=find.may_read(rules_of), who=(person or team).name if person or team else "")
