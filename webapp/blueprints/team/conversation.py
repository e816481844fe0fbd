"""A conversation: read, assigned, closed, answered, the answer called back."""

from flask import abort, request, url_for
from flask_login import current_user
from sqlalchemy import select

from webapp.actions import conversations, outbox
from webapp.blueprints.team.routes import blueprint
from webapp.blueprints.team.rows import row_of, shell
from webapp.blueprints.team.thread import thread_of
from webapp.extensions import db, unit
from webapp.models import Seen
from webapp.rules import RuleBroken
from webapp.web import find
from webapp.web.forms import Act, Reply
from webapp.web.present import fragment, go, is_swap, present


@blueprint.get("/conversations/<int:conversation_id>")
def conversation(conversation_id):
    found = find.conversation(conversation_id)
    _saw(found)
    facts = thread_of(found)
    if is_swap():
        return fragment("team/thread", row=row_of(found), **facts)
    if found.id != conversation_id:
        return go(url_for("team.conversation", conversation_id=found.id))
    return present("team/inbox", **{**shell(found.inbox, found), **facts})


@blueprint.get("/conversations/<int:conversation_id>/messages")
def messages(conversation_id):
    """The thread's messages alone: drawn again when something changed, read up to here."""
    found = find.conversation(conversation_id)
    _saw(found)
    return fragment("team/messages", row=row_of(found), oob=True, **thread_of(found))


@blueprint.post("/conversations/<int:conversation_id>/assign")
def assign(conversation_id):
    found = _acting(conversation_id)
    wanted = request.form.get("to", type=find.row_id)
    person = next((p for p in find.assignees(found.inbox) if p.id == wanted), None)
    if wanted and person is None:
        abort(404)
    conversations.assign(current_user, found, person)
    return _answer(found)


@blueprint.post("/conversations/<int:conversation_id>/close")
def close(conversation_id):
    found = _acting(conversation_id)
    conversations.close(current_user, found)
    return _answer(found)


@blueprint.post("/conversations/<int:conversation_id>/reopen")
def reopen(conversation_id):
    found = _acting(conversation_id)
    conversations.reopen(current_user, found)
    return _answer(found)


@blueprint.post("/conversations/<int:conversation_id>/reply")
def reply(conversation_id):
    found, form = find.to_act(conversation_id), Reply()
    if form.validate_on_submit():
        try:
            conversations.reply(current_user, found, form.text.data or "")
        except RuleBroken as broken:
            db.session.rollback()
            form.blame(broken)
        else:
            return _answer(found)
    return _failed(found, 422, form)


@blueprint.post("/conversations/<int:conversation_id>/draft")
def draft(conversation_id):
    """Kept one second after the last key; answers with the words for it."""
    found, form = find.to_act(conversation_id), Reply()
    if not form.validate_on_submit():
        abort(422)
    saved = conversations.save_draft(current_user, found, form.text.data or "")
    return fragment("team/saved", draft=saved)


@blueprint.post("/outbox/<int:outbox_id>/undo")
def undo(outbox_id):
    row = find.outbox(outbox_id)
    if not Act().validate_on_submit():
        abort(400)
    conversation_id = row.message.conversation_id
    if conversation_id is None:
        abort(404)
    in_time = outbox.undo(current_user, row)
    return _answer(find.conversation(conversation_id), too_late=not in_time)


@blueprint.post("/outbox/<int:outbox_id>/again")
def send_again(outbox_id):
    row = find.outbox(outbox_id)
    if not Act().validate_on_submit():
        abort(400)
    found = find.to_act(row.message.conversation_id)      # its writer may have become a viewer meanwhile
    outbox.send_again(current_user, row)
    return _answer(found)


def _saw(found):
    """Reading is noted in a short transaction of its own, and only when there was something new to read."""
    seen = db.session.scalar(select(Seen.last_in_id).where(Seen.conversation_id == found.id,
                                                           Seen.person_id == current_user.id))
    if found.last_in_id > (seen or 0):
        db.session.rollback()
        with unit():
            conversations.see(current_user, found)


def _acting(conversation_id):
    found = find.to_act(conversation_id)
    if not Act().validate_on_submit():
        abort(400)
    return found


def _answer(found, too_late=False):
    """After an action: the thread anew for a swap (its row comes along), the page otherwise."""
    names = (f"inbox-{found.inbox_id}",)
    if is_swap():
        db.session.flush()
        return fragment("team/thread", changed=names, row=row_of(found), oob=True,
                        too_late=too_late, **thread_of(found))
    return go(url_for("team.conversation", conversation_id=found.id))


def _failed(found, status, form):
    facts = {**thread_of(found), "reply_form": form}
    if is_swap():
        return fragment("team/thread", status, row=row_of(found), **facts)
    return present("team/inbox", status, **{**shell(found.inbox, found), **facts})
