"""Who a message says it is from, and to. Light and pure; rules import it.

RFC 5322 tokens are taken from the raw header first; display names are decoded (RFC 2047) afterwards.
The other order lets an encoded-word smuggle in an address: "=?utf-8?q?ceo=40victim.example=00?=@evil.test".
"""

import binascii
import ipaddress
import re
import unicodedata
from functools import lru_cache

import idna

from .charset import clean_header, decode_words
from .types import Mailbox

__all__ = ["address_key", "ascii_domain", "clean_header", "login_key", "mailboxes", "name_hides", "name_lies",
           "other_domain", "readable_domain"]

MAX_HEADER = 32 * 1024   # bytes of one header that are read
MAX_MAILBOXES = 500      # mailboxes of one header that are kept
MAX_NAME = 200           # characters of a display name

_SIMPLE = re.compile(  # the shapes of nearly all mail: Name <a@b.c>, "Name" <a@b.c>, a@b.c
    r'(?:"(?P<quoted>[^"\\@\x00-\x1f\x7f]*+)" *+|(?P<plain>[^"\\@<>(),:;\[\]\x00-\x1f\x7f]*+))'
    r"<(?P<angle>[\w.+=~!#$%&'*/?^`{|}-]++@[A-Za-z0-9.-]++)>|(?P<bare>[\w.+~!#$%&'*/^`{|}-]++@[A-Za-z0-9.-]++)",
    re.ASCII,
)
_TOKEN = re.compile(
    r"(?P<space>[ \t\r\n]+)"
    r'|(?P<quoted>"(?:[^"\\]|\\.)*+")'
    r"|(?P<word>=\?[^?\s]{1,60}\?[bBqQ]\?[^?\s]*+\?=)"
    r"|(?P<special>[<>@,;:.])"
    r'|(?P<atom>[^ \t\r\n()<>\[\]:;@\\,."\x00-\x1f\x7f]+)',
    re.DOTALL,
)
_LOCAL = re.compile(r'[^\s"(),:;<>@\[\\\]\x00-\x1f\x7f-\x9f]{1,256}')
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_ADDRESS_INSIDE = re.compile(r"[^\s<>()\"',;:@]+@[^\s<>()\"',;:@]*\w")
_HIDDEN_BYTES = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_ENCODED = re.compile(rb"=\?([^?\s]{1,60})\?([bBqQ])\?([^?\r\n]*)\?=")
_HIDDEN_UTF8 = re.compile(rb"\xc2[\x80-\x9f]|\xe1\xa0\x8e|\xe2\x80[\x8b\xaa-\xae]|\xe2\x81[\xa0\xa6-\xa9]|\xef\xbb\xbf")
# Not the marks of one character's direction (U+200E, U+200F): Hebrew and Arabic names need them.
_HIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u180e\u200b\u202a-\u202e\u2060\u2066-\u2069\ufeff]")
_BLANK_LETTERS = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\ufe00-\ufe0f]")     # to the eye
_AT_LIKE = str.maketrans({"＠": "@", "﹫": "@", "．": ".", "。": "."})


def mailboxes(raw_header: bytes) -> tuple[tuple[Mailbox, ...], bool]:
    """The mailboxes of one address header's raw value, and whether reading it took any guess.

    Ambiguous means: a syntax error, a control character, an address inside an unquoted phrase, an
    obsolete route, an encoded-word where an address belongs. The list then holds what is beyond doubt.
    An empty header or an empty group gives (), False.
    """
    return _short_mailboxes(raw_header) if len(raw_header) < _SHORT else _mailboxes(raw_header)


def _mailboxes(raw_header):
    if len(raw_header) > MAX_HEADER:
        head = raw_header[:MAX_HEADER]
        raw_header = head[: head.rfind(b",") + 1]
        if not raw_header:
            return (), True
    if match := _SIMPLE.fullmatch(text := _text(raw_header.strip())):
        address = match["angle"] or match["bare"]
        if "=?" not in address and (mailbox := _mailbox(match["quoted"] or match["plain"] or "", address)):
            return (mailbox,), False
    reader = _Reader()
    for kind, value in _tokens(text):
        reader.take(kind, value)
    reader.finish()
    return tuple(reader.found[:MAX_MAILBOXES]), reader.ambiguous


_SHORT = 200
_short_mailboxes = lru_cache(maxsize=2_048)(_mailboxes)     # the same people write and are written to again and again


def address_key(address: str) -> str:
    """The form under which an address is one address: trimmed, lower case, NFC, domain as IDNA A-label.

    Dots and plus parts stay: they mean something to some servers. Raises ValueError when `address` is
    not exactly one addr-spec (RFC 5322, 3.4.1); quoted local parts and literal domains are not accepted.
    """
    local, at, domain = address.strip().rpartition("@")
    local = unicodedata.normalize("NFC", local).lower()
    if not at or not _LOCAL.fullmatch(local) or not local.isascii() and _deceives(local):
        raise ValueError("not one address")
    return f"{local}@{_domain_key(domain)}"


