"""The hostile cases that are kept as data beside the project. Skipped where that folder is not.

Own samples of the same kinds stand in the other tests here and in tests/mails/.
"""

import base64
import email
import json
import tarfile
import time
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from pathlib import Path
from urllib.parse import quote

import pytest
from mail.test_html import harm_in
from selectolax.lexbor import LexborHTMLParser

from webapp.mail.address import address_key
from webapp.mail.charset import clean_header
from webapp.mail.compose import Attachment, build_message
from webapp.mail.html import clean, estimate_height, fill, text_of
from webapp.mail.pack import pack, unpack
from webapp.mail.parse import parse, parse_header, part_content
from webapp.mail.text import snippet, split_quote, to_html
from webapp.mail.types import Mailbox

CASES = Path(__file__).resolve().parents[3] / "shared" / "cases"
pytestmark = pytest.mark.skipif(not CASES.is_dir(), reason="no folder shared/cases beside the project")


def rows(name):
    path = CASES / f"{name}.jsonl"
    return [json.loads(line) for line in path.open()] if path.exists() else []


def each(name):
    return pytest.mark.parametrize("case", rows(name), ids=lambda case: case.get("id") or case.get("file"))


@cache
def files(name):
    with tarfile.open(CASES / f"{name}.tar.xz") as archive:
        return {m.name.removeprefix(f"{name}/"): archive.extractfile(m).read() for m in archive if m.isfile()}


@pytest.mark.parametrize(
    "name", ["html-live", "htmx-gadgets", "css-remote-leaks", "email-privacy-tester", "overlay-phish"]
)
def test_hostile_html_comes_out_harmless(name):
    harmful = {}
    for case in (row for row in rows(name) if "html" in row):  # the others are about headers and links
        for shape in (case["html"], f"<table><tr><td><div>{case['html']}", "<br>" * 400 + case["html"]):
            done = clean(shape)
            filled = fill(done.html, {})
            found = harm_in(done.html) + [
                n.html for n in LexborHTMLParser(filled).css("[src], form, input, button, label")
            ]
            if found:
                harmful[case["id"]] = found
            text_of(shape), estimate_height(done.html)
    assert harmful == {}


@each("sender-spoof")
def test_the_spoofed_address_is_never_the_sender(case):
    head = case.get("headers_raw") or f"From: {case['from_raw']}\r\n"
    parsed = parse(head.encode("utf-8", "surrogateescape") + b"Subject: x\r\n\r\nbody")
    if parsed.sender:
        if "must_not_be_parsed_as" in case:
            assert address_key(parsed.sender.address) != case["must_not_be_parsed_as"]
            assert case["must_not_be_parsed_as"] not in parsed.sender.name.lower()
        if case.get("true_domain"):
            assert parsed.sender.address.endswith(case["true_domain"])
        assert clean_header(parsed.sender.name) == parsed.sender.name
    else:
        assert parsed.sender_ambiguous or case["note"] == "From after folded empty"


@each("attachment-names")
def test_the_bytes_come_back_under_a_safe_name(case):
    name = case["name"]
    for written in (
        f"filename*=utf-8''{quote(name, safe='')}",
        'filename="=?utf-8?b?' + base64.b64encode(name.encode()).decode() + '?="',
    ):
        raw = (
            "From: a@b.example\r\nContent-Type: multipart/mixed; boundary=q\r\n\r\n--q\r\n"
            f"Content-Disposition: attachment; {written}\r\n"
            "Content-Transfer-Encoding: base64\r\n\r\naGVsbG8=\r\n--q--\r\n"
        ).encode()
        (part,) = parse(raw).parts
        assert part_content(raw, part.index) == b"hello" and sha256(b"hello").hexdigest() == part.sha256
        assert (
            part.filename
            and len(part.filename.encode()) <= 255
            and not set(part.filename) & set('/\\\r\n\0":<>|\u202e')
        )
        assert part.filename not in (".", "..") and clean_header(part.filename) == part.filename


def whole_way(raw):
    parsed = parse(raw)
    if parsed.html:
        done = clean(parsed.html)
        assert harm_in(done.html) == []
        estimate_height(done.html)
    snippet(parsed.text)
    to_html(parsed.text)
    assert "".join(split_quote(parsed.text)) == parsed.text
    packed = pack(raw)
    assert unpack(packed.skeleton, packed.parts.__getitem__) == raw
    for part in parsed.parts:
        assert len(part_content(raw, part.index) if len(parsed.parts) < 20 else b"x" * part.size) == part.size
    assert "error" not in parsed.problems and "\0" not in parsed.text + parsed.subject + (parsed.html or "")
    parse_header(raw)


@each("dos-mail")
def test_a_mail_bomb_costs_little(case):
    raw = files("dos-mail")[case["file"]]
    started = time.process_time()
    whole_way(raw)
    assert time.process_time() - started < 1.5


@each("mails")
def test_an_odd_real_mail_is_read(case):
    whole_way(files("mails")[case["file"]])


@each("outgoing-header-injection")
def test_no_typed_value_makes_a_header(case):
    value, field = case["value"], case["field"]
    known = dict(
        sender=Mailbox("Zofia", "zofia@firma.example"),
        to=[Mailbox("Ewa", "ewa@klient.example")],
        subject="s",
        text="t",
        message_id="1@firma.example",
        date=datetime(2026, 1, 1, tzinfo=UTC),
    )
    change = {
        "subject": {"subject": value},
        "to": {"to": [Mailbox("", value)]},
        "display_name": {"sender": Mailbox(value, "zofia@firma.example")},
        "reply_to": {"reply_to": Mailbox("", value)},
        "signature_name": {"text": f"t\n-- \n{value}"},
        "in_reply_to": {"in_reply_to": value},
        "list_unsubscribe": {"extra_headers": {"List-Unsubscribe": value}},
        "calendar_summary": {"extra_headers": {"X-Summary": value}},
        "attachment_filename": {"attachments": [Attachment(value, "application/pdf", b"x")]},
    }[field]
    try:
        raw = build_message(**(known | change))
    except ValueError:
        assert field in ("to", "reply_to")
        return
    message = email.message_from_bytes(raw)
    assert set(message.keys()) <= {
        "Date",
        "From",
        "To",
        "Reply-To",
        "Subject",
        "Message-ID",
        "In-Reply-To",
        "List-Unsubscribe",
        "X-Summary",
        "MIME-Version",
        "Content-Type",
        "Content-Transfer-Encoding",
    }
    assert len(message.keys()) == len(set(message.keys()))
    parsed = parse(raw)
    assert parsed.sender.address == "zofia@firma.example" if parsed.sender else field == "display_name"
    if field != "to":
        assert [m.address for m in parsed.to] == ["ewa@klient.example"]


@each("smtp-smuggling")
def test_no_body_ends_the_message_early(case):
    body = base64.b64decode(case["body_b64"]).decode("latin-1")
    raw = build_message(
        sender=Mailbox("", "z@firma.example"),
        to=[Mailbox("", "e@klient.example")],
        subject="s",
        text=body,
        html=body,
        message_id="1@firma.example",
        date=datetime(2026, 1, 1, tzinfo=UTC),
    )
    rest = raw.replace(b"\r\n", b"")
    assert not {b"\r", b"\n", b"\0"} & {rest[i : i + 1] for i in range(len(rest))}
    assert max(map(len, raw.split(b"\r\n"))) <= 998
