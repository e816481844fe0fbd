"""HTML that people write here -> what may leave. The editor cleans it, too; this is the wall that counts.

Few tags, no style, no class, links to the web, to mail and telephones; pictures only by `cid:`, those of its own files.
"""

import re
from collections.abc import Callable

import nh3

from .html import text_of

TAGS = frozenset("a b strong i em u s del p div br ul ol li blockquote code pre h1 h2 h3 hr img span".split())
_DROPPED = frozenset("script style title noscript template svg math textarea select iframe object embed".split())
_LINK = re.compile(r"(?:https?://|mailto:|tel:)[^\s<>\"'\\^`{|}\x00-\x20]{1,2000}", re.IGNORECASE)
_CID = re.compile(r"cid:([A-Za-z0-9._@-]{1,120})")
_EMPTY = re.compile(r"(?:\s|&nbsp;|\u00a0|</?(?:p|div|br|span|b|i|u|strong|em)\b[^>]*>)*", re.IGNORECASE)


def clean(html: str, cid_of: Callable[[str], str | None] = lambda src: None) -> str:
    """`cid_of(src)` -> Content-ID of a picture that the editor shows under this address; None: it is left out."""
    def attribute(tag, name, value):
        if tag == "a" and name == "href":
            return value if _LINK.fullmatch(value) else None
        if tag == "img" and name == "src":
            known = _CID.fullmatch(value)
            content_id = known[1] if known else cid_of(value)
            return f"cid:{content_id}" if content_id else None
        return value if tag == "img" and name == "alt" else None

    written = nh3.clean(html, tags=set(TAGS), clean_content_tags=set(_DROPPED),
                        attributes={"a": {"href"}, "img": {"src", "alt"}}, attribute_filter=attribute,
                        url_schemes={"http", "https", "mailto", "tel", "cid"}, link_rel=None, strip_comments=True)
    return re.sub(r"<img(?![^>]* src=)[^>]*>", "", written)


def is_blank(html: str) -> bool:
    return bool(_EMPTY.fullmatch(html))


def shown(html: str, source_of: Callable[[str], str | None]) -> str:
    """`clean` HTML for the editor: `source_of(Content-ID)` is the address that shows it."""
    def source(match):
        found = source_of(match[1])
        return f'src="{found}"' if found else "src=\"\""
    return re.sub(r'src="cid:([A-Za-z0-9._@-]{1,120})"', source, html)


def cids(html: str) -> set[str]:
    """The Content-IDs that it shows."""
    return set(re.findall(r'src="cid:([A-Za-z0-9._@-]{1,120})"', html))


def text(html: str) -> str:
    """The text part of it: what a reader without HTML gets."""
    # A line of its own is a line, not a paragraph: the editor writes <div>a</div><div>b</div>.
    lines = re.sub(r"</(?:div|li)>\s*<(div|li)>", lambda m: "<br>" + ("• " if m[1] == "li" else ""), html)
    return text_of(re.sub(r"<li\b[^>]*>", "• ", lines))
