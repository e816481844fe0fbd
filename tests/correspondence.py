"""Mail of many conversations with two addresses of one inbox, for asking whether the order of reading matters.

Long threads and forks, colleagues who are copied in and answer, our own replies, reports that these could not be
delivered, mail that never came, mail that lies in two folders or went to both addresses, and people who have got hold
of a Message-ID or make one up.
"""

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from unittest.mock import patch

from mailroom import folder_of, letter
from sqlalchemy import select

from webapp.actions.receive import receive
from webapp.extensions import db
from webapp.mail.compose import mint_message_id
from webapp.mail.types import Fetched
from webapp.models import Connection, Message

T0 = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
ADDRESSES = ("support@corp.example", "sales@corp.example")
REPORT = ("Return-Path: <>\r\nFrom: Mail server <mailer-daemon@mx{number}.example>\r\nTo: {to}\r\nMessage-ID: <r{number}@mx>\r\n"
          "Subject: Undeliverable\r\nReferences: <{other}>\r\n"
          'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
          "--b\r\nContent-Type: text/plain\r\n\r\nNumber {number}\r\n"
          "--b\r\nContent-Type: message/rfc822\r\n\r\nMessage-ID: <{ours}>\r\nSubject: x\r\n\r\nText\r\n--b--\r\n")


@dataclass
class Talk:
    people: list
    known: list
    box: int
    ids: list = field(default_factory=list)
    ours: list = field(default_factory=list)


@dataclass(frozen=True)
class Sent:
    """A mail, and where it lies: `box`, the address's number, and the folder's role."""

    item: Fetched
    box: int
    role: str


def correspondence(count, seed, mint, missing=0.1, strangers=0.12):
    """About `count` of Sent, in the order in which they were written. `mint(domain)`: a Message-ID of ours. `missing`,
    `strangers`: which part never comes, and which part is by people who do not belong there."""
    rng, talks, written = random.Random(seed), [], []
    for number in range(count):
        if not talks or rng.random() < 0.2:
            people = [f"{name}{number}@customer.example" for name in ("anna", "bob", "cecil")]
            talks.append(Talk(people, people[:1], rng.randrange(2)))
        talk, chance = rng.choice(talks), rng.random()
        write = (_report if talk.ours and chance < 0.06 else
                 _attack if talk.ids and 0.06 <= chance < 0.06 + strangers else _letter)
        raw, role = write(rng, talk, number, mint)
        if rng.random() < missing:
            continue
        at = T0 + timedelta(minutes=number)
        written.append(Sent(Fetched(2 * number + 1, raw, at, frozenset()), talk.box, role))
        if role == "inbox" and rng.random() < 0.1:      # the same mail once more
            box, where = rng.choice(((talk.box, "archive"), (1 - talk.box, "inbox")))
            written.append(Sent(Fetched(2 * number + 2, raw, at, frozenset()), box, where))
    return written


def _letter(rng, talk, number, mint):
    ours = bool(talk.ids) and rng.random() < 0.35
    own = ADDRESSES[talk.box]
    message_id = mint("corp.example") if ours else f"{number}@x"
    copied = rng.sample(talk.people, rng.randint(0, 2))
    headers = {"Cc": ", ".join(copied) or None}
    if talk.ids:
        parent = talk.ids[-1] if rng.random() < 0.7 else rng.choice(talk.ids)
        style = rng.choice(("both", "references", "reply"))
        before = talk.ids[:talk.ids.index(parent) + 1]
        headers |= {"In_Reply_To": parent} if style != "references" else {}
        headers |= {"References": before[-20:]} if style != "reply" else {}
    sender = own if ours else rng.choice(talk.known)
    raw = _mail(headers, message_id, sender=sender, to=rng.choice(talk.known) if ours else own, subject="Pallet",
                text=f"Number {number}")
    talk.known = list(dict.fromkeys([*talk.known, *copied]))
    talk.ids.append(message_id)
    talk.ours += [message_id] * ours
    return raw, "sent" if ours else "inbox"


