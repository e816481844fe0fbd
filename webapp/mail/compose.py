"""The one place where outgoing mail is made, and the identifiers by which its answers are known.

Every header is written by `_field`: one name, ASCII, folded, CRLF. The body is made by the standard
library's generator. What leaves is checked once more byte by byte: a bare CR or LF could end the
message early on some server (SMTP smuggling, CVE-2023-51764 and kin).
"""

import binascii
import hmac
import re
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from email.generator import BytesGenerator
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from hashlib import sha256
from io import BytesIO
from typing import NamedTuple

from .address import address_key
from .charset import clean_header
from .filename import clean_filename
from .types import Mailbox

MAX_LINE = 998            # RFC 5322, 2.1.1
MAX_NAME = 200            # characters of a display name
MAX_SUBJECT = 500
MAX_REFERENCES = 100
MAX_RECIPIENTS = 500

_POLICY = SMTP.clone(cte_type="7bit", max_line_length=76)
_ID = re.compile(r"[!-;=?-~]{1,900}")                      # ASCII, no space, no angle brackets
_ADDRESS = re.compile(r"[!-~]+@[a-z0-9_.-]+", re.IGNORECASE)
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,60}")
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]+")
_CID = re.compile(r"[A-Za-z0-9._-]{1,60}@[A-Za-z0-9.-]{1,60}")
_TYPE = re.compile(r"[a-z0-9.+-]{1,60}/[a-z0-9.+-]{1,80}")
_OWN = frozenset("from to cc bcc sender subject date message-id in-reply-to references mime-version content-type "
                 "content-transfer-encoding content-disposition return-path received dkim-signature".split())
_REPLY = re.compile(r"\s*(?:re|odp|aw|sv|antw|vs|rif|ref)(?:\s*\[\d{1,3}\])?\s*[:：]\s*", re.IGNORECASE)
_FORWARD = re.compile(r"\s*(?:fwd?|fw|wg|pd|tr|rv|enc)\s*[:：]\s*", re.IGNORECASE)
_BODY_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff]")
_OTHER_LINE_ENDS = re.compile("\r\n|[\r\x85\u2028\u2029]")


class Attachment(NamedTuple):
    filename: str
    content_type: str
    content: bytes
    content_id: str | None = None       # of a picture that the HTML shows (RFC 2392)


def build_message(
    *,
    sender: Mailbox,
    to: Sequence[Mailbox],
    cc: Sequence[Mailbox] = (),
    subject: str,
    text: str,
    html: str | None = None,
    in_reply_to: str | None = None,
    references: Sequence[str] = (),
    message_id: str,
    date: datetime,
    extra_headers: Mapping[str, str] | None = None,
    reply_to: Mailbox | None = None,
    attachments: Sequence[Attachment] = (),
) -> bytes:
    """One message as it goes over the wire: CRLF lines of at most 998 bytes, 7-bit, no Bcc.

    Identifiers come without angle brackets; an unusable `in_reply_to` or reference (a stranger chose it) is left
    out. Raises ValueError for an address that is not one plain addr-spec (SMTPUTF8 local parts among them), an
    unusable `message_id`, a naive `date`, or an extra header that is ours to write.
    """
    if not _ID.fullmatch(message_id):
        raise ValueError("not a message identifier")
    if date.tzinfo is None:
        raise ValueError("a date without time zone")
    if len(to) + len(cc) > MAX_RECIPIENTS:
        raise ValueError("too many recipients")
    fields = [
        _field("Date", [format_datetime(date)]),
        _field("From", [_mailbox(sender)]),
        _field("To", _list(to) or ["undisclosed-recipients:;"]),
    ]
    if cc:
        fields.append(_field("Cc", _list(cc)))
    if reply_to:
        fields.append(_field("Reply-To", [_mailbox(reply_to)]))
    fields.append(_field("Subject", _words(clean_header(subject, MAX_SUBJECT))))
    fields.append(_field("Message-ID", [f"<{message_id}>"]))
    if in_reply_to and _ID.fullmatch(in_reply_to):
        fields.append(_field("In-Reply-To", [f"<{in_reply_to}>"]))
    known = [f"<{reference}>" for reference in references if _ID.fullmatch(reference)]
    if known:
        fields.append(_field("References", known))
    fields += [_extra(name, value) for name, value in (extra_headers or {}).items()]
    raw = b"".join(fields) + _body(text, html, attachments)
    _check(raw)
    return raw


def envelope_address(address: str) -> str:
    """`address` as SMTP and headers carry it: local part as typed, domain as A-label. Raises ValueError."""
    local = address.strip().rpartition("@")[0]
    checked = f"{local}@{address_key(address).rpartition('@')[2]}"
    if not _ADDRESS.fullmatch(checked) or len(checked) > 320:
        raise ValueError("not an address that can be mailed to")
    return checked


def mint_message_id(domain: str, secret: bytes) -> str:
    """A new Message-ID of ours, without angle brackets: 128 random bits, their HMAC, and our domain."""
    token = secrets.token_hex(16)
    domain = address_key(f"x@{domain}").rpartition("@")[2]
    return f"{token}.{_mac(token, domain, secret)}@{domain}"


