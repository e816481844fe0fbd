"""What a template calls some hundred times a page, made quick: sentences and URLs. The same answers as flask-babel's
and Flask's own, which look up catalogue and routes each time (a third of the time of a conversation's page).
"""

import re

from flask import request, url_for
from flask_babel import get_locale, gettext
from jinja2 import pass_eval_context
from markupsafe import Markup

_SLOT = 7_310_000_000       # stands for a number in a pattern; no row has it
_MOST = 2_000               # patterns; words in URLs come from templates, and a stranger's never get here
_PLAIN = re.compile(r"[a-z][a-z_-]{0,19}")

_texts, _said, _patterns = {}, {}, {}


def init_app(app):
    app.jinja_env.globals.update(_=translate, gettext=translate, url_for=link)


@pass_eval_context
def translate(here, sentence, /, **variables):
    """A sentence in the reader's language: safe HTML with its variables escaped, or plain in a template of plain text.
    """
    if not here.autoescape:
        return gettext(sentence) % variables
    locale = get_locale()
    known = locale and locale.language, sentence
    if not variables:
        if known not in _said:
            _said[known] = Markup(gettext(sentence)) % {}
        return _said[known]
    if known not in _texts:
        _texts[known] = Markup(gettext(sentence))
    return _texts[known] % variables


def link(endpoint, /, **values):
    """`url_for`. Of a URL in which nothing but numbers and short plain words varies, the pattern is kept."""
    slots = [name for name, value in values.items() if type(value) is int and 0 <= value < _SLOT]
    words = {name: value for name, value in values.items() if name not in slots}
    varies = (name[0] == "_" or not _is_plain(value) for name, value in words.items())
    if not request or endpoint.startswith(".") or any(varies):
        return url_for(endpoint, **values)
    key = request.script_root, endpoint, tuple(slots), tuple(words.items())
    pattern = _patterns.get(key)
    if pattern is None:
        pattern = url_for(endpoint, **{name: words[name] if name in words else _SLOT + slots.index(name)
                                       for name in values})
        pattern = pattern.replace("%", "%%")
        for number, name in enumerate(slots):
            pattern = pattern.replace(str(_SLOT + number), f"%({name})d")
        if len(_patterns) < _MOST:
            _patterns[key] = pattern
    return pattern % values


def _is_plain(value):
    return value is None or type(value) is str and bool(_PLAIN.fullmatch(value))
