"""Bytes of strangers on their way out: never a page of ours (DEFENCE 1.3, layer 9)."""

from urllib.parse import quote

from flask import abort, current_app

from webapp.mail.parse import part_content

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


def download(response, content_type, filename):
    """This response as a download under this name, whatever it holds."""
    ascii_name = "".join(c if c.isascii() and c.isprintable() and c not in '"\\' else "_" for c in filename)
    response.headers["Content-Type"] = content_type
    encoded = quote(filename, safe="")
    response.headers["Content-Disposition"] = f"attachment; filename=\"{ascii_name}\"; filename*=UTF-8''{encoded}"
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response.headers["Cache-Control"] = "private, no-store"
    return response


def harmless(content_type):
    """The type of a download. Never one that a page could take in as a script, a style or a document (nosniff)."""
    plain = content_type in (*RASTER, *DOCUMENTS) or content_type.startswith(("audio/", "video/", "application/vnd."))
    return content_type if plain and not content_type.endswith("xml") else "application/octet-stream"
