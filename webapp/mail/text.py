"""Plain text: shown as HTML, split into what is new and what is quoted, cut to a line. Everything here is linear."""

import re
from html import escape

MAX_LINES = 2_000        # lines that the quote splitter looks at
MAX_LINE = 300           # characters of a line that it looks at
MAX_LINKED = 500_000     # characters that are searched for links

_URL = re.compile(r"\b(?:https?://|www\.)[^\s<>\"'`{}|\\^\x00-\x20]{1,2000}+", re.IGNORECASE)
_ADDRESS = re.compile(
    r"(?<![\w.+%@-])[\w.+%-]{1,64}+@[a-z0-9][a-z0-9.-]{0,251}\.[a-z]{2,24}(?![\w@-])", re.IGNORECASE | re.ASCII
)
_TRAILING = ".,;:!?'\"*_~"
_REL = ' target="_blank" rel="noopener noreferrer nofollow"'


def to_html(text: str) -> str:
    """`text` escaped, web and mail addresses linked; blank lines part <p>, line ends are <br>."""
    paragraphs = re.split(r"\n[ \t]*\n\s*", text.replace("\r\n", "\n").strip("\n"))
    out, budget = [], MAX_LINKED
    for paragraph in paragraphs:
        linked = _linked(paragraph) if len(paragraph) <= budget else escape(paragraph)
        budget -= len(paragraph)
        out.append(f"<p>{linked}</p>".replace("\n", "<br>\n"))
    return "\n".join(out) if text.strip() else ""


def _linked(text: str) -> str:
    if "@" not in text and "://" not in text and "www." not in text.lower():
        return escape(text)
    out, position = [], 0
    for match in _LINK.finditer(text):
        shown = _trimmed(match[0])
        if "@" in shown and not _URL.match(shown):
            target = "mailto:" + shown
        else:
            target = shown if "://" in shown[:8] else "https://" + shown
        out += [escape(text[position:match.start()]), f'<a href="{escape(target)}"{_REL}>{escape(shown)}</a>']
        position = match.start() + len(shown)
    return "".join(out) + escape(text[position:])


_LINK = re.compile(f"{_URL.pattern}|{_ADDRESS.pattern}", re.IGNORECASE | re.ASCII)


def _trimmed(url: str) -> str:
    """Without the punctuation of the sentence around it; a closing bracket stays when it was opened inside."""
    for _ in range(8):
        url = url.rstrip(_TRAILING)
        if not (url.endswith(")") and url.count("(") < url.count(")")) and not (url.endswith("]") and "[" not in url):
            break
        url = url[:-1]
    return url


# Attribution lines. Each is matched on at most MAX_LINE characters and anchored at both ends.
_ATTRIBUTION = re.compile(
    r"(?:"
    r"on\s.{4,280}\swrote\s?:"
    r"|(?:w dniu|dnia|dn\.|w dn\.)\s.{4,280}\s?(?:pisze|napisał|napisała|napisał\(a\)|napisał/a|napisali|wrote)\s?:"
    r"|.{4,280}\s(?:napisał\(a\)|napisał|napisała|pisze)\s?:"
    r"|am\s.{4,280}\s(?:schrieb|hat)\b.{0,120}:"
    r"|.{4,200}\sschrieb(?:\sam\s.{4,120})?\s?:"
    r"|le\s.{4,280}\sa\sécrit\s?:"
    r"|\d{4}[-/.]\d{1,2}[-/.]\d{1,2}\s.{0,200}<[^<>\s]{3,120}>\s?:"
    r")",
    re.IGNORECASE,
)
_HAS_DATE = re.compile(r"\d")
_RULE = re.compile(
    r"[-_=*]{2,}\s?(?:original message|original appointment|forwarded message|wiadomość oryginalna|"
    r"oryginalna wiadomość|"
    r"wiadomość przekazana|przekazana wiadomość|treść oryginalnej wiadomości|ursprüngliche nachricht|originalnachricht|"
    r"weitergeleitete nachricht|message d'origine|begin forwarded message)\s?[-_=*]{2,}|begin forwarded message:|"
    r"_{20,}",
    re.IGNORECASE,
)
_FROM = re.compile(r"\*?(?:from|od|von|de|nadawca)\s?:\*?\s?\S", re.IGNORECASE)
_SENT = re.compile(
    r"\*?(?:sent|date|wysłano|data|gesendet|datum|envoyé|to|do|an|subject|temat|betreff)\s?:\*?\s?\S", re.IGNORECASE
)
_STARTS = ("on ", "w dniu", "dnia ", "dn. ", "w dn.", "am ", "le ")


