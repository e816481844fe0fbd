"""What the server sent is packed and parsed while more comes; no part of it is worth less for being read in short."""

import base64
import email
import os
import random
import signal
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import hostile
import pytest
from mailroom import folder_of, letter, stored

from webapp.actions import reading, receive
from webapp.actions.contents import contents_of
from webapp.extensions import db, unit
from webapp.mail.apart import Apart
from webapp.mail.pack import in_short, pack
from webapp.mail.types import Fetched, FetchedHeader, MailError, Oversized
from webapp.models import Connection, Place
from webapp.models.blob import raw_of, rows_of

MAILS = Path(__file__).parents[1] / "mails"
LARGE = random.Random(7).randbytes(9_000)
CALENDAR = (b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nUID:1@x\r\nDTSTART:20270101T100000Z\r\n"
            b"SUMMARY:Long talk\r\nDESCRIPTION:" + b"much to say " * 500 + b"\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n")


def read(items, parser=contents_of):
    with Apart(parser) as apart, ThreadPoolExecutor(1) as other:
        return list(reading.reading(iter(items), apart, other))


def fetched(*raws):
    return [Fetched(n, raw, datetime.now(UTC), frozenset()) for n, raw in enumerate(raws, 1)]


def deadly(raw, how):
    """What the parser's process does with these letters."""
    if b"from a hell of tags" in raw and how == "whole" or b"from hell" in raw and how != "beyond" or b"from deepest hell" in raw:
        os.kill(os.getpid(), signal.SIGKILL)
    return contents_of(raw, how)


def test_a_message_that_kills_the_parser_costs_that_message_alone(box, app):
    raws = [letter(Message_ID=f"<{n}@x>", subject=f"Letter {n}") for n in range(20)]
    raws[3] = letter(Message_ID="<3@x>", subject="from hell")
    raws[5] = letter(Message_ID="<5@x>", subject="from deepest hell")
    raws[7] = letter(Message_ID="<7@x>", subject="from a hell of tags", html="<p>Please call", text="")
    reads = read(fetched(*raws), deadly)
    reading.put_away(reads, receive.blobs())
    with unit():
        receive.receive(db.session.get(Connection, box), folder_of(box), reads)
    messages = {p.uid: p.message for p in stored(Place)}
    assert [messages[uid].subject for uid in (3, 4, 5, 6, 7)] == ["Letter 2", "from hell", "Letter 4", "", "Letter 6"]
    texts = messages[8]
    assert (texts.subject, texts.state, texts.text, texts.html, texts.has_html) == (
        "from a hell of tags", "ok", "Please call", None, False), "it is its HTML that nobody bears: its text is shown"
    assert texts.sanitizer_version, "and it is said"
    assert sorted(uid for uid, m in messages.items() if m.state == "unreadable") == [4, 6]
    assert all(m.conversation_id for m in messages.values())
    for uid in (4, 6):
        assert app.extensions["blobs"].get_raw(messages[uid].raw_sha256) == raws[uid - 1]


def test_what_came_before_the_connection_broke_is_given():
    def stream():
        yield from (Fetched(n, letter(), None, frozenset()) for n in range(1, 20))
        raise MailError("lost")
    given = []
    with Apart(contents_of) as apart, ThreadPoolExecutor(1) as other, pytest.raises(MailError):
        for each in reading.reading(stream(), apart, other):
            given.append(each.uid)
    assert given == list(range(1, 20))


def part(data, header="Content-Type: application/pdf; name=a.pdf"):
    return f"--q\r\n{header}\r\nContent-Transfer-Encoding: base64\r\n\r\n".encode() + base64.encodebytes(
        data).replace(b"\n", b"\r\n")


def multipart(*parts, kind="mixed"):
    head = f"From: a@b.example\r\nSubject: Odd\r\nContent-Type: multipart/{kind}; boundary=q\r\n\r\n".encode()
    return head + b"".join(parts) + b"--q--\r\n"


