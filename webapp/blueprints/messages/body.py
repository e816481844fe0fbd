"""The HTML of a message as its frame shows it."""

import base64
import hashlib
from urllib.parse import urljoin

from flask import abort, current_app, make_response, redirect, request, url_for
from flask_babel import gettext as _

from webapp.blueprints.messages.pictures import sources
from webapp.blueprints.messages.routes import blueprint
from webapp.mail.folding import fold
from webapp.mail.html import fill, recheck
from webapp.web import find

# The only style sheet in the frame. The policy below names it by its hash: no other one counts, only style attributes.
STYLE = (
    "html{background:#fff;color:#222}"
    "body{margin:0;padding:12px 16px;font:14px/1.5 Arial,'Liberation Sans',sans-serif;overflow-wrap:anywhere}"
    "body>:first-child,body>div:first-child>p:first-child{margin-top:0}"
    "img{max-width:100%;height:auto}img[width][height],img[style^='width:'],img[style*=';width:']{height:auto!important}"
    "td,th{overflow-wrap:break-word}td a,th a{overflow-wrap:anywhere}"
    "img:not([src]){display:inline-block;box-sizing:border-box;overflow:hidden;vertical-align:middle;"
    "background:#f1f0ed;color:#5b5852;font:12px/1.3 Arial,'Liberation Sans',sans-serif}"
    "img:not([src])[width='0'],img:not([src])[height='0'],img:not([src])[width='1'],img:not([src])[height='1'],"
    "img:not([src]):not([width]):not([style*=width]):not([alt]),"
    "img:not([src]):not([width]):not([style*=width])[alt='']{display:none}"
    "table,td,th,div,pre{max-width:100%}pre{white-space:pre-wrap}"
    "blockquote{margin:0 0 0 .8ex;border-left:2px solid #ccc;padding-left:1ex}"
    "details.quote>summary{display:inline-block;margin:8px 0;padding:0 8px;border-radius:4px;background:#eeece9;"
    "color:#54514b;font:11px/22px Arial,'Liberation Sans',sans-serif;letter-spacing:1px;cursor:pointer;list-style:none}"
    "details.quote>summary::-webkit-details-marker{display:none}"
    "details.quote>summary:hover{background:#e6e4e0}"
    "details.quote>summary:focus-visible{outline:2px solid #2f46c7;outline-offset:2px}"
    ".vh{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}"
    "@media(max-width:640px){img,table,td,th,div,pre{max-width:100%!important}"
    "table[width]:not([width$='%']),table[style*=width]{width:100%!important;min-width:0!important}"
    "td[width]:not([width$='%']),th[width]:not([width$='%']),td[style*=width],th[style*=width],div[style*=width],"
    "p[style*=width]{width:auto!important;min-width:0!important}"
    "img:not([src])[width]:not([width$='%']){width:min(100%,attr(width type(<number>),300)*1px)!important}"
    "}"
    "@media print{html{background:none}details.quote>summary{display:none}}"
)
_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
# With allow-same-origin our page may ask how tall the content is; nothing in the frame can run, so nothing asks back.
SANDBOX = "allow-same-origin allow-popups allow-popups-to-escape-sandbox"


def policy(pictures="'self'"):
    """The frame's Content-Security-Policy. `pictures`: where they may come from."""
    return (f"sandbox {SANDBOX}; default-src 'none'; script-src 'none'; img-src {pictures};"
            f" style-src 'unsafe-inline'; style-src-elem 'sha256-{_HASH}'; style-src-attr 'unsafe-inline';"
            " form-action 'none'; base-uri 'none'; frame-ancestors 'self'")


FRAME_CSP = policy()


@blueprint.get("/messages/<int:message_id>/body")
def body(message_id):
    """Customer HTML, sanitised when it came in, in a sandbox with its own policy (DEFENCE 1.3, layer 5)."""
    message = find.message(message_id)
    if message.html is None:
        abort(404)
    if request.headers.get("Sec-Fetch-Dest", "iframe") not in ("iframe", "frame"):
        # By itself it would be a stranger's page under our address, in a tab. On paper it is said whose it is.
        return _told_apart(redirect(url_for("messages.printed", message_id=message_id)))
    html = fold(recheck(message.html), _("Show quoted text"), message.subject or "", message.references)
    return _told_apart(secured(make_response(page(fill(html, sources(message))))))


def _told_apart(response):
    """A browser keeps the frame for some minutes: not for a tab."""
    response.vary.add("Sec-Fetch-Dest")
    return response


def secured(response):
    """This answer shows what a stranger wrote: with the frame's own policy, and nothing of ours to be asked for."""
    settings = current_app.config["SETTINGS"]
    path = url_for("messages.image", token="-")[:-1]
    # Not 'self': a picture may be asked for, nothing else of ours. A proxy may tell us another host than the browser's.
    places = dict.fromkeys(urljoin(root, path) for root in (request.host_url, settings.base_url))
    portals = settings.frame_ancestors.split()      # around us, when we are embedded
    response.headers["Content-Security-Policy"] = " ".join([policy(" ".join(places)), *portals])
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-DNS-Prefetch-Control"] = "off"
    response.headers["Cache-Control"] = "private, max-age=300"
    return response


def page(html):
    return ('<!doctype html><meta charset="utf-8"><meta name="color-scheme" content="light"><title>Message</title>'
            f"<style>{STYLE}</style>{html}")
