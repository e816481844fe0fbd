"""Letters, and connections made by the product's own actions, for the tests of everything behind the mail layer."""

from datetime import UTC, datetime, timedelta
from email.headerregistry import HeaderRegistry
from email.message import EmailMessage
from email.policy import default

from sqlalchemy import select

from webapp.actions import connections, receive
from webapp.extensions import db, unit
from webapp.mail.types import Fetched, Folder
from webapp.models import Connection, Conversation, Inbox, Person
from webapp.models import Folder as FolderRow

FOLDERS = [Folder("INBOX", b"INBOX", "inbox", True), Folder("Sent", b"Sent", "sent", True),
           Folder("Archive", b"Archive", "archive", True)]
CUSTOMER, TEAM = "Anna Nowak <anna@customer.example>", "support@corp.example"


def letter(sender=CUSTOMER, to=TEAM, subject="Broken pallet", text="Hello,\r\n\r\nit is broken.\r\n", html=None, files=(),
           **headers) -> bytes:
    """One mail as it lies on a server. `files`: (name, content type, bytes). Headers with _ for -, as they are."""
    message = EmailMessage(policy=default.clone(header_factory=HeaderRegistry(use_default_map=False)))
    for name, value in {"From": sender, "To": to, "Subject": subject, **headers}.items():
        if value is not None:
            message[name.replace("_", "-")] = value
    message.set_content(text)
    if html:
        message.add_alternative(html, subtype="html")
    for name, kind, content in files:
        message.add_attachment(content, *kind.split("/"), filename=name)
    return message.as_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def report(about: str, text="It did not arrive.", to=TEAM, **headers) -> bytes:
    """A mail server's, on a mail that was not delivered; `about`: its Message-ID. Headers with _ for -, as they are."""
    head = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    return (f"Return-Path: <>\r\nFrom: Mailer <mailer-daemon@mx.example>\r\nTo: {to}\r\n{head}Subject: Undeliverable\r\n"
            'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
            f"--b\r\nContent-Type: text/plain\r\n\r\n{text}\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n"
            f"Message-ID: <{about}>\r\nSubject: Re: x\r\n\r\nText\r\n--b--\r\n").encode()


def person(name) -> Person:
    return db.session.scalar(select(Person).where(Person.name == name.title()))


def inbox(name="Support") -> Inbox:
    return db.session.scalar(select(Inbox).where(Inbox.name == name))


def conversation(number) -> Conversation:
    """As it is now."""
    return db.session.get(Conversation, number, populate_existing=True)


def connected(kind="team", address=TEAM, actor="zofia", inbox_name="Support", servers=None, login=None) -> int:
    """A connection that is connected and has folders, as after the checklist; its id. Its servers are made up."""
    with unit():
        row = connections.begin(person(actor), kind, address, "secret-1",
                                inbox=inbox(inbox_name) if kind == "team" else None,
                                servers=servers or {"imap_host": "imap.corp.example", "imap_port": 993,
                                                    "imap_security": "tls", "smtp_host": "smtp.corp.example",
                                                    "smtp_port": 465, "smtp_security": "tls", "user_name": address})
        connections.claim(row, login or f"imap.corp.example {address}")
        connections.set_folders(row, FOLDERS)
        for folder in row.folders:
            folder.uidvalidity = 1
        row.created_at -= timedelta(hours=1)     # so that what arrives now is new, not history
        return row.id


def folder_of(connection_id, role="inbox") -> FolderRow:
    return db.session.scalar(select(FolderRow).where(FolderRow.connection_id == connection_id, FolderRow.role == role))


def arrive(connection_id, *raws, role="inbox", first_uid=1, at=None, flags=()):
    """Raw mails, or items of the mail layer, received as one batch: UIDs and seconds count up from the first."""
    at = at or datetime.now(UTC).replace(microsecond=0)
    items = [Fetched(first_uid + n, raw, at + timedelta(seconds=n), frozenset(flags)) if isinstance(raw, bytes) else raw
             for n, raw in enumerate(raws)]
    with unit():
        receive.receive(db.session.get(Connection, connection_id), folder_of(connection_id, role), items)


def stored(model, *conditions):
    """All rows of a model, oldest first, read afresh."""
    db.session.rollback()
    return db.session.scalars(select(model).where(*conditions).order_by(model.id)).all()
