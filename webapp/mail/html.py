"""HTML of strangers -> HTML that only paints text, tables and pictures that we hand out ourselves.

Four walls, each enough on its own against script: limits before any parser sees the input (`simplify`),
nh3's allow-lists, a value check on every attribute and CSS declaration (`_attribute`, webapp/mail/css.py), and
pictures taken out into a list. The page adds a sandboxed frame with its own CSP.
"""

import re
import threading
from collections.abc import Mapping
from html import escape, unescape
from math import ceil
from typing import Literal, NamedTuple
from urllib.parse import unquote

import nh3
from selectolax.lexbor import LexborHTMLParser

from . import css, folding
from .inline import inline, sheets_of
from .simplify import limit, simplify, without_body

SANITIZER_VERSION = 3   # raise it with every change of what comes out; stored mail is then sanitised again
MAX_IMAGES = 1_000
MAX_CITED = 30          # quotes of one mail that are marked as such in its text
MAX_CLEAN = 4_000_000   # characters that come out: what a small mail can be made to grow to is not stored
MAX_URL = 8_000
MAX_DATA_URL = 273_100  # characters of base64 for 200 KB

_SCHEMES = {"http", "https", "mailto", "tel"}
_DATA_IMAGE = re.compile(r"data:image/(?:png|jpeg|jpg|gif|webp);base64,[A-Za-z0-9+/=\s%]+", re.IGNORECASE)
_HTTP = re.compile(r"https?://[^\s<>\"'\\^`{|}\x00-\x20]+", re.IGNORECASE)
_NUMBER = re.compile(r"\s*(\d{1,5})(?:\.\d*)?\s*(%|px)?\s*")
_COLOUR = re.compile(r"\s*(#?[A-Za-z0-9]{1,20}|rgb\([\d\s,.%]{1,30}\))\s*")
_URL_NOISE = re.compile(r"[\x00-\x20\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]+")

TAGS = frozenset(
    "a abbr address article aside b big blockquote br caption center cite code col colgroup dd del dfn div dl dt em "
    "figcaption figure font footer h1 h2 h3 h4 h5 h6 header hr i img ins kbd li main mark nav ol p pre q s samp "
    "section small span strike strong sub sup table tbody td tfoot th thead time tr tt u ul var wbr".split()
)
# Their text is code, a title, or a fall-back for what we do not show.
DROPPED_WITH_CONTENT = frozenset(
    "script style title noscript template svg math textarea select option xmp iframe noembed noframes object embed "
    "applet audio video canvas datalist".split()
)
_SIZES = {"width": 2_000, "height": 2_000, "border": 100, "cellpadding": 200, "cellspacing": 200, "hspace": 200,
          "vspace": 200, "colspan": 200, "rowspan": 200, "span": 200, "size": 100, "start": 99_999, "value": 99_999}
_BLOCK = {"align", "bgcolor", "width", "height"}
_CELL = _BLOCK | {"background", "colspan", "rowspan", "valign", "nowrap"}
ATTRIBUTES = {
    "*": {"style", "dir", "lang", "title", "hidden"},      # hidden: so it stays, also where it is quoted
    "a": {"href"},
    "img": {"src", "alt", "width", "height", "border", "align", "hspace", "vspace"},
    "table": _BLOCK | {"background", "border", "cellpadding", "cellspacing"},
    "tbody": {"align", "valign"}, "thead": {"align", "valign"}, "tfoot": {"align", "valign"},
    "tr": _BLOCK | {"background", "valign"}, "td": _CELL, "th": _CELL,
    "col": {"width", "span", "align"}, "colgroup": {"width", "span", "align"},
    "div": _BLOCK | {"background"}, "p": {"align"}, "center": {"align"}, "caption": {"align"},
    "blockquote": set(), "span": set(), "pre": set(),
    **{f"h{n}": {"align"} for n in range(1, 7)},
    "font": {"color", "face", "size"}, "hr": {"align", "color", "noshade", "size", "width"}, "br": {"clear"},
    "ol": {"start", "type"}, "ul": {"type"}, "li": {"type", "value"},
}
for _tag in folding.TAGS:
    ATTRIBUTES[_tag] = ATTRIBUTES[_tag] | {"quoted"}     # ours: `folding.mark` puts it there
_WORDS = {
    "align": {"left", "right", "center", "justify", "top", "middle", "bottom", "absmiddle", "baseline", "texttop"},
    "valign": {"top", "middle", "bottom", "baseline"},
    "dir": {"ltr", "rtl", "auto"},
    "clear": {"left", "right", "all", "both", "none"},
    "type": {"1", "a", "i", "disc", "circle", "square"},
    "quoted": folding.KINDS,
}


