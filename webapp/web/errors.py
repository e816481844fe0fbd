"""Errors as pages and fragments, in the product's own words. Never a stack trace."""

import logging

from flask import request
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException

from webapp.extensions import db
from webapp.web.present import fragment, is_swap, present

log = logging.getLogger(__name__)


def init_app(app):
    app.register_error_handler(CSRFError, lambda e: _show(400, "csrf"))
    app.register_error_handler(HTTPException, lambda e: _show(e.code or 500, None, e))
    app.register_error_handler(Exception, _crash)


def _crash(error):
    log.exception("%s %s", request.method, request.path)
    return _show(500)


def _show(status, reason=None, error=None):
    if status in (301, 302, 303, 304, 307, 308):
        return error
    db.session.rollback()
    if is_swap():
        response = fragment("_shared/toast_error", status, number=status, reason=reason)
        response.headers["HX-Retarget"], response.headers["HX-Reswap"] = "#toasts", "beforeend"
        return response
    return present("errors/error", status, number=status, reason=reason)
