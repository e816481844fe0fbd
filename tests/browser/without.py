"""Postroom with one wall against hostile mail taken away: the same processes, started by tests only.

`gunicorn browser.without:app` is wsgi.py; workers call `take_walls_away` before all else. Which wall is missing stands
in the file that POSTROOM_TEST_WITHOUT names, and may change at any time; empty: none.
"""

import os
import re
from pathlib import Path

MISSING = Path(os.environ.get("POSTROOM_TEST_WITHOUT", os.devnull))
ON_ARRIVAL = ("limits", "sanitiser", "values", "css")
WHEN_SHOWN = ("recheck", "policy", "frame")


def missing():
    return MISSING.read_text() if MISSING.exists() else ""


def take_walls_away():
    from webapp.blueprints.messages import body
    from webapp.mail import css, html

    def without(wall, module, name, instead):
        whole = getattr(module, name)
        setattr(module, name, lambda *a, **k: (instead if missing() in (wall, "all") else whole)(*a, **k))

    def bare(response):
        response.headers["Content-Security-Policy"] = "frame-ancestors 'self'"
        return response

    without("limits", html, "limit", lambda given: given)
    without("sanitiser", html, "clean", lambda given, with_text=True: html.CleanHtml(given, (), "raw", False))
    without("values", html, "_attribute", lambda _tag, _name, value, _images: value)
    without("css", css, "clean", lambda style: style)
    without("recheck", body, "recheck", lambda given: given)
    without("policy", body, "secured", bare)


def _take_frames_away(app):
    @app.after_request
    def no_sandbox(response):
        if missing() in ("frame", "all") and response.mimetype == "text/html" and not response.is_streamed:
            response.set_data(re.sub(r'(<iframe[^>]*?) sandbox="[^"]*"', r"\1", response.get_data(as_text=True)))
        return response
    return app


def __getattr__(name):
    """`app`, made when gunicorn asks for it."""
    if name != "app":
        raise AttributeError(name)
    from webapp import create_app
    take_walls_away()
    return _take_frames_away(create_app())