class Image(NamedTuple):
    """A picture that a message wants to show. `url` is an http(s) URL, a data: URL, or a bare Content-ID."""

    kind: Literal["remote", "cid", "data", "background"]    # background: a remote one that is not in the HTML
    url: str


class CleanHtml(NamedTuple):
    """`html` holds src="postroom-image:N" for image N of `images`; images beyond those are backgrounds, not shown."""

    html: str
    images: tuple[Image, ...]
    text: str
    too_complex: bool   # over the limits: html is empty, show `text`


def clean(html: str, with_text: bool = True) -> CleanHtml:
    """Sanitise one HTML body. Never raises; about linear in its length; what is beyond the limits becomes text.

    `with_text` False: `text` is not needed and stays empty, unless `too_complex`."""
    sheets = sheets_of(html)
    simple = limit(folding.mark(html))
    if simple is None:
        return only_text(html)
    simple = without_body(inline(simple, sheets) if sheets else simple)
    images: list[Image] = []
    _current.images = images
    try:
        out = _cleaner().clean(simple)
    finally:
        _current.images = None
    if len(out) > MAX_CLEAN:
        return only_text(html)
    return CleanHtml(out, tuple(images), _text(simple) if with_text else "", False)


def only_text(html: str) -> CleanHtml:
    """Of what is too much for a parser: its text, cut out of it."""
    return CleanHtml("", (), _crude_text(html), True)


_current = threading.local()  # the list that the picture under way goes to, and the thread's own cleaner


def _cleaner() -> nh3.Cleaner:
    """This thread's cleaner: making one costs as much as cleaning a short mail."""
    if not hasattr(_current, "cleaner"):
        _current.cleaner = nh3.Cleaner(
            tags=set(TAGS),
            clean_content_tags=set(DROPPED_WITH_CONTENT),
            attributes=ATTRIBUTES,
            attribute_filter=lambda tag, name, value: _attribute(tag, name, value, _current.images),
            filter_style_properties=set(css.PROPERTIES),
            url_schemes=_SCHEMES | {"cid", "data"},
            url_relative=lambda url: None,  # asked after the filter, which completes "//host/x"
            link_rel="noopener noreferrer nofollow",
            set_tag_attribute_values={"a": {"target": "_blank"}},
            strip_comments=True,
        )
    return _current.cleaner


def _attribute(tag: str, name: str, value: str, images: list[Image]) -> str | None:
    """The value to keep for one attribute that the allow-list lets through, or None to drop it."""
    if name == "style":
        return css.clean(value) or None
    if name == "src":
        return _image(value, images)
    if name == "href":
        return _link(value)
    if name in ("target", "rel"):
        return value if tag == "a" else None
    if name in ("alt", "title", "lang", "face"):
        return value[:1_000]
    if name == "background":
        url = _remote(value)
        if url and len(images) < MAX_IMAGES:
            images.append(Image("background", url))
        return None
    if name in _SIZES:
        return _size(name, value, 20_000 if tag == "img" else _SIZES[name])     # the page makes pictures fit
    if name in ("bgcolor", "color"):
        match = _COLOUR.fullmatch(value)
        return match[1] if match else None
    if name in _WORDS:
        word = value.strip().lower()
        return value.strip() if word in _WORDS[name] else None
    return "" if name in ("nowrap", "noshade", "hidden") else None


def _size(name: str, value: str, most: int) -> str | None:
    if name == "size" and value[:1] in "+-" and value[1:2].isdigit():
        return value[:2]   # <font size="+1">
    match = _NUMBER.fullmatch(value)
    if not match or int(match[1]) > (100 if match[2] == "%" else most):
        return None
    return match[1] + ("%" if match[2] == "%" else "")


def _image(value: str, images: list[Image]) -> str | None:
    value = value.strip()
    scheme = value[:5].lower()
    if scheme.startswith("cid:"):
        image = Image("cid", unquote(value[4:]).strip("<> ")[:MAX_URL])
    elif scheme == "data:":
        ok = len(value) <= MAX_DATA_URL and _DATA_IMAGE.fullmatch(value)
        image = Image("data", _URL_NOISE.sub("", value)) if ok else None
    else:
        image = Image("remote", url) if (url := _remote(value)) else None
    if not image or not image.url or len(images) >= MAX_IMAGES:
        return None
    images.append(image)
    return f"postroom-image:{len(images) - 1}"


def _remote(value: str) -> str | None:
    """An absolute http(s) URL, "//host/x" completed, blanks escaped; None for anything else."""
    value = _URL_NOISE.sub(lambda m: "%20" * m[0].count(" "), value.strip())
    if value.startswith("//"):
        value = "https:" + value
    return value if len(value) <= MAX_URL and _HTTP.fullmatch(value) else None


