"""The HTML of a message as its frame shows it."""

from flask import abort, current_app, make_response

from webapp.blueprints.messages.pictures import sources
from webapp.blueprints.messages.routes import blueprint
from webapp.mail.html import fill
from webapp.web import find

FRAME_CSP = ("sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; img-src 'self' data:;"
             " style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'; frame-ancestors 'self'")


@blueprint.get("/messages/<int:message_id>/body")
def body(message_id):
    """Customer HTML, sanitised when it came in, in a sandbox with its own policy (DEFENCE 1.3, layer 5)."""
    message = find.message(message_id)
    if message.html is None:
        abort(404)
    response = make_response(page(fill(message.html, sources(message))))
    portals = current_app.config["SETTINGS"].frame_ancestors.split()     # around us, when we are embedded
    response.headers["Content-Security-Policy"] = " ".join([FRAME_CSP, *portals])
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Cache-Control"] = "private, max-age=300"
    return response


def page(html):
    return ('<!doctype html><meta charset="utf-8"><meta name="color-scheme" content="light"><title>Message</title>'
            "<style>html{background:#fff;color:#222}body{margin:0;padding:12px 16px;"
            "font:14px/1.5 Arial,'Liberation Sans',sans-serif;overflow-wrap:anywhere}"
            "img{max-width:100%!important;height:auto}"
            "table,td,div{max-width:100%!important}@media(max-width:640px){"
            "table[width]:not([width$='%']),table[style*=width]{width:100%!important;min-width:0!important}"
            "td[width]:not([width$='%']),td[style*=width],div[style*=width]{width:auto!important;min-width:0!important}}"
            "blockquote{margin:0 0 0 .8ex;border-left:2px solid #ccc;padding-left:1ex}</style>" + html)
