"""Files of drafts: shown where they are pictures within the text, taken out again; and people to write to."""

from flask import Response, abort, request, url_for
from flask_login import current_user

from webapp.actions import contacts, drafts, letters
from webapp.blueprints.team.routes import blueprint
from webapp.blueprints.team.rows import conversation_url
from webapp.rules import recipients
from webapp.rules.bounds import NAME_SEARCH_MAX
from webapp.web import find
from webapp.web.forms import Act
from webapp.web.present import fragment, go, is_swap


@blueprint.get("/draft-files/<int:file_id>")
def draft_file(file_id):
    """A picture within what is being written, as its writer gave it; nothing else is shown."""
    file = find.draft_file(file_id)
    if file.content_id is None or file.content_type not in drafts.PICTURES:
        abort(404)
    response = Response(letters.content_of(file), mimetype=file.content_type)
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response.headers["Cache-Control"] = "private, max-age=3600"
    return response


@blueprint.post("/draft-files/<int:file_id>/remove")
def take_out(file_id):
    file = find.draft_file(file_id)
    if file.draft.person_id != current_user.id:
        abort(403)
    if not Act().validate_on_submit():
        abort(400)
    draft = file.draft
    drafts.take_out(file)
    if is_swap():
        return fragment("team/enclosures", files=draft.files)
    return go(conversation_url(draft.conversation_id) if draft.conversation_id
              else url_for("team.new_draft", draft_id=draft.id))


@blueprint.get("/contacts/complete")
def complete():
    """People whose name or address begins like what was typed: of conversations that one may read."""
    typed = request.args.get("q", "").strip()[:NAME_SEARCH_MAX]
    found = contacts.known_to(current_user, typed) if len(typed) > 1 else []
    return fragment("team/complete", found=[(n, address, recipients.written([[n, address]])) for n, address in found])