def _link(value: str) -> str | None:
    value = _URL_NOISE.sub("", value)
    scheme, colon, rest = value.partition(":")
    scheme = scheme.lower()
    if not colon or not rest or len(value) > MAX_URL or scheme not in _SCHEMES:
        return None
    if scheme in ("http", "https"):
        # "https:/x" and "https:x" are relative to our own site in a browser.
        return value if rest.startswith("//") and rest[2:3] not in ("", "/", "\\") else None
    return value


_NAMES = sorted({name for names in ATTRIBUTES.values() for name in names} - {"style", "href", "src", "background"}
                | {"target", "rel"})
_STYLE = r'(?:[^"(\\@&]++|&(?:amp|quot|lt|gt|nbsp);|(?i:(?<=rgb)|(?<=rgba)|(?<=hsl)|(?<=hsla))\([^"()\\@]*+\))*+'
_VALUE = "|".join((
    rf'(?:{"|".join(_NAMES)})="[^"]*+"', rf'style="{_STYLE}"', r'href="(?i:https?://|mailto:|tel:)[^"]*+"',
    r'src="postroom-image:\d{1,6}"'))
_NOT_OURS = re.compile(rf"<(?!/?(?:{'|'.join(sorted(TAGS))})(?: (?:{_VALUE}))*+>)")


def recheck(html: str) -> str:
    """`clean().html` as it is. From anything else each "<" that does not begin a tag as `clean` writes it is escaped.

    The wall at the exit: one linear look that knows no parser, for the day on which a hole is found in the sanitiser.
    """
    return _NOT_OURS.sub("&lt;", html)


# In nh3's output "<" stands for a tag only, and every value is in double quotes with its own quotes escaped.
_IMG_TAG = re.compile(r'<img((?: [a-z]+="[^"]*")*)>')
_SRC = re.compile(r' src="postroom-image:(\d{1,6})"')


def fill(html: str, sources: Mapping[int, str]) -> str:
    """`clean().html` with our own URL for each image number in `sources`; the other images lose their src."""

    def source(match):
        url = sources.get(int(match[1]))
        return f' src="{escape(url)}"' if url else ""

    return _IMG_TAG.sub(lambda tag: f"<img{_SRC.sub(source, tag[1], count=1)}>", html)


# Form feeds mark line ends: white space to the parser, so it leaves them where they stand, in tables too.
_GAP_TAG = re.compile(r"<(?=/?(?:[pP]|[hH][1-6]|[uUoOdD][lL]|[tT][aA][bB][lL][eE]|[pP][rR][eE]|[hH][rR]|"
                      r"[bB][lL][oO][cC][kK][qQ][uU][oO][tT][eE])[\s/>])")
_BREAK_TAG = re.compile(r"<(?=/?(?:[dD][iI][vV]|[tT][rR]|[lL][iI]|[dD][tTdD]|[cC][eE][nN][tT][eE][rR]|"
                        r"[sS][eE][cC][tT][iI][oO][nN])[\s/>])")
_BR_TAG = re.compile(r"<(?=[bB][rR][\s/>])")
_CELL_TAG = re.compile(r"<(?=[tT][dDhH][\s>])")
_UNSHOWN = "script style title head noscript template textarea select option svg math iframe object audio video".split()
# Of what `css.clean` lets through: with it, no comment and no escape hides a word from us that a browser reads.
_HIDDEN_STYLE = re.compile(
    r"(?:^|;)(?:display:none|visibility:(?:hidden|collapse)|mso-hide:all|opacity:(?:0|0?\.0+)%?(?=;|$))")
_NO_ROOM = re.compile(r"(?:^|;)(?:max-)?(?:height|width):0(?![.\d])")
_FONT_SIZE = re.compile(r"(?:^|;)font(?:-size)?:((?:0|0?\.0+)(?![.\d]))?")
_PADDING = re.compile("[\u200b-\u200f\u034f\ufeff\u00ad\u2060\\s]{4,}")


def text_of(html: str) -> str:
    """Readable plain text of an HTML body: blocks on lines of their own, code and hidden parts left out."""
    sheets = sheets_of(html)
    if "none" in sheets or "hidden" in sheets:      # what a class hides is hidden here, too
        simple = limit(html)
        simple = simple and without_body(inline(simple, sheets))
    else:
        simple = simplify(html)
    return _crude_text(html) if simple is None else _text(simple)


def _text(simple: str) -> str:
    lower = simple.lower()
    marked = _BR_TAG.sub("\f<", _BREAK_TAG.sub("\f <", _GAP_TAG.sub("\f\f<", simple.replace("\f", " "))))
    tree = LexborHTMLParser(_CELL_TAG.sub(" <", marked))
    tree.strip_tags(_UNSHOWN)
    if tree.body is None:
        return ""
    if "style=" in lower or "hidden" in lower:
        _empty_hidden(tree)
    if "cite" in lower:
        for node in tree.css('blockquote[type="cite"]')[:MAX_CITED]:
            lines = _tidy(node.text(deep=True, separator="")).split("\n")
            # Marked as in plain text, so that a list finds the answer below it (webapp/mail/text.py).
            node.inner_html = "\f\f" + escape("\f".join(f"> {line}" for line in lines)) + "\f\f"
    return _tidy(tree.body.text(deep=True, separator=""))