def split_quote(text: str) -> tuple[str, str]:
    """(new, quoted) with new + quoted == text. What is not clearly a quote at the end stays in `new`.

    Knows attribution lines in English, Polish, German and French, ">" blocks, and Outlook's headers and
    rules. A quote with own words between or below stays whole in `new`: an answer within it must be seen.
    """
    lines = text.split("\n", MAX_LINES)
    seen = [line[:MAX_LINE].strip() for line in lines[:MAX_LINES]]
    starts, position = [], 0
    for line in lines:
        starts.append(position)
        position += len(line) + 1
    tries = 20  # attributions that turn out to be none; each looks at all lines below it
    for index, line in enumerate(seen):
        if not line or not tries:
            continue
        if _opens_quote(seen, index):
            return text[:starts[index]], text[starts[index]:]
        if line[0] != ">" and _attribution(seen, index):
            if _quotes_to_the_end(seen, index):
                return text[:starts[index]], text[starts[index]:]
            tries -= 1
    return _trailing_quote(text, seen, starts, complete=len(lines) <= MAX_LINES)


def _opens_quote(lines: list[str], index: int) -> bool:
    """Is this a mailer's rule, or the first line of its copied header? All below is then a copy."""
    line = lines[index]
    first = line[0].lower()
    if first in "-_=*b" and _RULE.fullmatch(line):
        return _rule_counts(lines, index)
    return first in "*fovdn" and bool(_FROM.match(line)) and any(map(_SENT.match, lines[index + 1:index + 4]))


def _rule_counts(lines: list[str], index: int) -> bool:
    """A row of underscores is a signature's too; it opens a quote only above a header block."""
    if lines[index].strip("_"):
        return True
    return any(_FROM.match(after) for after in lines[index + 1:index + 4])


def _attribution(lines: list[str], index: int) -> int:
    """How many lines the attribution at `index` takes: 1, 2 or 3 when wrapped, 0 when there is none."""
    for taken in (1, 2, 3):
        if index + taken > len(lines):
            return 0
        last = lines[index + taken - 1]
        if taken > 1 and (not last or last.startswith(">") or not lines[index].lower().startswith(_STARTS)):
            return 0
        if last.endswith(":"):
            joined = " ".join(lines[index:index + taken])[:MAX_LINE]
            return taken if _ATTRIBUTION.fullmatch(joined) and ("@" in joined or _HAS_DATE.search(joined)) else 0
    return 0


def _quotes_to_the_end(lines: list[str], index: int) -> bool:
    """Below the attribution: all quoted lines (then nobody wrote below), or none at all (a bare copy)."""
    below = [line for line in lines[index + _attribution(lines, index):] if line]
    if not below:
        return True
    quoted = sum(line.startswith(">") for line in below)
    if not quoted:
        return True
    return all(line.startswith(">") for line in below[:quoted]) and _only_signature(below[quoted:])


def _only_signature(lines: list[str]) -> bool:
    return not lines or lines[0] == "--" or lines[0].startswith(("-- ", "____"))


def _trailing_quote(text, seen, starts, *, complete: bool) -> tuple[str, str]:
    """A block of ">" lines that ends the text, without an attribution above."""
    cut = len(seen)
    while complete and cut and (not seen[cut - 1] or seen[cut - 1].startswith(">")):
        cut -= 1
    while cut < len(seen) and not seen[cut]:
        cut += 1
    if not complete or cut == len(seen):
        return text, ""
    return text[:starts[cut]], text[starts[cut]:]


def snippet(text: str, length: int = 160) -> str:
    """One line of at most `length` characters from the new part; from the quote when there is nothing new."""
    head = text[:20_000]
    new, quoted = split_quote(head)
    line = " ".join(new[:length * 8].split()) or " ".join(quoted[:length * 8].replace(">", " ").split())
    if len(line) <= length:
        return line
    cut = line[:length - 1]
    return (cut[:cut.rfind(" ")] if " " in cut[length // 2:] else cut).rstrip(" ,;:-") + "…"
