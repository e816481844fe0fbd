"""Who comes in: sign-in unless the route is public, same-origin for what changes state, safe headers on all."""

from flask import abort, current_app, g, redirect, request, session, url_for
from flask_login import current_user
from sqlalchemy import select

from webapp import live
from webapp.extensions import db, login_manager, writing
from webapp.models import Person, SignIn
from webapp.models.person import token_hash
from webapp.models.types import now
from webapp.web.present import is_swap

# Everything else needs a sign-in; tests/house compares this list with the routes.
PUBLIC = frozenset({"static", "auth.sign_in", "auth.sign_in_form", "auth.set_up", "auth.set_up_form", "auth.language",
                    "auth.forgot", "auth.forgot_form", "auth.link", "auth.use_link",
                    "live.health"})
SAFE = ("GET", "HEAD", "OPTIONS")
DEVICE_SECONDS = 2 * 365 * 86400
# The one file, not its CDN: that serves every package of npm.
HTMX = "https://cdn.jsdelivr.net/npm/htmx.org@4.0.1/dist/htmx.min.js"


def init_app(app):
    login_manager.request_loader(_load)
    login_manager.session_protection = None      # its sign-ins in the cookie are not ours; it would only write to it
    app.before_request(_begin)
    app.before_request(_same_origin)
    app.before_request(_signed_in)
    app.after_request(_commit)
    app.after_request(_headers)
    app.teardown_request(_end)


def start_session(token):
    """A new session for a new sign-in: nothing of the old one stays (no fixation), a new CSRF secret."""
    session.clear()
    session.permanent = True
    session["token"] = token


def device():
    """What the cookie of a browser says that was signed in before; "" for others."""
    return request.cookies.get(_device_cookie(), "")


def remember_device(response, token):
    """It opens nothing: only its tries are counted for themselves."""
    response.set_cookie(_device_cookie(), token, max_age=DEVICE_SECONDS, httponly=True, samesite="Lax",
                        secure=current_app.config["SESSION_COOKIE_SECURE"])
    return response


def _device_cookie():
    return f"{current_app.config['SESSION_COOKIE_NAME']}-device"


def _load(_request):
    token = session.get("token")
    if not token:
        return None
    row = db.session.scalar(select(SignIn).where(SignIn.token_hash == token_hash(token),
                                                 SignIn.created_at > now() - current_app.permanent_session_lifetime))
    if row is None or not row.person.is_active:
        return None
    g.sign_in = row
    return row.person


def _begin():
    g.since = live.as_of()      # before anything is read: what changes from now on is told to the page
    g.writing = writing.set(request.method not in SAFE)


def _same_origin():
    """Beside the CSRF token: the browser itself says where a changing request comes from."""
    if request.method in SAFE:
        return
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        allowed = site == "same-origin"
    else:
        origin = request.headers.get("Origin")
        allowed = origin is None or origin in (request.host_url.rstrip("/"), current_app.config["SETTINGS"].base_url)
    if not allowed:
        abort(403)


def _signed_in():
    if request.endpoint is None or request.endpoint in PUBLIC or current_user.is_authenticated:
        return None
    if not db.session.scalar(select(Person.id).limit(1)):
        return redirect(url_for("auth.set_up_form"))
    if is_swap():
        abort(401)
    target = request.full_path.rstrip("?") if request.method == "GET" else None
    return redirect(url_for("auth.sign_in_form", next=target if target != "/" else None))


def _commit(response):
    """The edge commits: once, right before it answers. What failed leaves nothing."""
    if request.method not in SAFE and (response.status_code < 400 or g.get("keep")):
        db.session.commit()
    return response


def keep():
    """Commit although the answer is an error: a refused sign-in is to be counted."""
    g.keep = True


def _end(_error):
    if "writing" in g:
        writing.reset(g.pop("writing"))


def _headers(response):
    settings = current_app.config["SETTINGS"]
    ancestors = " ".join(["'self'", *settings.frame_ancestors.split()])
    cdn = f" {HTMX}" if settings.htmx_cdn else ""
    headers = response.headers
    headers.setdefault("Content-Security-Policy", (
        f"default-src 'none'; script-src 'self'{cdn}; connect-src 'self'{cdn}; style-src 'self';"
        f" img-src 'self' data:; font-src 'self'; frame-src 'self'; form-action 'self';"
        f" base-uri 'none'; frame-ancestors {ancestors}"))
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("Referrer-Policy", "same-origin")
    headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    if settings.secure_cookies:
        headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    if request.endpoint == "static" and "v" in request.args:
        headers["Cache-Control"] = "public, max-age=31536000, immutable"
    return response

