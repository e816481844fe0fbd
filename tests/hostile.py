"""A folder full of hostile and odd mail between ordinary letters, for tests/jobs/test_hostile_folder.py and
benchmarks/hostile_folder.py: own samples, and the cases that are kept beside the project, where they are.
"""

import hashlib
import imaplib
import os
import tarfile
from functools import cache
from pathlib import Path

from mailroom import letter
from servers import give, ordinary_user

MAILS = Path(__file__).parent / "mails"
CASES = Path(__file__).resolve().parents[2] / "shared" / "cases"
CPU_SECONDS, MEMORY = 2.0, 200_000_000       # that the parser may take for one message


@cache
def hostile():
    """{name: raw bytes}"""
    found = {path.name: path.read_bytes() for path in sorted(MAILS.glob("*.eml"))}
    found |= bombs()
    for name in ("mails", "dos-mail"):
        path = CASES / f"{name}.tar.xz"
        if path.exists():
            with tarfile.open(path) as archive:
                found |= {m.name: archive.extractfile(m).read() for m in archive if m.isfile()}
    return found


def bombs():
    """{name: raw bytes} of our own: each is larger than its kind among the cases, or of another kind."""
    head = b"From: Anna <anna@customer.example>\r\nSubject: %b\r\nMIME-Version: 1.0\r\n"

    def mail(name, rest):
        return head % name.encode() + rest

    def html(body, kind=b"text/html; charset=utf-8"):
        return b"Content-Type: " + kind + b"\r\n\r\n" + body

    def nested(depth, kind=b"mixed"):
        opened = b"".join(b"Content-Type: multipart/%b; boundary=b%d\r\n\r\n--b%d\r\n" % (kind, n, n) for n in range(depth))
        return opened + b"Content-Type: text/plain\r\n\r\nthe bottom\r\n"
    mixed = b"Content-Type: multipart/mixed; boundary=q\r\n\r\n"
    rests = {
        "nothing": b"", "only line ends": b"\r\n" * 200_000, "a megabyte of NUL": b"\r\n" + b"\0" * 1_000_000,
        "multiparts 5,000 deep": nested(5_000), "digests 3,000 deep": nested(3_000, b"digest"),
        "messages in messages": b"Content-Type: message/rfc822\r\n\r\n" * 60_000,
        "300,000 parts": mixed + b"--q\r\n\r\nx\r\n" * 300_000, "parts without end": mixed + b"--q\r\n" * 400_000,
        "2,000 real parts": mixed + b"--q\r\nContent-Type: text/plain\r\n\r\nhello\r\n" * 2_000 + b"--q--\r\n",
        "a boundary of 100 KB": b"Content-Type: multipart/mixed; boundary=" + b"q" * 100_000 + b"\r\n\r\n--q\r\n",
        "300,000 recipients": b"To: " + b"a@b.example, " * 300_000 + b"\r\n\r\nx",
        "100,000 header lines": b"X-A: b\r\n" * 100_000 + b"\r\nx",
        "one header folded 200,000 times": b"X-A: b" + b"\r\n c" * 200_000 + b"\r\n\r\nx",
        "500,000 references": b"References: " + b"<a@b>" * 500_000 + b"\r\n\r\nx",
        "brackets in the sender": b"Reply-To: " + b"(" * 300_000 + b"\r\n\r\nx",
        "encoded words": b"To: " + b"=?utf-8?q?a?= " * 100_000 + b"\r\n\r\nx",
        "a charset that unpacks": html(b"x" * 1000, b"text/plain; charset=zlib"),
        "a charset of escapes": html(rb"\N{SNOWMAN}" * 100_000, b"text/plain; charset=unicode_escape"),
        "charset idna": html(b"a." * 200_000, b"text/plain; charset=idna"), "punycode": html(
            b"a-" + b"z" * 300_000, b"text/plain; charset=punycode"),
        "divs 300,000 deep": html(b"<div>" * 300_000), "spans that never close": html(b"<span a='" * 200_000),
        "a tag of 300,000 attributes": html(b"<p " + b"a=b " * 300_000 + b">x"), "tables": html(b"<table><tr><td>" * 100_000),
        "formatting reopened": html(b"<b><i><u>" * 3_000 + b"<p>" * 3_000), "entities": html(b"&#x26;lt;" * 300_000),
        "styles": html(b"<p style='" + b"color:red;" * 300_000 + b"'>x"), "unclosed comment": html(b"<!--" * 400_000),
        "a style of brackets": html(b"<style>" + b"a{" * 400_000), "selects": html(b"<select><option>" * 100_000),
        "one line of 5 MB": html(b"On " + b"a " * 2_500_000 + b"wrote:", b"text/plain"),
        "quotes in quotes": html(b"> " * 20_000 + b"\r\n" + (b"> On Monday x wrote:\r\n" * 20_000), b"text/plain"),
        "links": html(b"http://a.example/( " * 100_000, b"text/plain"), "at signs": html(b"a@" * 500_000, b"text/plain"),
        "base64 that is none": b"Content-Transfer-Encoding: base64\r\n\r\n" + b"!=" * 1_000_000,
        "quoted-printable soft lines": b"Content-Transfer-Encoding: quoted-printable\r\n\r\n" + b"=\r\n" * 1_000_000,
        "uuencoded": b"Content-Transfer-Encoding: x-uuencode\r\n\r\nbegin 644 a\r\n" + b"M" * 1_000_000,
        "a name of 100 KB": mixed + b"--q\r\nContent-Disposition: attachment; filename=\"" + b"a" * 100_000 + b"\"\r\n\r\nx",
        "a name in 50,000 pieces": mixed + b"--q\r\nContent-Disposition: attachment" + b"".join(
            b"; filename*%d=a" % n for n in range(50_000)) + b"\r\n\r\nx\r\n--q--\r\n",
        "12 MB on one line": b"Content-Transfer-Encoding: base64\r\n\r\n" + b"QUJD" * 3_000_000,
    }
    made = {name: mail(name, rest) for name, rest in rests.items()}
    made |= {"an empty file": b"", "one line end": b"\r\n", "no header at all": b"\xff\xfe" * 1000, "two senders": (
        b"From: a@b.example\r\nFrom: c@d.example\r\n\r\nx"), "a colon": b":", "only CR": b"Subject: x\rFrom: a@b\r\rx" * 1000,
        "5 MB without a line end": b"a" * 5_000_000}
    return made