def _empty_hidden(tree) -> None:
    """Nodes are emptied, not taken out: the list may hold nodes within them."""
    without_size, sized = [], set()      # sized: what has a size of its own, and everything around that
    for node in tree.css("[hidden], [style]"):
        style = css.clean(node.attributes.get("style") or "")
        if "hidden" in node.attributes or _HIDDEN_STYLE.search(style) or (
                "overflow:hidden" in style and _NO_ROOM.search(style)):
            node.inner_html = ""
        elif size := _FONT_SIZE.search(style):
            if size[1]:
                without_size.append(node)
                continue
            while node is not None and node.mem_id not in sized:
                sized.add(node.mem_id)
                node = node.parent
    for node in without_size:      # MJML sets every column to 0, and the words in it to a size of their own
        for child in list(node.iter(include_text=True)):
            if child.mem_id not in sized:
                child.decompose() if child.tag[0] == "-" else setattr(child, "inner_html", "")    # words, comments


def _tidy(text: str) -> str:
    """Lines with single spaces. "" between two marks is a blank line, white space between them is nothing."""
    if not text.isascii():
        text = _PADDING.sub(lambda m: "\f" * min(2, m[0].count("\f")) or " ", text)
    lines: list[str] = []
    gap = False
    for piece in text.split("\f"):
        line = " ".join(piece.split())
        if line:
            if gap and lines:
                lines.append("")
            lines.append(line)
            gap = False
        elif not piece:
            gap = True
    return "\n".join(lines)


_CRUDE_TAG = re.compile(r"<[^<>]*>?")
_CRUDE_BREAK = re.compile(r"</?(?:p|div|tr|table|li|h[1-6]|br|blockquote)(?=[\s/>])", re.IGNORECASE)


def _crude_text(html: str) -> str:
    """Text of what no parser should see: tags cut out without understanding them, at most 100,000 characters. Code and
    styles go as far as they can be told by their tags."""
    text = _CRUDE_TAG.sub(" ", _CRUDE_BREAK.sub(lambda tag: "\f" + tag[0], _without_code(html[:1_000_000])))
    lines = (" ".join(unescape(line).split()) for line in text.split("\f"))
    return "\n".join(filter(None, lines))[:100_000]


def _without_code(html: str) -> str:
    lower = html.lower()
    for name in ("style", "script", "title"):
        out, position = [], 0
        while (start := lower.find(f"<{name}", position)) >= 0 and (end := lower.find(f"</{name}", start)) >= 0:
            out.append(html[position:start])
            position = end
        html = "".join(out) + html[position:]
        lower = html.lower() if out else lower
    return html


_BLOCK_TAG = re.compile(r"<(/?)([a-z][a-z0-9]*)([^>]*)>")
_HEIGHT = re.compile(r'height(?:="|:\s*)(\d{1,4})')
_LINE = 20        # pixels of one line of text
_CHARACTER = 7.2  # average width of a character


def estimate_height(html: str, width_px: int = 640) -> int:
    """A guess, in pixels, of how tall `clean().html` is at `width_px`; 40 to 2400. Overshoots rather than cuts."""
    html = folding.before_quote(html)
    characters = max(20, width_px / _CHARACTER)
    total, pending, row, position = 16.0, 0, [], 0
    for match in _BLOCK_TAG.finditer(html):
        pending += match.start() - position
        position = match.end()
        closing, tag, attributes = match.groups()
        if tag == "img" and not closing:
            height = _HEIGHT.search(attributes)
            row.append(min(int(height[1]), 2_000) if height else 40)
        elif tag in _TALL:
            total += _lines(pending, characters) + (max(row) if row else 0)
            total += _TALL[tag] if closing or tag == "hr" else 0
            pending, row = 0, []
        elif tag == "br":
            total += max(_LINE, _lines(pending, characters)) + (max(row) if row else 0)
            pending, row = 0, []
        if total > 2_400:
            return 2_400
    total += _lines(pending + len(html) - position, characters) + (max(row) if row else 0)
    return int(min(2_400, max(40, total)))


_TALL = {"p": 16, "div": 0, "tr": 6, "li": 4, "h1": 36, "h2": 30, "h3": 24, "h4": 20, "ul": 16, "ol": 16, "table": 4,
         "blockquote": 16, "pre": 16, "hr": 16, "center": 0, "dd": 0, "dt": 0}


def _lines(count: int, characters: float) -> float:
    return ceil(count / characters) * _LINE if count > 1 else 0
