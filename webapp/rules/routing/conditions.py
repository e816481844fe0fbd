"""What a rule may ask of a mail. Each answer comes with what was found, for whoever asks why."""

import unicodedata
from functools import cached_property
from typing import NamedTuple

from webapp.rules.spam import verdict

TEXT_READ = 200_000        # characters of a text that are looked at


class Field(NamedTuple):
    """`hows`: how it can be compared. `takes`: words, addresses, number, choice, or nothing; of `bare`, ways to compare
    that take nothing in any case."""

    hows: tuple
    takes: str
    bare: tuple = ()


FIELDS = {
    "sender": Field(("is", "is_not"), "addresses"),
    "recipient": Field(("is", "is_not"), "addresses"),         # To or Cc
    "address": Field(("is", "is_not"), "choice"),              # which of the inbox's own it came to
    "subject": Field(("contains", "lacks"), "words"),
    "text": Field(("contains", "lacks"), "words"),
    "words": Field(("contains", "lacks"), "words"),            # subject or text
    "header": Field(("contains", "lacks"), "words"),           # named by `name`
    "language": Field(("is", "is_not"), "choice"),
    "files": Field(("any", "none", "contains"), "words", ("any", "none")),      # of their names
    "size": Field(("over", "under"), "number"),                # MB
    "contact": Field(("known", "new"), "nothing"),
    "owner": Field(("any", "none", "is", "is_not"), "choice", ("any", "none")),
    "tag": Field(("is", "is_not"), "choice"),
    "written_by": Field(("is", "is_not"), "choice"),           # person, list, robot
    "hours": Field(("inside", "outside"), "nothing"),
}
NEGATIVE = frozenset(("is_not", "lacks", "none", "new", "outside"))
OPPOSITE = {"is": "is_not", "contains": "lacks", "any": "none", "known": "new", "inside": "outside"}
WRITERS = ("person", "list", "robot")
MEGABYTE = 1_000_000


def takes(field, how):
    return "nothing" if how in FIELDS[field].bare else FIELDS[field].takes


class Mail:
    """What is known of one mail, and of the conversation that it opens. Whatever costs something may be a function,
    and is only called when a rule asks."""

    def __init__(self, *, sender="", recipients=(), address="", subject="", text="", header=None, language=None,
                 files=(), size=0, is_known=False, owner_id=None, tags=(), written_by="person", in_hours=True):
        self.sender, self.recipients, self.subject, self.size = sender, recipients, subject, size
        self.written_by, self.in_hours = written_by, in_hours
        self._text, self._header, self._language, self._files = text, header, language, files
        self._address, self._is_known, self._owner_id, self._tags = address, is_known, owner_id, tags

    @cached_property
    def text(self):
        return _made(self._text) or ""

    @cached_property
    def address(self):
        return _made(self._address)

    @cached_property
    def is_known(self):
        return _made(self._is_known)

    @cached_property
    def owner_id(self):
        return _made(self._owner_id)

    @cached_property
    def tags(self):
        return frozenset(_made(self._tags))

    @cached_property
    def files(self):
        return tuple(_made(self._files))

    @cached_property
    def language(self):
        """ISO 639-1; None: nobody can tell."""
        return _made(self._language)

    @cached_property
    def headers(self):
        """{name in lower case: all its values, a line each}"""
        return _made(self._header) or {}

    @cached_property
    def folded_subject(self):
        return fold(self.subject)

    @cached_property
    def folded_text(self):
        return fold(self.text[:TEXT_READ])

    @cached_property
    def folded_words(self):
        return f"{self.folded_subject}\n{self.folded_text}"

    @cached_property
    def folded_files(self):
        return "\n".join(map(fold, self.files))


def _made(given):
    return given() if callable(given) else given


def fold(text: str) -> str:
    """Words are found however they are written: in capitals, or with their accents apart."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())


def holds(condition: dict, mail: Mail):
    """(does it hold, what was found: a word, an address, or None). `condition`: {"field", "how", "values", "name"}."""
    found = _FINDERS[condition["field"]](condition, mail)
    how = condition["how"]
    return (found is None if how in NEGATIVE else found is not None), found


def _among_addresses(addresses, patterns):
    rules = dict.fromkeys(patterns, "allow")
    return next((a for a in addresses if a and verdict(a, rules)), None)


def _among_words(text, words):
    """Linear in the text for each word: no patterns, nothing that a stranger could make slow."""
    return next((word for word in words if fold(word) in text), None)


def _among(value, values):
    return value if value is not None and str(value) in values else None


def _size(condition, mail):
    most = float(condition["values"][0]) * MEGABYTE
    return mail.size if (mail.size > most if condition["how"] == "over" else mail.size < most) else None


def _files(condition, mail):
    if condition["how"] == "contains":
        return _among_words(mail.folded_files, condition["values"])
    return mail.files[0] if mail.files else None


_FINDERS = {
    "sender": lambda c, m: _among_addresses((m.sender,), c["values"]),
    "recipient": lambda c, m: _among_addresses(m.recipients, c["values"]),
    "address": lambda c, m: _among(m.address, c["values"]),
    "subject": lambda c, m: _among_words(m.folded_subject, c["values"]),
    "text": lambda c, m: _among_words(m.folded_text, c["values"]),
    "words": lambda c, m: _among_words(m.folded_words, c["values"]),
    "header": lambda c, m: _among_words(fold(m.headers.get(c["name"].lower(), "")), c["values"]),
    "language": lambda c, m: _among(m.language, c["values"]),
    "files": _files,
    "size": _size,
    "contact": lambda c, m: m.sender if m.is_known else None,
    "owner": lambda c, m: m.owner_id if c["how"] in ("any", "none") else _among(m.owner_id, c["values"]),
    "tag": lambda c, m: next((t for t in c["values"] if t in {str(t) for t in m.tags}), None),
    "written_by": lambda c, m: _among(m.written_by, c["values"]),
    "hours": lambda c, m: True if m.in_hours else None,
}
