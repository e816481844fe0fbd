"""No string from anywhere can become a second command: one tagged command on the wire for each call."""

import contextlib
import re

import pytest

from webapp.mail.imap import Session
from webapp.mail.types import Folder, Login, MailError

from .conftest import ZOFIA, cases

OWN = [
    "INBOX\r\nX1 DELETE INBOX",
    "INBOX\nX1 NOOP",
    "a\0b",
    "\r",
    'x" ALL',
    'x" (',
    "{3}",
    "{3+}",
    "\\",
    '"',
    "*",
    "a b",
    "ż",
    "a" * 5000,
    "&AA0ACg-",
    "(\\Deleted)",
    "]\x7f",
    "\ud800",
    "",
    "%",
]
ROWS = [(row["where"], row["value"]) for row in cases("imap-injection")]
WHERE = (
    "folder_name",
    "append_folder",
    "flag_name",
    "search_message_id",
    "search_text",
    "login_username",
    "login_password",
)


@pytest.fixture
def calls(fake):
    """name of the place -> a call with the value there; a session is open already."""
    with Session.open(fake.endpoint, ZOFIA, fake.policy) as session:

        def folder(value):
            return Folder(value, value.encode("utf-8", "surrogatepass"), "other", True)

        def sign_in(user, password):
            Session.open(fake.endpoint, Login(user, password), fake.policy).close()

        yield {
            "folder_name": lambda v: (session.select(folder(v)), session.status(folder(v))),
            "append_folder": lambda v: session.append(folder(v), b"x\r\n"),
            "flag_name": lambda v: session.append(folder("INBOX"), b"x\r\n", [v]),
            "search_message_id": lambda v: session.search_message_id(folder("INBOX"), v),
            "search_text": lambda v: session.search_message_id(folder("INBOX"), v),
            "login_username": lambda v: sign_in(v, "secret"),
            "login_password": lambda v: sign_in("zofia@example.test", v),
        }


@pytest.mark.parametrize("plain_login", [False, True])
def test_every_value_is_refused_or_stays_inside_its_own_command(fake, calls, plain_login):
    if plain_login:
        fake.capabilities = b"IMAP4rev1"
    # Sieve is not spoken: the names of its rules are tried as names of folders.
    rows = [(where if where in calls else "folder_name", value) for where, value in ROWS]
    rows += [(where, value) for where in WHERE for value in OWN]
    for where, value in rows:
        fake.heard.clear()
        fake.commands.clear()
        with contextlib.suppress(MailError):
            calls[where](value)
        names = fake.names()
        assert set(names) <= {
            b"EXAMINE",
            b"STATUS",
            b"APPEND",
            b"UID SEARCH",
            b"CAPABILITY",
            b"AUTHENTICATE",
            b"LOGIN",
            b"LOGOUT",
        }, (where, value, fake.heard)
        assert len(names) <= (4 if where.startswith("login") else 2), (where, value, names)
        tags = [tag for tag, _name, _arguments in fake.commands]
        assert len(set(tags)) == len(tags) and all(re.fullmatch(rb"[A-Z]+\d*", tag) for tag in tags)
        if re.search("[\r\n\0]", value):
            assert not any(value.encode("utf-8", "replace") in line for line in fake.heard), (where, value)


def test_control_characters_are_refused_before_a_byte_is_sent(fake, calls):
    for where in WHERE:
        fake.heard.clear()
        with pytest.raises(MailError) as caught:
            calls[where]("a\r\nX1 NOOP")
        assert caught.value.code == "not_allowed"
        assert not [line for line in fake.heard if b"NOOP" in line]
