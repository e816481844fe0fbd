"""One message before it is bytes, and the bytes: headers, text, HTML, attachments, always the same for the same values.

The text has a small markup: an empty line parts paragraphs, lines with " | " are a table whose first
row is its head, lines that begin with "- " a list.
"""

import hashlib
import textwrap
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from html import escape

from webapp.demo.story.attachments import File

SAID = {"pl": "W dniu {date} {name} napisał(a):", "en": "On {date}, {name} wrote:", "de": "Am {date} schrieb {name}:",
        "ja": "{date} {name}:"}


@dataclass(frozen=True)
class Quote:
    name: str
    date: datetime
    text: str


@dataclass(frozen=True)
class Letter:
    sender: tuple[str, str]                        # (name, address)
    to: tuple[tuple[str, str], ...]
    subject: str
    text: str
    date: datetime                                 # aware; the zone is what the header shows
    message_id: str                                # with angle brackets; "" leaves the field out
    cc: tuple[tuple[str, str], ...] = ()
    in_reply_to: str = ""
    references: tuple[str, ...] = ()
    language: str = "pl"
    quote: Quote | None = None
    signature: tuple[str, ...] = ()                # lines
    colour: str = ""                               # corporate HTML beside the text when set
    remote_images: tuple[str, ...] = ()            # URLs; only with colour
    logo: File | None = None                       # inline, shown in the signature; only with colour
    files: tuple[File, ...] = ()
    charset: str = "utf-8"
    headers: tuple[tuple[str, str], ...] = field(default=())


def message_id(domain: str, *seed) -> str:
    """A Message-ID that is the same for the same seed."""
    digest = hashlib.blake2s(repr(seed).encode(), digest_size=12).hexdigest()
    return f"<{digest}@{domain}>"


def to_bytes(letter: Letter) -> bytes:
    """RFC 5322 with CRLF."""
    message = EmailMessage(policy=SMTP)
    message["From"] = _address(*letter.sender)
    message["To"] = [_address(*person) for person in letter.to]
    if letter.cc:
        message["Cc"] = [_address(*person) for person in letter.cc]
    message["Subject"] = letter.subject
    message["Date"] = letter.date
    if letter.message_id:
        message["Message-ID"] = letter.message_id
    if letter.in_reply_to:
        message["In-Reply-To"] = letter.in_reply_to
    if letter.references:
        message["References"] = " ".join(letter.references)
    for name, value in letter.headers:
        message[name] = value
    _set_body(message, letter)
    return finished(message, letter.message_id or letter.subject)


def finished(message: EmailMessage, seed: str) -> bytes:
    """The bytes, with boundaries that depend on `seed` only."""
    if message.is_multipart():
        for number, part in enumerate(part for part in message.walk() if part.is_multipart()):
            if part.get_content_maintype() == "multipart":
                part.set_boundary(f"=_{hashlib.blake2s(seed.encode(), digest_size=8).hexdigest()}_{number}")
    return message.as_bytes()


def _address(name: str, address: str) -> Address:
    return Address(display_name=name, addr_spec=address)


def _set_body(message: EmailMessage, letter: Letter) -> None:
    text = _plain(letter)
    if letter.charset != "utf-8":
        text = text.encode(letter.charset, "replace").decode(letter.charset)
    # 8bit for the old code pages, as the programs that still use them write it.
    transfer = "quoted-printable" if letter.charset in ("utf-8", "windows-1250") else "8bit"
    message.set_content(text, charset=letter.charset, cte=transfer)
    if letter.colour:
        message.add_alternative(_html(letter), subtype="html", charset="utf-8", cte="quoted-printable")
        if letter.logo:
            html_part = message.get_payload()[1]
            kind, sub = letter.logo.content_type.split("/")
            html_part.add_related(letter.logo.content, kind, sub, cid=f"<{_logo_id(letter)}>",
                                  filename=letter.logo.name, disposition="inline")
    for file in letter.files:
        kind, sub = file.content_type.split("/", 1)
        if kind == "text":
            message.add_attachment(file.content.decode("utf-8"), subtype=sub, filename=file.name, cte="base64")
        else:
            message.add_attachment(file.content, kind, sub, filename=file.name)


def _logo_id(letter: Letter) -> str:
    return "logo." + letter.sender[1]


def _plain(letter: Letter) -> str:
    blocks = []
    for block in _blocks(letter.text):
        if isinstance(block, list):
            widths = [max(len(row[column]) for row in block if column < len(row)) for column in range(len(block[0]))]
            blocks.append("\n".join(
                "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=False)).rstrip()
                for row in block))
        else:
            blocks.append("\n".join(textwrap.fill(line, 76, break_long_words=False, break_on_hyphens=False)
                                    for line in block.split("\n")))
    if letter.signature:
        blocks.append("-- \n" + "\n".join(letter.signature))
    if letter.quote:
        said = _said(letter)
        quoted = "\n".join(textwrap.fill(line, 74) for line in _unwrapped(letter.quote.text).split("\n"))
        blocks.append("\n".join([said, *(f"> {line}".rstrip() for line in quoted.split("\n"))]))
    return "\n\n".join(blocks) + "\n"


