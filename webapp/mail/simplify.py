"""A linear look at hostile HTML before any real parser sees it.

The tree builders of all HTML parsers have quadratic corners: deep nesting, thousands of attributes in one
tag, formatting elements that are opened again in every paragraph (HTML Living Standard, 13.2.4.3). Small
documents cannot hurt there. Larger ones are cut into tokens as 13.2.5 does, and lose what would make a
parser see other tokens than we do (comments, raw text elements, SVG and MathML); so the counts are true.
"""

import re

MAX_LENGTH = 2_000_000
MAX_DEPTH = 256
MAX_ELEMENTS = 20_000
MAX_ATTRIBUTES = 200          # of one element
MAX_REFERENCES = 100_000      # "&": nh3 takes 3 us for each of the first 100,000, then ever more
MAX_MOVED = 100_000_000_000   # characters of U+0080 to U+00BF x length: nh3 moves the rest of the text for each
MAX_REOPENED = 100_000        # formatting elements left open x blocks that open them again

# Below both of these the worst input costs a real parser about 10 ms.
_SMALL_TAGS, _SMALL_LENGTH = 300, 32_000

_BODY = re.compile(r"<(/?)[bB][oO][dD][yY](?=[\s/>])")
_TOKEN = re.compile(
    r"<!--(?:-?>|.*?(?:--!?>|\Z))"                # comment
    r"|<[!?][^>]*>?|</[^a-zA-Z>][^>]*>?|</>"      # doctype, bogus comments
    r"|<(?P<close>/?)(?P<name>[a-zA-Z][^\s/>]*+)(?P<attributes>(?:[\s/]++|[^\s/>][^\s/>=]*+"
    r"(?:\s*+=\s*+(?:\"[^\"]*+\"|'[^']*+'|(?![\"'>])[^\s>]++)?+)?+)*+)(?P<end>>|\Z)",
    re.DOTALL,
)
_ATTRIBUTE = re.compile(r"[^\s/>][^\s/>=]*+(?:\s*+=\s*+(?:\"[^\"]*+\"|'[^']*+'|(?![\"'>])[^\s>]++)?+)?+", re.DOTALL)
_RAW = frozenset("script style title textarea xmp iframe noembed noframes noscript plaintext".split())
# Not shown, and a wall that end tags do not reach across: a parser would count in another way than we do.
_FOREIGN = frozenset("svg math template select frameset marquee object applet".split())
_VOID = frozenset("area base br col embed hr img input link meta param source track wbr".split())
_CLOSED_BY_NEXT = frozenset("p li td th tr dt dd option tbody thead tfoot colgroup".split())
_FORMATTING = frozenset("a b big code em font i nobr s small strike strong tt u".split())


def simplify(html: str) -> str | None:
    """`html` fit for a parser, or None when it is over the limits. `body` becomes `div`, to keep its colours."""
    html = limit(html)
    return None if html is None else without_body(html)


def limit(html: str) -> str | None:
    """`html` fit for a parser, or None when it is over the limits."""
    if len(html) > MAX_LENGTH:
        return None
    if len(html) > _SMALL_LENGTH or html.count("<") > _SMALL_TAGS:
        return _reduce(html)
    return html


def without_body(html: str) -> str:
    return _BODY.sub(r"<\1div", html)


def _reduce(html: str) -> str | None:
    if html.count("<") > 4 * MAX_ELEMENTS or html.count("&") > MAX_REFERENCES:
        return None
    if not html.isascii() and html.encode("utf-8", "replace").count(b"\xc2") * len(html) > MAX_MOVED:
        return None
    out, position, end = [], 0, len(html)
    elements = depth = formatting = reopened = 0
    scopes: list[dict[str, int]] = [{}]      # what is open, by table: an end tag in a cell closes nothing outside of it
    lower = None
    while (match := _TOKEN.search(html, position)) is not None:
        out.append(html[position:match.start()])
        position = match.end()
        name = match["name"]
        if name is None:
            continue
        name = name.lower()
        if name in _RAW:
            if not match["close"]:
                lower = lower or html.lower()
                stop = -1 if name == "plaintext" else lower.find("</" + name, position)
                position = end if stop < 0 else stop
            continue
        if name in _FOREIGN or not match["end"]:
            continue
        attributes = match["attributes"]
        if len(attributes) > 2 * MAX_ATTRIBUTES and _too_many(attributes):
            return None
        out.append(match[0])
        if name in _VOID:
            elements += 1
        elif match["close"]:
            if name == "table" and len(scopes) > 1:
                depth -= sum(scopes.pop().values())
            if scopes[-1].get(name):
                scopes[-1][name] -= 1
                depth -= 1
                formatting -= name in _FORMATTING
        else:
            elements += 1
            if name in _FORMATTING:
                formatting += 1
            elif name != "br":
                reopened += formatting
            if name not in _CLOSED_BY_NEXT:
                scopes[-1][name] = scopes[-1].get(name, 0) + 1
                depth += 1
            if name == "table":
                scopes.append({})
        if depth > MAX_DEPTH or elements > MAX_ELEMENTS or reopened > MAX_REOPENED:
            return None
    out.append(html[position:])
    return "".join(out)


def _too_many(attributes: str) -> bool:
    return sum(1 for _ in _ATTRIBUTE.finditer(attributes)) > MAX_ATTRIBUTES