def login_key(host: str, user: str) -> str:
    """The form under which a sign-in is one sign-in: "host user", host as IDNA A-label, both lower case.

    "jan" and "jan@firma.example" on one host are two: only the server knows whether they are the same.
    Raises ValueError when either is empty or the host is no host name.
    """
    user = unicodedata.normalize("NFC", user.strip()).lower()
    host = host.strip().strip("[]")
    if not user or any(c < " " for c in user):
        raise ValueError("not a user name")
    try:
        return f"{ipaddress.ip_address(host).compressed} {user}"
    except ValueError:
        return f"{_domain_key(host)} {user}"


def name_lies(mailbox: Mailbox) -> bool:
    """Does the display name show an address other than the mailbox's own?"""
    name = unicodedata.normalize("NFKC", mailbox.name.translate(_AT_LIKE)).lower()
    shown = _ADDRESS_INSIDE.findall(name)
    return any(address.strip(".'") != mailbox.address.lower() for address in shown)


def name_hides(raw_header: bytes) -> bool:
    """Does an address header hold characters that nobody sees: controls, direction marks that turn text around,
    spaces of no width? `clean_header` takes them out; this tells that there were some."""
    if not raw_header.isascii():
        return bool(_HIDDEN.search(decode_words(_text(raw_header[:MAX_HEADER]))))
    if _HIDDEN_BYTES.search(raw_header):
        return True
    return b"=?" in raw_header and any(map(_word_hides, _ENCODED.finditer(raw_header[:MAX_HEADER])))


def _word_hides(match) -> bool:
    """Of an encoded-word, by its bytes: a charset that is no UTF-8 holds controls at most."""
    charset, encoding, body = match.groups()
    if encoding in b"qQ":
        if b"=" not in body:
            return False
        data = binascii.a2b_qp(body)
    else:
        try:
            data = binascii.a2b_base64(body + b"=" * (-len(body) % 4))
        except binascii.Error:
            return False
    if charset[:8].lower() == b"iso-2022":      # it is made of controls
        return False
    return bool(_HIDDEN_BYTES.search(data) or _HIDDEN_UTF8.search(data))


def readable_domain(domain: str) -> str:
    """A domain as people read it: lower case, xn-- labels in their own letters where they can be decoded."""
    domain = domain.strip().rstrip(".").lower()
    if "xn--" not in domain or not domain.isascii() or len(domain) > 253:
        return domain
    try:
        return idna.decode(domain)
    except UnicodeError:        # an old or a made-up one: shown as it is
        return domain


def ascii_domain(domain: str) -> str:
    """A domain as the network knows it (A-labels), lower case; as it is when it has no such form."""
    try:
        return _domain_key(domain)
    except ValueError:
        return domain.strip().lower()


def other_domain(domain: str) -> str | None:
    """How else an internationalised domain is written; None for all others."""
    readable = readable_domain(domain)
    if readable != domain.strip().rstrip(".").lower():
        return readable
    if domain.isascii():
        return None
    try:
        return _domain_key(domain)
    except ValueError:
        return None


def _text(raw: bytes) -> str:
    """Charset decoding only; control characters stay, so that they can be refused."""
    if raw.isascii():
        return raw.decode("ascii")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("windows-1252", "replace")


def _domain_key(domain: str) -> str:
    domain = domain.strip().removesuffix(".") if domain.isascii() else _a_label(domain.strip())
    domain = domain.lower()
    if not domain or len(domain) > 253 or not all(map(_LABEL.fullmatch, domain.split("."))):
        raise ValueError("not a domain name")
    return domain


def _a_label(domain: str) -> str:
    try:
        return idna.encode(domain, uts46=True).decode("ascii")
    except UnicodeError as error:  # idna's errors are UnicodeErrors with the stranger's text in them
        raise ValueError("not a domain name") from error


def _mailbox(name: str, address: str) -> Mailbox | None:
    try:
        key = address_key(address)
    except ValueError:
        return None
    if not address.isascii() and _mixes_scripts(address.rpartition("@")[2]):
        address = address.rpartition("@")[0] + "@" + key.rpartition("@")[2]  # show what it is, not what it looks like
    name = clean_header(name, MAX_NAME)
    if len(name) > 1 and name[0] == name[-1] and name[0] in "'\"":  # quoted twice, as some mailers do
        name = name[1:-1].strip()
    return Mailbox(name, unicodedata.normalize("NFC", address))


def _deceives(local: str) -> bool:
    """Does it hold what nobody sees, what turns text around, or another sign for "@"? The eye would find another
    address in it: "ceo＠bank.example", sixty blanks, and the real domain after them."""
    shown = unicodedata.normalize("NFKC", local)
    return "@" in shown or bool(_BLANK_LETTERS.search(shown)) or any(unicodedata.category(c)[0] in "CZ" for c in shown)


def _mixes_scripts(label: str) -> bool:
    scripts = {unicodedata.name(c, "?").split()[0] for c in label if c.isalpha()}
    return len(scripts) > 1


