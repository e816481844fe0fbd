"""The values that the mail layer takes and gives. Plain, frozen, no behaviour beyond their own shape."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, NamedTuple

Security = Literal["tls", "starttls"]  # there is no third: mail is read and sent over verified TLS only

FolderRole = Literal["inbox", "sent", "drafts", "trash", "junk", "archive", "all", "other"]

# Every way in which a mail server can stop us. The words for each are in webapp/words/.
ERROR_CODES = (
    "host_unknown",      # the name does not resolve
    "refused",           # nothing listens on that port
    "timed_out",         # no answer in time
    "not_tls",           # it answers, but does not speak TLS there (or offers no STARTTLS)
    "certificate",       # facts: host, subject, issuer, not_after, reason (expired | not_yet_valid | hostname |
                         # self_signed | untrusted | other)
    "not_allowed",       # our own policy forbids the host or port; facts: host, port
    "password_refused",  # the server judged the sign-in and said no
    "unavailable",       # the server cannot say now ([UNAVAILABLE], BYE, 421, 454, introspection down)
    "throttled",         # [OVERQUOTA] on a command, [THROTTLED], [LIMIT], too many connections
    "in_use",            # [INUSE]
    "gone",              # folder or message does not exist any more
    "smtp_refused",      # SMTP refuses what IMAP accepted; facts: smtp_code, text
    "protocol",          # the answer makes no sense
    "internal",          # a fault of ours; the log has it
    "lost",              # the connection ended in the middle
    "no_idle",           # the server cannot push (no IDLE): ask it now and then instead
    "uncertain",         # the connection ended after the final dot of a message: it may or may not have gone out
)

# What may be better in a while without anybody changing anything.
TEMPORARY_CODES = frozenset({"refused", "timed_out", "unavailable", "throttled", "in_use", "lost"})


class MailError(Exception):
    """A mail server stopped us. `code` is one of ERROR_CODES; `facts` are plain JSON values.

    `facts["answer"]`, when present, is the server's own text: a stranger's words, cut to 200
    characters, control characters removed. It is shown quoted, never as ours.
    """

    def __init__(self, code: str, **facts):
        assert code in ERROR_CODES, code
        super().__init__(code, facts)
        self.code, self.facts = code, facts

    @property
    def temporary(self) -> bool:
        """May a later try succeed without anybody changing anything?"""
        return self.code in TEMPORARY_CODES


class Endpoint(NamedTuple):
    host: str          # a name or a literal address, as typed; IDNA is applied when connecting
    port: int
    security: Security


class Login(NamedTuple):
    user: str
    password: str


@dataclass(frozen=True)
class Policy:
    """Which hosts may be reached at all (DEFENCE 3.1, class "mail connectors").

    Public unicast addresses are allowed on `ports`. `private` lists host names and CIDRs inside
    private ranges that the admin allows. `loopback` lists exact (address, port) pairs on this very
    machine, for a mail server that lives beside us. Link-local, multicast and unspecified addresses
    are never allowed, in none of their disguises (v4-mapped, NAT64, 6to4).
    """

    ports: frozenset = frozenset({25, 143, 465, 587, 993, 2525})
    private: tuple = ()            # "10.0.0.0/8", "mail.corp.example"
    loopback: frozenset = frozenset()  # {("127.0.0.1", 14993)}
    ca_file: str | None = None     # an organisation's own CA, added to the system's
    connect_seconds: float = 15.0
    read_seconds: float = 60.0


class TlsFacts(NamedTuple):
    version: str            # "TLSv1.3"
    not_after: datetime     # aware, UTC


class Folder(NamedTuple):
    name: str               # as shown to people (decoded from modified UTF-7)
    wire_name: bytes        # as the server spells it
    role: FolderRole
    selectable: bool
    delimiter: str = "/"


class Selected(NamedTuple):
    """What SELECT, EXAMINE or STATUS say of a folder. None where the server is silent."""

    uidvalidity: int
    uidnext: int | None
    exists: int
    highestmodseq: int | None = None


class Fetched(NamedTuple):
    """One message from the server. `raw` is byte for byte what it sent (BODY.PEEK[])."""

    uid: int
    raw: bytes
    internal_date: datetime | None   # aware, UTC
    flags: frozenset                 # {"\\Seen", ...} as str
    size: int | None = None          # RFC822.SIZE as announced; some servers are wrong: `raw` counts


class Oversized(NamedTuple):
    """A message larger than asked for: only its header was downloaded (empty when the server lied of the size)."""

    uid: int
    size: int                        # bytes, as announced
    header: bytes
    internal_date: datetime | None = None
    flags: frozenset = frozenset()


class FetchedHeader(NamedTuple):
    uid: int
    header: bytes                    # BODY.PEEK[HEADER], with its closing empty line
    size: int                        # RFC822.SIZE in bytes
    internal_date: datetime | None
    flags: frozenset
    has_attachments: bool            # from BODYSTRUCTURE; best guess


class Flagged(NamedTuple):
    """What a message is marked with now."""

    uid: int
    flags: frozenset


class Vanished(NamedTuple):
    """Messages that are not there any more: (first, last) UIDs, both included. A server may name any that it lacks."""

    ranges: tuple


class Numbered(NamedTuple):
    """A message as a folder's numbering knows it: enough to find it again among the stored ones."""

    uid: int
    size: int
    internal_date: datetime | None
    flags: frozenset
    header: bytes                    # its Message-ID line alone


