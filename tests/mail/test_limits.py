"""How much of one message is read at all (DEFENCE 2.4): each limit holds exactly, and what is beyond it is told."""

import pytest

from webapp.mail import parse as parser
from webapp.mail.parse import parse, parse_header

FROM = b"From: Anna <anna@customer.example>\r\n"


def test_a_message_over_the_limit_keeps_its_header(monkeypatch):
    monkeypatch.setattr(parser, "MAX_MESSAGE", 1_000)
    header = FROM + b"Subject: Plans\r\n\r\n"
    fits = header + b"x" * (1_000 - len(header))
    assert (parse(fits).readable, parse(fits).text) == (True, "x" * (1_000 - len(header)))
    beyond = parse(fits + b"x")
    assert (beyond.readable, beyond.problems, beyond.subject) == (False, ("too_large",), "Plans")
    assert beyond.sender.address == "anna@customer.example"


def test_of_the_whole_header_256_kilobytes_are_read():
    filler = b"X-A: " + b"b" * 995 + b"\r\n"
    for lines, subject in ((255, "Plans"), (270, "")):
        parsed = parse_header(FROM + filler * lines + b"Subject: Plans\r\n\r\n")
        assert (parsed.subject, parsed.sender.address) == (subject, "anna@customer.example")
        assert ("headers_cut" in parsed.problems) == (lines == 270)


def test_of_one_header_32_kilobytes_are_read():
    inside = b"Message-ID: <" + b"a" * 800 + b"@x>\r\n"
    one = b"References: " + b" ".join(b"<%04d@x.example>" % n for n in range(5_000)) + b"\r\n"
    parsed = parse_header(FROM + inside + one + b"Subject: Plans\r\n\r\n")
    assert len(one) > parser.MAX_HEADER
    assert (parsed.subject, parsed.message_id) == ("Plans", "a" * 800 + "@x")
    assert "headers_cut" in parsed.problems


@pytest.mark.parametrize(("count", "readable"), [(1_000, True), (1_001, False)])
def test_a_thousand_parts_are_read(count, readable):
    raw = FROM + b"Content-Type: multipart/mixed; boundary=q\r\n\r\n" + b"".join(
        b"--q\r\nContent-Type: image/png; name=%d.png\r\n\r\nx\r\n" % n for n in range(count)) + b"--q--\r\n"
    parsed = parse(raw)
    assert (parsed.readable, len(parsed.parts)) == (readable, count if readable else 0)
    assert parsed.sender.address == "anna@customer.example"


@pytest.mark.parametrize(("depth", "readable"), [(50, True), (52, False), (4_000, False)])
def test_parts_in_parts_are_read_fifty_deep(depth, readable):
    raw = FROM + b"".join(b"Content-Type: multipart/mixed; boundary=b%04dz\r\n\r\n--b%04dz\r\n" % (n, n)
                          for n in range(depth))
    parsed = parse(raw + b"Content-Type: text/plain\r\n\r\nthe bottom\r\n")
    assert (parsed.readable, "too_deep" in parsed.problems) == (readable, not readable)
    assert (parsed.text.strip() == "the bottom") == readable


def test_five_hundred_recipients_are_kept():
    to = b",\r\n ".join(b"p%d@x.org" % n for n in range(700))
    parsed = parse_header(FROM + b"To: " + to + b"\r\n\r\n")
    assert len(parsed.to) == 500
    assert parsed.to[0].address == "p0@x.org"


def test_the_last_hundred_references_are_kept():
    parsed = parse_header(FROM + b"References: " + b" ".join(b"<%d@x>" % n for n in range(150)) + b"\r\n\r\n")
    assert parsed.references == tuple(f"{n}@x" for n in range(50, 150))


def test_a_name_has_255_bytes():
    raw = FROM + b'Content-Disposition: attachment; filename="' + b"a" * 400 + b'.pdf"\r\n\r\nx'
    [part] = parse(raw).parts
    assert (len(part.filename.encode()), part.filename[-4:]) == (255, ".pdf")


def test_many_parts_in_broken_base64_cost_one_look_of_the_slower_parser():
    """Each of them once made it read the whole message anew: 20 seconds for 120 kilobytes."""
    looks = []
    real = parser._library_leaves
    raw = FROM + b"Content-Type: multipart/mixed; boundary=q\r\n\r\n" + b"".join(
        b"--q\r\nContent-Type: application/pdf; name=%d.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!=QUJD==x\r\n" % n
        for n in range(900)) + b"--q--\r\n"
    patch = pytest.MonkeyPatch()
    with patch.context() as counted:
        counted.setattr(parser, "_library_leaves", lambda r: looks.append(1) or real(r))
        parsed = parse(raw)
    assert (parsed.readable, len(parsed.parts), len(looks)) == (True, 900, 1)
    assert "broken_encoding" in parsed.problems
