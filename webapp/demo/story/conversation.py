"""Letters with times that count back from the first start, and what they become in a mailbox.

A time is "25m" or "3h" (ago), or "4 14:07": four working days ago at that hour in Warsaw.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from webapp.demo.people import COMPANY, MAILBOXES
from webapp.demo.story import attachments
from webapp.demo.story.attachments import File
from webapp.demo.story.cast import BY_KEY, OUR_SIDE, Correspondent
from webapp.demo.story.letter import Letter, Quote, message_id, to_bytes

WARSAW = ZoneInfo("Europe/Warsaw")
MONTHS_PL = ("styczeń", "luty", "marzec", "kwiecień", "maj", "czerwiec", "lipiec", "sierpień", "wrzesień",
             "październik", "listopad", "grudzień")
MAILBOX_BY_ADDRESS = {mailbox.address: mailbox for mailbox in MAILBOXES}
LOGO = attachments.png("logo.png", attachments.logo, 180, 60)


class StoredMail(NamedTuple):
    """One message, ready for a folder. `folder` is a role: "INBOX" or a special use."""

    address: str
    folder: str
    raw: bytes
    arrived: datetime           # aware, UTC
    flags: frozenset[str]


@dataclass(frozen=True)
class Said:
    who: str                    # a key of the cast, or of OUR_SIDE when we wrote it
    when: str
    text: str
    files: tuple[File, ...] = ()
    quote: bool = True          # quotes the letter before
    folder: str = ""            # where it lies when that is neither INBOX nor Sent
    headers: tuple[tuple[str, str], ...] = ()
    remote_images: tuple[str, ...] = ()
    without_id: bool = False
    unread: bool | None = None  # None: when younger than a working day


@dataclass(frozen=True)
class Thread:
    subject: str
    said: tuple[Said, ...] = field(default=())
    cc: tuple[str, ...] = ()    # keys of the cast, on every letter of the other side


def thread(subject: str, *said: Said, cc: tuple[str, ...] = ()) -> Thread:
    return Thread(subject, said, cc)


def says(who: str, when: str, text: str, *files: File, **options) -> Said:
    return Said(who, when, text, files, **options)


def moment(when: str, now: datetime) -> datetime:
    """`when` as a time in Warsaw, never after `now`."""
    if found := re.fullmatch(r"(\d+)([mh])", when):
        return (now - timedelta(**{{"m": "minutes", "h": "hours"}[found[2]]: int(found[1])})).astimezone(WARSAW)
    days, clock = when.split(" ")
    hour, minute = clock.split(":")
    day = now.astimezone(WARSAW).replace(hour=int(hour), minute=int(minute), second=int(minute) * 7 % 60, microsecond=0)
    for _ in range(int(days)):
        day -= timedelta(days=1)
        while day.weekday() >= 5:
            day -= timedelta(days=1)
    return day


def filled(text: str, now: datetime) -> str:
    """The few words that depend on the day: {week}, {year}, {month}, {last_month}."""
    local = now.astimezone(WARSAW)
    values = {"week": str((local + timedelta(days=7)).isocalendar().week), "year": str(local.year),
              "month": MONTHS_PL[local.month - 1], "last_month": MONTHS_PL[local.month - 2]}
    return re.sub(r"\{(week|year|month|last_month)\}", lambda found: values[found[1]], text)


def _dated(file: File, now: datetime) -> File:
    """An invitation is for the next working day, 10:00-10:30 in UTC."""
    if file.content_type != "text/calendar":
        return file
    day = now.astimezone(WARSAW) + timedelta(days=1)
    while day.weekday() >= 5:
        day += timedelta(days=1)
    text = file.content.decode().replace("{start}", f"{day:%Y%m%d}T100000Z").replace("{end}", f"{day:%Y%m%d}T103000Z")
    return file._replace(content=text.encode())


def mails(address: str, threads: tuple[Thread, ...], now: datetime, seed: int) -> Iterator[StoredMail]:
    """Both sides of each thread as they lie in the mailbox of `address`."""
    for number, conversation in enumerate(threads):
        yield from _thread_mails(address, conversation, now, (seed, address, number))


def _thread_mails(address: str, conversation: Thread, now: datetime, seed: tuple) -> Iterator[StoredMail]:
    subject = filled(conversation.subject, now)
    earlier: list[str] = []
    before: Quote | None = None
    partner = next((BY_KEY[said.who] for said in conversation.said if said.who in BY_KEY), None)
    for step, said in enumerate(conversation.said):
        date = moment(said.when, now)
        text = filled(said.text, now).strip()
        answered = any(later.who in OUR_SIDE for later in conversation.said[step + 1:step + 2])
        common = {
            "subject": subject if step == 0 else _reply_prefix(said.who) + subject, "text": text, "date": date,
            "files": tuple(_dated(file, now) for file in said.files),
            "in_reply_to": earlier[-1] if earlier else "", "references": tuple(earlier),
            "quote": before if said.quote else None,
        }
        if said.who in OUR_SIDE:
            letter = our_letter(address, said.who, partner, seed=(*seed, step), **common)
        else:
            letter = their_letter(BY_KEY[said.who], our_name(address), seed=(*seed, step), **common,
                                  cc=tuple((BY_KEY[key].name, BY_KEY[key].address) for key in conversation.cc),
                                  headers=said.headers, remote_images=said.remote_images,
                                  without_id=said.without_id)
        folder = said.folder or ("\\Sent" if said.who in OUR_SIDE else "INBOX")
        young = moment("1 0:00", now) < date if said.unread is None else said.unread
        flags = {"\\Seen"} if folder != "INBOX" or not young or answered else set()
        yield StoredMail(address, folder, to_bytes(letter), date.astimezone(UTC),
                         frozenset(flags | ({"\\Answered"} if answered and folder == "INBOX" else set())))
        if letter.message_id:
            earlier.append(letter.message_id)
        before = Quote(letter.sender[0], date, text)


def _reply_prefix(who: str) -> str:
    return "AW: " if who in BY_KEY and BY_KEY[who].language == "de" else "Re: "


def our_name(address: str) -> tuple[str, str]:
    """The mailbox as a sender: (name, address)."""
    mailbox = MAILBOX_BY_ADDRESS[address]
    return (f"{COMPANY} – {mailbox.title}" if mailbox.kind == "team" else mailbox.title), address


def our_letter(address: str, who: str, partner: Correspondent, *, seed: tuple, **values) -> Letter:
    name, line = OUR_SIDE[who]
    return Letter(sender=our_name(address), to=((partner.name, partner.address),), language=partner.language,
                  message_id=message_id(address.partition("@")[2], *seed), signature=(name, line, COMPANY), **values)


def their_letter(person: Correspondent, to: tuple[str, str], *, seed: tuple, without_id: bool = False, headers=(),
                 **values) -> Letter:
    lines = [person.name, person.title, person.company, f"tel. {person.phone}" if person.phone else ""]
    program = ((("X-Mailer", person.program),) if person.program else ())
    return Letter(sender=(person.name, person.address), to=(to,), language=person.language, colour=person.colour,
                  charset=person.charset, logo=LOGO if person.logo else None,
                  message_id="" if without_id else message_id(person.address.partition("@")[2], *seed),
                  signature=tuple(line for line in lines if line) if person.company else (person.first_name,),
                  headers=program + tuple(headers), **values)
