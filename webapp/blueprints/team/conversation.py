"""A conversation: read, answered, the answer called back."""

from flask import abort
from flask_login import current_user
from sqlalchemy import select

from webapp.actions import conversations, drafts, outbox, replies
from webapp.blueprints.team.acting import answer
from webapp.blueprints.team.routes import blueprint
from webapp.blueprints.team.rows import conversation_url, row_of, shell
from webapp.blueprints.team.thread import thread_of
from webapp.extensions import db, unit
from webapp.models import Mention, Note, Seen
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
        return go(conversation_url(found.id))
    return present("team/inbox", **{**shell(found.inbox, found), **facts})


@blueprint.get("/conversations/<int:conversation_id>/messages")
def messages(conversation_id):
    """The thread's messages alone: drawn again when something changed, read up to here."""
    found = find.conversation(conversation_id)
    _saw(found)
    return fragment("team/messages", row=row_of(found), oob=True, **thread_of(found))


@blueprint.post("/conversations/<int:conversation_id>/reply")
def reply(conversation_id):
    found, form = find.to_act(conversation_id), Reply()
    if form.validate_on_submit():
        try:
            replies.reply(current_user, found, form.text.data or "")
        except RuleBroken as broken:
            db.session.rollback()
            form.blame(broken)
        else:
            return answer(found)
    return _failed(found, 422, form)


@blueprint.post("/conversations/<int:conversation_id>/draft")
def draft(conversation_id):
    """Kept one second after the last key; answers with the words for it."""
    found, form = find.to_act(conversation_id), Reply()
    if not form.validate_on_submit():
        abort(422)
    saved = drafts.save_draft(current_user, found, form.text.data or "")
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
    return answer(find.conversation(conversation_id), too_late=not in_time)


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
    seen = db.session.scalar(select(Seen.last_in_id).where(Seen.conversation_id == found.id,
                                                           Seen.person_id == current_user.id))
    called = db.session.scalar(select(Mention.note_id).join(Note, Note.id == Mention.note_id).where(
        Note.conversation_id == found.id, Mention.person_id == current_user.id, Mention.seen_at.is_(None)).limit(1))
    if found.last_in_id > (seen or 0) or called:
        db.session.rollback()
        with unit():
            conversations.see(current_user, found)


def _failed(found, status, form):
    return answer(found, code=status, reply_form=form)
