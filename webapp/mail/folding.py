"""The quote below an answer in HTML: marked before the sanitiser takes the classes that tell it, folded when shown.

What is stored is neutral: `quoted="…"` on an element, no more. Whether it is folded is decided when it is shown, and
the words on the fold are the reader's.
"""

import re
from bisect import bisect_left
from html import escape, unescape

from . import quoting
from .text import is_answer, is_attribution, is_header, is_mobile, quote_rule

MAX_FOLDED = 600_000     # characters of HTML that are looked at
MAX_TAGS = 40_000
_TRIES = 12              # marked places that turn out to be something else

# quote: this element. copy: this element, and whatever stands in it. below: from here on. sign: a signature.
_IN_QUOTES = (      # of programs that also write "quote" somewhere, so that it is looked for once only
    ("gmail_quote", "quote"), ('type="cite"', "quote"), ("yahoo_quoted", "copy"), ("protonmail_quote", "quote"),
    ("tutanota_quote", "quote"), ("zmail_extra", "copy"), ('name="quote"', "copy"), ("messageReplySection", "copy"),
    ("front-blockquote", "quote"), ("moz-signature", "sign"), ("gmail_signature", "sign"),
    ("protonmail_signature_block", "sign"), ("k9mail-signature", "sign"),
)
_BY_ID = (
    ("divRplyFwdMsg", "below"), ("appendonsend", "below"), ("OLK_SRC_BODY_SECTION", "copy"),
    ("mail-editor-reference-message-container", "copy"), ("ms-outlook-mobile-reference-message", "copy"),
    ("stopSpelling", "below"), ("zwchr", "below"),
)
_NEEDS = {'name="quote"': "border-left"}     # GMX draws a line beside it; a shop's form may have a field of that name
KINDS = frozenset(kind for _needle, kind in (*_IN_QUOTES, *_BY_ID))
TAGS = frozenset(("div", "blockquote", "span", "hr", "table", "p", "pre"))
_PLACES = 30             # of one kind in a mail
_REACH = 300             # characters between "<" and the class that tells
_TAG_NAME = re.compile(r"<(?:div|blockquote|span|hr|table|p|pre)(?=[\s/])", re.IGNORECASE)


def mark(html: str) -> str:
    """`html` with `quoted="…"` on the elements that mail programs put around quotes. For the sanitiser, which keeps it.

    Linear: each program's word is looked for, and the tag that it stands in.
    """
    places = {}
    first = html.find("quote")
    for needle, kind in (*(_IN_QUOTES if first >= 0 else ()), *(_BY_ID if 'id="' in html else ())):
        at = html.find(needle, max(0, first - _REACH))
        for _ in range(_PLACES):
            if at < 0:
                break
            start = html.rfind("<", max(0, at - _REACH), at)
            if start >= 0 and html.find(">", start, at) < 0 and (name := _TAG_NAME.match(html, start)) and \
                    html.find(_NEEDS.get(needle, ""), start, html.find(">", at)) >= 0:
                places.setdefault(name.end(), kind)
            at = html.find(needle, at + len(needle))
    if not places:
        return html
    out, last = [], 0
    for at in sorted(places):
        out += [html[last:at], f' quoted="{places[at]}"']
        last = at
    return "".join(out) + html[last:]


def before_quote(html: str) -> str:
    """Of sanitised HTML what stands before the first marked quote; all when none is marked. For the height."""
    found = _MARKED.search(html) if 'quoted="' in html else None
    return html[:found.start()] if found else html


_MARKED = re.compile(r'<[a-z]+ quoted="(?:quote|copy|below)"')
_TAG = re.compile(r'<(/?)([a-z][a-z0-9]*)((?: [a-z]+="[^"]*")*+)>')
_KIND = re.compile(r' quoted="([a-z]+)"')
_OUTLOOK = re.compile(r"border-top:\s?solid #(?:e1e1e1|b5c4df)", re.IGNORECASE)
_UNSEEN = re.compile(r'style="[^"]*(?:display:none|mso-hide:all|font-size:0(?![.\d]))', re.IGNORECASE)
_PIXEL = re.compile(r' (?:width|height)="[012]"')
_VOID = frozenset(("area", "br", "col", "hr", "img", "wbr"))
_ROWS = frozenset(("table", "thead", "tbody", "tfoot", "tr", "ul", "ol", "dl", "colgroup"))
_INLINE = frozenset(("a", "b", "strong", "i", "em", "span", "font", "u", "small", "big", "wbr", "code", "tt"))
_BLANK = " \t\r\n\xa0\u200b\u200c\u200d\u200e\u200f\u2060\ufeff\u034f\u00ad"
_FIELD = re.compile(r"[\s\xa0]*[:：]")
_LONGEST = 300           # characters of a line that tells of a quote


