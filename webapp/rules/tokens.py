"""Text as the words that search knows: the same for what is stored and for what is asked, on every database.

Case, accents and the width of characters make no difference: `Zażółć` is `zazolc`. Scripts that part no words (Chinese,
Japanese, Korean, Thai...) become overlapping pairs of characters. Nothing but letters and digits is left, so words can
stand in any query language as they are. Everything here is linear.
"""

import re
import unicodedata
from typing import NamedTuple

MAX_TEXT = 100_000      # characters of a text that are looked at
MAX_TOKENS = 8_000      # words of it
MAX_DISTINCT = 4_000    # different ones of them
MAX_PEOPLE = 500        # addresses of a message
MAX_WORD = 60           # characters of a word

# Letters that no decomposition takes apart.
_LETTERS = (("ł", "l"), ("ø", "o"), ("đ", "d"), ("ð", "d"), ("æ", "ae"), ("œ", "oe"), ("ı", "i"), ("þ", "th"))
_ASCII = str.maketrans({chr(i): chr(i).lower() if chr(i).isalnum() else " " for i in range(128)})

_MARKS = ("\u0300-\u036f\u0483-\u0487\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670"
          "\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff")
UNPARTED = ("\u0e01-\u0e5b\u0e81-\u0edf\u1000-\u109f\u1100-\u11ff\u1780-\u17dd\u3005\u3007\u3041-\u3096\u309d-\u30fa"
             "\u30fc-\u30ff\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\U00020000-\U0003ffff")
_INDIC = "\u0900-\u0963\u0966-\u0dff\u0f00-\u0fff"      # vowels are marks there, and parts of words
_LATIN_LIKE = re.compile("[\u0080-\u10ff\u1ab0-\u20ff\ufb00-\ufb4f]+")      # where accents are taken off
_MARK = re.compile(f"[{_MARKS}]")
_RUN = re.compile(rf"[\w{UNPARTED}{_INDIC}{_MARKS}]+")      # of a text without _
_SEGMENT = re.compile(f"[{UNPARTED}]+|[^{UNPARTED}]+")
_IS_UNPARTED = re.compile(f"[{UNPARTED}]")
_COMPOSED = re.compile(f"[{UNPARTED}\u0900-\u0fff\uff66-\uffdc]")      # half-width kana and Hangul as well


class Words(NamedTuple):
    """What is found of a message or a note: words, parted by spaces, of each of its fields."""

    sender: str = ""
    people: str = ""        # to whom it went
    head: str = ""          # subject, names of files
    body: str = ""


def words_of(sender="", to=(), subject="", files=(), text="") -> Words:
    """`sender`: name and address. `to`: those that it went to, (name, address) each."""
    return Words(*(" ".join(tokens(part)) for part in (
        sender, " ".join(f"{name} {address}" for name, address in to[:MAX_PEOPLE]), " ".join([subject, *files]), text)))


def fold(text: str) -> str:
    """What differs in case, accents or width alone becomes the same."""
    if text.isascii():
        return text.lower()
    if _COMPOSED.search(text):      # taken apart they would be other letters
        return _LATIN_LIKE.sub(lambda match: _plain(match[0]), unicodedata.normalize("NFKC", text)).casefold()
    return _plain(text)


def _plain(text):
    if not _COMPOSED.search(text):
        text = unicodedata.normalize("NFKD", text)
    text = text.casefold()
    for mark in _MARK.findall("".join(set(text))):      # few different ones, in very many places
        text = text.replace(mark, "")
    for letter, plain in _LETTERS:
        text = text.replace(letter, plain)
    return text


def tokens(text: str, asked: bool = False) -> list[str]:
    """The words of a text, in their order. `asked`: of a query, where the last character of a run of pairs is not said
    once more (what is stored says it, so that a single character is found wherever it stands)."""
    text = text[:MAX_TEXT]
    if text.isascii():
        found = text.translate(_ASCII).split()
    else:
        found = _runs(fold(text))
        if _COMPOSED.search(text):
            found = [token for run in found for token in _parted(run, asked)]
    return _bounded(found)


def is_pair(token: str) -> bool:
    """Is it of a script that parts no words? Then nothing can be left out at its end."""
    return bool(_IS_UNPARTED.match(token))


def _runs(folded):
    """Runs of letters and digits. What is folded is mostly ASCII again but for some dashes and quotes."""
    others = [c for c in set(folded) if c > "\x7f"]
    if _RUN.search("".join(others)):
        return _RUN.findall(folded.replace("_", " "))
    for character in others:
        folded = folded.replace(character, " ")
    return folded.translate(_ASCII).split()


def _parted(run, asked):
    if run.isascii():
        return [run]
    return [token for segment in _SEGMENT.findall(run)
            for token in (_pairs(segment, asked) if _IS_UNPARTED.match(segment) else [segment])]


def _pairs(segment, asked):
    pairs = [segment[i:i + 2] for i in range(len(segment) - 1)]
    return pairs if asked and pairs else [*pairs, segment[-1]]


def _bounded(found):
    if len(found) > MAX_TOKENS:
        del found[MAX_TOKENS:]
    if len(found) > MAX_DISTINCT and len(set(found)) > MAX_DISTINCT:
        known = set()
        for position, token in enumerate(found):
            known.add(token)
            if len(known) > MAX_DISTINCT:
                del found[position:]
                break
    if found and len(max(found, key=len)) > MAX_WORD:
        found = [token[:MAX_WORD] for token in found]
    return found

