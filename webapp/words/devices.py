"""A browser in plain words, from the way it calls itself. A guess, for people to know their own again."""

import re

from flask_babel import gettext as _

# The first that is found counts: Edge calls itself Chrome too, and Chrome Safari.
BROWSERS = (("Edg", "Edge"), ("OPR|Opera", "Opera"), ("Vivaldi", "Vivaldi"), ("SamsungBrowser", "Samsung Internet"),
            ("Firefox|FxiOS", "Firefox"), ("Chrome|Chromium|CriOS", "Chrome"), ("Safari", "Safari"))
SYSTEMS = (("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows"),
           ("Macintosh|Mac OS", "Mac"), ("CrOS", "ChromeOS"), ("Linux|X11", "Linux"))


def device(agent):
    """Such as “Firefox on Linux”."""
    browser, system = _first(BROWSERS, agent), _first(SYSTEMS, agent)
    if browser and system:
        return _("%(browser)s on %(system)s", browser=browser, system=system)
    return browser or system or _("Another program")


def _first(table, agent):
    return next((name for pattern, name in table if re.search(pattern, agent or "")), None)
