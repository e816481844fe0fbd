"""A conversation is read; what was answered is called back, sent now, sent again."""

from flask import abort, url_for
from flask_login import current_user

from webapp.actions import conversations, outbox
from webapp.blueprints.team.acting import answer
from webapp.blueprints.team.routes import blueprint
from webapp.blueprints.team.rows import conversation_url, row_of, shell
from webapp.blueprints.team.thread import thread_of
from webapp.extensions import db, unit
from webapp.models import Conversation
from webapp.web import find
from webapp.web.forms import Act
from webapp.web.present import fragment, go, is_swap, present


@blueprint.get("/conversations/<int:conversation_id>")
def conversation(conversation_id):
    found = find.conversation(conversation_id)
    _saw(found)
    facts = thread_of(found)
    if is_swap():
        return fragment("team/thread", row=row_of(found), **facts)
    if found.id != conversation_id:
        return go(conversation_url(found.id))
    return present("team/inbox", **{**shell(found.inbox, found), **facts})


@blueprint.get("/conversations/<int:conversation_id>/messages")
def messages(conversation_id):
    """The thread's messages alone: drawn again when something changed, read up to here."""
    found = find.conversation(conversation_id)
    _saw(found)
    return fragment("team/messages", row=row_of(found), oob=True, **thread_of(found))


@blueprint.post("/outbox/<int:outbox_id>/undo")
def undo(outbox_id):
    row = find.outbox(outbox_id)
    if not Act().validate_on_submit():
        abort(400)
    conversation_id = row.message.conversation_id
    if conversation_id is None:
        abort(404)
    in_time = outbox.undo(current_user, row)
    if db.session.get(Conversation, conversation_id) is None:       # a new message: it is a draft again, and no more
        return go(url_for("team.drafts"))
    return answer(find.conversation(conversation_id), too_late=not in_time)


@blueprint.post("/outbox/<int:outbox_id>/now")
def send_now(outbox_id):
    """What waits for its time, or for another try, leaves now."""
    row = find.outbox(outbox_id)
    if not Act().validate_on_submit():
        abort(400)
    found = find.to_act(row.message.conversation_id or abort(404))
    outbox.hurry(current_user, row)
    return answer(found)


@blueprint.post("/outbox/<int:outbox_id>/again")
def send_again(outbox_id):
    row = find.outbox(outbox_id)
    if not Act().validate_on_submit():
        abort(400)
    found = find.to_act(row.message.conversation_id)      # its writer may have become a viewer meanwhile
    outbox.send_again(current_user, row)
    return answer(found)


def _saw(found):
    """Reading is noted in a short transaction of its own, and only when there was something new to read."""
    if conversations.unseen(current_user, found):
        db.session.rollback()
        with unit():
            conversations.see(current_user, found)
