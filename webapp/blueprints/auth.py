"""Signing in and out, the first admin, language and theme."""

from urllib.parse import urlsplit

from flask import Blueprint, abort, redirect, request, session, url_for
from flask_babel import get_locale
from flask_login import current_user
from sqlalchemy import select

from webapp.actions import people
from webapp.extensions import db
from webapp.models import Person
from webapp.rules import RuleBroken
from webapp.rules.bounds import LANGUAGES, THEMES
from webapp.web.forms import Act, SetUp, SignIn
from webapp.web.guard import keep, start_session
from webapp.web.present import go, present

blueprint = Blueprint("auth", __name__)


@blueprint.get("/sign-in")
def sign_in_form():
    if current_user.is_authenticated:
        return redirect(url_for("home.index"))
    return present("auth/sign_in", form=SignIn(), next=_own_path(request.args.get("next")))


@blueprint.post("/sign-in")
def sign_in():
    form, target = SignIn(), _own_path(request.form.get("next"))
    if form.validate_on_submit():
        try:
            person, token = people.sign_in(form.email.data, form.password.data, request.remote_addr or "",
                                           request.user_agent.string)
        except RuleBroken as broken:
            keep()
            form.blame(broken)
        else:
            start_session(token)
            return go(target or url_for("home.index"))
    return present("auth/sign_in", 422, form=form, next=target)


@blueprint.post("/sign-out")
def sign_out():
    people.sign_out(session.get("token", ""))
    session.clear()
    return redirect(url_for("auth.sign_in_form"), 303)


@blueprint.get("/set-up")
def set_up_form():
    _only_when_empty()
    return present("auth/set_up", form=SetUp())


@blueprint.post("/set-up")
def set_up():
    _only_when_empty()
    form = SetUp()
    if form.validate_on_submit():
        try:
            person = people.create_person(form.name.data, form.email.data, "admin", form.password.data,
                                          get_locale().language)   # the one they read this page in
        except RuleBroken as broken:
            form.blame(broken)
        else:
            start_session(people.open_session(person, request.user_agent.string))
            return go(url_for("home.index"))
    return present("auth/set_up", 422, form=form)


@blueprint.post("/language")
def language():
    """Language and theme; before signing in the language alone, kept in the session."""
    if not Act().validate_on_submit():
        abort(400)
    chosen, theme = request.form.get("language"), request.form.get("theme")
    if current_user.is_authenticated:
        people.set_preferences(current_user, chosen if chosen in LANGUAGES else None,
                               theme if theme in THEMES else None)
    elif chosen in LANGUAGES:
        session["language"] = chosen
    return redirect(_own_path(request.form.get("next")) or url_for("home.index"), 303)


def _own_path(target):
    """A path of our own, or None: never another host, whatever it is disguised as."""
    if not target or not target.startswith("/") or target.startswith(("//", "/\\")) or "\\" in target:
        return None
    parts = urlsplit(target)
    return None if parts.scheme or parts.netloc or any(c < " " for c in target) else target


def _only_when_empty():
    if db.session.scalar(select(Person.id).limit(1)):
        abort(404)