ODD = {     # name: (message, can it be read in short?)
    "two files, the same twice": (multipart(part(LARGE), part(LARGE)), True),
    "a file in a part without a type, which is text": (multipart(part(LARGE, "X-Nothing: here")), False),
    "a calendar": (multipart(part(CALENDAR, "Content-Type: text/calendar; charset=utf-8")), False),
    "a page that is named, so a file": (multipart(part(
        LARGE, "Content-Type: text/html; name=a.html\r\nContent-Disposition: attachment")), True),
    "no closing boundary": (multipart(part(LARGE)).removesuffix(b"--q--\r\n"), True),
    "a line behind the file that begins like a boundary and is none": (
        multipart(part(LARGE), b"--other\r\nmore\r\n"), False),
    "a header in the middle of a text": (b"From: a@b.example\r\n\r\n" + part(LARGE), False),
    "a file in a mail in a mail": (multipart(
        b"--q\r\nContent-Type: message/rfc822\r\n\r\n" + multipart(part(LARGE)).replace(b"=q", b"=r")
        .replace(b"--q", b"--r")), False),
    "the whole message is one file": (
        b"From: a@b.example\r\nContent-Type: image/png\r\n" + part(LARGE).split(b"\r\n", 2)[2], True),
}


def short(raw):
    packed = pack(raw)
    return in_short(packed.skeleton, reading.SECRET) if packed.parts else (raw, "whole")


@pytest.mark.parametrize("name", ODD)
def test_an_odd_message_says_the_same_in_short_or_is_read_as_it_was(name):
    raw, can_be_short = ODD[name]
    assert isinstance(short(raw)[1], dict), "the sample is not odd enough"
    assert (contents_of(*short(raw)) is not None) is can_be_short
    [one] = read(fetched(raw))
    assert (one.parsed, one.columns, one.attachments) == contents_of(raw, "whole")
    assert raw_of(one.rows, one.raw_sha256) == raw


def all_samples():
    cases = {name: raw for name, raw in hostile.hostile().items() if len(raw) < 3_000_000}
    return {**{str(path.relative_to(MAILS)): path.read_bytes() for path in MAILS.rglob("*.eml")}, **cases}


@pytest.mark.parametrize("name", all_samples())
def test_every_sample_with_a_file_added_says_the_same_in_short(name):
    raw = all_samples()[name]
    raws = [raw, multipart(b"--q\r\nContent-Type: message/rfc822\r\n\r\n" + raw + b"\r\n", part(LARGE))]
    if not raw.lower().count(b"multipart/") and b"\r\n\r\n" in raw:
        raws.append(multipart(b"--q\r\n" + raw + b"\r\n", part(LARGE)))
    for one in raws:
        if (in_brief := contents_of(*short(one))) is not None:
            assert in_brief == contents_of(one, "whole")


def test_a_stranger_cannot_write_a_mark():
    forged = in_short(pack(multipart(part(LARGE))).skeleton, b"s" * 20)[0]
    assert contents_of(forged, "whole")[2][0]["size"] == 24
    [one] = read(fetched(forged))
    assert one.attachments[0]["size"] == 24
    assert reading.SECRET not in b"".join(rows_of("x", pack(forged)).values())


def test_what_has_to_be_read_as_it_was_costs_nobody_his_answer():
    raws = [letter(subject=f"Letter {n}") for n in range(40)]
    raws[7] = raws[30] = ODD["a calendar"][0]
    reads = read(fetched(*raws))
    assert sorted(r.uid for r in reads) == list(range(1, 41))
    assert all(r.columns["subject"] == email.message_from_bytes(raws[r.uid - 1])["subject"] for r in reads)
    assert [r.columns["invitation"]["summary"] for r in reads if r.columns["invitation"]] == ["Long talk"] * 2


def test_headers_and_what_is_too_large_come_as_they_are():
    header = b"From: a@b.example\r\nSubject: Only this\r\n\r\n"
    items = [FetchedHeader(1, header, 400, None, frozenset(), True), Oversized(2, 10**9, header)]
    with_files, too_large = read(items)
    assert (with_files.columns["subject"], with_files.columns["has_attachments"], with_files.size) == (
        "Only this", True, 400)
    assert (too_large.columns["subject"], too_large.size, too_large.came) == ("Only this", 10**9, len(header))
    assert with_files.digest != too_large.digest


def test_a_report_is_at_hand_and_all_other_mail_is_let_go():
    report = (MAILS / "bounce.eml").read_bytes()
    first, second = read(fetched(report, letter(text="x" * 1000)))
    assert first.parsed.bounce
    assert (first.item.raw, second.item.raw) == (report, b"")
