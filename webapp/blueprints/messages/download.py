"""Bytes of strangers on their way out: never a page of ours (DEFENCE 1.3, layer 9)."""

from urllib.parse import quote

from flask import Response, abort, current_app, request
from werkzeug.exceptions import NotFound

from webapp.actions import files, scans
from webapp.mail.parse import part_content
from webapp.queue import enqueue
from webapp.web.present import present

RASTER = ("image/png", "image/jpeg", "image/gif", "image/webp")
DOCUMENTS = ("application/pdf", "application/zip", "application/msword", "text/plain", "text/csv", "text/calendar")


def content_of(found):
    """Of a large part without its message: a letter with a hundred pictures must not be read a hundred times."""
    blobs = current_app.extensions["blobs"]
    content = blobs.get_part(found.sha256)
    if content is None:
        raw_message = blobs.get_raw(found.message.raw_sha256)
        try:
            content = part_content(raw_message, found.part_index)
        except LookupError:     # a better parser may count the parts in another way
            abort(404)
    return content


def streamed(found):
    """A response with the bytes of an attachment, as they come; 304 for a browser that has them. No type, no name."""
    response = Response(status=304) if request.if_none_match.contains(found.sha256) else Response(opened(found))
    response.set_etag(found.sha256)
    response.headers["Cache-Control"] = "private, no-cache"      # asked each time: may this person still see it?
    return response


def opened(found):
    """Its bytes in pieces; 404 when they can't be found any more."""
    try:
        return files.pieces(files.source(found))
    except LookupError:
        raise NotFound from None


def download(response, content_type, filename, disposition="attachment"):
    """This response as a download under this name, whatever it holds."""
    ascii_name = "".join(c if c.isascii() and c.isprintable() and c not in '"\\' else "_" for c in filename)
    response.headers["Content-Type"] = content_type
    encoded = quote(filename, safe="")
    response.headers["Content-Disposition"] = f"{disposition}; filename=\"{ascii_name}\"; filename*=UTF-8''{encoded}"
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response.headers.setdefault("Cache-Control", "private, no-store")
    return response


def harmless(content_type):
    """The type of a download. Never one that a page could take in as a script, a style or a document (nosniff)."""
    plain = content_type in (*RASTER, *DOCUMENTS) or content_type.startswith(("audio/", "video/", "application/vnd."))
    return content_type if plain and not content_type.endswith("xml") else "application/octet-stream"


def infected(attachments):
    """{attachment id: what the virus scanner found} of those that it refuses; empty where there is no scanner."""
    return {a.id: name for a, (standing, name) in _standings(attachments) if standing == "infected"}


def held_back(*attachments):
    """The answer while they may not be handed out: infected, too large for the scanner, or it is being asked now. None
    when they may."""
    found = _standings(attachments)
    for standing in ("infected", "too_large"):
        for attachment, (its, name) in found:
            if its == standing:
                return present("messages/refused", 403, attachment=attachment, message=attachment.message, why=its,
                               found=name)
    waiting = [a for a, (standing, _name) in found if standing in ("wait", "away")]
    if not waiting:
        return None
    for attachment, (standing, _name) in found:
        if standing == "wait":
            enqueue("webapp.jobs.scan.scan", (attachment.id,))
    answer = present("messages/scanning", 202, attachments=waiting, message=waiting[0].message, again=request.path,
                     away=any(standing == "away" for _a, (standing, _name) in found))
    answer.headers["Retry-After"] = answer.headers["Refresh"] = "2"      # the browser asks again, without script, too
    return answer


def _standings(attachments):
    settings = current_app.config["SETTINGS"]
    if settings.scanner() is None or not attachments:
        return []
    found = scans.standings([a.sha256 for a in attachments], settings.clamd_away)
    return [(a, found[a.sha256]) for a in attachments]
