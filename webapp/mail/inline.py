"""The style sheets within a mail become style attributes, before the sanitiser looks at each value (see css.py).

Half of all newsletters give their colours and widths by class. We keep neither classes nor sheets; so the rules that
are simple enough are copied to the elements that they mean: tag, .class, #id, and those within another (three deep).
No pseudo-classes, no @media: what is shown is what a wide window shows. Everything is counted and bounded; what is
over a bound keeps the style attributes that it has.
"""

import re
from functools import lru_cache
from typing import NamedTuple

from selectolax.lexbor import LexborHTMLParser

MAX_SHEETS = 200_000      # characters of all sheets of a mail
MAX_RULES = 600
MAX_ELEMENTS = 6_000      # of the mail, to which rules may apply
MAX_STEPS = 60_000        # rules looked at, and ancestors climbed
MAX_STYLES = 600          # different style attributes made
MAX_STYLE = 3_000         # characters of one
MAX_ADDED = 1_000_000     # characters of all of them: one rule may mean every element

_SELECTOR = re.compile(r"([a-z][a-z0-9]{0,15})?((?:[.#][A-Za-z_][\w-]{0,80}){0,3})")
_SCREEN = re.compile(r"media\s{0,9}=\s{0,9}[\"']?\s{0,9}(?:all|screen)\s{0,9}[\"'>]")
_NAME = re.compile(r"([\w-]{1,40})[ \t]{0,9}:")
_PAGE = frozenset("margin padding width height min-width min-height max-width".split())     # no business of ours
_STRUCTURE = frozenset(("html", "body"))


class _Rule(NamedTuple):
    order: tuple             # specificity, then place in the sheet
    parts: tuple             # (tag or "", classes, id or "") from the outermost to the element itself
    normal: str              # declarations
    important: str


class _Sheet(NamedTuple):
    by_class: dict           # the element's own part, by its rarest name
    by_id: dict
    by_tag: dict


def inline(html: str, sheets: str) -> str:
    """`html`, which is within the limits of `simplify`, with the rules of `sheets` in its style attributes."""
    sheet = _read(sheets)
    if not any(sheet):
        return html
    if not sheet.by_class and not sheet.by_id and sheet.by_tag.keys() <= _STRUCTURE:
        return _on_body(html, sheet)
    if not _applies(html, sheet):
        return _on_body(html, sheet)
    tree = LexborHTMLParser(html)
    if tree.body is None:
        return html
    wanted = ",".join(["[class]", "[id]", *(tag for tag in sheet.by_tag if tag != "html")])
    found = tree.css(wanted)
    if len(found) > MAX_ELEMENTS or not _Work(sheet).apply(found):
        return html
    return tree.body.html


def sheets_of(html: str) -> str:
    """The text of all <style> elements that a wide screen is to use, as one; "" when there are none. Linear."""
    if "<style" not in html and "<STYLE" not in html:
        return ""
    out, size, position, start = [], 0, 0, -1
    lower = html.lower() if "<STYLE" in html or "</style" not in html else html
    while True:
        # Not anew for every comment that stands before it.
        if start < position and (start := lower.find("<style", position)) < 0:
            break
        comment = lower.find("<!--", position, start)
        if comment >= 0 and not lower.startswith(("<!--><", "<!--[if !mso]><!-->"), comment):
            end = lower.find("-->", comment + 2)        # sheets within are for Outlook, or for nobody
            if end < 0:
                break
            position = end + 3
            continue
        head = lower.find(">", start)
        end = lower.find("</style", head) if head >= 0 else -1
        if end < 0:
            break
        position = end + 8
        if "media" in lower[start:head] and not _SCREEN.search(lower[start:head + 1][:300]):
            continue
        size += end - head
        if size > MAX_SHEETS:
            return ""
        out.append(html[head + 1:end])
    return "\n".join(out)


def _on_body(html, sheet):
    """Rules of the page as a whole need no tree."""
    rules = [rule for rule in sheet.by_tag.get("body", ()) if len(rule.parts) == 1]
    start = html.find("<body") if rules else -1
    end = html.find(">", start, start + 2_000) if start >= 0 else -1
    if end < 0 or html[start + 5] not in " >\n\r\t":
        return html
    style = _merged(rules).replace("&", "&amp;").replace('"', "&quot;")
    own = html.find('style="', start, end)
    if own >= 0:
        return f"{html[:own + 7]}{style};{html[own + 7:]}"
    return html if " style" in html[start:end] else f'{html[:start + 5]} style="{style}"{html[start + 5:]}'


def _applies(html, sheet):
    """Can any rule mean anything here? A tree is dear."""
    if len(sheet.by_class) > 12 or sheet.by_id:
        return True
    if sheet.by_class and any(not sheet.by_class.keys().isdisjoint(c.split()) for c in _CLASS.findall(html)):
        return True
    tags = [tag for tag in sheet.by_tag if tag not in _STRUCTURE]
    return any(f"<{tag}" in html or f"<{tag.upper()}" in html for tag in tags)


_CLASS = re.compile(r"class=[\"']?([^\"'>]{1,200})")


@lru_cache(maxsize=128)
def _read(sheets: str) -> _Sheet:
    """Cached: a newsletter comes with the same sheet each time."""
    sheet = _Sheet({}, {}, {})
    rules = 0
    for selectors, block in _blocks(_without_comments(sheets)):
        if not block or "{" in selectors:
            continue
        normal, important = _declarations(block)
        for selector in selectors.split(",")[:40]:
            parts = _parts(selector)
            if parts is None or parts[-1][0] in _STRUCTURE and set(_NAME.findall(block)) <= _PAGE:
                continue
            rules += 1
            if rules > MAX_RULES:
                return sheet
            order = (*(sum(map(len, kind)) for kind in zip(*((p[2] and "#", p[1], p[0] and "t") for p in parts),
                                                           strict=True)), rules)
            tag, classes, identifier = parts[-1]
            rule = _Rule(order, parts, normal, important)
            if identifier:
                sheet.by_id.setdefault(identifier, []).append(rule)
            elif classes:
                sheet.by_class.setdefault(classes[0], []).append(rule)
            else:
                sheet.by_tag.setdefault(tag, []).append(rule)
    return sheet