def _tokens(text: str):
    """(kind, value) of RFC 5322: "atom", "word" (an encoded-word), "quoted", "comment", "bad", or a special itself."""
    position, end = 0, len(text)
    while position < end:
        if text[position] == "(":
            stop = _comment_end(text, position)
            yield ("comment", text[position + 1:stop - 1]) if stop else ("bad", "(")
            position = stop or end
            continue
        match = _TOKEN.match(text, position)
        if not match:
            yield "bad", text[position]
            # A flood of lone quotes must not be scanned to the end again for each of them.
            position = end if text[position] == '"' else position + 1
            continue
        position = match.end()
        kind, value = match.lastgroup, match[0]
        if kind == "special":
            yield value, value
        else:
            yield kind, value[1:-1] if kind == "quoted" else value


_PARENTHESES = re.compile(r"\\.|[()]", re.DOTALL)


def _comment_end(text: str, start: int) -> int:
    """Index after the comment that opens at `start`; 0 when it never closes. Comments nest, hence a count."""
    depth = 0
    for match in _PARENTHESES.finditer(text, start):
        if match[0] == "(":
            depth += 1
        elif match[0] == ")":
            depth -= 1
            if not depth:
                return match.end()
    return 0


class _Reader:
    """Takes tokens one by one and collects mailboxes; one element of the list at a time."""

    def __init__(self):
        self.found: list[Mailbox] = []
        self.ambiguous = False
        self.in_group = False
        self.carried: list[str] = []   # words of an element without address: "Kowalski, Jan <jan@...>"
        self._start()

    def _start(self):
        self.words: list[tuple[str, str]] = []   # tokens outside of angle brackets
        self.angle: list[tuple[str, str]] | None = None
        self.angle_closed = False
        self.comment = ""
        self.bad = False

    def take(self, kind: str, value: str):
        inside = self.angle is not None and not self.angle_closed
        if kind == ",":
            self._close()
        elif kind == ";":
            self._close()
            self.ambiguous |= not self.in_group
            self.in_group = False
        elif kind == ":" and not inside:
            # A group's name. An address there, or a group inside a group, is a trick or a mistake.
            self.bad |= self.in_group or any(k in ("@", "bad") for k, _ in self.words)
            self.ambiguous |= self.bad
            self._start()
            self.in_group = True
        elif kind == "comment":
            self.comment = value
        elif kind == "<":
            self.bad |= self.angle is not None
            self.angle = self.angle if self.angle is not None else []
        elif kind == ">":
            self.bad |= not inside
            self.angle_closed = True
        elif inside:
            self.angle.append((kind, value))
        elif self.angle_closed:
            self.bad |= kind != "space"
        else:
            self.bad |= kind == "bad"
            self.words.append((kind, value))

    def finish(self):
        self._close()
        self.ambiguous |= self.in_group or bool(self.carried)

    def _close(self):
        words, angle = self.words, self.angle
        if angle is None:
            self._close_bare(words)
        else:
            self._close_angle(words, angle)
        self._start()

    def _close_bare(self, words):
        if not any(kind != "space" for kind, _ in words):
            self.ambiguous |= self.bad
            return
        if not self.bad and not any(kind == "@" for kind, _ in words):
            self.carried.append(_phrase(words))
            return
        self._keep(self.comment, None if self.bad else _addr_spec(words))

    def _close_angle(self, words, angle):
        if not angle and not self.bad and self.angle_closed:
            return  # the null path "<>": nobody
        address = None if self.bad or not self.angle_closed else _addr_spec(angle)
        name = _phrase(words)
        if address and any(kind == "@" for kind, _ in words):
            # Two addresses. Mailers that put the same one on both sides are common and harmless.
            self.ambiguous |= name.strip("' ").lower() != address.lower()
        self._keep(", ".join([*self.carried, name]) if self.carried else name, address)

    def _keep(self, name, address):
        mailbox = _mailbox(name, address) if address else None
        self.ambiguous |= mailbox is None
        self.carried.clear()
        if mailbox:
            self.found.append(mailbox)


def _phrase(tokens) -> str:
    out = []
    for kind, value in tokens:
        out.append(" " if kind == "space" else re.sub(r"\\(.)", r"\1", value) if kind == "quoted" else value)
    return "".join(out).strip()


def _addr_spec(tokens) -> str | None:
    """local@domain of exactly one addr-spec, else None. Blanks are allowed around it, not within."""
    while tokens and tokens[0][0] == "space":
        tokens = tokens[1:]
    while tokens and tokens[-1][0] == "space":
        tokens = tokens[:-1]
    kinds = [kind for kind, _ in tokens]
    if kinds.count("@") != 1 or not set(kinds) <= {"atom", ".", "@", "quoted"}:
        return None
    if "quoted" in kinds and (kinds[:2] != ["quoted", "@"] or kinds.count("quoted") > 1):
        return None
    return "".join(value for _, value in tokens)
