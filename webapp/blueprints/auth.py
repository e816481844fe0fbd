"""Signing in and out, the first admin, links that work once, language and theme."""

import contextlib
import hmac
from urllib.parse import urlsplit

from flask import Blueprint, abort, current_app, g, redirect, request, session, url_for
from flask_babel import get_locale
from flask_login import current_user
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from webapp.actions import links, people
from webapp.actions import sign_in as sign_in_actions
from webapp.actions.audit import note
from webapp.extensions import db, unit
from webapp.models import Person
from webapp.models.link import link_of
from webapp.models.secret import ensure_setup_code, forget_setup_code
from webapp.models.types import now
from webapp.rules import RuleBroken
from webapp.rules.bounds import LANGUAGES, THEMES
from webapp.web.forms import Act, SignIn
from webapp.web.forms_account import Accept, ConfirmEmail, Forgot, NewPassword, SetUp
from webapp.web.guard import device, remember_device, start_session
from webapp.web.present import go, present

blueprint = Blueprint("auth", __name__)
DONE = ("password",)       # what a link did, told on the page for signing in


@blueprint.before_app_request
def _saw():
    """Somebody is at work: noted now and then, in a short transaction before the page's own. An open page that listens
    is nobody at work."""
    at = g.get("sign_in")
    if at is None or request.blueprint == "live" or at.last_seen_at > now() - sign_in_actions.SEEN_EVERY:
        return
    sign_in_id = at.id
    with contextlib.suppress(OperationalError), unit():      # a database that is busy: next time
        sign_in_actions.saw(sign_in_id, _ip())


@blueprint.get("/sign-in")
def sign_in_form():
    if current_user.is_authenticated:
        return redirect(url_for("home.index"))
    done = request.args.get("done")
    return present("auth/sign_in", form=SignIn(), next=_own_path(request.args.get("next")),
                   done=done if done in DONE else None)


@blueprint.post("/sign-in")
def sign_in():
    form, target = SignIn(), _own_path(request.form.get("next"))
    if form.validate_on_submit():
        try:
            person, token = _check(form.email.data, form.password.data)
        except RuleBroken as broken:
            form.blame(broken)
        else:
            known = sign_in_actions.device_token(person, device())
            start_session(token)
            return remember_device(go(target or url_for("home.index")), known)
    return present("auth/sign_in", 422, form=form, next=target)


def _check(email, password):
    """(person, token). The try is committed before the password is checked, so that of many at once no more than the
    limit are; and the check holds no lock. Raises RuleBroken("password", "sign_in_refused" | "throttled")."""
    with unit():
        wanted = sign_in_actions.want(email, _ip(), device())
    late = None
    with unit():
        try:
            sign_in_actions.check_again("sign_in", **wanted.subjects)
        except RuleBroken as broken:
            late = broken
            sign_in_actions.forget(wanted.tries)
    if late:
        raise late
    if not sign_in_actions.matches(wanted.stored, password):
        raise RuleBroken("password", "sign_in_refused")
    anew = sign_in_actions.hashed_anew(wanted.stored, password)
    with unit():
        person, token = sign_in_actions.complete(wanted, _ip(), request.user_agent.string, anew)
    return person, token


@blueprint.post("/sign-out")
def sign_out():
    sign_in_actions.sign_out(session.get("token", ""))
    session.clear()
    return redirect(url_for("auth.sign_in_form"), 303)


# The first admin


@blueprint.get("/set-up")
def set_up_form():
    _only_when_empty()
    return present("auth/set_up", form=SetUp(code=request.args.get("code", "")),
                   given=_is_code(request.args.get("code", "")))


@blueprint.post("/set-up")
def set_up():
    _only_when_empty()
    form = SetUp()
    if form.validate_on_submit():
        try:
            if not _is_code(form.code.data):
                raise RuleBroken("code", "set_up_code")
            person = people.create_person(form.name.data, form.email.data, "admin", form.password.data,
                                          get_locale().language)   # the one they read this page in
        except RuleBroken as broken:
            form.blame(broken)
        else:
            note(person, "person.created", f"person-{person.id}", name=person.name, email=person.email, role="admin")
            answer = _signed_in(person, url_for("home.index"))
            db.session.flush()
            forget_setup_code(current_app.config["SETTINGS"].folder)
            return answer
    return present("auth/set_up", 422, form=form, given=_is_code(form.code.data or ""))


def _only_when_empty():
    if db.session.scalar(select(Person.id).limit(1)):
        abort(404)


def _is_code(typed):
    code = ensure_setup_code(current_app.config["SETTINGS"].folder)
    return hmac.compare_digest(typed.strip().encode(), code.encode())


# A forgotten password