def between_letters(raws):
    """[(name, raw)]: an ordinary letter before, between and behind all of them."""
    mails = [("letter 0", ordinary(0))]
    for number, (name, raw) in enumerate(raws.items(), 1):
        mails += [(name, raw), (f"letter {number}", ordinary(number))]
    return mails


def ordinary(number):
    return letter(subject=f"Ordinary letter {number}", Message_ID=f"<ordinary-{number}@customer.example>",
                  text=f"Hello, this is number {number}.\r\n")


def put_in(dovecot, address, mails):
    """Into the server's own storage, in this order: APPEND would refuse some. `mails`: (name, raw bytes) each."""
    mail, owner = dovecot.folder_path(address), ordinary_user("nobody")
    for folder in (mail.parent, mail, *(mail / name for name in ("cur", "new", "tmp"))):
        folder.mkdir(parents=True, exist_ok=True)
        give(folder, owner)
    for number, (_name, raw) in enumerate(mails):
        path = mail / "cur" / f"{1_700_000_000 + number}.M{number}.host:2,"
        path.write_bytes(raw)
        give(path, owner)


def on_server(dovecot, address, folder="INBOX"):
    """{UID: SHA-256 of the bytes that the server hands out}"""
    found = {}
    imaplib._MAXLINE = 50_000_000
    with dovecot.imap(address) as client:
        client.select(folder, readonly=True)
        for uid in client.uid("SEARCH", None, "ALL")[1][0].split():
            answer = client.uid("FETCH", uid, "(BODY.PEEK[])")[1][0]
            found[int(uid)] = hashlib.sha256(answer[1] if isinstance(answer, tuple) else b"").hexdigest()
    return found


def cost(function, raw):
    """(CPU seconds, bytes of memory beyond what it had, whether it came to its end) of `function(raw, "whole")` in a
    process of its own."""
    seconds, memory, code = _run(lambda: function(raw, "whole"))
    _seconds, before, _code = _run(lambda: None)
    return seconds, max(0, memory - before), code == 0


def _run(call):
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            call()
            code = 0
        finally:
            os._exit(code)
    _pid, status, used = os.wait4(pid, 0)
    return used.ru_utime + used.ru_stime, used.ru_maxrss * 1024, os.waitstatus_to_exitcode(status)
