"""Plain text: shown as HTML, split into what is new and what is quoted, cut to a line. Everything here is linear."""

import re
from html import escape
from itertools import groupby
from operator import itemgetter

from . import quoting
from .address import other_domain

MAX_LINES = 2_000        # lines that the quote splitter looks at
MAX_LINE = 300           # characters of a line that it looks at
MAX_LINKED = 500_000     # characters that are searched for links
MAX_DEPTH = 8            # of quotes within quotes that are told apart
MAX_NESTED = 10_000      # lines of a text in which they are

_BLANKS = r"\s\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"     # `\s` alone: ASCII's, below
_HIDES = (r"\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164"
          r"\ufe00-\ufe0f\ufeff\uffa0")         # what turns text around, or is not seen
_URL = re.compile(rf"\b(?:https?://|www\.)[^{_BLANKS}{_HIDES}<>\"'`{{}}|\\^\x00-\x20]{{1,2000}}+", re.IGNORECASE)
_ADDRESS = re.compile(
    r"(?<![\w.+%@-])[\w.+%-]{1,64}+@[a-z0-9][a-z0-9.-]{0,251}\.[a-z]{2,24}(?![\w@-])", re.IGNORECASE | re.ASCII
)
_READ_ON = re.compile(f"[{_HIDES}]+[^{_BLANKS}{_HIDES}]")
_HOST = re.compile(r"(?:https?://)?(?:[^/?#@]*@)?([^/?#:@]{1,253})", re.IGNORECASE)
_TRAILING = ".,;:!?'\"*_~"
# The direction is the link's own: what turns the text around it around leaves it as it is.
_REL = ' target="_blank" rel="noopener noreferrer nofollow" dir="ltr"'


def to_html(text: str, other_forms: bool = False) -> str:
    """`text` escaped, web and mail addresses linked; blank lines part <p>, line ends are <br>, ">" is <blockquote>.

    `other_forms`: behind a link to an internationalised domain stands how else that is written, as it does behind
    addresses: "аpple.com" of Cyrillic letters (xn--pple-43d.com). For what strangers write.
    """
    text = text.replace("\r\n", "\n").strip("\n")
    if not text.strip():
        return ""
    budget = MAX_LINKED
    if not text.startswith(">") and "\n>" not in text or text.count("\n") > MAX_NESTED:
        return _paragraphs(text, budget, other_forms)
    out, depth = [], 0
    for level, lines in groupby(map(_unquoted, text.split("\n")), key=itemgetter(0)):
        block = "\n".join(line for _level, line in lines)
        if level != depth and not block.strip():
            continue        # a blank line between two quotes
        out.append("<blockquote>" * (level - depth) + "</blockquote>" * (depth - level))
        out.append(_paragraphs(block.strip("\n"), budget, other_forms))
        depth, budget = level, budget - len(block)
    return "\n".join(filter(None, out)) + "</blockquote>" * depth


_QUOTED = re.compile(r">[> ]{0,100}")


def _unquoted(line):
    """(how deep it is quoted, the line without its marks)."""
    marks = _QUOTED.match(line)
    if not marks:
        return 0, line
    depth = marks[0].count(">")
    return min(depth, MAX_DEPTH), line[marks[0].rindex(">") + 1:].removeprefix(" ")


def _paragraphs(text, budget, other_forms):
    out = []
    for paragraph in re.split(r"\n[ \t]*\n\s*", text):
        linked = _linked(paragraph, other_forms) if len(paragraph) <= budget else escape(paragraph)
        budget -= len(paragraph)
        out.append(f"<p>{linked}</p>".replace("\n", "<br>\n"))
    return "\n".join(out) if text.strip() else ""


def _linked(text: str, other_forms: bool) -> str:
    if "@" not in text and "://" not in text and "www." not in text.lower():
        return escape(text)
    out, position = [], 0
    for match in _LINK.finditer(text):
        if _READ_ON.match(text, match.end()):
            continue        # the eye reads on where the link would end: www.bank.example, and then more
        shown = _trimmed(match[0])
        if "@" in shown and not _URL.match(shown):
            target = "mailto:" + shown
        else:
            target = shown if "://" in shown[:8] else "https://" + shown
        out += [escape(text[position:match.start()]), f'<a href="{escape(target)}"{_REL}>{escape(shown)}</a>']
        if other_forms and (other := _other_host(shown)):
            out.append(f" ({escape(other)})")
        position = match.start() + len(shown)
    return "".join(out) + escape(text[position:])


