import random
import time
from datetime import UTC, datetime
from email.message import EmailMessage
from hashlib import sha256
from pathlib import Path

import pytest

from webapp.mail.html import clean
from webapp.mail.parse import parse, parse_header, part_content
from webapp.mail.types import Mailbox, Parsed

MAILS = Path(__file__).parent.parent / "mails"


def mail(name):
    return (MAILS / f"{name}.eml").read_bytes()


def test_a_newsletter():
    parsed = parse(mail("newsletter"))
    assert parsed.sender == Mailbox("Sklep Żółw", "nowosci@sklep.example") and not parsed.sender_ambiguous
    assert parsed.subject == "Oferta na marzec – łap" and parsed.text.strip() == "Dzień dobry, nowości."
    assert parsed.bulk and not parsed.bounce and not parsed.auto_submitted and parsed.problems == ()
    assert parsed.date == datetime(2026, 3, 2, 7, tzinfo=UTC)
    assert [i.url for i in clean(parsed.html).images] == [
        "https://img.sklep.example/a.png",
        "https://sklep.example/open.gif?id=1",
    ]


def test_an_invoice_with_a_logo_and_a_footer():
    raw = mail("invoice")
    parsed = parse(raw)
    assert parsed.sender == Mailbox("Kowalski, Jan", "jan@dostawca.example")
    assert parsed.to == (Mailbox("", "faktury@firma.example"), Mailbox("Zofia", "zofia@firma.example"))
    assert parsed.in_reply_to == ("order@firma.example",) and parsed.references == (
        "first@firma.example",
        "order@firma.example",
    )
    assert (
        "W załączeniu." in parsed.html
        and "Stopka listy" in parsed.html
        and parsed.text == "W załączeniu.\nStopka listy"
    )
    logo, invoice = parsed.parts
    assert (logo.filename, logo.content_id, logo.inline) == ("logo.png", "logo@dostawca", True)
    assert (invoice.filename, invoice.content_type, invoice.inline, invoice.size) == (
        "2026 ż.pdf",
        "application/pdf",
        False,
        6153,
    )
    for part in parsed.parts:
        content = part_content(raw, part.index)
        assert len(content) == part.size and sha256(content).hexdigest() == part.sha256
    for index in (-1, 0 + 99):
        with pytest.raises(LookupError):
            part_content(raw, index)


def test_a_bounce():
    parsed = parse(mail("bounce"))
    assert parsed.bounce and parsed.auto_submitted and "Nobody" in parsed.text
    assert [p.content_type for p in parsed.parts] == ["message/delivery-status", "message/rfc822"]
    assert b"<ours@firma.example>" in part_content(mail("bounce"), parsed.parts[1].index)


def test_broken_base64_loses_the_part_at_most():
    parsed = parse(mail("broken-base64"))
    assert parsed.readable and parsed.text.startswith("Hello") and "broken_encoding" in parsed.problems
    assert parsed.parts[0].filename == "c_evil .zip"
    assert part_content(mail("broken-base64"), parsed.parts[0].index).startswith(b"PK")


def test_japanese():
    parsed = parse(mail("japanese"))
    assert parsed.subject == parsed.sender.name == "日本語" and parsed.text == "日本語のテスト\n"


def test_two_senders_are_no_sender():
    assert parse(mail("two-senders")).sender is None and parse(mail("two-senders")).sender_ambiguous


def test_a_lying_name_is_taken_off():
    parsed = parse(mail("lying-name"))
    assert parsed.sender == Mailbox("", "ewa@evil.example") and parsed.sender_ambiguous


def test_odd_endings_are_read():
    assert parse(mail("no-end-of-headers")).subject == "only headers"
    assert parse(mail("cr-only")).text == "body line\ntwo" and parse(mail("cr-only")).message_id == "c@b.example"
    nul = parse(mail("nul"))
    assert (nul.subject, nul.message_id, nul.date, nul.text, nul.sender) == ("ab", None, None, "xy", None)
    assert parse(b"") == Parsed(problems=("no_headers",))
    assert parse(b"\n\n").problems == ("no_headers",)


def test_a_header_block_alone_reads_like_the_whole():
    for path in MAILS.glob("*.eml"):
        whole, head = parse(path.read_bytes()), parse_header(path.read_bytes().partition(b"\r\n\r\n")[0] + b"\r\n\r\n")
        for field in (
            "subject",
            "sender",
            "sender_ambiguous",
            "to",
            "cc",
            "date",
            "message_id",
            "references",
            "bulk",
            "bounce",
            "auto_submitted",
        ):
            if path.name != "cr-only.eml":
                assert getattr(whole, field) == getattr(head, field), (path, field)


@pytest.mark.parametrize(
    "line, field",
    [
        ("Auto-Submitted: auto-replied", "auto_submitted"),
        ("Auto-Submitted: auto-notified; owner=x", "auto_submitted"),
        ("X-Autoreply: yes", "auto_submitted"),
        ("X-Auto-Response-Suppress: All", "auto_submitted"),
        ("Precedence: auto_reply", "auto_submitted"),
        ("Precedence: BULK", "bulk"),
        ("List-Id: <x>", "bulk"),
        ("X-Failed-Recipients: a@b", "bounce"),
    ],
)
def test_robots_lists_and_bounces_are_told(line, field):
    assert getattr(parse_header(f"From: a@b.example\r\n{line}\r\n\r\n".encode()), field)
    plain = parse_header(b"From: a@b.example\r\nAuto-Submitted: No\r\nPrecedence: first-class\r\n\r\n")
    assert not getattr(plain, field)


