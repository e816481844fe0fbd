"""The customers, playing: they answer what is sent to them, and write by themselves now and then.

They touch nothing but mail: what comes in is an SMTP message, what goes out is delivered to the
demo's mailboxes. Everything they remember lies in the mail store, so a restart forgets no answer
that is owed. The same seed and the same times give the same mail, byte for byte.
"""

import json
import random
import re
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import getaddresses, parsedate_to_datetime

from webapp.demo.mailstore import MailStore
from webapp.demo.people import DOMAIN, MAILBOXES
from webapp.demo.smtp import deliver
from webapp.demo.story.answers import BY_CUSTOMER, BY_LANGUAGE, MAX_ANSWERS, NUDGES, OPENINGS, STRANGER, THANKS
from webapp.demo.story.cast import BY_ADDRESS, BY_KEY, CUSTOMERS, Correspondent
from webapp.demo.story.conversation import WARSAW, our_name, their_letter
from webapp.demo.story.letter import Quote, message_id, to_bytes
from webapp.demo.story.oddities import bounce, out_of_office

ANSWER_AFTER = 8.0                   # seconds at least; at most 2.5 times that
BOUNCE_AFTER = 1 / 8                 # a server is faster than a person: this part of the time
FIRST_VISIT_AFTER = 40
PACE = 210.0                         # mean seconds between two customers who write by themselves
QUIET_VISITS = 20                    # after so many without a word from us they come less often
THREADS_REMEMBERED = 500
QUOTED_CHARACTERS = 1500
WATCHED = (f"kontakt@{DOMAIN}", f"oferty@{DOMAIN}")
LOCAL = {mailbox.address for mailbox in MAILBOXES}
DOMAINS = {person.address.rpartition("@")[2].lower() for person in CUSTOMERS}
REPLY_PREFIX = re.compile(r"(?i)^(re|aw|odp|fwd?|wg)\s*:")


@dataclass
class Errand:
    """Something that a customer will do, once `due` has come."""

    due: float                       # epoch seconds
    kind: str                        # answer | away | bounce | stranger
    recipient: str                   # whom our side wrote to
    sender: str                      # the envelope sender: one of our mailboxes
    reply_to: str
    name: str                        # our side's display name
    subject: str
    ident: str                       # Message-ID with angle brackets, "" when it had none
    references: list[str]
    text: str                        # what was said, without the quotes
    sent: float
    header: str = ""                 # only for a bounce


@dataclass
class Memory:
    acts: int = 0                    # every letter that was written: the seed of the next
    openings: int = 0
    quiet: int = 0                   # visits since our side last wrote
    errands: list[dict] = field(default_factory=list)
    threads: dict[str, list[int]] = field(default_factory=dict)   # "customer root" -> which answers were given
    closed: list[str] = field(default_factory=list)               # Message-IDs that were answered, or asked after


