"""Notes in a conversation: written, deleted by their authors."""

from flask import abort
from flask_login import current_user

from webapp.actions import notes as actions
from webapp.blueprints.team.acting import answer
from webapp.blueprints.team.routes import blueprint
from webapp.rules import RuleBroken
from webapp.web import find
from webapp.web.forms import Act, WriteNote


@blueprint.post("/conversations/<int:conversation_id>/notes")
def write_note(conversation_id):
    found, form = find.to_act(conversation_id), WriteNote()
    if form.did(lambda: actions.write(current_user, found, form.note.data)):
        return answer(found)
    return answer(find.conversation(conversation_id), note_form=form, code=422)


@blueprint.post("/notes/<int:note_id>/delete")
def delete_note(note_id):
    note = find.note(note_id)
    if not Act().validate_on_submit():
        abort(400)
    try:
        actions.remove(current_user, note)
    except RuleBroken:
        abort(403)
    return answer(find.conversation(note.conversation_id))
