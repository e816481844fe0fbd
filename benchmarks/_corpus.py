"""A mailbox to measure with: letters of many people, written from a seed, the same bytes for the same arguments.

Statistics like a real shared mailbox: half of the mail in threads of 3 to 12 with References, 85 % with an HTML part
that quotes, 10 % with a file of 50 to 500 kB (a quarter of those seen before), a fifth not in UTF-8, newsletters with
tables and pictures. The newest message was written just now.
"""

import argparse
import base64
import itertools
import os
import quopri
import random
import time
from datetime import UTC, datetime
from email.header import Header
from email.utils import format_datetime
from pathlib import Path

GIVEN = "Anna Bartosz Celina Dawid Ewa Filip Grażyna Hanna Igor Jürgen Kasia Łukasz Maria Norbert Ola Paweł Zoé".split()
FAMILY = "Nowak Kowalska Wiśniewski Schmidt Müller Kaczmarek Zając Lefèvre Smith Jones Dąbrowski Wójcik Krüger".split()
SCRIPTS = {"latin": ("bcdfglmnprstw", "aeiouy"), "polish": ("bcćdfglłmnńprsśtwzż", "aąeęioóuy"),
           "german": ("bcdfglmnprstwß", "aeiouäöü"), "cyrillic": ("бвгджзклмнпрст", "аеиоуыя"),
           "japanese": ("かきくさしすたちつなにの", "日本語東京会社")}
CHARSETS = ((70, "utf-8", "latin"), (9, "utf-8", "polish"), (7, "iso-8859-2", "polish"), (5, "windows-1250", "polish"),
            (4, "iso-8859-1", "german"), (2, "koi8-r", "cyrillic"), (3, "iso-2022-jp", "japanese"))
STEP = 900   # seconds between messages


def messages(count, seed=11, now=None):
    """(raw bytes with CRLF, seconds since 1970) for each message, oldest first."""
    rng, now = random.Random(seed), int(now or time.time())
    words = {script: _vocabulary(rng, *letters) for script, letters in SCRIPTS.items()}
    files = [rng.randbytes(rng.randint(50_000, 500_000)) for _ in range(40)]
    running = []
    for number in range(count):
        if running and rng.random() < 0.45:
            thread = rng.choice(running)
        else:
            thread = _Thread(rng, words)
            running.append(thread)
        at = now - (count - 1 - number) * STEP
        yield thread.write(rng, number, at, files), at
        if thread.left == 0:
            running.remove(thread)


def fill(maildir, count, seed=11):
    """Write a Maildir as Dovecot keeps it: `cur` with read mail, times set. Returns bytes on the wire."""
    maildir, total = Path(maildir), 0
    for name in ("cur", "new", "tmp"):
        (maildir / name).mkdir(parents=True, exist_ok=True)
    for number, (raw, at) in enumerate(messages(count, seed)):
        path = maildir / "cur" / f"{at}.M{number:06d}.bench,S={len(raw)},W={len(raw)}:2,{'S' if number % 3 else ''}"
        path.write_bytes(raw)
        os.utime(path, (at, at))
        total += len(raw)
    return total


