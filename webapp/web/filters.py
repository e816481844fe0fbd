"""What templates say of values: times, sizes, initials, icons, versions of static files."""

import hashlib
import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path

from babel.dates import format_date, format_time, get_timezone
from babel.numbers import format_decimal
from flask import current_app, g, request, url_for
from flask_babel import get_locale, gettext
from markupsafe import Markup, escape

from webapp import words
from webapp.mail.text import is_answer, parted, to_html
from webapp.rules import bounds
from webapp.rules.mentions import spans


def init_app(app):
    for name, function in (("moment", moment), ("clock", clock), ("size", size), ("number", number), ("day", day),
                           ("initials", initials), ("hue", hue), ("mail_text", mail_text), ("weekday", weekday),
                           ("breakable", breakable), ("full_moment", full_moment), ("of_status", of_status),
                           ("prefixed", prefixed), ("note_text", note_text)):
        app.add_template_filter(function, name)
    app.add_template_global(icon, "icon")
    app.add_template_global(asset, "asset")
    app.add_template_global(bounds, "bounds")
    app.add_template_global(words.say, "say")
    app.add_template_global(words, "words")
    app.context_processor(lambda: {"settings": app.config["SETTINGS"], "since": g.get("since", 0),
                                   "locale": str(get_locale())[:2], "demo_mailboxes": _demo_mailboxes(app)})


def local(at):
    return at.astimezone(get_timezone(words.time_zone()))


def moment(at, inside=False):
    """9:42 today, Yesterday, else the date. `inside` a sentence: yesterday."""
    here, today = local(at), local(datetime.now(UTC)).date()
    if here.date() == today:
        return clock(at)
    if here.date() == today - timedelta(days=1):
        return gettext("yesterday") if inside else gettext("Yesterday")
    return day(at)


def clock(at):
    return format_time(local(at), "H:mm", locale=get_locale())


def day(at):
    here, today = local(at), local(datetime.now(UTC)).date()
    return format_date(here, "d MMM" if here.year == today.year else "d MMM y", locale=get_locale())


def weekday(at, inside=False):
    """Today 9:42, Yesterday 9:42, 9 June 14:07. `inside` a sentence: today, yesterday."""
    here, today = local(at), local(datetime.now(UTC)).date()
    if here.date() == today:
        return gettext("today %(time)s", time=clock(at)) if inside else gettext("Today %(time)s", time=clock(at))
    if here.date() == today - timedelta(days=1):
        at = clock(at)
        return gettext("yesterday %(time)s", time=at) if inside else gettext("Yesterday %(time)s", time=at)
    return f"{format_date(here, 'd MMMM' if here.year == today.year else 'd MMMM y', locale=get_locale())} {clock(at)}"


def full_moment(at):
    """Day, time and zone, for paper: whoever reads it later asks which year."""
    here = local(at)
    return f"{format_date(here, 'EEEE, d MMMM y', locale=get_locale())}, {clock(at)} ({words.time_zone()})"


def size(octets):
    for limit, unit, places in ((1_000_000, "MB", "0.0"), (1_000, "KB", "0")):
        if octets >= limit:
            return f"{format_decimal(octets / limit, places, locale=get_locale())}\u00a0{unit}"
    return f"{octets}\u00a0B"


def number(value):
    return format_decimal(value, locale=get_locale())


def initials(name):
    parts = [p for p in name.replace("@", " ").split() if p[:1].isalnum()]
    return "".join(p[0] for p in (parts[:1] + parts[-1:] if len(parts) > 1 else parts[:1])).upper() or "?"


def hue(name):
    """One of six avatar colours, the same for the same name."""
    return f"c{hashlib.md5(name.encode(), usedforsecurity=False).digest()[0] % 6 + 1}"


def mail_text(text, subject="", references=()):
    """(new, folded, quotes) of a plain text, the first two as safe HTML: what is new, and below it what is folded, a
    signature and what is quoted. `quotes`: is anything quoted there? Of an endless text the beginning: the page is to
    stay a page. `subject` and `references` are of the mail."""
    if len(text) > bounds.TEXT_SHOWN_MAX:
        text = text[:bounds.TEXT_SHOWN_MAX] + "…"
    subject = subject or ""
    words, signature, quoted = parted(text, subject, is_answer(subject, references))
    folded = to_html(signature, other_forms=True) + to_html(quoted, other_forms=True)
    return Markup(to_html(words, other_forms=True)), Markup(folded) if folded.strip() else None, bool(quoted.strip())


def of_status(numbers, status):
    """The sum of {(inbox, status): number} for one status."""
    return sum(n for (_inbox, known), n in numbers.items() if known == status)


def prefixed(text, prefix):
    return f"{prefix}{text}"


def note_text(text, handles):
    """A note as safe HTML: links, and the names in it that call somebody in."""
    out, position = [], 0
    for start, end, _meant in spans(text, handles):
        out += [escape(text[position:start]), Markup("<b class=mention>{}</b>").format(text[start:end])]
        position = end
    return Markup("").join([*out, escape(text[position:])])


def breakable(address):
    """An address that may be broken after the @ and at dots, not inside words."""
    return Markup("<wbr>").join(escape(p) for p in re.split(r"(?<=@)|(?=\.)", address))


def icon(name, extra=""):
    """A page has some hundred of them, of a few kinds."""
    return _icon(name, extra, asset("icons.svg"))


@lru_cache(maxsize=500)
def _icon(name, extra, sprite):
    return Markup('<svg class="i {}" aria-hidden="true"><use href="{}#i-{}"/></svg>').format(extra, sprite, name)


_hashes, _urls = {}, {}


def asset(path):
    """URL of a static file with its content in it: cached for ever, replaced at once."""
    at = (request.script_root if request else None, path)
    if at not in _urls or current_app.debug:
        if path not in _hashes or current_app.debug:
            content = (Path(current_app.static_folder) / path).read_bytes()
            _hashes[path] = hashlib.sha256(content).hexdigest()[:12]
        _urls[at] = url_for("static", filename=path, v=_hashes[path])
    return _urls[at]


def _demo_mailboxes(app):
    if not app.config["SETTINGS"].demo:
        return ()
    from webapp.demo.people import MAILBOXES
    return MAILBOXES