def is_ours(message_id: str | None, secret: bytes) -> bool:
    """Did `mint_message_id` make this with `secret`? False for anything else, None included."""
    left, _, domain = (message_id or "").strip("<> ").rpartition("@")
    token, _, mac = left.partition(".")
    if len(token) != 32 or len(mac) != 32:      # asked of each Message-ID that any mail mentions
        return False
    return hmac.compare_digest(mac.encode(), _mac(token, domain.lower(), secret).encode())


def _mac(token: str, domain: str, secret: bytes) -> str:
    return hmac.new(secret, f"message-id|{token}|{domain}".encode(), sha256).hexdigest()[:32]


def reply_subject(subject: str) -> str:
    """`subject` with exactly one "Re: " in front; Odp:, AW:, SV: and Re[2]: count as one."""
    rest = clean_header(subject, MAX_SUBJECT)
    while match := _REPLY.match(rest):
        rest = rest[match.end():]
    return f"Re: {rest}".strip()


def forward_subject(subject: str) -> str:
    """`subject` with exactly one "Fwd: " in front."""
    rest = clean_header(subject, MAX_SUBJECT)
    while match := _FORWARD.match(rest):
        rest = rest[match.end():]
    return f"Fwd: {rest}".strip()


def references_for(parent_message_id: str | None, references: Sequence[str] = ()) -> tuple[str, ...]:
    """The References of an answer (RFC 5322, 3.6.4): the parent's own, then the parent.

    At most 100: the first names the thread and stays, the rest are the latest.
    """
    ids = [i for i in references if i != parent_message_id]
    if parent_message_id:
        ids.append(parent_message_id)
    ids = list(dict.fromkeys(ids))
    return tuple(ids if len(ids) <= MAX_REFERENCES else ids[:1] + ids[1 - MAX_REFERENCES:])


# Headers


def _extra(name: str, value: str) -> bytes:
    if not _NAME.fullmatch(name) or name.lower() in _OWN:
        raise ValueError(f"not an extra header: {name[:60]!r}")
    return _field(name, _words(clean_header(value, 900)))


def _mailbox(mailbox: Mailbox) -> str:
    address = envelope_address(mailbox.address)
    name = clean_header(mailbox.name, MAX_NAME)
    if not name:
        return address
    if name.isascii() and "=?" not in name:
        if not _ATOMS.fullmatch(name):
            name = '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
    else:
        name = " ".join(_encoded(name))
    return f"{name} <{address}>"


def _list(mailboxes: Sequence[Mailbox]) -> list[str]:
    written = [_mailbox(mailbox) for mailbox in mailboxes]
    return [f"{one}," for one in written[:-1]] + written[-1:]


def _words(value: str) -> list[str]:
    """Words to fold between. What is not ASCII, looks encoded already, or cannot be folded goes as RFC 2047 words."""
    if value.isascii() and "=?" not in value and all(len(word) <= 900 for word in value.split(" ")):
        return value.split(" ")
    return _encoded(value)


def _encoded(value: str) -> list[str]:
    """RFC 2047 encoded-words of at most 75 characters, none of them cutting a character in two."""
    words, chunk = [], b""
    for character in value:
        data = character.encode("utf-8", "replace")
        if len(chunk) + len(data) > 45:
            words.append(chunk)
            chunk = b""
        chunk += data
    words.append(chunk)
    return [f"=?utf-8?b?{binascii.b2a_base64(word, newline=False).decode()}?=" for word in words]


def _field(name: str, words: Sequence[str]) -> bytes:
    """One header field, folded between words near 76 characters (RFC 5322, 2.2.3)."""
    lines, line = [], f"{name}:"
    for word in words:
        if len(line) + 1 + len(word) > 76 and line.strip() and line != f"{name}:":
            lines.append(line)
            line = ""
        line += " " + word
    lines.append(line)
    return "\r\n".join(lines).encode("ascii") + b"\r\n"


# Body


def _body(text: str, html: str | None, attachments: Sequence[Attachment]) -> bytes:
    message = EmailMessage(policy=_POLICY)
    message.set_content(_lines(text))
    if html is not None:
        message.add_alternative(_lines(html), subtype="html")
    within = message.get_payload()[-1] if html is not None else None
    for attachment in attachments:
        kind = attachment.content_type.lower()
        if not _TYPE.fullmatch(kind) or kind.startswith(("multipart/", "message/")):
            kind = "application/octet-stream"
        main, _, sub = kind.partition("/")
        facts = {"maintype": main, "subtype": sub, "filename": clean_filename(attachment.filename, kind)}
        if within is not None and attachment.content_id and _CID.fullmatch(attachment.content_id):
            within.add_related(attachment.content, disposition="inline", cid=f"<{attachment.content_id}>", **facts)
        else:
            message.add_attachment(attachment.content, **facts)
    out = BytesIO()
    BytesGenerator(out, mangle_from_=False, policy=_POLICY).flatten(message)
    return out.getvalue()


def _lines(text: str) -> str:
    return _BODY_CONTROLS.sub("", _OTHER_LINE_ENDS.sub("\n", text))


def _check(raw: bytes) -> None:
    """The last look at what goes over the wire. A failure here is our mistake, so it is loud."""
    lines = raw.split(b"\r\n")
    if any(b"\r" in line or b"\n" in line or b"\0" in line or len(line) > MAX_LINE for line in lines):
        raise AssertionError("a line that must not leave")
