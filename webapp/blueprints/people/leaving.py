"""Everything in a person's name on one page, to be handed over or released (BEHAVIOUR 0.16)."""

from flask import abort, url_for
from flask_login import current_user
from sqlalchemy import select

from webapp.actions import leaving as leaving_actions
from webapp.actions import teams as team_actions
from webapp.blueprints.people.routes import blueprint
from webapp.extensions import db
from webapp.models import Inbox
from webapp.rules import RuleBroken
from webapp.web import find
from webapp.web.forms import Act, pressed
from webapp.web.forms_people import NOBODY, HandOver
from webapp.web.present import go, present


@blueprint.get("/people/<int:person_id>/leaving")
def leaving(person_id):
    return _page(find.person(person_id))


@blueprint.post("/people/<int:person_id>/leaving/conversations/<int:inbox_id>")
def hand_over(person_id, inbox_id):
    person = find.person(person_id)
    inbox = db.session.scalar(select(Inbox).where(Inbox.id == inbox_id)) or abort(404)
    form = HandOver()
    if not form.validate_on_submit():
        abort(400)
    heir = heir_of(form)
    return _then(person_id, lambda: leaving_actions.hand_over(current_user, person, inbox, heir))


@blueprint.post("/people/<int:person_id>/leaving/contacts")
def hand_contacts(person_id):
    person, form = find.person(person_id), HandOver()
    if not form.validate_on_submit():
        abort(400)
    heir = heir_of(form)
    return _then(person_id, lambda: leaving_actions.hand_contacts(current_user, person, heir))


@blueprint.post("/people/<int:person_id>/leaving/inboxes/<int:inbox_id>")
def leave_inbox(person_id, inbox_id):
    person, inbox = find.person(person_id), find.inbox_to_set(inbox_id)
    pressed()
    return _then(person_id, lambda: leaving_actions.leave_inbox(current_user, person, inbox))


@blueprint.post("/people/<int:person_id>/leaving/teams/<int:team_id>")
def leave_team(person_id, team_id):
    person, team = find.person(person_id), find.team(team_id)
    pressed()
    return _then(person_id, lambda: team_actions.leave_team(current_user, person, team))


def heir_of(form):
    """The person chosen, or None for nobody. Whether they may is for the action to say."""
    if form.heir.data == NOBODY:
        return None
    return find.person(find.number(form.heir.data) or abort(400))


def _then(person_id, act):
    try:
        act()
    except RuleBroken as broken:
        db.session.rollback()
        return _page(find.person(person_id), broken, 422)
    return go(url_for("people.leaving", person_id=person_id))


def _page(person, broken=None, code=200):
    estate = leaving_actions.estate(person)
    heirs = {inbox.id: leaving_actions.heirs(person, [inbox]) for inbox, _count in estate.conversations}
    return present("people/leaving", code, person=person, estate=estate, heirs=heirs, broken=broken, form=Act(),
                   colleagues=leaving_actions.heirs(person, []) if estate.contacts else [])
