"""Teams: made, renamed, filled, deleted."""

from flask import url_for
from flask_login import current_user
from sqlalchemy import select

from webapp.actions import teams as actions
from webapp.blueprints.people.routes import blueprint, only_admins
from webapp.blueprints.people.rows import present_people
from webapp.extensions import db
from webapp.models import Team
from webapp.rules import RuleBroken
from webapp.web import find
from webapp.web.forms import Act, pressed
from webapp.web.forms_people import TeamForm, TeamName
from webapp.web.present import go, present


@blueprint.get("/teams")
def teams():
    only_admins()
    return _list(TeamName())


@blueprint.post("/teams")
def create_team():
    only_admins()
    form = TeamName()
    if form.did(lambda: actions.create_team(current_user, form.name.data)):
        return go(url_for("people.team", team_id=form.made.id))
    return _list(form, 422)


@blueprint.get("/teams/<int:team_id>")
def team(team_id):
    found = find.team(team_id)
    return _page(found, TeamForm(name=found.name, members=[p.id for p in actions.members_of(found)]))


@blueprint.post("/teams/<int:team_id>")
def save_team(team_id):
    found, form = find.team(team_id), TeamForm()
    if form.validate_on_submit():
        wanted = set(form.members.data or ())
        try:
            actions.save_team(current_user, found, form.name.data, [p for p in present_people() if p.id in wanted])
        except RuleBroken as broken:
            db.session.rollback()
            found = find.team(team_id)
            form.blame(broken)
        else:
            return go(url_for("people.teams"))
    return _page(found, form, 422)


@blueprint.get("/teams/<int:team_id>/delete")
def delete_team_form(team_id):
    return _question(find.team(team_id))


@blueprint.post("/teams/<int:team_id>/delete")
def delete_team(team_id):
    found = find.team(team_id)
    pressed()
    try:
        actions.delete_team(current_user, found)
    except RuleBroken as broken:
        db.session.rollback()
        return _question(find.team(team_id), broken, 422)
    return go(url_for("people.teams"))


def _list(form, code=200):
    rows = [(t, actions.members_of(t), actions.inboxes_of(t))
            for t in db.session.scalars(select(Team).order_by(Team.name)).all()]
    return present("people/teams", code, rows=rows, form=form)


def _page(found, form, code=200):
    return present("people/team", code, team=found, form=form, people=present_people(),
                   inboxes=actions.inboxes_of(found))


def _question(found, broken=None, code=200):
    return present("people/delete_team", code, team=found, members=actions.members_of(found),
                   inboxes=actions.inboxes_of(found), broken=broken, form=Act())
