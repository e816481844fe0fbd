"""The web of the demo's customers: their newsletters' pictures, drawn where they are asked for. Nothing is fetched.

Names under .example belong to nobody (RFC 2606), so nothing that stands in the real web is hidden by this.
"""

import math
import time
from urllib.parse import urlsplit

from webapp.demo.story.attachments import png, temperature_chart, trailer
from webapp.mail.web import WebError
from webapp.mail.web import get as get_from_web

DELAY = 0.4      # seconds, so that one sees what happens


def get(url, reach=None):
    """As `webapp.mail.web.get`; what is not of the demo comes from the real web."""
    parts = urlsplit(url)
    if not (parts.hostname or "").endswith(".example"):
        return get_from_web(url, reach)
    time.sleep(DELAY)
    name = parts.path.rpartition("/")[2]
    if name.endswith(".gif"):
        return _DOT
    if name not in _SCENES:
        raise WebError("missing")
    return png(name, _SCENES[name], 1120, 360).content


def kitchen(x, y):
    """Fronts of three cupboards, a worktop over them."""
    if y > 0.82:
        return 92, 74, 58
    door = (x * 6) % 1
    if 0.46 < y < 0.52:
        return 196, 160, 118
    if y > 0.52:
        return (120, 126, 118) if door < 0.02 or 0.45 < door < 0.55 and 0.58 < y < 0.6 else (214, 217, 208)
    return 243, 240, int(232 - 20 * y)


def bridges(x, y):
    """Three arches over a river in the morning."""
    arch = (x * 3) % 1
    under = 0.6 + 0.25 * (1 - math.sqrt(1 - (2 * arch - 1) ** 2)) if 0.05 < arch < 0.95 else 0.86
    if 0.55 < y < under:
        return 118, 86, 74
    if y > 0.82:
        return 74, int(112 + 30 * math.sin(x * 60 + y * 90)), 150
    return 250, int(214 - 40 * y), int(170 + 40 * (1 - y))


_SCENES = {"baner-kuchnie.jpg": kitchen, "okladka.jpg": trailer, "wykres.png": temperature_chart,
           "naglowek.jpg": bridges}
_DOT = bytes.fromhex("47494638396101000100800000000000ffffff21f90401000000002c00000000010001000002024401003b")
