"""Pictures that were painted anew, kept: each is painted once for all that show it, in one size."""

import json
import threading
import time

from webapp.actions.blobs import blobs
from webapp.mail.repaint import TALLEST, VERSION, WIDEST, NotPainted, Painted, Painter, turn

SPENT_MOST, SPENT_WINDOW = 15.0, 300.0     # seconds of painting for one message, within so many seconds
_spent: dict[int, list[float]] = {}        # message id -> [when its window ends, seconds spent], in this process
_lock = threading.Lock()


def painted(sha256, read, largest_px=WIDEST, tallest_px=TALLEST, message_id=None) -> Painted:
    """The picture whose bytes have this SHA-256, painted anew, at most that large. `read`: a function that gives the
    bytes, asked only when nobody has seen it yet. NotPainted as of `mail.repaint`; that too is remembered,
    except for "busy": there is no time for it now. A letter of a hundred bombs (`message_id`) gets its share.

    For any thread of the web; a first time takes some milliseconds to 2 s, in a process apart.
    """
    key = _key(sha256, largest_px, tallest_px)
    found = _read(blobs().get_painted(key))
    if found is None:
        try:
            found = _paint(read, largest_px, tallest_px, message_id)
        except NotPainted as no:
            if no.code == "busy":
                raise
            found = no
        blobs().put_painted(key, _written(found))
    if isinstance(found, NotPainted):
        raise found
    return found


def known(sha256, largest_px=WIDEST, tallest_px=TALLEST) -> Painted | NotPainted | None:
    """The same, only if it was painted, or refused, before."""
    return _read(blobs().get_painted(_key(sha256, largest_px, tallest_px)))


def keep(sha256, made: Painted | NotPainted):
    """Remember what was made of bytes that are not kept themselves, in a mail's usual size."""
    blobs().put_painted(_key(sha256, WIDEST, TALLEST), _written(made))


def forget(names):
    """Pictures with these SHA-256, in a mail's usual size. What is part of a mail is painted again when it is shown."""
    blobs().forget_painted([_key(name, WIDEST, TALLEST) for name in names])


def _paint(read, largest_px, tallest_px, message_id):
    """An ordinary picture takes some milliseconds, a bomb up to seconds: only those use up what a message has."""
    with _lock:
        ends, seconds = _spent.get(message_id, (0.0, 0.0))
    if seconds > SPENT_MOST and ends > time.monotonic():
        raise NotPainted("busy")
    raw = read()
    with turn():
        began = time.monotonic()
        try:
            with Painter() as painter:
                return painter.paint(raw, largest_px, tallest_px)
        finally:
            _spend(message_id, time.monotonic() - began)


def _spend(message_id, seconds):
    now = time.monotonic()
    with _lock:
        if len(_spent) > 1_000:
            for other in [m for m, (ends, _seconds) in _spent.items() if ends < now]:
                del _spent[other]
        ends, before = _spent.get(message_id, (0.0, 0.0))
        _spent[message_id] = [ends, before + seconds] if ends > now else [now + SPENT_WINDOW, seconds]


def _key(sha256, largest_px, tallest_px):
    return f"{VERSION}|{largest_px}x{tallest_px}|{sha256}"


def _written(made):
    """One line of JSON, then the picture."""
    if isinstance(made, NotPainted):
        return json.dumps({"no": made.code}).encode() + b"\n"
    return json.dumps([made.content_type, made.width, made.height]).encode() + b"\n" + made.content


def _read(kept):
    if kept is None:
        return None
    line, _newline, content = kept.partition(b"\n")
    facts = json.loads(line)
    return NotPainted(facts["no"]) if isinstance(facts, dict) else Painted(content, *facts)
