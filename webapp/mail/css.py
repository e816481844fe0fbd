"""The CSS of a style attribute: properties by name, values token by token (CSS Syntax Level 3, tinycss2)."""

from functools import lru_cache

import tinycss2

PROPERTIES = frozenset(
    "background-color background border border-bottom border-bottom-color border-bottom-style border-bottom-width "
    "border-collapse border-color border-left border-left-color border-left-style border-left-width border-radius "
    "border-right border-right-color border-right-style border-right-width border-spacing border-style border-top "
    "border-top-color border-top-style border-top-width border-width caption-side clear color direction display "
    "empty-cells float font font-family font-size font-style font-variant font-weight height letter-spacing "
    "line-height list-style list-style-type margin margin-bottom margin-left margin-right margin-top max-height "
    "max-width min-height min-width mso-hide opacity overflow overflow-wrap padding padding-bottom padding-left "
    "padding-right padding-top table-layout text-align text-decoration text-decoration-color text-decoration-line "
    "text-decoration-style text-indent text-transform vertical-align visibility white-space width word-break "
    "word-spacing word-wrap".split()
)
MAX_STYLE = 4_000  # characters of one style attribute

_UNITS = {"px": 2_000, "pt": 1_500, "em": 100, "rem": 100, "ex": 200, "ch": 200, "in": 20, "cm": 50, "mm": 500,
          "pc": 125}
_MAX_PERCENT = 500
_NO_COLOUR = frozenset("none scroll fixed local center top bottom left right repeat to at from in circle ellipse "
                       "closest farthest round space cover contain initial inherit unset revert".split())
_BACKGROUNDS = frozenset({"background", "background-image", "background-color"})
_COLOUR_FUNCTIONS = frozenset({"rgb", "rgba", "hsl", "hsla"})     # `recheck` in html.py knows them, too
_WITH_STRINGS = frozenset({"font", "font-family"})
_SLIGHTLY_NEGATIVE = frozenset({"letter-spacing", "text-indent", "word-spacing"})
_KEYWORDS = {
    "display": frozenset("none block inline inline-block table inline-table table-row table-cell table-row-group "
                         "table-header-group table-footer-group table-column table-caption list-item".split()),
    "overflow": frozenset({"hidden"}),
    "visibility": frozenset({"hidden", "visible", "collapse"}),
    "float": frozenset({"left", "right", "none"}),
}


@lru_cache(maxsize=8_192)
def clean(style: str) -> str:
    """`style` with only harmless declarations; "" when nothing is left. `!important` goes, its declaration stays.

    Cached: mail repeats its styles endlessly.
    """
    if len(style) > MAX_STYLE:
        return ""
    kept, pictured, coloured, wide = {}, False, False, False    # does it ask for a picture, for a colour, for a width?
    for item in tinycss2.parse_blocks_contents(style, skip_comments=True, skip_whitespace=True):
        if item.type != "declaration":
            continue
        name = item.lower_name
        if name in _BACKGROUNDS:
            value, name = _background_colour(item.value), "background-color"
            pictured |= any(t.type in ("url", "function") for t in item.value)
        else:
            value = _value(name, item.value) if name in PROPERTIES else None
            coloured |= name == "color"
            wide |= name == "width"
        if value:
            kept.pop(name, None)        # the last one counts, and stands last
            kept[name] = value
    # One of a pair is gone: white on a picture that is not shown, or black on a colour that was for white.
    if pictured and "background-color" not in kept:
        kept.pop("color", None)
    if coloured and "color" not in kept:
        kept.pop("background-color", None)
    if wide and "width" not in kept:
        kept.pop("height", None)        # the picture that is too wide would be as tall as before
    return ";".join(f"{name}:{value}" for name, value in kept.items())


def _value(name: str, tokens: list) -> str | None:
    words = _KEYWORDS.get(name)
    if words is not None:
        idents = [t for t in tokens if t.type not in ("whitespace", "comment")]
        one = len(idents) == 1 and idents[0].type == "ident" and idents[0].lower_value in words
        return idents[0].lower_value if one else None
    if not all(_allowed(name, token) for token in tokens):
        return None
    value = tinycss2.serialize([t for t in tokens if t.type != "comment"]).strip()
    return None if "\\" in value or "@" in value else value


def _background_colour(tokens: list) -> str | None:
    """The colour of a background; its picture is left behind. Of a gradient the first one: words stand on it."""
    gradient = None
    for token in tokens:
        if token.type == "hash" or (token.type == "function" and _colour_function(token)):
            return token.serialize()
        if token.type == "ident" and token.lower_value.isascii() and token.lower_value.isalpha() \
                and token.lower_value not in _NO_COLOUR:
            return token.lower_value
        if token.type == "function" and token.lower_name.endswith("-gradient") and not gradient:
            gradient = _background_colour([t for t in token.arguments if t.type in ("hash", "function", "ident")])
    return gradient


def _allowed(name: str, token) -> bool:
    kind = token.type
    if kind in ("whitespace", "comment", "hash"):
        return True
    if kind == "ident":
        return token.value.isascii() and token.value.replace("-", "").isalnum() or name in _WITH_STRINGS
    if kind in ("number", "percentage", "dimension"):
        return _measured(name, token)
    if kind == "literal":
        return token.value in ",/"
    if kind == "string":
        return name in _WITH_STRINGS and "(" not in token.value
    return kind == "function" and _colour_function(token)


def _measured(name: str, token) -> bool:
    most = {"number": 2_000, "percentage": _MAX_PERCENT}.get(token.type) or _UNITS.get(token.lower_unit, -1)
    least = -5 if name in _SLIGHTLY_NEGATIVE else 0
    return least <= token.value <= most


def _colour_function(token) -> bool:
    return token.lower_name in _COLOUR_FUNCTIONS and all(
        argument.type in ("whitespace", "number", "percentage", "comment")
        or (argument.type == "literal" and argument.value in ",/")
        for argument in token.arguments
    )
