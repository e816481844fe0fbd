"""A new message: its page, its draft, its files, the click."""

import secrets

from flask import abort, request, url_for
from flask_login import current_user
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from webapp.actions import drafts, letters
from webapp.actions.letters import Letter as Written
from webapp.blueprints.team.answering import enclosed
from webapp.blueprints.team.composer import (
    data_of,
    editor_html,
    keep_files,
    leaves_at,
    names_of,
    people_in,
    templates_for,
)
from webapp.blueprints.team.routes import blueprint
from webapp.blueprints.team.rows import conversation_url, side_of
from webapp.extensions import db
from webapp.models import Draft
from webapp.rules import RuleBroken, recipients
from webapp.rules.listing import Listing
from webapp.web import find
from webapp.web.forms import Act
from webapp.web.forms_letters import Letter
from webapp.web.present import fragment, go, present


@blueprint.get("/compose")
def compose_form():
    """An empty new message. `inbox`, `to`, `subject`: filled in; nothing else can be (DEFENCE 1.3)."""
    form = Letter(formdata=None, kind="new", token=f"n{secrets.token_hex(16)}", inbox=request.args.get("inbox", ""),
                  to=request.args.get("to", "")[:1000], subject=request.args.get("subject", "")[:500])
    return _page(form)


@blueprint.post("/compose")
def compose():
    form = Letter()
    inbox = _inbox_to_write_in(form)
    if not form.validate_on_submit():
        return _page(form, 422)
    if row := _sent_before(form, inbox):
        return go(conversation_url(row.message.conversation_id) if row.message.conversation_id
                  else url_for("team.drafts"))
    try:
        keep_files(form, lambda: _save(form, inbox))
        draft = _draft(form)
        if form.do.data in ("attach", "draft"):
            return go(url_for("team.new_draft", draft_id=_save(form, inbox).id))
        row = _send(form, inbox, draft)
    except RuleBroken as broken:
        db.session.rollback()
        form.blame(broken)
        if broken.code == "sent_already":
            return _as_another(form, inbox)
        return _page(form, 422)
    except IntegrityError:      # the same click twice, at the same moment: the other one has won
        db.session.rollback()
        row = _sent_before(form, inbox)
        if row is None:
            raise
    return go(conversation_url(row.message.conversation_id))


@blueprint.post("/compose/draft")
def draft_new():
    """Kept one second after the last key."""
    form = Letter()
    inbox = _inbox_to_write_in(form)
    if not form.validate_on_submit() or not _token(form):
        abort(422)
    sent = _sent_before(form, inbox)        # it was on its way when somebody pressed Send
    return fragment("team/saved", draft=None if sent else _save(form, inbox, begun=False))


@blueprint.post("/compose/files")
def enclose_new():
    form = Letter()
    inbox = _inbox_to_write_in(form)
    if not form.validate_on_submit() or not _token(form):
        abort(422)
    return enclosed(_draft(form) or _save(form, inbox), form)


@blueprint.get("/drafts/<int:draft_id>")
def new_draft(draft_id):
    """A new message that was begun: its writer goes on with it, colleagues read it."""
    draft = find.draft(draft_id)
    if draft.conversation_id is not None:
        if draft.person_id == current_user.id:
            return go(conversation_url(draft.conversation_id))
        return go(url_for("team.their_draft", conversation_id=draft.conversation_id, person_id=draft.person_id))
    if draft.person_id != current_user.id:
        return present("team/their_draft", draft=draft, person=draft.person, conversation=None)
    form = Letter(formdata=None, kind="new", token=draft.token, inbox=str(draft.inbox_id), subject=draft.subject,
                  sender=draft.sender, text=draft.text, html=editor_html(draft),
                  **{name: recipients.written(getattr(draft, name)) for name in ("to", "cc", "bcc")})
    if "again" in request.args:
        form.blame(RuleBroken("text", "sent_already"))
    return _page(form, draft=draft)


@blueprint.post("/drafts/<int:draft_id>/discard")
def discard_draft(draft_id):
    draft = find.draft_to_discard(draft_id)
    if not Act().validate_on_submit():
        abort(400)
    drafts.drop(draft)
    return go(url_for("team.drafts"))


def _page(form, code=200, draft=None):
    inboxes = find.inboxes_to_act()
    if not inboxes:
        abort(403)
    wanted = find.number(form.inbox.data)
    inbox = next((i for i in inboxes if i.id == wanted), inboxes[0])
    draft = draft or _draft(form)
    senders = letters.senders(inbox)
    return present("team/compose", code, letter_form=form, write="new", inbox=inbox, own_inboxes=inboxes, draft=draft,
                   files=draft.files if draft else [], senders=senders, sent_as=names_of(senders),
                   token=form.token.data,
                   templates=templates_for(inbox), conversation=None, may_act=True, **side_of(Listing(), "compose"))


def _inbox_to_write_in(form):
    found = find.inbox(find.number(form.inbox.data) or abort(404))
    if not find.may_act(found):
        abort(403)
    return found


def _token(form):
    """`n` and 32 digits; what undoing gave back has no n."""
    token = form.token.data or ""
    return token if token.removeprefix("n").isalnum() and len(token) in (32, 33) else None


def _sent_before(form, inbox):
    data = data_of(form, inbox)
    return letters.sent_before(current_user, _token(form), data["text"], to=data["to"], subject=data["subject"])


def _as_another(form, inbox):
    """Something else was sent from this composer meanwhile, in another window. This becomes a draft of its own, which
    says so; pressed once more, it leaves too."""
    draft = _save(form, inbox)
    draft.token = f"n{secrets.token_hex(16)}"
    return go(url_for("team.new_draft", draft_id=draft.id, again="y"))


def _draft(form):
    token = _token(form)
    return token and db.session.scalar(select(Draft).where(Draft.token == token, Draft.person_id == current_user.id))


def _save(form, inbox, begun=True):
    draft = _draft(form)
    return drafts.save_new(current_user, inbox, _token(form) or f"n{secrets.token_hex(16)}", begun,
                           **data_of(form, inbox, draft)) or (abort(404) if begun else None)


def _send(form, inbox, draft):
    data = data_of(form, inbox, draft)
    letter = Written(kind="new", text=data["text"], html=data["html"], subject=data["subject"], sender=data["sender"],
                     files=list(draft.files) if draft else [], **people_in(form))
    row = letters.send(current_user, inbox, None, letter, token=_token(form), at=leaves_at(form),
                       closes=form.do.data == "close")
    if draft is not None:
        drafts.drop(draft)
    return row
