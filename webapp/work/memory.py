"""How a long-lived process keeps its memory small: set once, before it forks; children inherit it."""

import contextlib
import ctypes
import gc

# Objects that are new before the youngest, then the older are looked through for circles. Rows come by the thousand and
# hold none: Python's own 700 would cost a tenth of a first sync.
COLLECT = 20_000, 20, 20
LARGE = 1 << 20         # bytes; what is larger goes back to the system as soon as it is free
_MMAP_THRESHOLD = -3    # glibc's mallopt(3). Left alone it grows to 32 MB, and a large message leaves holes


def settle():
    """What is there now stays: collections leave it alone, so that children go on sharing its pages."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT)
    with contextlib.suppress(OSError, AttributeError):      # another C library, which does as it likes
        ctypes.CDLL(None).mallopt(_MMAP_THRESHOLD, LARGE)
