"""Inviting people, several at once. Where no mail can be sent the admin passes the links on."""

from flask import current_app, request, url_for
from flask_login import current_user
from sqlalchemy import select

from webapp.actions import people
from webapp.blueprints.people.routes import blueprint, only_admins
from webapp.extensions import db
from webapp.models import Team
from webapp.models.link import token_of
from webapp.rules import RuleBroken
from webapp.rules.people import INVITE_LASTS, invited_addresses
from webapp.web.forms_people import Invite
from webapp.web.present import go, present


@blueprint.get("/people/invite")
def invite_form():
    only_admins()
    form = Invite(language=current_user.language)
    if "email" in request.args:
        form.emails.data = request.args["email"][:300]
    return _page(form)


@blueprint.post("/people/invite")
def invite():
    only_admins()
    form = Invite()
    if not form.validate_on_submit():
        return _page(form, 422)
    links, known = [], []
    for email in invited_addresses(form.emails.data):
        try:
            links.append(people.invite(current_user, email, form.role.data, form.language.data, form.teams.data or ()))
        except RuleBroken as broken:
            if broken.code != "person_exists":
                raise
            known.append(email)
    if known:        # all or nobody: the list stays as it was typed
        db.session.rollback()
        form.blame(RuleBroken("emails", "people_exist", addresses=known))
        return _page(form, 422)
    return invited(links, url_for("people.index"))


def invited(links, target):
    """After an invitation: on, or the links once, to be passed on by hand."""
    if _by_mail():
        return go(target)
    base = current_app.config["SETTINGS"].base_url
    made = [(link.person, base + url_for("auth.link", token=token_of(link))) for link in links]
    answer = present("people/invited", links=made, target=target)
    answer.headers["Referrer-Policy"] = "no-referrer"
    return answer


def _by_mail():
    settings = current_app.config["SETTINGS"]
    return bool(settings.notice_smtp) and not settings.demo


def _page(form, code=200):
    return present("people/invite", code, form=form, by_mail=_by_mail(), days=INVITE_LASTS.days,
                   teams=db.session.scalars(select(Team).order_by(Team.name)).all())