def _other_host(link: str) -> str | None:
    if link.isascii() and "xn--" not in link.lower():
        return None
    host = _HOST.match(link)
    return other_domain(host[1]) if host else None


_LINK = re.compile(f"{_URL.pattern}|{_ADDRESS.pattern}", re.IGNORECASE | re.ASCII)


def _trimmed(url: str) -> str:
    """Without the punctuation of the sentence around it; a closing bracket stays when it was opened inside."""
    for _ in range(8):
        url = url.rstrip(_TRAILING)
        if not (url.endswith(")") and url.count("(") < url.count(")")) and not (url.endswith("]") and "[" not in url):
            break
        url = url[:-1]
    return url


# A wrapped attribution takes at most three lines. Each line is looked at by its first MAX_LINE characters only.
_WORDS = sorted((re.escape(word) for words in quoting.WROTE.values() for word in words), key=len, reverse=True)
_WROTE = re.compile(rf"(?<!\w)(?:{'|'.join(_WORDS)})(?!\w)", re.IGNORECASE)
_WROTE_TOGETHER = re.compile("|".join(word for code in ("ja", "ko", "th", "zh") for word in quoting.WROTE[code]))
_WHEN = re.compile(r"\d{1,2}[:.時点]\s?\d{2}|(?<!\d)(?:19|20)\d{2}(?!\d)|(?<!\d)\d{1,2}[./-]\d{1,2}[./-]\d{2}",
                   re.ASCII)
_ADDRESSED = re.compile(r"<[^<>\s]{1,200}@[^<>\s]{1,120}>\s?[:：]$")
# Only a mailer ends with the verb, or has the address in brackets: below it all may be a bare copy.
_BRACKETED = re.compile(r"<[^<>\s]{1,200}@[^<>\s]{1,120}>")
_ENDS_WROTE = re.compile(rf"(?:{'|'.join(_WORDS)})\s?[:：]$", re.IGNORECASE)
_CLOCK = re.compile(r"(?<!\d)\d{1,2}:\d{2}", re.ASCII)
_MARKS = "-_=*~–—•"
_SIGNATURE_LINES, _SIGNATURE_LENGTH, _MOBILE_LINES = 20, 4_000, 3
_BRIEF_LINES, _BRIEF = 12, 90
_MOBILE_STARTS = frozenset(phrase[:3] for phrase in quoting.MOBILE)
_INVISIBLE = "\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff"
_BIDI = str.maketrans("", "", _INVISIBLE)


def split_quote(text: str, forwards: bool = True, answers: bool = True) -> tuple[str, str]:
    """(new, quoted) with new + quoted == text. What is not clearly a quote at the end stays in `new`.

    Knows attribution lines in the languages of webapp/mail/quoting.py, ">" blocks, and Outlook's headers and rules. A
    quote with own words between or below stays whole in `new`: an answer within it must be seen. `forwards` False: so
    does what is handed on rather than answered. `answers` False: it is nobody's answer, see `is_header`.
    """
    lines = text.split("\n", MAX_LINES)
    seen = [line[:MAX_LINE] for line in lines[:MAX_LINES]]
    if not text.isascii() and any(map(text.__contains__, _INVISIBLE)):
        seen = [line.translate(_BIDI) for line in seen]
    seen = list(map(_bare, seen))
    cut = _quote_from(seen, complete=len(lines) <= MAX_LINES, forwards=forwards, answers=answers)
    if cut is None:
        return text, ""
    position = sum(map(len, lines[:cut])) + cut
    return text[:position], text[position:]


def _bare(line: str) -> str:
    """The line without blanks around it; one stays before a ">", which is no mark there (RFC 3676, 4.4): " >5 kg"."""
    bare = line.strip()
    return " " + bare if bare[:1] == ">" != line[:1] else bare


def _quote_from(seen: list[str], *, complete: bool, forwards: bool, answers: bool) -> int | None:
    """The number of the line with which the quote begins."""
    tries = 20  # attributions that turn out to be none; each looks at all lines below it
    for index, line in enumerate(seen):
        if not line or line[0] == ">":
            continue
        if (line[0] in _MARKS or ":" in line or "：" in line) and (kind := _opens_quote(seen, index, answers)):
            return index if forwards or kind != "forwarded" else None
        if line[-1] in ":：" and tries and (found := _attribution(seen, index)):
            first, strong = found
            if _quotes_to_the_end(seen, index, strong):
                return first
            tries -= 1
    return _trailing_quote(seen) if complete else None


