"""Postroom. `create_app` is the only place that wires; everything else is imported by it or by the processes."""

import logging
import secrets
from datetime import timedelta
from pathlib import Path

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from webapp import live, queue, words
from webapp.config import Settings
from webapp.extensions import babel, compress, csrf, db, login_manager, migrate
from webapp.models.blob import Blobs
from webapp.models.secret import ensure_keys, make_once


def create_app(settings: Settings | None = None, **config):
    """The WSGI application. `config` goes to Flask's own configuration (tests use TESTING)."""
    settings = settings or Settings.from_env()
    settings.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    logging.basicConfig(level=settings.log_level, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    app = Flask(__name__, template_folder="../templates", static_folder="../static")
    app.config.update(_flask_settings(settings), **config)
    if settings.trusted_proxies:
        n = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=n, x_proto=n, x_host=0)
    _init_extensions(app, settings)
    _register(app)
    return app


def _flask_settings(settings):
    ensure_keys(settings.folder)
    cross_site = settings.embed_cross_site
    return dict(
        SETTINGS=settings, SECRET_KEY=_app_secret(settings.folder / "secret.app"),
        SQLALCHEMY_DATABASE_URI=settings.database, SQLALCHEMY_ENGINE_OPTIONS=_engine_options(settings),
        SESSION_COOKIE_NAME="__Host-postroom" if settings.secure_cookies else "postroom",
        SESSION_COOKIE_SECURE=settings.secure_cookies or cross_site, SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="None" if cross_site else "Lax", SESSION_COOKIE_PARTITIONED=cross_site,
        PERMANENT_SESSION_LIFETIME=timedelta(days=30), SESSION_REFRESH_EACH_REQUEST=False,
        MAX_CONTENT_LENGTH=25_000_000, MAX_FORM_MEMORY_SIZE=2_000_000,
        WTF_CSRF_TIME_LIMIT=None, WTF_CSRF_SSL_STRICT=False, SEND_FILE_MAX_AGE_DEFAULT=timedelta(days=365),
        BABEL_TRANSLATION_DIRECTORIES=str(words.FOLDER), BABEL_DEFAULT_LOCALE=settings.default_language,
        BABEL_DEFAULT_TIMEZONE=settings.default_time_zone, COMPRESS_STREAMS=True,
        # Static files are streams to Flask-Compress. What is saved to disk and live events (text/event-stream) are not
        # in this list: they go out as they are.
        COMPRESS_MIMETYPES=["text/html", "text/css", "text/javascript", "image/svg+xml", "application/json"],
        COMPRESS_ALGORITHM=["gzip"], TEMPLATES_AUTO_RELOAD=False)


def _engine_options(settings):
    """Without the parameters of a failed statement in its message: they hold mail and sealed passwords."""
    if settings.database.startswith("sqlite"):
        return {"pool_size": 20, "max_overflow": 60, "hide_parameters": True,
                "connect_args": {"check_same_thread": False, "timeout": 15}}
    return {"pool_size": 10, "max_overflow": 20, "pool_pre_ping": True, "hide_parameters": True}


def _init_extensions(app, settings):
    db.init_app(app)
    migrate.init_app(app, db, directory=str(Path(__file__).parent / "migrations"), render_as_batch=True)
    csrf.init_app(app)
    login_manager.init_app(app)
    babel.init_app(app, locale_selector=words.language, timezone_selector=words.time_zone)
    compress.init_app(app)
    Blobs(settings.blob_database).init_app(app)
    if settings.redis_url:
        app.extensions["redis"] = queue.connect(settings)
        app.extensions["live"] = live.Hub(app.extensions["redis"], settings.max_streams)


def _register(app):
    from webapp import cli
    from webapp.blueprints import register_blueprints
    from webapp.web import errors, filters, find, guard, pictures, quick, remedies, senders, side
    cli.init_app(app)
    quick.init_app(app)
    filters.init_app(app)
    find.init_app(app)
    side.init_app(app)
    remedies.init_app(app)
    senders.init_app(app)
    pictures.init_app(app)
    guard.init_app(app)
    errors.init_app(app)
    register_blueprints(app)


def _app_secret(path):
    """The key that signs cookies and Message-IDs; made once, mode 600."""
    make_once(path, secrets.token_hex(32))
    return path.read_text().strip()