def _without_comments(sheets):
    out, position = [], 0
    sheets = sheets.replace("<!--", "").replace("-->", "")
    while (start := sheets.find("/*", position)) >= 0:
        out.append(sheets[position:start])
        end = sheets.find("*/", start + 2)
        if end < 0:
            return "".join(out)
        position = end + 2
    return "".join(out) + sheets[position:]


def _blocks(sheets):
    """(selectors, declarations) of each rule on the top level; at-rules with all that is in them are passed over."""
    position, depth, start, at_rule = 0, 0, 0, False
    for match in re.finditer(r"[{};]", sheets):
        sign, position = match[0], match.start()
        if sign == "{":
            if depth == 0:
                selectors, body = sheets[start:position].strip(), position + 1
                at_rule = selectors.startswith("@")
            depth += 1
        elif sign == "}":
            if depth == 1 and not at_rule:
                yield selectors, sheets[body:position].strip()
            if depth:
                depth -= 1
            if depth == 0:
                start = position + 1
        elif depth == 0:
            start = position + 1      # @import, @charset


def _declarations(block):
    if "!" not in block:
        return block.rstrip("; \n\r\t"), ""
    normal, important = [], []
    for declaration in block.split(";"):
        name, mark, _rest = declaration.partition("!")
        (important if mark else normal).append(name.strip() if mark else declaration.strip())
    return ";".join(filter(None, normal)), ";".join(filter(None, important))


def _parts(selector):
    """(tag, classes, id) of each step, or None: not simple."""
    steps = selector.strip().split()
    if not 0 < len(steps) <= 3:
        return None
    parts = []
    for step in steps:
        match = _SELECTOR.fullmatch(step.strip() if step[0] in ".#" else step[:1].lower() + step[1:])
        if not match or not step:
            match = _SELECTOR.fullmatch(step.lower()) if step.isalnum() else None
        if not match:
            return None
        names = re.findall(r"[.#][^.#]+", match[2])
        identifiers = [name[1:] for name in names if name[0] == "#"]
        if len(identifiers) > 1:
            return None
        parts.append((match[1] or "", tuple(name[1:] for name in names if name[0] == "."), "".join(identifiers)))
    return tuple(parts)


class _Work:
    """One mail's share of the work, with its bounds."""

    def __init__(self, sheet):
        self.sheet, self.steps, self.styles, self.seen, self.memo = sheet, MAX_STEPS, {}, {}, {}
        self.room = MAX_ADDED

    def apply(self, elements):
        """Set the style attributes. False: that would be too much; nothing was set."""
        changes = []
        for element in elements:
            attributes = element.attributes
            rules = self._rules(element, (element.tag, attributes.get("class") or "", attributes.get("id") or ""))
            if rules:
                changes.append((element, self._style(rules, attributes.get("style") or "")))
                self.room -= len(changes[-1][1])
            if self.steps < 0 or self.room < 0 or len(self.styles) > MAX_STYLES:
                return False
        for element, style in changes:
            if style:
                element.attrs["style"] = style
        return True

    def _rules(self, element, known):
        simple, within = self._candidates(known)
        if not within:
            return simple
        found = [rule for rule in within if self._stands_in(element, rule.parts[:-1])]
        return (*simple, *found)

    def _candidates(self, known):
        """(rules of one step, longer ones whose last step fits) for an element of this kind."""
        if known not in self.memo:
            tag, names, identifier = known
            classes = frozenset(names.split()[:20])
            rules = [*self.sheet.by_tag.get(tag, ()), *self.sheet.by_id.get(identifier, ())]
            for name in sorted(classes):
                rules += self.sheet.by_class.get(name, ())
            self.steps -= len(rules) + 1
            fits = [r for r in rules if _fits(r.parts[-1], tag, classes, identifier)]
            self.memo[known] = (tuple(r for r in fits if len(r.parts) == 1), tuple(r for r in fits if len(r.parts) > 1))
        return self.memo[known]

    def _stands_in(self, element, parts):
        parts = list(parts)
        parent = element.parent
        while parts and parent is not None and parent.tag not in (None, "-undef"):
            self.steps -= 1
            if self.steps < 0:
                return False
            known = self.seen.get(parent.mem_id)
            if known is None:
                attributes = parent.attributes
                classes = frozenset((attributes.get("class") or "").split()[:20])
                known = parent.tag, classes, attributes.get("id") or ""
                self.seen[parent.mem_id] = known
            if _fits(parts[-1], *known):
                parts.pop()
            parent = parent.parent
        return not parts

    def _style(self, rules, own):
        key = (rules, own)
        if key not in self.styles:
            self.styles[key] = _merged(rules, own)
        return self.styles[key]


def _fits(part, tag, classes, identifier):
    return (not part[0] or part[0] == tag) and (not part[2] or part[2] == identifier) and classes.issuperset(part[1])


def _merged(rules, own=""):
    """One style attribute: by rank, then the element's own, then what is important. "" when that is too long."""
    rules = sorted(rules, key=lambda rule: rule.order)
    pieces = [*(r.normal for r in rules), own.strip().rstrip(";"), *(r.important for r in rules)]
    style = ";".join(filter(None, pieces))
    return style if len(style) <= MAX_STYLE else own
