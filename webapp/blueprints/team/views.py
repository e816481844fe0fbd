"""Lists kept under a name, and one's own drafts."""

from urllib.parse import parse_qsl

from flask import abort, request, url_for
from flask_login import current_user
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from webapp.actions import views
from webapp.blueprints.team.acting import list_again
from webapp.blueprints.team.routes import blueprint
from webapp.blueprints.team.rows import rows_of, side_of
from webapp.extensions import db
from webapp.models import Draft
from webapp.rules.listing import Listing
from webapp.web import find
from webapp.web.forms import Act, KeepView
from webapp.web.present import go, present

DRAFTS_SHOWN = 200


@blueprint.post("/views")
def keep_view():
    form = KeepView()
    listing = Listing.of(dict(parse_qsl(request.form.get("list", ""))), find.number(request.form.get("inbox_id")))
    if listing.inbox_id:
        find.inbox(listing.inbox_id)
    if form.did(lambda: views.keep(current_user, form.name.data, listing, form.shared.data)):
        return go(url_for("team.saved_view", view_id=form.made.id))
    return list_again(listing, broken="view_name")


@blueprint.get("/views/<int:view_id>")
def saved_view(view_id):
    view = find.view(view_id)
    listing = Listing.of(view.query, view.query.get("inbox"))
    found = find.inbox(listing.inbox_id) if listing.inbox_id else None
    return present("team/inbox", **{**rows_of(found, listing), **side_of(listing, f"view-{view.id}"),
                                    "conversation": None, "saved": view})


@blueprint.post("/views/<int:view_id>/delete")
def delete_view(view_id):
    view = find.view(view_id)
    if view.person_id != current_user.id:
        abort(403)
    if not Act().validate_on_submit():
        abort(400)
    views.forget(current_user, view)
    return go(url_for("team.across"))


@blueprint.get("/drafts")
def drafts():
    """What one has written and not sent, the latest first. Where one may no longer write, one's own words alone, to be
    discarded, and nothing of the conversation."""
    found = db.session.scalars(select(Draft).where(Draft.person_id == current_user.id)
                               .options(joinedload(Draft.conversation))
                               .order_by(Draft.saved_at.desc(), Draft.id.desc()).limit(DRAFTS_SHOWN)).all()
    able = {i.id for i in find.inboxes_to_act()}
    closed = {d.id for d in found if (d.conversation.inbox_id if d.conversation else d.inbox_id) not in able}
    return present("team/drafts", drafts=found, closed=closed, form=Act(), conversation=None,
                   **side_of(Listing(), "drafts"))