class _Element:
    __slots__ = ("after", "attributes", "inner", "kind", "parent", "start", "tag")

    def __init__(self, tag, attributes, start, inner, parent):
        self.tag, self.attributes, self.start, self.inner, self.parent = tag, attributes, start, inner, parent
        self.after = inner       # where it ends; its end tag has length len(tag) + 3
        kind = _KIND.search(attributes) if attributes else None
        self.kind = kind[1] if kind else None

    @property
    def close(self):
        """Where its content ends."""
        return self.after - len(self.tag) - 3 if self.tag not in _VOID else self.after


class _Run:
    """Words, or a picture, that can be seen."""

    __slots__ = ("element", "start", "text")

    def __init__(self, start, text, element):
        self.start, self.text, self.element = start, text, element


def _block(run):
    element = run.element
    while element is not None and element.tag in _INLINE:
        element = element.parent
    return element


def fold(html: str, label: str, subject: str = "", references=None) -> str:
    """Sanitised `html` with the quote at its end in <details>; unchanged when it has none, or nothing but one.

    An answer within or below a quote stays in sight, and so does what is forwarded. `label` names the fold for those
    who cannot see the three dots. `references`: the mail's; None when they are not known.
    """
    if len(html) > MAX_FOLDED or quoting.FORWARD_SUBJECT.match(subject) or not _may_quote(html):
        return html
    page = _Page(html, references is None or is_answer(subject, references))
    found = page.quote() if page.elements else None
    if found is None:
        return html
    start, end = found
    summary = (f'<details class="quote"><summary title="{escape(label)}"><span class="vh">{escape(label)}</span>'
               '<span aria-hidden="true">•••</span></summary>')
    return f"{html[:start]}{summary}{html[start:end]}</details>{html[end:]}"


def _may_quote(html):
    return 'quoted="' in html or "<blockquote" in html or "--" in html or ":" in html