class Customers:
    """`step(now)` does everything that is due and says what was done, one line each. Times are aware."""

    def __init__(self, store: MailStore, now: datetime, seed: int = 1, pace: float = PACE,
                 answer_after: float = ANSWER_AFTER):
        self._store, self._seed, self._pace, self._answer_after = store, seed, pace, answer_after
        row = store.db.execute("SELECT value FROM state WHERE key = 'customers'").fetchone()
        self._memory = Memory(**json.loads(row[0])) if row else Memory()
        first = min(FIRST_VISIT_AFTER, pace / 5)
        self._next_visit = now + timedelta(seconds=first) if pace > 0 else None

    def next_due(self) -> datetime | None:
        """When `step` has something to do; None for never."""
        times = [datetime.fromtimestamp(errand["due"], UTC) for errand in self._memory.errands]
        return min(times + ([self._next_visit] if self._next_visit else []), default=None)

    def receive(self, sender: str, recipient: str, raw: bytes, now: datetime) -> None:
        """Our side wrote to `recipient`, somewhere outside. Decides who will do what about it, and when."""
        message = message_from_bytes(raw, policy=policy.default)
        self._close(*_ids(message.get("In-Reply-To")), *_ids(message.get("References")))
        kind = self._kind(sender, recipient, message)
        if kind is not None:
            self._memory.quiet = 0
            least = self._answer_after * (BOUNCE_AFTER if kind == "bounce" else 1)
            due = now + timedelta(seconds=self._random().uniform(least, 2.5 * least))
            self._memory.errands.append(asdict(_errand(kind, due, now, sender, recipient, message, raw)))
        self._save()

    def step(self, now: datetime) -> list[str]:
        done = []
        with self._store.transaction():
            for values in [errand for errand in self._memory.errands if errand["due"] <= now.timestamp()]:
                self._memory.errands.remove(values)
                done.append(self._run(Errand(**values), now))
            if self._next_visit and self._next_visit <= now:
                done.append(self._visit(now))
                self._plan_visit(now)
            if done:
                self._save()
        return [line for line in done if line]

    # Answering

    def _kind(self, sender: str, recipient: str, message: EmailMessage) -> str | None:
        if not sender or str(message.get("Auto-Submitted", "no")).lower() != "no":
            return None  # robots are not answered (RFC 3834 section 2), or two of them never stop
        person = BY_ADDRESS.get(recipient)
        if person is None:
            return "bounce" if recipient.rpartition("@")[2] in DOMAINS else "stranger"
        if person.temper in ("bounces", "away"):
            return {"bounces": "bounce", "away": "away"}[person.temper]
        copied = {address.lower() for _, address in getaddresses([str(message.get("Cc", ""))])}
        return None if person.temper == "silent" or recipient in copied else "answer"

    def _run(self, errand: Errand, now: datetime) -> str | None:
        to = errand.sender if errand.kind == "bounce" else errand.reply_to
        if to not in LOCAL:
            return None
        if errand.kind == "bounce":
            raw = bounce(errand.recipient, to, errand.header.encode(), now.astimezone(WARSAW),
                         f"bounce.{self._next_seed()}")
            deliver(self._store, to, raw, "", now)
            return f"the mail to {errand.recipient} bounced"
        text = self._words(errand)
        if text is None:
            return None
        person = BY_ADDRESS.get(errand.recipient) or _stranger(errand.recipient)
        if errand.kind == "away":
            ident = message_id(_domain(person), self._next_seed())
            raw = out_of_office(person, (errand.name, to), errand.subject, errand.ident, now.astimezone(WARSAW), ident)
        else:
            raw = self._reply(person, errand, text, to, now)
        deliver(self._store, to, raw, person.address, now)
        return f"{person.address} answered {to}"

    def _words(self, errand: Errand) -> str | None:
        """What to say, None when everything is said. Remembers what was said."""
        root = (errand.references or [errand.ident])[0]
        said = self._memory.threads.pop(f"{errand.recipient} {root}", [])
        self._memory.threads[f"{errand.recipient} {root}"] = said  # the youngest last
        while len(self._memory.threads) > THREADS_REMEMBERED:
            del self._memory.threads[next(iter(self._memory.threads))]
        if len(said) >= (MAX_ANSWERS if errand.kind == "answer" else 1):
            return None
        if errand.kind == "away":
            said.append(0)
            return ""
        if errand.kind == "stranger":
            said.append(0)
            polish = re.search("[ąćęłńóśźż]", errand.text + errand.subject)
            return STRANGER["pl" if polish else "en"].format(address=errand.recipient)
        person = BY_ADDRESS[errand.recipient]
        pool = BY_CUSTOMER.get(person.key, ()) + BY_LANGUAGE[person.language]
        fresh = [number for number in range(len(pool)) if number not in said]
        if len(said) == MAX_ANSWERS - 1 or not fresh:
            said += [-1] * (MAX_ANSWERS - len(said))
            return THANKS[person.language]
        number = self._fitting(pool, fresh, errand.text)
        said.append(number)
        return pool[number][1]

    def _fitting(self, pool, fresh: list[int], text: str) -> int:
        matching = [number for number in fresh if pool[number][0] and re.search(pool[number][0], text, re.IGNORECASE)]
        general = [number for number in fresh if not pool[number][0]]
        return (matching or general or fresh)[0]

    def _reply(self, person: Correspondent, errand: Errand, text: str, to: str, now: datetime) -> bytes:
        prefix = "AW: " if person.language == "de" else "Re: "
        subject = errand.subject if REPLY_PREFIX.match(errand.subject) else prefix + errand.subject
        quote = Quote(errand.name or to, datetime.fromtimestamp(errand.sent, WARSAW), errand.text)
        chain = [*errand.references, errand.ident] if errand.ident else errand.references
        return to_bytes(their_letter(
            person, (errand.name, to), seed=("answer", self._next_seed()), subject=subject, text=text,
            date=now.astimezone(WARSAW), in_reply_to=errand.ident, references=tuple(chain),
            quote=quote if errand.text else None))

    # Writing by themselves

    def _visit(self, now: datetime) -> str:
        self._memory.quiet += 1
        dice = self._random()
        waiting = self._waiting() if dice.random() < 0.35 else []
        return self._nudge(dice.choice(waiting), now) if waiting else self._open(now)

    def _plan_visit(self, now: datetime) -> None:
        slower = 1 + self._memory.quiet // QUIET_VISITS
        self._next_visit = now + timedelta(seconds=self._random().uniform(0.57, 1.43) * self._pace * slower)

    def _open(self, now: datetime) -> str:
        turn, which = divmod(self._memory.openings, len(OPENINGS))
        order = list(range(len(OPENINGS)))
        random.Random(f"{self._seed} {turn}").shuffle(order)
        key, local, subject, text = OPENINGS[order[which]]
        self._memory.openings += 1
        dice = self._random()
        values = {"{n}": str(dice.randint(48300, 49999)), "{hour}": str(dice.randint(7, 15))}
        for mark, value in values.items():
            subject, text = subject.replace(mark, value), text.replace(mark, value)
        person, address = BY_KEY[key], f"{local}@{DOMAIN}"
        raw = to_bytes(their_letter(person, our_name(address), seed=("opening", self._next_seed()), subject=subject,
                                    text=text, date=now.astimezone(WARSAW)))
        deliver(self._store, address, raw, person.address, now)
        return f"{person.address} wrote to {address}: {subject}"

    def _waiting(self) -> list[tuple[str, EmailMessage]]:
        """Recent questions of customers that our side has not answered, and that nobody has asked after yet."""
        found = []
        for address in WATCHED:
            folder = self._store.folder(address, "INBOX")
            for entry in self._store.entries(folder.id)[-15:]:
                message = message_from_bytes(self._store.raw(folder.id, entry.uid), policy=policy.default)
                ident = str(message.get("Message-ID", ""))
                person = BY_ADDRESS.get(_first_address(message.get("From")))
                if (person in CUSTOMERS and person.temper == "answers" and ident and ident not in self._memory.closed
                        and "\\Answered" not in entry.flags and "?" in _said_in(message)):
                    found.append((address, message))
        return found

    def _nudge(self, waiting: tuple[str, EmailMessage], now: datetime) -> str:
        address, message = waiting
        person = BY_ADDRESS[_first_address(message.get("From"))]
        ident, references = str(message["Message-ID"]), _ids(message.get("References"))
        subject = str(message.get("Subject", ""))
        subject = subject if REPLY_PREFIX.match(subject) else f"Re: {subject}"
        letter = their_letter(person, our_name(address), seed=("nudge", self._next_seed()), subject=subject,
                              text=self._random().choice(NUDGES[person.language]), date=now.astimezone(WARSAW),
                              in_reply_to=ident, references=(*references, ident))
        self._close(ident, letter.message_id)
        deliver(self._store, address, to_bytes(letter), person.address, now)
        return f"{person.address} asked again: {subject}"

    # Memory

    def _close(self, *idents: str) -> None:
        """Nobody asks after these again."""
        self._memory.closed = [*self._memory.closed, *idents][-THREADS_REMEMBERED:]

    def _random(self) -> random.Random:
        return random.Random(self._next_seed())

    def _next_seed(self) -> str:
        self._memory.acts += 1
        return f"{self._seed}.{self._memory.acts}"

    def _save(self) -> None:
        self._store.db.execute("INSERT OR REPLACE INTO state VALUES ('customers', ?)",
                               (json.dumps(asdict(self._memory)),))


