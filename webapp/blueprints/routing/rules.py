"""The rules of an inbox, for admins: read, written, put in order."""

from flask import request, url_for
from flask_login import current_user

from webapp.actions import routing
from webapp.blueprints.routing.page import page
from webapp.blueprints.routing.routes import blueprint
from webapp.blueprints.routing.trial import replayed
from webapp.extensions import db
from webapp.rules import RuleBroken
from webapp.web import find
from webapp.web.forms import pressed
from webapp.web.forms_routing import RuleForm, otherwise_sent
from webapp.web.present import go, is_swap


@blueprint.get("/inboxes/<int:inbox_id>/routing")
def index(inbox_id):
    return page(find.inbox_to_set(inbox_id))


@blueprint.get("/inboxes/<int:inbox_id>/routing/new")
def new(inbox_id):
    return page(find.inbox_to_set(inbox_id), form=RuleForm())


@blueprint.get("/inboxes/<int:inbox_id>/routing/<int:route_id>")
def edit(inbox_id, route_id):
    found = find.inbox_to_set(inbox_id)
    route = find.route(found, route_id)
    return page(found, form=RuleForm.of(route), route=route)


@blueprint.post("/inboxes/<int:inbox_id>/routing")
def create(inbox_id):
    return _write(find.inbox_to_set(inbox_id), None)


@blueprint.post("/inboxes/<int:inbox_id>/routing/<int:route_id>")
def change(inbox_id, route_id):
    found = find.inbox_to_set(inbox_id)
    return _write(found, find.route(found, route_id))


@blueprint.post("/inboxes/<int:inbox_id>/routing/<int:route_id>/remove")
def remove(inbox_id, route_id):
    found = find.inbox_to_set(inbox_id)
    route = find.route(found, route_id)
    pressed()
    return _done(found, lambda: routing.remove(current_user, found, route))


@blueprint.post("/inboxes/<int:inbox_id>/routing/<int:route_id>/switch")
def switch(inbox_id, route_id):
    """`on`: y, or not there."""
    found = find.inbox_to_set(inbox_id)
    route = find.route(found, route_id)
    pressed()
    return _done(found, lambda: routing.switch(current_user, found, route, request.form.get("on") == "y"))


@blueprint.post("/inboxes/<int:inbox_id>/routing/<int:route_id>/move")
def move(inbox_id, route_id):
    """`to`: its new place, from 1 on."""
    found = find.inbox_to_set(inbox_id)
    route = find.route(found, route_id)
    pressed()
    to = find.number(request.form.get("to")) or 1
    return _done(found, lambda: routing.move(current_user, found, route, to))


@blueprint.post("/inboxes/<int:inbox_id>/routing/otherwise")
def otherwise(inbox_id):
    found = find.inbox_to_set(inbox_id)
    pressed()
    given = otherwise_sent()
    if request.form.get("do") == "draw":
        return page(found, otherwise_open=True, otherwise_form=given)
    try:
        routing.change(current_user, found, given, request.form.get("open_most", ""))
    except RuleBroken as broken:
        db.session.rollback()
        return page(find.inbox_to_set(inbox_id), 422, otherwise_open=True, otherwise_form=given, broken=broken)
    return go(_here(found))


def _write(found, route):
    pressed()
    form = RuleForm.sent()
    if not form.is_to_save and not form.is_to_replay:
        return page(found, form=form, route=route)
    try:
        if form.is_to_replay:
            difference = replayed(found, form, route)
            return page(found, form=form, route=route, difference=difference)
        routing.save(current_user, found, form.given, route)
    except RuleBroken as broken:
        db.session.rollback()
        form.blame(broken)
        found = find.inbox_to_set(found.id)
        return page(found, 422, form=form, route=route and find.route(found, route.id))
    return go(_here(found))


def _done(found, act):
    """The rules as they are now, in place; or why not."""
    try:
        act()
    except RuleBroken as broken:
        db.session.rollback()
        return page(find.inbox_to_set(found.id), 422, broken=broken)
    return page(found) if is_swap() else go(_here(found))



def _here(found):
    return url_for("routing.index", inbox_id=found.id)