def _opens_quote(lines: list[str], index: int, answers: bool) -> str | None:
    """Is this a mailer's rule, or the first line of its copied header? All below is then a copy. Which kind it is."""
    line = lines[index]
    if line[0] in _MARKS and len(line) > 3:
        return _rule(lines, index, answers)
    if ":" not in line[:60] and "：" not in line[:60]:
        return None
    return "header" if is_header(lines, index, answers) else quote_rule(line)


def quote_rule(line: str) -> str | None:
    """Does this line say that a mail follows which is answered ("original"), or handed on ("forwarded")?"""
    inside = line.strip(_MARKS + " :>").lower()
    ruled = len(line) > 3 and line[0] in _MARKS and line[1] in _MARKS
    if inside in quoting.ORIGINAL and ruled:
        return "original"
    return "forwarded" if inside in quoting.FORWARDED and (ruled or line[-1] in ":：") else None


def _rule(lines: list[str], index: int, answers: bool) -> str | None:
    line = lines[index]
    if kind := quote_rule(line):
        return kind
    inside = line.strip(_MARKS + " :>")
    if inside and line[0] == "*":      # "*From:* Jan": bold, as HTML was made into text
        return "header" if is_header(lines, index, answers) else None
    # A row of underscores is a signature's too; it opens a quote only above a header block.
    if not inside and len(line) >= 20 and line[0] in "_-":
        below = (i for i in range(index + 1, min(index + 4, len(lines))) if lines[i])
        return next(("header" for i in below if is_header(lines, i)), None)
    return None


def is_header(lines: list[str], index: int = 0, answers: bool = True) -> bool:
    """Is this the header of a mail, copied: “From:”, and soon below “Sent:”, or two others of its kind? `answers`
    False: a “Sent:” it must be. A form's mail answers nothing, and has “From:”, “Date:”, “Subject:” above what is to be
    read."""
    if index >= len(lines) or _header_word(lines[index]) not in quoting.FROM:
        return False
    names = [_header_word(line) for line in lines[index + 1:index + 5]]
    if any(n in quoting.SENT and n not in quoting.DATE for n in names):
        return True
    if not answers:
        return False
    # An order for a lorry says from, to and date as well: it has no subject, and nobody's address.
    of_mail = "@" in lines[index] or any(n in quoting.SUBJECT for n in names)
    return of_mail and sum(n in quoting.SENT or n in quoting.TO for n in names) > 1


def is_answer(subject: str, references) -> bool:
    """Does a mail answer another one: by its header, or by what its subject begins with?"""
    return bool(references) or bool(quoting.REPLY_SUBJECT.match(subject))


def _header_word(line: str) -> str:
    """The name of a header field in small letters; "" when the line is none."""
    name, colon, value = line[:80].partition(":")
    if not colon:
        name, colon, value = name.partition("：")
    return name.strip(" *\t\xa0").lower() if value.strip(" *") else ""


def _attribution(lines: list[str], last: int) -> tuple[int, bool] | None:
    """(first line of the attribution that ends with line `last`, is there no doubt?); None: it ends with none."""
    joined = ""
    for first in range(last, max(-1, last - 3), -1):
        line = lines[first]
        if not line or line[0] == ">" or len(joined) + len(line) > MAX_LINE:
            return None
        joined = f"{line} {joined}".strip()
        if not is_attribution(joined):
            continue
        opens = joined.lower().startswith(quoting.OPENS)
        above = lines[first - 1].lower() if first and last - first < 2 else ""
        if above and not opens and _WHEN.search(above) and (
                above.startswith(quoting.OPENS) or "@" in above and "@" not in joined):
            return first - 1, True      # its beginning stands there
        return first, bool(_BRACKETED.search(joined) or (opens or "@" in joined) and _ENDS_WROTE.search(joined))
    return None


def is_attribution(line: str) -> bool:
    """“On … Jan wrote:”, with a date or an address; or a date and an address alone."""
    dated = bool(_WHEN.search(line))
    if _ADDRESSED.search(line) and dated and _CLOCK.search(line):
        return True
    if not dated and not ("@" in line and any(c.isdigit() for c in line)):
        return False
    return bool(_WROTE.search(line) or not line.isascii() and _WROTE_TOGETHER.search(line))


def _quotes_to_the_end(lines: list[str], index: int, strong: bool) -> bool:
    """Below the attribution: all quoted lines (then nobody wrote below), or none at all (a bare copy)."""
    below = [line for line in lines[index + 1:] if line]
    if not below:
        return True
    quoted = sum(line[0] == ">" for line in below)
    if not quoted:
        return strong
    return all(line[0] == ">" for line in below[:quoted]) and _only_signature(below[quoted:])


