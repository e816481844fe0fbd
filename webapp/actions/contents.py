"""What is stored of what a message says of itself: columns, asked for in a process apart, since strangers wrote it."""

from contextlib import suppress
from dataclasses import replace

from webapp.mail import html as mail_html
from webapp.mail.apart import Apart, Died
from webapp.mail.parse import MAX_HEADERS, PARSER_VERSION, parse, parse_header
from webapp.mail.text import snippet
from webapp.mail.types import Parsed
from webapp.rules.tokens import words_of


def contents_of(raw, how):
    """(Parsed without its body, but with its words; columns of Message; of each Attachment). `how`: whole; text:
    the whole was more than the parser could bear, its HTML is left alone; header; beyond: that was too much as well,
    look at its header only; or the marks of a message in short, see `pack.in_short`: then None when it has to be read
    as it was."""
    if isinstance(how, dict):
        parsed = parse(raw, how)
        if not parsed.readable or "marks_astray" in parsed.problems:
            return None
    else:
        parsed = parse(raw) if how in ("whole", "text") else parse_header(raw)
    if how == "beyond":
        parsed = replace(parsed, readable=False)
    columns, attachments = _columns(parsed, crude=how == "text")
    said = replace(parsed, text="", html=None, parts=(), words=_words(columns, attachments))
    return said, columns, attachments


def read_alone(raw, apart=None):
    """What `contents_of` says of one whole message, asked in a process apart: its own, or that of `apart`."""
    if apart is None:
        with Apart(contents_of) as apart:
            return read_alone(raw, apart)
    try:
        apart.ask([(raw, "whole")])
        return apart.answer()
    except Died:
        return read_beyond(raw, apart)


def read_beyond(raw, apart):
    """What a message says that the parser did not survive, with falling ambition (DEFENCE 4.2): its text, its header,
    nothing."""
    for part, how in ((raw, "text"), (raw[:MAX_HEADERS], "beyond")):
        with suppress(Died):
            apart.ask([(part, how)])
            return apart.answer()
    nothing = Parsed(readable=False)
    return nothing, *_columns(nothing)


def _columns(parsed, crude=False):
    """Columns of Message from what the message says of itself, and of Attachment, a dict each. They can be read again
    when parser or sanitiser get better."""
    sender = parsed.sender or ("", "")
    columns = {"message_id": parsed.message_id, "references": list(parsed.references), "subject": parsed.subject,
               "auto": parsed.auto_submitted, "auto_kind": parsed.auto_kind, "bounce": parsed.bounce,
               "sender_ambiguous": parsed.sender_ambiguous, "sender_hides": parsed.sender_hides,
               "authentication": parsed.authentication, "invitation": parsed.invitation,
               "from_name": sender[0], "from_address": sender[1],
               "reply_to": [list(m) for m in parsed.reply_to], "to": [list(m) for m in parsed.to],
               "cc": [list(m) for m in parsed.cc], **_body(parsed, crude),
               "has_attachments": any(not p.inline for p in parsed.parts), "parser_version": PARSER_VERSION}
    return columns, [{"part_index": p.index, "filename": p.filename, "content_type": p.content_type, "size": p.size,
                      "sha256": p.sha256, "content_id": p.content_id, "inline": p.inline} for p in parsed.parts]


def _words(columns, attachments):
    """Plain, for they come out of a process that is believed nothing but plain values."""
    return tuple(words_of(f"{columns['from_name']} {columns['from_address']}", columns["to"] + columns["cc"],
                          columns["subject"], [a["filename"] for a in attachments if not a["inline"]],
                          columns["text"]))


def _body(parsed, crude):
    body = {"text": parsed.text, "html": None, "has_html": False, "images": [], "height": 0, "sanitizer_version": 0}
    if parsed.html is not None:
        clean = mail_html.only_text(parsed.html) if crude else mail_html.clean(parsed.html, with_text=not parsed.text)
        body |= {"text": parsed.text or clean.text, "sanitizer_version": mail_html.SANITIZER_VERSION}
        if not clean.too_complex:
            body |= {"html": clean.html, "has_html": True, "images": [[i.kind, i.url] for i in clean.images],
                     "height": mail_html.estimate_height(clean.html)}
    return {**body, "snippet": snippet(body["text"])}