@blueprint.get("/forgot")
def forgot_form():
    return present("auth/forgot", form=Forgot(), asked=False, **_helpers())


@blueprint.post("/forgot")
def forgot():
    """The same answer in the same time for everybody: whose address it is is found out by a job."""
    form = Forgot()
    if current_app.config["SETTINGS"].notice_smtp and form.validate_on_submit():
        try:
            with unit():
                links.ask_for_reset(form.email.data, _ip())
        except RuleBroken as broken:
            form.blame(broken)
        else:
            return present("auth/forgot", form=form, asked=True, by_mail=True)
    return present("auth/forgot", 422, form=form, asked=False, **_helpers())


def _helpers():
    """Can a link be sent by mail?"""
    return {"by_mail": bool(current_app.config["SETTINGS"].notice_smtp)}


# Links that work once


@blueprint.get("/links/<token>")
def link(token):
    """Shows what the link is for. Only the button acts: scanners of mail follow links."""
    found = link_of(token)
    if not _serves(found):
        return _over()
    return _own_first(found) or _link_page(found, token, _link_form(found))


@blueprint.post("/links/<token>")
def use_link(token):
    found = link_of(token)
    if not _serves(found):
        return _over()
    if _own_first(found):
        return _own_first(found)
    form = _link_form(found)
    if form.validate_on_submit():
        purpose, hashed = found.purpose, None
        if "password" in form:
            hashed = _hashed(form.password.data)
            found = link_of(token)
            if not _serves(found):
                return _over()
        try:
            return {"invite": _accept, "reset": _reset, "email": _confirm}[purpose](found, form, hashed)
        except links.Over:
            db.session.rollback()
            return _over()
        except RuleBroken as broken:
            db.session.rollback()
            form.blame(broken)
            found = link_of(token)
            if not _serves(found):
                return _over()
    return _link_page(found, token, form, 422)


def _accept(found, form, hashed):
    person = links.accept(found, form.name.data, hashed, form.language.data, form.time_zone.data)
    return _signed_in(person, url_for("home.welcome"))


def _reset(found, _form, hashed):
    links.reset_password(found, hashed)
    session.clear()
    return go(url_for("auth.sign_in_form", done="password"))


def _confirm(found, _form, _hashed):
    links.confirm_email(found)
    return go(url_for("profile.index", saved="email"))


def _serves(found):
    return found is not None and found.person is not None and found.person.state == links.SERVES[found.purpose]


def _own_first(found):
    """A new sign-in address is confirmed by its person, signed in: at an address with a typo sits somebody else, who
    would have the account by it. None when they are, or when the link is for something else."""
    if found.purpose != "email" or current_user.is_authenticated and current_user.id == found.person_id:
        return None
    return _over() if current_user.is_authenticated else redirect(url_for("auth.sign_in_form", next=request.path))


def _link_form(found):
    if found.purpose == "invite":
        person = found.person
        zone = person.time_zone if person.last_seen_at else current_app.config["SETTINGS"].default_time_zone
        known = person.name != person.email.rpartition("@")[0]      # what it is until somebody says so
        return Accept(language=session.get("language") or person.language, time_zone=zone,
                      name=person.name if known else "")
    return NewPassword() if found.purpose == "reset" else ConfirmEmail()


def _link_page(found, token, form, code=200):
    return _private(present("auth/link", code, link=found, token=token, form=form, purpose=found.purpose))


def _over():
    """The same words for expired, used, altered and unknown ones."""
    db.session.rollback()
    return _private(present("auth/link_over", 404))


def _private(response):
    """The address of the page opens an account: it goes to nobody. (The origin alone: with "no-referrer" browsers
    without Sec-Fetch-Site would send our own form with "Origin: null".)"""
    response.headers["Referrer-Policy"] = "strict-origin"
    return response


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


def _signed_in(person, url):
    """Signed in without a password of before: a first admin, an accepted invitation."""
    known = sign_in_actions.device_token(person, device())
    note(person, "person.signed_in", f"person-{person.id}", name=person.name, ip=_ip(),
         agent=request.user_agent.string[:200])
    start_session(sign_in_actions.open_session(person, request.user_agent.string, _ip()))
    return remember_device(go(url), known)


def _hashed(password):
    """Hashing takes its time: no transaction is open meanwhile."""
    db.session.rollback()
    return sign_in_actions.hasher().hash(password)


def _ip():
    return request.remote_addr or ""


def _own_path(target):
    """A path of our own, or None: never another host, whatever it is disguised as."""
    if not target or not target.startswith("/") or target.startswith(("//", "/\\")) or "\\" in target:
        return None
    parts = urlsplit(target)
    return None if parts.scheme or parts.netloc or any(c < " " for c in target) else target