def _only_signature(lines: list[str]) -> bool:
    return not lines or lines[0] == "--" or lines[0].startswith(("-- ", "____")) or \
        len(lines) <= _MOBILE_LINES and is_mobile(lines[0])


def _trailing_quote(seen: list[str]) -> int | None:
    """A block of ">" lines that ends the text, without an attribution above."""
    cut = len(seen)
    while cut and (not seen[cut - 1] or seen[cut - 1][0] == ">"):
        cut -= 1
    while cut < len(seen) and not seen[cut]:
        cut += 1
    return cut if cut < len(seen) else None


def is_mobile(line: str) -> bool:
    """Is it what a phone adds below everything?"""
    line = line[:60].lower()
    if line[:3] not in _MOBILE_STARTS or not line.startswith(quoting.MOBILE):
        return False
    if quoting.DEVICE.search(line):
        return True
    return any(quoting.DEVICE_NEAR.match(line, len(said)) for said in quoting.MOBILE if line.startswith(said))


def _is_brief(lines: list[str]) -> bool:
    """A few short lines and no question: people part what they say by a dash, too."""
    said = [line for line in map(str.strip, lines) if line]
    return len(said) <= _BRIEF_LINES and all(len(line) <= _BRIEF and line[-1] not in "?？" for line in said)


def split_signature(new: str) -> tuple[str, str]:
    """(words, signature) of the new part, with words + signature == new. Never all of it.

    A signature stands below "-- ", is brief below another dash, or is what a phone adds by itself.
    """
    lines = new[-_SIGNATURE_LENGTH:].rsplit("\n", _SIGNATURE_LINES)
    below = 0           # lines with words
    for at in range(len(lines) - 1, -1, -1):
        shown = lines[at].strip()
        if not shown:
            continue
        dashed = lines[at].rstrip("\r") == "-- " or shown in ("--", "–", "—") and _is_brief(lines[at + 1:])
        if dashed or below < _MOBILE_LINES and is_mobile(shown):
            words = new[:len(new) - sum(map(len, lines[at:])) - len(lines) + at + 1]
            return (words, new[len(words):]) if words.strip() else (new, "")
        below += 1
    return new, ""


# What turns a line around, or only pads it: in a list it would reach beyond its own line.
_UNSEEN = re.compile("[\u00ad\u034f\u061c\u180e\u200b\u202a-\u202e\u2060-\u2069\ufeff]")


def parted(text: str, subject: str = "", answers: bool = True) -> tuple[str, str, str]:
    """(words, signature, quoted) of a text as it is read; together they are the text. Words there are always, unless
    there is nothing. What is forwarded, as the text or the subject says, is no quote. `answers`: see `is_answer`."""
    forwarded = quoting.FORWARD_SUBJECT.match(subject)
    new, quoted = (text, "") if forwarded else split_quote(text, forwards=False, answers=answers)
    if not new.strip():
        return text, "", ""
    words, signature = split_signature(new)
    return words, signature, quoted


def _own_words(new: str) -> str:
    """`new` without the lines that are quoted in it, and those that say who wrote them: a list is to show the answer
    below a quote. All of it when there is no other line."""
    if ">" not in new:
        return new
    own, quoted = [], False
    for line in new.split("\n"):
        if line[:1] != ">":
            own.append(line)
            quoted = quoted and not line.strip()
        elif not quoted:
            _drop_attribution(own)
            quoted = True
    return "\n".join(own) if any(map(str.strip, own)) else new


def _drop_attribution(lines: list[str]) -> None:
    while lines and not lines[-1].strip():
        lines.pop()
    if lines and lines[-1].rstrip()[-1:] in (":", "："):
        for count in (1, 2, 3):
            if is_attribution(" ".join(lines[-count:])[-MAX_LINE:].strip()):
                del lines[-count:]
                return


def snippet(text: str, length: int = 160) -> str:
    """One line of at most `length` characters from the new part; from the quote when there is nothing new."""
    head = text[:20_000]
    new, quoted = split_quote(head)
    new = _own_words(split_signature(new)[0])
    line = " ".join(new[:length * 8].split()) or " ".join(quoted[:length * 8].replace(">", " ").split())
    if not line.isascii():
        line = " ".join(_UNSEEN.sub("", line).split())
    if len(line) <= length:
        return line
    cut = line[:length - 1]
    return (cut[:cut.rfind(" ")] if " " in cut[length // 2:] else cut).rstrip(" ,;:-") + "…"