def _blocks(text: str) -> Iterable[str | list[list[str]]]:
    for block in _unwrapped(text).split("\n\n"):
        rows = block.split("\n")
        if len(rows) > 1 and all(" | " in row for row in rows):
            yield [[cell.strip() for cell in row.split(" | ")] for row in rows]
        else:
            yield block


def _unwrapped(text: str) -> str:
    """A long line goes on in the next: it was broken for the eyes of those who read the source."""
    lines = [line.strip() for line in text.strip().split("\n")]
    out = lines[:1]
    for before, line in zip(lines, lines[1:], strict=False):
        if len(before) > 90 and line and " | " not in before + line:
            out[-1] += " " + line
        else:
            out.append(line)
    return "\n".join(out)


def _said(letter: Letter) -> str:
    date = letter.quote.date
    shown = date.strftime("%Y-%m-%d %H:%M") if letter.language in ("en", "ja") else date.strftime("%d.%m.%Y %H:%M")
    return SAID[letter.language].format(date=shown, name=letter.quote.name)


# The HTML as mail programs make it: tables for layout, styles inline, one style block that half of them drop.

def _html(letter: Letter) -> str:
    name = letter.signature[-1] if letter.signature else letter.sender[0]
    company = letter.signature[2] if len(letter.signature) > 2 else name
    remote = "".join(f'<img src="{escape(url)}" width="560" alt="" style="display:block;border:0">'
                     for url in letter.remote_images if not url.endswith(".gif"))
    remote += "".join(f'<img src="{escape(url)}" width="1" height="1" alt="">'
                      for url in letter.remote_images if url.endswith(".gif"))
    return f"""<!DOCTYPE html>
<html lang="{letter.language}"><head><meta charset="utf-8"><title>{escape(letter.subject)}</title>
<style>body{{margin:0;background:#f4f2ee}} .wrap{{max-width:600px}} a{{color:{letter.colour}}}</style></head>
<body style="margin:0;background:#f4f2ee;font-family:Arial,Helvetica,sans-serif;font-size:14px;color:#222">
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0"><tr><td align="center">
<table role="presentation" class="wrap" width="600" cellpadding="0" cellspacing="0" border="0" \
style="background:#ffffff;border-top:4px solid {letter.colour}">
<tr><td style="padding:14px 20px;color:{letter.colour};font-weight:bold;letter-spacing:1px">\
{escape(company.upper())}</td></tr>
<tr><td style="padding:4px 20px 20px;line-height:1.5">
{_html_blocks(letter)}
{remote}
{_html_signature(letter)}
{_html_quote(letter)}
</td></tr></table>
</td></tr></table></body></html>
"""


def _html_blocks(letter: Letter) -> str:
    return "\n".join(_html_block(block, letter.colour) for block in _blocks(letter.text))


def _html_block(block: str | list[list[str]], colour: str) -> str:
    if isinstance(block, str):
        lines = block.split("\n")
        if all(line.startswith("- ") for line in lines):
            return "<ul>" + "".join(f"<li>{escape(line[2:])}</li>" for line in lines) + "</ul>"
        return '<p style="margin:0 0 12px">' + "<br>".join(escape(line) for line in lines) + "</p>"
    head = "".join(f'<th align="left" style="padding:5px 9px;background:{colour};color:#ffffff">{escape(cell)}</th>'
                   for cell in block[0])
    rows = "".join(
        "<tr>" + "".join(f'<td style="padding:5px 9px;border-bottom:1px solid #dddddd">{escape(cell)}</td>'
                         for cell in row) + "</tr>" for row in block[1:])
    return f'<table cellpadding="0" cellspacing="0" style="border-collapse:collapse;margin:0 0 14px">' \
           f"<tr>{head}</tr>{rows}</table>"


def _html_signature(letter: Letter) -> str:
    if not letter.signature:
        return ""
    image = f'<td style="padding-right:12px"><img src="cid:{_logo_id(letter)}" width="90" alt=""></td>' \
        if letter.logo else ""
    lines = [f"<b>{escape(letter.signature[0])}</b>", *(escape(line) for line in letter.signature[1:])]
    return f'<table cellpadding="0" cellspacing="0" style="margin-top:16px;font-size:12px;color:#555555"><tr>{image}' \
           f"<td>{'<br>'.join(lines)}</td></tr></table>"


def _html_quote(letter: Letter) -> str:
    if not letter.quote:
        return ""
    lines = "<br>".join(escape(line) for line in _unwrapped(letter.quote.text).split("\n"))
    return f'<p style="margin:18px 0 4px;color:#777777">{escape(_said(letter))}</p>' \
           f'<blockquote style="margin:0;padding-left:10px;border-left:2px solid #cccccc;color:#666666">' \
           f"{lines}</blockquote>"
