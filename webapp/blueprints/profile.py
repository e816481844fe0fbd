"""What is one's own: profile, password, sign-in address, signed-in browsers, notices."""

from flask import Blueprint, abort, current_app, g, request, session, url_for
from flask_login import current_user
from sqlalchemy import select

from webapp.actions import links, pictures
from webapp.actions import notices as notice_actions
from webapp.actions import profile as profile_actions
from webapp.actions import sign_in as sign_in_actions
from webapp.extensions import db, unit
from webapp.models import Notice, PictureLeave, SignIn
from webapp.models.picture import lasting_leaves
from webapp.models.types import now
from webapp.rules import RuleBroken
from webapp.web import find, paging
from webapp.web.forms import Act, pressed
from webapp.web.forms_account import ChangeEmail, ChangePassword, Choices, Profile
from webapp.web.present import go, present

blueprint = Blueprint("profile", __name__)
SAVED = ("profile", "choices", "password", "email", "asked", "sessions", "pictures")


@blueprint.get("/profile")
def index():
    saved = request.args.get("saved")
    return _page(saved=saved if saved in SAVED else None)


@blueprint.post("/profile")
def change():
    form = Profile()
    if form.validate_on_submit():
        try:
            profile_actions.change(current_user, form.name.data, form.title.data or "", form.language.data,
                                   form.time_zone.data, form.theme.data)
        except RuleBroken as broken:
            form.blame(broken)
        else:
            return go(url_for("profile.index", saved="profile"))
    return _page(422, form=form)


@blueprint.post("/profile/choices")
def choose():
    form = Choices()
    if not form.validate_on_submit():
        abort(400)
    profile_actions.choose(current_user, form.mail_mentions.data, form.mail_following.data, form.single_keys.data)
    return go(url_for("profile.index", saved="choices"))


@blueprint.post("/profile/password")
def change_password():
    form = ChangePassword()
    if form.validate_on_submit():
        try:
            _asked("old", form.old.data)
            hashed = _hashed(form.new.data)
            profile_actions.change_password(current_user, hashed, session.get("token", ""))
        except RuleBroken as broken:
            form.blame(broken)
        else:
            return go(url_for("profile.index", saved="password"))
    return _page(422, password_form=form)


@blueprint.post("/profile/email")
def change_email():
    form = ChangeEmail()
    if form.validate_on_submit():
        try:
            links.check_free(current_user, form.email.data)
            _asked("password", form.password.data)
            changed = links.ask_for_email(current_user, form.email.data, _by_mail())
        except RuleBroken as broken:
            form.blame(broken)
        else:
            return go(url_for("profile.index", saved="email" if changed else "asked"))
    return _page(422, email_form=form)


@blueprint.post("/profile/email/withdraw")
def withdraw_email():
    pressed()
    links.withdraw_email(current_user)
    return go(url_for("profile.index"))


@blueprint.post("/sessions/<int:sign_in_id>/end")
def end_session(sign_in_id):
    """Another browser of one's own; to end this one there is signing out."""
    row = db.session.scalar(select(SignIn).where(SignIn.id == sign_in_id, SignIn.person_id == current_user.id))
    if row is None:
        abort(404)
    pressed()
    if row.id != g.sign_in.id:
        sign_in_actions.end_session(current_user, row.id)
    return go(url_for("profile.index", saved="sessions"))


@blueprint.post("/sessions/end-others")
def end_other_sessions():
    pressed()
    sign_in_actions.end_other_sessions(current_user, session.get("token", ""))
    return go(url_for("profile.index", saved="sessions"))


@blueprint.post("/profile/pictures")
def block_pictures():
    """A sender or a domain whose pictures are no more shown without asking."""
    pressed()
    row = db.session.scalar(lasting_leaves(current_user.id).where(
        PictureLeave.id == request.form.get("leave", 0, type=find.row_id)))
    if row is None:
        abort(404)
    pictures.take_back(current_user, row)
    return go(url_for("profile.index", saved="pictures", _anchor="pictures"))


@blueprint.get("/notices")
def notices():
    query = select(Notice).where(Notice.person_id == current_user.id, Notice.shown)
    rows, more = paging.page(db.session, query, Notice.at, Notice.id, request.args.get("before"))
    rows = [row[0] for row in rows]
    newest = db.session.scalar(select(Notice.id).where(Notice.person_id == current_user.id, Notice.shown)
                               .order_by(Notice.id.desc()).limit(1))
    return present("profile/notices", notices=rows, newest=newest, form=Act(), here=request.args.get("before"),
                   before=paging.cursor_of(rows[-1].at, rows[-1].id) if more else None)


@blueprint.post("/notices/read")
def read_notices():
    """Up to the newest that was on the page: what came meanwhile stays unread."""
    pressed()
    notice_actions.read(current_user, request.form.get("up_to", type=find.row_id) or 0)
    return go(url_for("profile.notices"), changed=(f"person-{current_user.id}",))


def _page(code=200, saved=None, form=None, password_form=None, email_form=None):
    me = current_user
    sessions = db.session.scalars(
        select(SignIn).where(SignIn.person_id == me.id,
                             SignIn.created_at > now() - current_app.permanent_session_lifetime)
        .order_by(SignIn.last_seen_at.desc(), SignIn.id.desc()).limit(100)).all()
    own = dict(name=me.name, title=me.title, language=me.language, time_zone=me.time_zone, theme=me.theme)
    return present("profile/index", code, saved=saved, sessions=sessions, here=g.sign_in.id, by_mail=_by_mail(),
                   leaves=db.session.scalars(lasting_leaves(me.id)).all(),
                   waiting=links.waiting_email(me), form=form or Profile(formdata=None, data=own),
                   password_form=password_form or ChangePassword(formdata=None),
                   email_form=email_form or ChangeEmail(formdata=None))


def _asked(field, password):
    """Is it really them? A wrong password counts as a try to sign in. Raises RuleBroken(field, "wrong_password" |
    "throttled"). The transaction of before is over."""
    subject, stored = {"device": f"here-{current_user.id}"}, current_user.password_hash
    late, tries = None, []
    try:
        with unit():
            tries = sign_in_actions.count("sign_in", **subject)
        with unit():
            sign_in_actions.check_again("sign_in", **subject)
    except RuleBroken as broken:
        late = RuleBroken(field, broken.code, **broken.facts)
    if late is None and not sign_in_actions.matches(stored, password):
        raise RuleBroken(field, "wrong_password")
    with unit():
        sign_in_actions.forget(tries)
    if late:
        raise late


def _hashed(password):
    """Hashing takes its time: no transaction is open meanwhile."""
    db.session.rollback()
    return sign_in_actions.hasher().hash(password)



def _by_mail():
    return bool(current_app.config["SETTINGS"].notice_smtp)