@pytest.mark.parametrize(
    "name, safe",
    [
        ("../../../../etc/passwd", "passwd"),
        ("\\\\evil\\share\\x.doc", "x.doc"),
        ("a\0.png", "a.png"),
        ("invoice\u202efdp.exe", "invoicefdp.exe"),
        ("CON", "_CON"),
        ("aux.txt", "_aux.txt"),
        ("f.txt. ", "f.txt"),
        ("f.txt::$DATA", "f.txt__$DATA"),
        (".htaccess", "htaccess"),
        ("....", "attachment.pdf"),
        ("", "attachment.pdf"),
        ("<img src=x>.png", "_img src=x_.png"),
        ("x\u2028y.txt", "x y.txt"),
        ("∕etc∕passwd", "_etc_passwd"),
        ('a"; b="c', "a__ b=_c"),
        ("invoice.pdf" + "\u2800" * 60 + ".exe", "invoice.pdf.exe"),
        ("a\u3164\u115f\u1160\uffa0\u034f.exe", "a.exe"),
        ("COM\u00b9.txt", "_COM\u00b9.txt"),
        ("lpt\u00b3", "_lpt\u00b3"),
        ("con .txt", "_con .txt"),
        ("nul .tar.gz", "_nul .tar.gz"),
        ("contract.txt", "contract.txt"),
    ],
)
def test_a_file_name_is_only_a_name(name, safe):
    from webapp.mail.filename import clean_filename

    assert clean_filename(name, "application/pdf").replace(";", "_") == safe
    long = clean_filename("ż" * 500 + ".pdf")
    assert len(long.encode()) <= 255 and long.endswith("ż.pdf")


BOMBS = {
    "nested messages": b"Content-Type: message/rfc822\n\n" * 20_000 + b"x",
    "nested multiparts": b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(3_000)
    ),
    "parts": b"Content-Type: multipart/mixed; boundary=q\n\n" + b"--q\n\nx\n" * 100_000,
    "some parts": b"Content-Type: multipart/mixed; boundary=q\n\n" + b"--q\n\nx\n" * 3_500,
    "header": b"Subject: " + b"x" * 5_000_000 + b"\n\nbody",
    "headers": b"X: y\n" * 300_000 + b"\nbody",
    "folds": b"Subject: x" + b"\n y" * 500_000,
    "recipients": b"To: " + b"a@b.example,\n " * 100_000 + b"c@d.example\n\nx",
    "parameters": b"Content-Type: text/plain; " + b"a=b; " * 40_000 + b"\n\nx",
    "quoted": b"Content-Transfer-Encoding: quoted-printable\n\n" + b"=" * 2_000_000,
    "one line": b"Content-Transfer-Encoding: base64\n\n" + b"QUJD" * 2_000_000,
    "references": b"References: " + b"<a@b> " * 200_000 + b"\n\nx",
    "unclosed": b"References: " + b"<a@b " * 6_000 + b"\n\nx",
    "words": b"Subject: " + b"=?utf-8?q?a?= " * 80_000,
    "html": b"Content-Type: text/html\n\n" + b"<div>" * 100_000,
    "charset": b"Content-Type: text/plain; charset=" + b"A" * 200_000 + b"\n\nx",
    "colons": b":" * 3_000_000,
    "name": b"Content-Disposition: attachment; filename=" + b"x" * 100_000 + b"\n\nx",
}


@pytest.mark.parametrize("raw", BOMBS.values(), ids=BOMBS)
def test_a_bomb_is_read_or_refused_within_a_second(raw):
    raw = b"From: a@b.example\nMessage-ID: <bomb@b.example>\n" + raw
    started = time.process_time()
    parsed = parse(raw)
    parse_header(raw)
    assert time.process_time() - started < 1
    assert (
        parsed.sender == Mailbox("", "a@b.example")
        and parsed.message_id == "bomb@b.example"
        and "error" not in parsed.problems
    )
    assert (
        len(parsed.parts) <= 1_000
        and len(parsed.to) <= 500
        and len(parsed.references) <= 100
        and len(parsed.subject) <= 998
    )


def test_damaged_mail_never_raises():
    rng = random.Random(9)
    raws = [path.read_bytes() for path in MAILS.glob("*.eml")]
    for _ in range(1_500):
        raw = bytearray(rng.choice(raws))
        for _ in range(rng.randint(1, 12)):
            at = rng.randrange(len(raw) + 1)
            raw[at : at + rng.randint(0, 40)] = rng.choice(
                [b"", b"\n", b"\r", b"\0", b"\xff", b"=?", b"--", b"\n\n", b":", b'"', b"boundary=", rng.randbytes(5)]
            )
        parsed = parse(bytes(raw))
        assert "error" not in parsed.problems
        for part in parsed.parts:
            assert sha256(part_content(bytes(raw), part.index)).hexdigest() == part.sha256
        for text in (
            parsed.subject,
            parsed.text,
            parsed.html or "",
            *(p.filename for p in parsed.parts),
            *(m.name for m in parsed.to),
        ):
            text.encode()
            assert not any(c < " " and c not in "\n\t" for c in text)


def test_long_identifiers_that_python_wrote_as_encoded_words_are_read():
    """email.message.EmailMessage does so with In-Reply-To and References whose ids are longer than a line."""
    one, two = (f"{n * 32}.{n * 32}@corp.example" for n in "ab")
    written = EmailMessage()
    written["In-Reply-To"], written["References"] = f"<{two}>", f"<{one}> <{two}>"
    raw = written.as_bytes()
    assert b"=?utf-8?q?" in raw
    parsed = parse(raw)
    assert (parsed.in_reply_to, parsed.references) == ((two,), (one, two))


def test_encoded_identifiers_hide_no_line_break():
    assert parse(b"In-Reply-To: =?utf-8?q?=3Ca=0D=0Ab=40x=3E?=\r\n\r\nx").in_reply_to == ()
