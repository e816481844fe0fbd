"""The only renderer: the whole page on a full load, its fragment alone on a swap (DESIGN 6)."""

from flask import make_response, redirect, render_template, request

VARY = ("HX-Request", "HX-Request-Type", "HX-History-Restore-Request", "Cookie")


def is_swap():
    """Is htmx asking for a fragment? Boosted and history-restore requests get the page."""
    headers = request.headers
    return (headers.get("HX-Request") == "true" and headers.get("HX-Request-Type") != "full"
            and "HX-Boosted" not in headers and "HX-History-Restore-Request" not in headers)


def present(name, code=200, changed=(), **context):
    """`present("team/conversation")` renders templates/team/conversation.html or its fragment _conversation.html.

    `changed`: names of what this very request changed, for fragments on the same page that listen.
    """
    area, _, leaf = name.rpartition("/")
    page = f"{area}/{leaf}.html"
    # A page that has no fragment of its own is sent whole.
    response = make_response(render_template([f"{area}/_{leaf}.html", page] if is_swap() else page, **context), code)
    return finish(response, changed)


def fragment(name, code=200, changed=(), **context):
    """A fragment that is never a page of its own."""
    area, _, leaf = name.rpartition("/")
    return finish(make_response(render_template(f"{area}/_{leaf}.html", **context), code), changed)


def go(url, changed=()):
    """After a good form: 303 for a page; for a swap the browser is told to go there."""
    if is_swap():
        response = make_response("", 200)
        response.headers["HX-Location"] = url
        return finish(response, changed)
    return finish(redirect(url, 303), changed)


def finish(response, changed=()):
    response.vary.update(VARY)
    response.headers.setdefault("Cache-Control", "no-store")
    if changed:
        response.headers["HX-Trigger"] = ", ".join(f"{name}-changed" for name in changed)
    return response