def with_file(rng, number, size):
    """One mail of about `size` bytes on the wire, nearly all of them one attached file."""
    head = (f"From: Anna Nowak <anna@customer.example>\r\nTo: support@corp.example\r\nSubject: Large {number}\r\n"
            f"Message-ID: <large{number}@customer.example>\r\nMIME-Version: 1.0\r\n").encode()
    text = _text(rng, "plain", "The file.", "utf-8")
    return head + _multipart(rng, "mixed", text, _file(rng, rng.randbytes(size * 57 // 78)))


class _Thread:
    def __init__(self, rng, words):
        _, self.charset, script = rng.choices(CHARSETS, [c[0] for c in CHARSETS])[0]
        self.words = words[script]
        self.left = rng.randint(3, 12) if rng.random() < 0.15 else 1
        self.kind = rng.choices(("letter", "outlook", "newsletter"), (60, 20, 20 if self.left == 1 else 0))[0]
        self.people = [_person(rng) for _ in range(2 if self.left > 1 else 1)]
        self.subject = _sentence(rng, self.words, rng.randint(2, 8))
        self.ids, self.quoted, self.turn = [], [], 0

    def write(self, rng, number, at, files):
        name, address = self.people[self.turn % len(self.people)]
        paragraphs = [_sentence(rng, self.words, min(60, n)) for n in _lengths(rng)]
        date = format_datetime(datetime.fromtimestamp(at, UTC))
        head = [f"Received: from out.{address.split('@')[1]} by in{hop}.corp.example (Postfix) with ESMTPS id "
                f"{rng.getrandbits(40):010X};\r\n\t{date}" for hop in range(rng.randint(1, 4))]
        head += ["DKIM-Signature: v=1; a=rsa-sha256; d=customer.example; s=s1;\r\n\tb="
                 + base64.b64encode(rng.randbytes(192)).decode(),
                 f"Date: {date}", f"From: {_header(name, 'utf-8')} <{address}>", "To: Support <support@corp.example>",
                 f"Subject: {_header(('Re: ' if self.ids else '') + self.subject, self.charset)}",
                 *(f"Cc: {_header(n, 'utf-8')} <{a}>" for n, a in self.people if a != address),
                 f"Message-ID: <{number}.{rng.getrandbits(64):x}@customer.example>", "MIME-Version: 1.0"]
        if self.ids:
            head += [f"In-Reply-To: {self.ids[-1]}", "References: " + "\r\n ".join(self.ids[-20:])]
        plain = "\r\n\r\n".join(paragraphs) + "".join(f"\r\n> {line}" for line in self.quoted)
        body = _text(rng, "plain", plain, self.charset)
        if rng.random() < 0.85:
            body = _multipart(rng, "alternative", body, _text(rng, "html", self._html(rng, paragraphs), self.charset))
        if rng.random() < 0.10:
            data = rng.choice(files) if rng.random() < 0.25 else rng.randbytes(rng.randint(50_000, 500_000))
            body = _multipart(rng, "mixed", body, _file(rng, data))
        self.ids.append(next(h for h in head if h.startswith("Message-ID")).split(" ", 1)[1])
        self.quoted = (paragraphs + self.quoted)[:40]
        self.left, self.turn = self.left - 1, self.turn + 1
        return "\r\n".join(head).encode() + b"\r\n" + body

    def _html(self, rng, paragraphs):
        style = "margin:0 0 12px 0;font-family:Arial,sans-serif;font-size:14px;color:#222222"
        body = "".join(f'<p style="{style}">{p}</p>\r\n' for p in paragraphs)
        if self.kind == "newsletter":
            cells = "".join(f'<tr><td style="padding:8px 16px"><a href="https://shop.example/{rng.getrandbits(64):x}">'
                            f'<img src="https://img.example/{rng.getrandbits(32):x}.png" width="120" height="80"></a>'
                            "</td></tr>\r\n" for _ in range(rng.randint(4, 14)))
            body = f'<table width="600" cellpadding="0" border="0"><tr><td>{body}</td></tr>{cells}</table>'
        quoted = "".join(f"<div>{line}</div>\r\n" for line in self.quoted)
        if quoted and self.kind == "outlook":
            body += f'<div style="border-top:solid #E1E1E1 1.0pt"><p class="MsoNormal"><b>From:</b> …</p></div>{quoted}'
        elif quoted:
            body += f'<div class="gmail_quote"><blockquote style="margin:0 0 0 .8ex">{quoted}</blockquote></div>'
        return f"<html><head><style>body{{margin:0}}</style></head><body>{body}</body></html>"


def _vocabulary(rng, consonants, vowels):
    words = ["".join(rng.choice(consonants) + rng.choice(vowels) for _ in range(rng.randint(1, 4)))
             for _ in range(8000)]
    return words, list(itertools.accumulate(1 / (n + 3) for n in range(len(words))))


def _sentence(rng, words, length):
    return " ".join(rng.choices(words[0], cum_weights=words[1], k=length)).capitalize() + "."


def _lengths(rng):
    """Words of each paragraph; about 130 words a message, now and then 1,500."""
    size = int(min(max(rng.lognormvariate(4.9, 0.75), 12), 1500))
    return [min(60, size - n) for n in range(0, size, 60)]


def _person(rng):
    given, family = rng.choice(GIVEN), rng.choice(FAMILY)
    plain = f"{given}.{family}".encode("ascii", "ignore").decode().lower()
    return f"{given} {family}", f"{plain}{rng.randint(1, 400)}@{rng.choice(('customer.example', 'shop.example'))}"


def _header(text, charset):
    return text if text.isascii() else Header(text, charset).encode(linesep="\r\n")


def _text(rng, kind, text, charset):
    data = text.encode(charset, "replace")
    if charset == "iso-2022-jp":
        encoding, body = "7bit", data
    elif rng.random() < 0.3:
        encoding, body = "base64", base64.encodebytes(data).replace(b"\n", b"\r\n")
    else:
        encoding, body = "quoted-printable", quopri.encodestring(data.replace(b"\r\n", b"\n")).replace(b"\n", b"\r\n")
    return (f'Content-Type: text/{kind}; charset="{charset}"\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n'
            ).encode() + body + b"\r\n"


def _multipart(rng, kind, *parts):
    mark = f"=_{rng.getrandbits(96):024x}"
    inside = b"".join(b"--%s\r\n%s\r\n" % (mark.encode(), part) for part in parts)
    return f'Content-Type: multipart/{kind}; boundary="{mark}"\r\n\r\n'.encode() + inside + f"--{mark}--\r\n".encode()


def _file(rng, data):
    name, kind = rng.choice((("invoice.pdf", "application/pdf"), ("photo.jpg", "image/jpeg"),
                             ("all.zip", "application/zip")))
    return (f'Content-Type: {kind}; name="{name}"\r\nContent-Disposition: attachment; filename="{name}"\r\n'
            "Content-Transfer-Encoding: base64\r\n\r\n").encode() + base64.encodebytes(data).replace(b"\n", b"\r\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("maildir")
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=11)
    arguments = parser.parse_args()
    size = fill(arguments.maildir, arguments.count, arguments.seed)
    print(f"{arguments.count} messages, {size / 1e6:.1f} MB")
