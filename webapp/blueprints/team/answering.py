"""Answering and handing on: the composer of a conversation, its draft, its files, the click."""

from flask import abort, request
from flask_login import current_user
from sqlalchemy import select

from webapp.actions import acts, drafts, letters, replies
from webapp.blueprints.team.acting import answer
from webapp.blueprints.team.composer import data_of, keep_files, leaves_at, people_in
from webapp.blueprints.team.routes import blueprint
from webapp.blueprints.team.rows import conversation_url
from webapp.blueprints.team.thread import thread_of
from webapp.extensions import db
from webapp.models import Draft
from webapp.rules import RuleBroken
from webapp.web import find
from webapp.web.forms import Act
from webapp.web.forms_letters import Letter
from webapp.web.present import fragment, go, is_swap, present


@blueprint.get("/conversations/<int:conversation_id>/composer")
def composer(conversation_id):
    """The composer alone: for an answer to one or all, to hand on, for a note."""
    found = find.conversation(conversation_id)
    if not is_swap():
        query = "&".join(f"{n}={v}" for n, v in request.args.items() if n == "of" and v.isdigit() or
                         n == "write" and v.isalpha())
        return go(conversation_url(found.id) + (f"?{query}" if query else "") + "#composer-place")
    return fragment("team/composer", focus=True, **thread_of(found))


@blueprint.post("/conversations/<int:conversation_id>/reply")
def reply(conversation_id):
    """Send what the form says; `do` attach only keeps its files. What was sent from this composer before is not sent
    again (the same words: as if it had been this click; others: asked)."""
    found, form = find.to_act(conversation_id), Letter()
    if not form.validate_on_submit():
        return answer(found, code=422, letter_form=form)
    if not form.anyway.data and _sent_before(found, form):
        return answer(found)
    try:
        draft = _kept(found, form)
        if form.do.data != "attach":
            act = acts.new_act()
            _send(found, form, draft, act)
            return answer(found, act if form.do.data == "close" else None)
    except RuleBroken as broken:
        return _refused(conversation_id, form, broken)
    return answer(found)


@blueprint.post("/conversations/<int:conversation_id>/draft")
def draft(conversation_id):
    """Kept one second after the last key; answers with the words for it."""
    found, form = find.to_act(conversation_id), Letter()
    if not form.validate_on_submit():
        abort(422)
    sent = _sent_before(found, form)        # it was on its way when somebody pressed Send
    return fragment("team/saved", draft=None if sent else _save(found, form))


@blueprint.post("/conversations/<int:conversation_id>/draft/discard")
def discard(conversation_id):
    found = find.to_act(conversation_id)
    if not Act().validate_on_submit():
        abort(400)
    drafts.drop_draft(current_user, found)
    return answer(found)


@blueprint.post("/conversations/<int:conversation_id>/files")
def enclose(conversation_id):
    """Files that were dropped, pasted or chosen: kept with the draft, and listed. `within`: pictures of the text."""
    found, form = find.to_act(conversation_id), Letter()
    if not form.validate_on_submit():
        abort(422)
    draft = drafts.begin(current_user, found)
    return enclosed(draft, form)


@blueprint.post("/messages/<int:message_id>/files")
def enclose_original(message_id):
    """The files of a message that is handed on, or one of them: taken into the draft by their content."""
    message = find.message(message_id)
    found = find.to_act(message.conversation_id or abort(404))
    if not Act().validate_on_submit():
        abort(400)
    one = find.number(request.form.get("file"))
    chosen = [f for f in message.files if one in (None, f.id)]
    try:
        draft = drafts.begin(current_user, found, kind="forward", parent_id=message.id)
        drafts.enclose_again(draft, chosen)
    except RuleBroken as broken:
        db.session.rollback()
        return answer(find.conversation(found.id), code=422, refused=broken)
    if is_swap():
        return fragment("team/enclosures", files=draft.files, parent=message, write="forward")
    return go(conversation_url(found.id) + f"?write=forward&of={message.id}")


@blueprint.get("/conversations/<int:conversation_id>/drafts/<int:person_id>")
def their_draft(conversation_id, person_id):
    """What a colleague is writing here: for those who may answer here, too. Who has it open is told
    when it is gone."""
    found = find.conversation(conversation_id)
    if not find.may_act(found.inbox):
        abort(404)
    row = db.session.scalar(select(Draft).where(Draft.conversation_id == found.id, Draft.person_id == person_id))
    writer = row.person if row else next((p for p in find.assignees(found.inbox) if p.id == person_id), None)
    if row is None and not is_swap():
        abort(404)
    return present("team/their_draft", 200 if row else 404, draft=row, person=writer or abort(404), conversation=found)


def enclosed(draft, form):
    """Files put into a draft by a script: the list of all; 413 and the reason when they are too many or too large."""
    given = [f for f in form.files.data or () if getattr(f, "filename", "")]
    try:
        drafts.enclose(draft, [(f.filename, f.mimetype or "application/octet-stream", f.read()) for f in given],
                       within=form.do.data == "within")
    except RuleBroken as broken:
        db.session.rollback()
        return fragment("team/enclosures", 413, files=[], broken=broken)
    return fragment("team/enclosures", files=draft.files)


def _sent_before(found, form):
    return letters.sent_before(current_user, _token(form, found), data_of(form, found.inbox)["text"]) is not None


def _token(form, found):
    """The composer's own; a made-up one counts for nothing."""
    token = form.token.data or ""
    return token if token.startswith(f"c{found.id}-p{current_user.id}-") else None


def _save(found, form):
    data = data_of(form, found.inbox, drafts.draft_of(current_user, found))
    parent = replies.chosen(found, find.number(form.of.data))
    return drafts.save_draft(current_user, found, data.pop("text"), parent_id=parent.id if parent else None, **data)


def _kept(found, form):
    """The draft, with the files of a plain form. None: there is nothing to keep."""
    keep_files(form, lambda: drafts.begin(current_user, found))
    given = any(f.filename for f in form.files.data or () if f)
    return _save(found, form) if form.do.data == "attach" or given else drafts.draft_of(current_user, found)


def _send(found, form, draft, act):
    data = data_of(form, found.inbox, draft)
    typed = any(name in request.form for name in ("to", "cc", "bcc"))
    people = people_in(form) if typed else {"to": None}
    replies.reply(
        current_user, found, data["text"], html=data["html"], kind=data["kind"],
        parent=replies.chosen(found, find.number(form.of.data)), sender=data["sender"],
        subject=data["subject"] if "subject" in request.form else None, files=list(draft.files) if draft else [],
        token=_token(form, found) if not form.anyway.data else None, at=leaves_at(form),
        seen=None if form.anyway.data else find.number(form.newest.data), act=act, closes=form.do.data == "close",
        **people)


def _refused(conversation_id, form, broken):
    """The form as it was typed, with the reason at its field; 409 and what a colleague has answered meanwhile."""
    db.session.rollback()
    found = find.conversation(conversation_id)
    overtaken = broken.code in ("answered_meanwhile", "sent_already")
    if not overtaken:
        form.blame(broken)
    return answer(found, code=409 if overtaken else 422, letter_form=form, overtaken=broken if overtaken else None)