def _errand(kind: str, due: datetime, now: datetime, sender: str, recipient: str, message: EmailMessage,
            raw: bytes) -> Errand:
    answer_to = getaddresses([str(message.get("Reply-To") or message.get("From", ""))])
    name, reply_to = answer_to[0] if answer_to and "@" in answer_to[0][1] else ("", sender)
    header = raw.replace(b"\r\n", b"\n").partition(b"\n\n")[0].decode("utf-8", "replace")
    return Errand(
        due=due.timestamp(), kind=kind, recipient=recipient, sender=sender.lower(), reply_to=reply_to.lower(),
        name=name, subject=re.sub(r"\s+", " ", str(message.get("Subject", "")))[:500],
        ident=next(iter(_ids(message.get("Message-ID"))), ""),
        references=_ids(message.get("References")) or _ids(message.get("In-Reply-To")), text=_said_in(message),
        sent=_sent(message, now).timestamp(), header=header[:8000] if kind == "bounce" else "")


def _said_in(message: EmailMessage) -> str:
    """The words of a message without quotes and signature."""
    try:
        part = message.get_body(("plain", "html"))
        text = part.get_content() if part else ""
    except (LookupError, ValueError, AttributeError):
        return ""
    if part and part.get_content_subtype() == "html":
        text = re.sub(r"(?is)<(style|script|blockquote).*?</\1>|<[^>]+>", " ", text)
    lines = []
    for line in text.splitlines():
        if line.rstrip() == "--" or line.startswith(">"):
            break
        lines.append(line.rstrip())
    while lines and (not lines[-1] or lines[-1].endswith(":")):  # "On Monday, X wrote:"
        lines.pop()
    return "\n".join(lines).strip()[:QUOTED_CHARACTERS]


def _sent(message: EmailMessage, now: datetime) -> datetime:
    try:
        date = parsedate_to_datetime(str(message["Date"]))
        return date if date.tzinfo else date.replace(tzinfo=UTC)
    except (TypeError, ValueError):
        return now


def _ids(value) -> list[str]:
    return re.findall(r"<[^<>\s]+>", str(value or ""))


def _first_address(value) -> str:
    found = getaddresses([str(value or "")])
    return found[0][1].lower() if found else ""


def _domain(person: Correspondent) -> str:
    return person.address.rpartition("@")[2]


def _stranger(address: str) -> Correspondent:
    return Correspondent("stranger", address.partition("@")[0], address, "en")
