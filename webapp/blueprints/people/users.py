"""Users and roles: the list, a person's page, and what an admin may do with somebody."""

from datetime import timedelta

from flask import request, url_for
from flask_login import current_user
from sqlalchemy import func, select

from webapp.actions import leaving, people, routing
from webapp.blueprints.people import rows
from webapp.blueprints.people.invite import invited
from webapp.blueprints.people.leaving import heir_of
from webapp.blueprints.people.routes import blueprint, only_admins
from webapp.extensions import db
from webapp.models import Hold, Link, Person, SignIn, Team, TeamMember
from webapp.models.types import now
from webapp.rules import RuleBroken
from webapp.rules.bounds import NAME_SEARCH_MAX
from webapp.web import find
from webapp.web.forms import Act, pressed
from webapp.web.forms_people import HandOver, Role
from webapp.web.present import go, present

HERE = timedelta(minutes=5)      # seen so lately is "now"


@blueprint.get("/people")
def index():
    only_admins()
    return present("people/index", **_users())


@blueprint.get("/people/<int:person_id>")
def show(person_id):
    return present("people/show", **_person(find.person(person_id)))


@blueprint.post("/people/<int:person_id>/role")
def role(person_id):
    person, form = find.person(person_id), Role()
    back = request.form.get("back")
    if not form.validate_on_submit():
        return present("people/show", 422, **_person(person, form.broken))
    try:
        people.set_role(current_user, person, form.role.data)
    except RuleBroken as broken:
        db.session.rollback()
        return present("people/show", 422, **_person(find.person(person_id), broken))
    if not current_user.is_admin:        # they gave it up themselves: these pages are closed to them now
        return go(url_for("home.index"))
    return go(url_for("people.index") if back == "people" else url_for("people.show", person_id=person_id))


@blueprint.get("/people/<int:person_id>/deactivate")
def deactivate_form(person_id):
    return _leave_form(find.person(person_id), "deactivate")


@blueprint.post("/people/<int:person_id>/deactivate")
def deactivate(person_id):
    return _leave(find.person(person_id), "deactivate", people.deactivate)


@blueprint.get("/people/<int:person_id>/remove")
def remove_form(person_id):
    return _leave_form(find.person(person_id), "remove")


@blueprint.post("/people/<int:person_id>/remove")
def remove(person_id):
    return _leave(find.person(person_id), "remove", people.remove_person)


@blueprint.post("/people/<int:person_id>/reactivate")
def reactivate(person_id):
    return _do(person_id, people.reactivate)


@blueprint.post("/people/<int:person_id>/withdraw")
def withdraw(person_id):
    return _do(person_id, people.withdraw, url_for("people.index"))


@blueprint.post("/people/<int:person_id>/restore")
def restore(person_id):
    return _by_link(person_id, people.restore)


@blueprint.post("/people/<int:person_id>/invite-again")
def invite_again(person_id):
    return _by_link(person_id, people.invite_again)


def _do(person_id, act, target=None):
    """One button: the act, and back to the person's page, or the reason why not on it."""
    person = find.person(person_id)
    pressed()
    try:
        act(current_user, person)
    except RuleBroken as broken:
        db.session.rollback()
        return present("people/show", 422, **_person(find.person(person_id), broken))
    return go(target or url_for("people.show", person_id=person_id))


def _by_link(person_id, act):
    person = find.person(person_id)
    pressed()
    try:
        link = act(current_user, person)
    except RuleBroken as broken:
        db.session.rollback()
        return present("people/show", 422, **_person(find.person(person_id), broken))
    return invited([link], url_for("people.show", person_id=person_id))


def _leave_form(person, what, form=None, code=200):
    estate = leaving.estate(person)
    form = form or HandOver()
    form.offer(leaving.heirs(person, [inbox for inbox, _count in estate.conversations if inbox.deleted_at is None]))
    return present("people/leave", code, person=person, what=what, estate=estate, form=form,
                   needed_in=leaving.needed_in(person) if what == "remove" else [])


def _leave(person, what, act):
    person_id, form = person.id, HandOver()
    if not form.validate_on_submit():
        return _leave_form(person, what, form, 422)
    try:
        act(current_user, person, heir_of(form))
    except RuleBroken as broken:
        db.session.rollback()
        person = find.person(person_id)
        form.blame(broken)
        return _leave_form(person, what, form, 422)
    return go(url_for("people.leaving", person_id=person_id))


def _users():
    everybody, typed = rows.present_people(), request.args.get("q", "")[:NAME_SEARCH_MAX]
    gone, asked_for_gone = rows.removed_people(), request.args.get("state") == "removed"
    found = rows.matching(gone if asked_for_gone else everybody, typed)
    ghosts = leaving.holdings([p.id for p in gone])
    return dict(rows=rows.rows_of(found[:rows.SHOWN]), found=len(found), users=len(everybody), typed=typed,
                gone=len(gone), asked_for_gone=asked_for_gone,
                ghosts=[(p, ghosts[p.id]) for p in gone if p.id in ghosts],
                personal=db.session.scalar(select(func.count()).select_from(Hold).join(
                    Person, Hold.person_id == Person.id).where(Person.state != "removed")),
                lately=now() - HERE, form=Act())


def _person(person, broken=None):
    [row] = rows.rows_of([person])
    estate = leaving.estate(person)
    return dict(
        person=person, row=row, estate=estate, broken=broken, lately=now() - HERE, form=Act(),
        away=routing.away([person])[person.id],
        teams=db.session.scalars(select(Team).join(TeamMember, TeamMember.team_id == Team.id)
                                 .where(TeamMember.person_id == person.id).order_by(Team.name)).all(),
        sign_ins=db.session.scalar(select(func.count()).select_from(SignIn).where(SignIn.person_id == person.id)),
        link=db.session.scalar(select(Link).where(Link.person_id == person.id, Link.purpose == "invite",
                                                  Link.used_at.is_(None)).order_by(Link.id.desc()).limit(1)))
