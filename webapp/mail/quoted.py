"""The original below an answer, and within what is handed on: its words alone, as its reader sees them.

Nothing of a stranger's HTML leaves again: no remote picture that would tell of the answer, no text that shows only
once it is quoted (“kobold letters”).
"""

import re
from datetime import datetime
from html import escape
from typing import NamedTuple

from .charset import clean_header
from .html import text_of
from .text import to_html

MAX_QUOTED = 100_000        # characters of the original
_UNSEEN = re.compile("[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\U000e0000-\U000e0fff]")

# As mail programs write it, so that theirs and ours fold it.
_WROTE = {"en": "On {day}, {who} wrote:", "pl": "W dniu {day}, {who} pisze:"}
_FORWARDED = {"en": ("---------- Forwarded message ---------", "From", "Date", "Subject", "To"),
              "pl": ("---------- Wiadomość przekazana ---------", "Od", "Data", "Temat", "Do")}


class Original(NamedTuple):
    """`at`: in the zone of whoever writes. `to`: as people read it."""

    who: str
    at: datetime
    subject: str
    to: str
    text: str
    html: str | None        # sanitised


def words_of(original: Original) -> str:
    """What a reader sees of it. Where there is HTML, that is what was seen: the text beside it may say anything."""
    text = text_of(original.html) if original.html is not None else original.text
    return _UNSEEN.sub("", text.replace("\r\n", "\n")).strip("\n")[:MAX_QUOTED]


def below_answer(original: Original, language: str) -> tuple[str, str]:
    """(text, HTML) that follow an answer."""
    words = words_of(original)
    line = _line(_WROTE.get(language, _WROTE["en"]).format(day=_day(original.at), who=original.who))
    quoted = "\n".join("> " + row if row and not row.startswith(">") else ">" + row for row in words.split("\n"))
    return f"{line}\n{quoted}", f"<p>{escape(line)}</p>\n<blockquote type=\"cite\">{to_html(words)}</blockquote>"


def handed_on(original: Original, language: str) -> tuple[str, str]:
    """(text, HTML) of a message that is forwarded: who wrote it to whom, and its words."""
    rule, *labels = _FORWARDED.get(language, _FORWARDED["en"])
    values = (original.who, _day(original.at), original.subject, original.to)
    head = [_line(f"{label}: {value}") for label, value in zip(labels, values, strict=True)]
    words = words_of(original)
    html = "<br>\n".join(escape(row) for row in (rule, *head))
    return "\n".join((rule, *head, "", words)), f"<p>{html}</p>\n{to_html(words)}"


def _day(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M")


def _line(text: str) -> str:
    return _UNSEEN.sub("", clean_header(text, 1_000))