class _Page:
    """Elements and visible words of sanitised HTML, by their positions."""

    def __init__(self, html, answers):
        self.html, self.answers, self.elements, self.runs = html, answers, [], []
        stack, position, hidden = [], 0, None
        for count, tag in enumerate(_TAG.finditer(html)):
            if count > MAX_TAGS:
                self.elements = []
                return
            if hidden is None and tag.start() > position:
                self._read(position, tag.start(), stack[-1] if stack else None)
            position = tag.end()
            closing, name, attributes = tag.groups()
            if closing:
                while stack:
                    element = stack.pop()
                    element.after = position if element.tag == name else tag.start() + len(element.tag) + 3
                    hidden = None if hidden is element else hidden
                    if element.tag == name:
                        break
                continue
            element = _Element(name, attributes, tag.start(), position, stack[-1] if stack else None)
            self.elements.append(element)
            if name in _VOID:
                if name == "img" and hidden is None and not _PIXEL.search(attributes):
                    self.runs.append(_Run(tag.start(), "", element.parent))
                continue
            stack.append(element)
            if hidden is None and "style=" in attributes and _UNSEEN.search(attributes):
                hidden = element
        if hidden is None:
            self._read(position, len(html), stack[-1] if stack else None)
        for element in stack:
            element.after = len(html) + len(element.tag) + 3
        self._starts = [run.start for run in self.runs]

    def _read(self, start, end, element):
        text = self.html[start:end]
        if text.isspace():
            return
        if "&" in text:
            text = unescape(text)
        text = text.strip(_BLANK)
        if text:
            self.runs.append(_Run(start, text, element))

    def quote(self):
        """(start, end) of what is to be folded, or None."""
        tries = _TRIES
        for start, kind, element in sorted(self._candidates(), key=lambda c: c[0]):
            tries -= 1
            if not tries or kind == "forward":
                return None
            if not self._says_something(start):
                continue            # nothing above it: it is the mail
            if self._forwarded(start):
                return None
            if kind == "below":
                return self._from_here_on(start, element)
            if kind == "quote" and not self._is_whole(element):
                return None
            if self._ends_with(element.after):
                return self._with_attribution(element)
            return self._row_of_quotes(element)
        return None

    def _candidates(self):
        for element in self.elements:
            if element.kind in ("quote", "copy", "below"):
                yield element.start, element.kind, element
            elif element.tag == "blockquote" and self._said_before(element):
                yield element.start, "quote", element
            elif element.tag == "div" and "border-top" in element.attributes and _OUTLOOK.search(element.attributes) \
                    and self._header_at(bisect_left(self._starts, element.inner)):
                yield element.start, "below", element
        for number, run in enumerate(self.runs):
            text = run.text
            if len(text) > _LONGEST or not text:
                continue
            if text[0] in "-_" and (kind := quote_rule(text)):
                yield run.start, "forward" if kind == "forwarded" else "below", run.element
            elif (":" in text[:30] or "：" in text[:30]) and self._header_at(number, self.answers):
                yield run.start, "below", run.element

    def _header_at(self, number, answers=True):
        """Is this the copied header of a mail: “From:”, and soon “Sent:”?"""
        if number >= len(self.runs) or _FIELD.split(self.runs[number].text, maxsplit=1)[0].lower() not in quoting.FROM:
            return False
        lines = [line for run in self.runs[number:number + 12] for line in run.text[:_LONGEST].split("\n")]
        joined = []
        for line in lines:          # "From:" and its value are runs of their own when the name is bold
            if joined and joined[-1].rstrip()[-1:] in (":", "："):
                joined[-1] += " " + line
            else:
                joined.append(line)
        return is_header(joined, answers=answers)

    def _seen(self, start, end):
        """Is anything to be seen between these positions?"""
        first = bisect_left(self._starts, start)
        return first < len(self._starts) and self._starts[first] < end

    def _forwarded(self, start):
        first = bisect_left(self._starts, start)
        near = self.runs[max(0, first - 1):first + 2]
        return any(quote_rule(run.text.split("\n")[0][:_LONGEST]) == "forwarded" for run in near)

    def _is_whole(self, element):
        """Nothing of one's own within: all words stand in a blockquote, but for those that say who wrote it."""
        if element.tag == "blockquote":
            return True
        quoted = []
        for inner in self.elements:
            if inner.tag == "blockquote" and element.inner <= inner.start < element.after and (
                    not quoted or inner.start >= quoted[-1].after):
                quoted.append(inner)
        if not quoted:
            return False
        said = sum(len(run.text) for run in self._runs_in(element) if run.start < quoted[0].start)
        gaps = zip(quoted, [*quoted[1:], None], strict=True)
        # An answer between the lines, or below?
        return said <= 2 * _LONGEST and not any(
            self._seen(quote.after, after.start if after else element.after) for quote, after in gaps)

    def _runs_in(self, element):
        first = bisect_left(self._starts, element.inner)
        return self.runs[first:bisect_left(self._starts, element.after)]

    def _says_something(self, start):
        """Does anything stand above but who wrote the quote?"""
        above = self.runs[:bisect_left(self._starts, start)]
        for count in range(1, min(5, len(above) + 1)):
            if is_attribution(" ".join(" ".join(run.text for run in above[-count:]).split())[:_LONGEST]):
                block = _block(above[-count])
                return any(_block(run) is not block for run in above[:-count])
        return bool(above)

    def _row_of_quotes(self, element):
        """A phone makes one for who wrote it and another for what was written: one fold for both."""
        start, parent = element.start, element.parent
        while parent is not None and not self._seen(parent.inner, start) and self._seen(0, parent.start):
            start, parent = parent.start, parent.parent
        end = element.after
        for other in self.elements:
            if other.kind == "quote" and other.tag == "blockquote" and other.start >= end and other.parent is parent \
                    and not self._seen(end, other.start):
                end = other.after
        return self._in_flow(start, end, parent) if end > element.after and self._ends_with(end) else None

    def _ends_with(self, end):
        """Below it there is nothing but a signature."""
        rest = self.runs[bisect_left(self._starts, end):]
        return all(self._is_signature(run) for run in rest[:50]) and len(rest) < 50

    def _is_signature(self, run):
        element = run.element
        while element is not None:
            if element.kind == "sign":
                return True
            element = element.parent
        return is_mobile(run.text)

    def _said_before(self, element):
        """Does a line above it say who wrote it?"""
        first = bisect_left(self._starts, element.start)
        text = ""
        for run in reversed(self.runs[max(0, first - 4):first]):
            text = f"{run.text} {text}".strip()
            if len(text) > _LONGEST:
                return False
            if is_attribution(" ".join(text.split())):
                return True
        return False

    def _with_attribution(self, element):
        """From the block that says who wrote it, when that block says nothing else."""
        start = element.start
        number = bisect_left(self._starts, start) - 1
        said = self.runs[number].element if number >= 0 else None
        while said is not None and said.parent is not element.parent:
            said = said.parent
        if said is not None and said.after <= start and said.tag in ("div", "p", "span"):
            words = " ".join(" ".join(run.text for run in self._runs_in(said)).split())
            if self._seen(0, said.start) and len(words) <= _LONGEST and is_attribution(words):
                start = said.start
        return self._in_flow(start, element.after, element.parent)

    def _from_here_on(self, start, element):
        """From `start` to the end of the block around it, that block's own beginning included when it is empty."""
        if element is not None and element.start == start:
            element = element.parent
        while element is not None and not self._seen(element.inner, start) and self._seen(0, element.start):
            start, element = element.start, element.parent
        end = element.close if element is not None else len(self.html)
        return self._in_flow(start, end, element)

    def _in_flow(self, start, end, parent):
        """Between rows and items there may be no fold."""
        return (start, end) if parent is None or parent.tag not in _ROWS else None