class Automatic(NamedTuple):
    """What the header says of how a mail came about (mail.automatic). Words are lower case, "" when absent."""

    submitted: str = ""              # Auto-Submitted, without its parameters
    precedence: str = ""
    suppress: tuple[str, ...] = ()   # X-Auto-Response-Suppress
    away: bool = False               # X-Autoreply and its kin
    robot: bool = False
    lists: bool = False              # any List-* header
    null_path: bool = False          # Return-Path: <>
    report: bool = False             # multipart/report, of whatever kind
    calendar: bool = False           # it is an invitation and nothing else
    hops: int = 0                    # Received headers


class Mailbox(NamedTuple):
    """RFC 5322 mailbox: a display name, decoded and cleaned, and one addr-spec."""

    name: str
    address: str


@dataclass(frozen=True)
class Part:
    """An attachment or inline part of a message, decoded."""

    index: int                   # position among the leaves of the MIME tree, stable for the same raw bytes
    filename: str                # cleaned, at most 255 bytes, never a path, never empty
    content_type: str            # "image/png"; "application/octet-stream" when absent or odd
    size: int                    # decoded bytes
    sha256: str                  # hex, of the decoded bytes
    content_id: str | None       # without angle brackets
    inline: bool                 # shown inside the HTML (disposition inline, or referred to by cid:)


@dataclass(frozen=True)
class Parsed:
    """What a message says of itself. Every text is str without control characters except \\n and \\t."""

    message_id: str | None = None            # without angle brackets; None when absent or unusable
    in_reply_to: tuple[str, ...] = ()
    references: tuple[str, ...] = ()         # oldest first, at most the last 100
    subject: str = ""
    sender: Mailbox | None = None            # None when From is absent or holds not exactly one addr-spec
    sender_ambiguous: bool = False           # not exactly one addr-spec, or a name that lied and was taken off
    sender_hides: bool = False               # From held characters that nobody sees; they were taken out
    authentication: dict | None = None       # the topmost Authentication-Results (mail.authentication.read)
    reply_to: tuple[Mailbox, ...] = ()
    to: tuple[Mailbox, ...] = ()
    cc: tuple[Mailbox, ...] = ()
    date: datetime | None = None             # aware, UTC
    text: str = ""                           # plain text, from text/plain or made from the HTML
    html: str | None = None                  # as sent, not sanitised; None when there is none
    parts: tuple[Part, ...] = ()
    invitation: dict | None = None           # mail.invitation.read of its first calendar, and `part`: its Part.index
    auto_submitted: bool = False             # RFC 3834 and its cousins: out-of-office, robots
    bounce: bool = False                     # RFC 3464 delivery report or an empty return path from a mailer daemon
    bulk: bool = False                       # List-*, Precedence
    words: tuple[str, ...] = ()              # what search finds of it (rules.tokens.Words), once that is known
    auto_kind: str = ""                      # away, robot, list (mail.automatic.kind_of); "" for a person's own
    automatic: Automatic = Automatic()       # what tells so
    report: dict | None = None               # of a bounce: mail.bounce.read
    readable: bool = True                    # False: kept raw only, shown as "could not be read"
    problems: tuple[str, ...] = field(default=())   # codes, for the log


class Sent(NamedTuple):
    """What SMTP said of each recipient after the final dot."""

    accepted: tuple[str, ...]
    refused: dict              # address -> (code, text)
