"""A picture of a stranger, painted anew: what comes out was encoded by us, and shows the same (DEFENCE 1.3, 2.4).

Decoders run in a process of their own that was started from nothing, so there is no key and no mail in its memory,
within limits of time, memory and pixels.
"""

import contextlib
import os
import threading
from typing import NamedTuple

from webapp.mail.apart import Apart, Died, Elsewhere

VERSION = 1                 # raise it when what comes out changes; what an older one painted is painted again
WIDEST, TALLEST = 2_000, 16_000      # of a picture within a mail, in pixels
MOST_BYTES = 30_000_000     # that are looked at
AT_ONCE = 2                 # in this process
PATIENCE = 20.0             # seconds to wait for one's turn


class Painted(NamedTuple):
    content: bytes
    content_type: str       # image/png, image/jpeg, image/gif or image/webp
    width: int
    height: int


class NotPainted(ValueError):
    """`code`: not_a_picture (nothing that we paint: SVG, HTML, rubbish), too_large (too many bytes or pixels, or more
    work than it may be), busy (not now: ask again)."""

    def __init__(self, code: str):
        super().__init__(code)
        self.code = code


def repaint(raw: bytes, largest_px: int = WIDEST, tallest_px: int = TALLEST) -> Painted:
    """The picture in these bytes, PNG, JPEG, GIF, WebP, AVIF, BMP or ICO whatever they are called, at most `largest_px`
    wide and `tallest_px` tall, without metadata. From any thread. NotPainted when there is none to show."""
    with turn(), Painter() as painter:
        return painter.paint(raw, largest_px, tallest_px)


@contextlib.contextmanager
def turn():
    """Wait for one's turn to paint: of many threads a few paint at a time. NotPainted "busy" when it takes too long."""
    if not _turns.acquire(timeout=PATIENCE):
        raise NotPainted("busy")
    try:
        yield
    finally:
        _turns.release()


class Painter:
    """`with Painter() as painter`: for several pictures of one message, in one child, one after the other."""

    def __enter__(self) -> "Painter":
        self._apart = Apart(None, _nursery())
        return self

    def __exit__(self, *_exc) -> None:
        self._apart.stop()

    def paint(self, raw: bytes, largest_px: int = WIDEST, tallest_px: int = TALLEST) -> Painted:
        """As `repaint`."""
        if len(raw) > MOST_BYTES:
            raise NotPainted("too_large")
        try:
            code, *painted = self._ask(raw, (largest_px, tallest_px, True))
        except Died:
            try:        # perhaps all its frames were too much; or its end was no fault of the picture, which is kept
                code, *painted = self._ask(raw, (largest_px, tallest_px, False))
            except Died:
                raise NotPainted("too_large") from None
        if code:
            raise NotPainted(code)
        return Painted(*painted)

    def _ask(self, raw, how):
        try:
            self._apart.ask([(raw, how)])
        except OSError:     # the nursery is gone: another one
            self._apart = Apart(None, _nursery(gone=True))
            self._apart.ask([(raw, how)])
        return self._apart.answer()


_turns = threading.BoundedSemaphore(AT_ONCE)
_lock = threading.Lock()
_made: dict[int, Elsewhere] = {}      # by process: a fork does not share the one of its parent


def _nursery(gone=False):
    with _lock:
        if gone and (old := _made.pop(os.getpid(), None)):
            with contextlib.suppress(OSError):
                old.close()
        if os.getpid() not in _made:
            _made.clear()
            _made[os.getpid()] = Elsewhere("webapp.mail.painting:paint")
        return _made[os.getpid()]