def _report(rng, talk, number, _mint):
    return REPORT.format(number=number, to=ADDRESSES[talk.box], ours=rng.choice(talk.ours),
                         other=rng.choice(talk.ids)).encode(), "inbox"


def _attack(rng, talk, number, mint):
    """One of cases/thread-attacks: who wants to be where he does not belong, or has odd Message-IDs."""
    known, own = rng.choice(talk.ids), ADDRESSES[talk.box]
    evil, anna = f"evil{number}@evil.example", rng.choice(talk.known)
    changes = rng.choice((
        {"sender": evil, "In_Reply_To": known}, {"sender": anna, "In_Reply_To": f"{number - 1}@corp.example"},
        {"sender": evil, "subject": f"[#{number}] Pallet"}, {"sender": evil, "References": talk.ids[-20:]},
        {"sender": evil, "to": own.replace("@", "+token@"), "In_Reply_To": known},
        {"sender": own, "In_Reply_To": known}, {"sender": f"{anna}, {evil}", "In_Reply_To": known},
        {"sender": f'"{anna}" <{evil}>', "In_Reply_To": known}, {"sender": None, "In_Reply_To": known},
        {"sender": anna, "id": known}, {"sender": evil, "id": known}, {"sender": anna, "id": None},
        {"sender": anna, "id": ""}, {"sender": evil, "In_Reply_To": mint("evil.example")},
        {"sender": anna, "References": [f"{n}@nowhere" for n in range(300)] + talk.ids[-3:]}))
    message_id = changes.get("id", f"{number}@x")
    headers = {k: v for k, v in changes.items() if k in ("In_Reply_To", "References")}
    rest = {k: v for k, v in changes.items() if k in ("sender", "to", "subject")}
    return _mail(headers, message_id, **{"to": own, "subject": "Pallet", "text": f"Number {number}", **rest}), "inbox"


def _mail(headers, message_id, **parts):
    """Message-IDs are written by hand: the library would fold long ones into encoded words."""
    raw, ids = letter(Cc=headers.get("Cc"), **parts), {"Message-ID": None if message_id is None else [message_id]}
    ids |= {name: [value] if isinstance(value, str) else value for name, value in (
        ("In-Reply-To", headers.get("In_Reply_To")), ("References", headers.get("References")))}
    head = "".join(f"{name}: " + "\r\n ".join(f"<{i}>" for i in value) + "\r\n" for name, value in ids.items() if value)
    return head.encode() + raw


def is_evil(raw):
    """Is it by a stranger? Also one who has a customer's name, or his address beside the customer's."""
    sender = next((line for line in raw.splitlines() if line.startswith(b"From: ")), b"")
    return b"@evil.example" in sender


def mint_of(app, seed):
    """Makes Message-IDs of ours, the same for the same seed, and for evil.example one that only looks like ours."""
    key, rng = app.config["SECRET_KEY"].encode(), random.Random(seed)

    def mint(domain):
        with patch("secrets.token_hex", lambda size: rng.randbytes(size).hex()):
            return mint_message_id(domain, b"not our key" if domain == "evil.example" else key)
    return mint


def grouped(boxes, mails, batch):
    """Which mails, (address, bytes' digest) each, are together after they were read in this order, in batches. Nothing
    of it stays. `boxes`: ids of the connections of ADDRESSES."""
    for start in range(0, len(mails), batch):
        part = mails[start:start + batch]
        for place in dict.fromkeys((m.box, m.role) for m in part):
            receive(db.session.get(Connection, boxes[place[0]]), folder_of(boxes[place[0]], place[1]),
                    [m.item for m in part if (m.box, m.role) == place])
    together = {}
    for conversation_id, box, digest in db.session.execute(
            select(Message.conversation_id, Message.connection_id, Message.digest)):
        together.setdefault(conversation_id, set()).add((box, digest))
    db.session.rollback()
    return sorted(map(sorted, together.values()))
