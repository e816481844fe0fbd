"""Templates: the page on which they are written, and what they put into a message."""

from flask import Response, abort, request, url_for
from flask_login import current_user
from sqlalchemy import select

from webapp.actions import drafts, templates
from webapp.blueprints.team.composer import data_of
from webapp.blueprints.team.routes import blueprint
from webapp.blueprints.team.rows import conversation_url
from webapp.extensions import db
from webapp.models import Message, Template
from webapp.rules import RuleBroken
from webapp.rules.templates import FIELDS
from webapp.web import find
from webapp.web.forms import Act
from webapp.web.forms_letters import Letter, WriteTemplate
from webapp.web.present import finish, go, present


@blueprint.get("/templates")
def templates_page():
    """All that one may use; `edit`: the one in the form."""
    found = _own_inboxes()
    chosen = find.template(find.number(request.args.get("edit")) or abort(404)) if "edit" in request.args else None
    form = WriteTemplate(formdata=None, name=chosen.name, subject=chosen.subject, text=chosen.text,
                         inbox=str(chosen.inbox_id or "")) if chosen else WriteTemplate(formdata=None)
    return _page(found, form, chosen)


@blueprint.post("/templates")
def write_template():
    return _write(None)


@blueprint.post("/templates/<int:template_id>")
def change_template(template_id):
    return _write(find.template(template_id))


@blueprint.post("/templates/<int:template_id>/delete")
def delete_template(template_id):
    found = find.template(template_id)
    _own_inboxes()
    if not Act().validate_on_submit():
        abort(400)
    templates.delete(found)
    return go(url_for("team.templates_page"))


@blueprint.post("/templates/<int:template_id>/fill")
def fill_template(template_id):
    """For a script: the filled text alone. Without one: it is put below what is written, into the draft."""
    template, form = find.template(template_id), Letter()
    if not form.validate_on_submit():
        abort(422)
    message = find.message(find.number(form.of.data) or 0) if form.of.data else None
    found = find.to_act(message.conversation_id or abort(404)) if message is not None else None
    inbox = found.inbox if found is not None else find.inbox(find.number(form.inbox.data) or abort(404))
    if not find.may_act(inbox):
        abort(403)
    text = templates.filled(current_user, template, inbox, found)
    if request.headers.get("HX-Request"):
        return finish(Response(text, mimetype="text/plain"))
    data = data_of(form, inbox)
    data["text"] = "\n\n".join(filter(None, (data["text"].rstrip(), text)))
    if found is not None:
        parent = db.session.get(Message, message.id)
        drafts.save_draft(current_user, found, data.pop("text"), parent_id=parent.id, **data)
        return go(conversation_url(found.id) + "#composer-place")
    draft = drafts.save_new(current_user, inbox, form.token.data, **data) or abort(404)
    return go(url_for("team.new_draft", draft_id=draft.id))


def _own_inboxes():
    """The inboxes that one may act in; for those who only read there are no templates."""
    found = find.inboxes_to_act()
    if current_user.role == "viewer":
        abort(403)
    return found


def _write(template):
    found, form = _own_inboxes(), WriteTemplate()
    wanted = find.number(form.inbox.data)
    inbox = next((i for i in found if i.id == wanted), None)
    if wanted and inbox is None:
        abort(404)
    if form.validate_on_submit():
        try:
            texts = form.text.data or "", form.subject.data or ""
            templates.write(current_user, form.name.data, *texts, inbox, template)
            return go(url_for("team.templates_page"))
        except RuleBroken as broken:
            db.session.rollback()
            form.blame(broken)
    return _page(_own_inboxes(), form, template and find.template(template.id), 422)


def _page(inboxes, form, chosen, code=200):
    rows = db.session.scalars(select(Template).where(
        Template.inbox_id.is_(None) | Template.inbox_id.in_([i.id for i in inboxes]))
        .order_by(Template.name, Template.id)).all()
    return present("team/templates", code, rows=rows, template_form=form, chosen=chosen, own_inboxes=inboxes,
                   names={i.id: i.name for i in inboxes}, fields=FIELDS)
