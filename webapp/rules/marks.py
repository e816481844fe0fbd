"""Where in a text are the words that somebody looked for? Told in the text's own letters, for marking them."""

import re
import unicodedata
from functools import lru_cache

from webapp.rules.search import Term
from webapp.rules.tokens import UNPARTED, fold, is_pair

LOOKED_AT = 20_000      # characters of a text
EXCERPT = 180
BEFORE = 45             # characters before the first hit
_LETTER = rf"(?:(?![{UNPARTED}])[^\W_])"      # what a word could go on with
_ENDS = re.compile(r"\s")


def marked(text: str, terms: tuple[Term, ...]) -> list[tuple[str, bool]]:
    """The whole text in pieces: (piece, is it a hit)."""
    text = unicodedata.normalize("NFC", text)
    return _pieces(text, _spans(text, terms), 0, len(text))


def excerpt(text: str, terms: tuple[Term, ...]) -> list[tuple[str, bool]] | None:
    """The same of a line around the first hit; None when there is none."""
    text = " ".join(unicodedata.normalize("NFC", text[:LOOKED_AT]).split())
    spans = _spans(text, terms)
    if not spans:
        return None
    start = max(0, spans[0][0] - BEFORE)
    if start and (gap := _ENDS.search(text, start, spans[0][0])):
        start = gap.end()
    end = min(len(text), max(start + EXCERPT, spans[0][1]))
    pieces = _pieces(text, spans, start, end)
    return [("… ", False)] * bool(start) + pieces + [("…", False)] * (end < len(text))


def _spans(text, terms):
    if not terms or not text:
        return []
    folded, places = _folded(text)
    return [(places[m.start()], places[m.end() - 1] + 1) if places else m.span()
            for m in _pattern(terms).finditer(folded)]


def _pieces(text, spans, start, end):
    pieces, position = [], start
    for first, last in spans:
        first, last = max(first, position), min(last, end)
        if first < last:
            pieces += [(text[position:first], False), (text[first:last], True)]
            position = last
    return [(piece, hit) for piece, hit in [*pieces, (text[position:end], False)] if piece]


class _Folds(dict):
    def __missing__(self, code):
        if len(self) > 20_000:
            self.clear()
        self[code] = fold(chr(code))
        return self[code]


_folds = _Folds()


def _folded(text):
    """(the text folded character by character, which character of the text each of it was; none: the same one)."""
    if text.isascii():
        return text.lower(), None
    folded = text.translate(_folds)
    return folded, [i for i, character in enumerate(text) for _ in _folds[ord(character)]]


@lru_cache(maxsize=200)
def _pattern(terms):
    return re.compile("|".join(sorted(map(_of, terms), key=len, reverse=True)))


def _of(term):
    pieces = [term.words[0]]
    for word in term.words[1:]:
        if is_pair(word) and is_pair(pieces[-1]) and len(word) == 2 and pieces[-1][-1] == word[0]:
            pieces[-1] += word[1]       # overlapping pairs were one run
        else:
            pieces.append(word)
    begins = "" if is_pair(pieces[0]) else f"(?<!{_LETTER})"
    last = term.words[-1]
    ends = "" if is_pair(last) else f"{_LETTER}*" if term.prefix else f"(?!{_LETTER})"
    return begins + r"[\W_]*".join(map(re.escape, pieces)) + ends
