"""The 22 given scripts of servers around STARTTLS and TLS (cases/starttls-tls.jsonl beside the project), each against our
sessions: no byte of a credential leaves before verified TLS, and nothing half is taken for whole.

Own scripts of the same kinds: test_imap_starttls.py and test_smtp.py.
"""

import contextlib
import re
import socket
import ssl
import threading

import pytest

from webapp.mail.imap import Session
from webapp.mail.smtp import SmtpSession
from webapp.mail.types import MailError

from .conftest import ZOFIA, at, cases, policy_for

ROWS = cases("starttls-tls")
KINDS = {"TLS:selfsigned": "self_signed", "TLS:wrongname": "wrong_name", "TLS:expired": "expired",
         "TLS:future": "not_yet_valid"}
OPEN = {"imap": Session.open, "smtp": SmtpSession.open}
HELLO = {"imap": b"* OK [CAPABILITY IMAP4rev1 STARTTLS] hi\r\n", "smtp": b"220 x\r\n"}


class Script:
    """A server of one connection: says the first line, then one more for each line that it hears. `heard`: in clear.

    `pair`: it goes on in TLS after the last line, or at once when there are no lines.
    """

    def __init__(self, lines, pair=None, most=None):
        self.lines, self.pair, self.most, self.heard, self.after = list(lines), pair, most, [], []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]

    def __enter__(self):
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *exc):
        self._listener.close()

    def _serve(self):
        with contextlib.suppress(OSError):
            sock, _ = self._listener.accept()
            sock.settimeout(3)
            with sock:
                for line in self.lines[:1]:
                    sock.sendall(line)
                for line in self.lines[1:]:
                    heard = self._hear(sock)
                    sock.sendall(line.replace(b"{tag}", heard.split(b" ")[0]).replace(b"{tag+1}", b"S2"))
                if self.pair:
                    self._secure(sock)
                while self._hear(sock):
                    pass

    def _secure(self, sock):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.pair.cert, self.pair.key)
        if self.most:
            context.minimum_version = ssl.TLSVersion.TLSv1
            context.maximum_version = self.most
        with context.wrap_socket(sock, server_side=True) as secure:
            secure.settimeout(3)
            while heard := secure.recv(4096):
                self.after.append(heard)

    def _hear(self, sock):
        heard = sock.recv(4096)
        self.heard.append(heard)
        return heard


def outcome(proto, port, security, ca_file):
    """MailError code, or None when it signed in."""
    try:
        OPEN[proto](at(port, security), ZOFIA, policy_for(ca_file, port, read_seconds=0.4)).close()
    except MailError as error:
        return error.code, error.facts
    return None, {}


def says_nothing_of_us(server):
    """Neither the name nor the password nor a sign-in, in any of the usual spellings."""
    for heard in server.heard:
        assert not re.search(rb"(?i)\b(login|authenticate|auth)\b", heard), heard
        assert b"secret" not in heard
        assert b"c2VjcmV0" not in heard


@pytest.fixture
def pair_of(authority, tmp_path):
    def make(word):
        if word == "TLS:1.0" or word == "TLS:alert":
            return authority.issue(label="given")
        return getattr(authority, KINDS[word])()
    return make


@pytest.mark.parametrize("case", ROWS, ids=[row["id"] for row in ROWS])
def test_a_given_script_gets_no_credential(case, authority, pair_of):
    proto, script = case["proto"], case["server_script"]
    word = script[0] if script[0].startswith("TLS:") else None
    if word == "TLS:alert":
        return _breaks_off_in_tls(authority)
    if script[0].startswith("334"):
        return _endless_challenge(authority)
    if word is None:
        with Script([line.encode() + b"\r\n" for line in script]) as server:
            code, _facts = outcome(proto, server.port, "starttls", authority.ca_file)
            assert code is not None
            says_nothing_of_us(server)
        return None
    for security in ("tls", "starttls"):
        lines = [] if security == "tls" else [HELLO[proto], *(
            [b"{tag} OK go\r\n"] if proto == "imap" else [b"250-x\r\n250 STARTTLS\r\n", b"220 go\r\n"])]
        most = ssl.TLSVersion.TLSv1 if word == "TLS:1.0" else None
        with Script(lines, pair_of(word), most) as server:
            code, facts = outcome(proto, server.port, security, authority.ca_file)
            # Some TLS libraries end such a handshake before they have heard anything: that is an early answer.
            assert code in (("not_tls", "protocol") if word == "TLS:1.0" else ("certificate",)), (security, code, facts)
            says_nothing_of_us(server)
            assert server.after == []
    return None


def _breaks_off_in_tls(authority):
    """Rubbish instead of a TLS record in the middle of a message: lost, and no half of it is given."""
    from fakes.imap import Cut, FakeImap
    with FakeImap(authority.issue(label="given")) as fake:
        fake.messages = {1: b"Subject: x\r\n\r\n" + b"y" * 5000, 2: b"Subject: y\r\n\r\n"}

        def answer(tag, arguments):
            if b"BODY" not in arguments:
                return b"* 1 FETCH (UID 1 RFC822.SIZE 5014)\r\n* 2 FETCH (UID 2 RFC822.SIZE 14)\r\n" + tag + b" OK\r\n"
            sock = next(iter(fake._open))
            sock.sendall(b"* 1 FETCH (UID 1 FLAGS () BODY[] {5014}\r\n" + fake.messages[1][:2000])
            socket.socket(fileno=socket.dup(sock.fileno())).sendall(b"\x15\x03\x03\x00\x02\x02\x64 no record at all")
            return Cut(b"")
        fake.on[b"UID FETCH"] = answer
        came = []
        with (pytest.raises(MailError) as caught,
              Session.open(at(fake.port), ZOFIA, policy_for(authority.ca_file, fake.port, read_seconds=1)) as session):
            session.select(next(f for f in session.folders() if f.role == "inbox"))
            came += session.fetch([1, 2], 100_000)
        assert caught.value.temporary
        assert caught.value.code in ("lost", "not_tls")
        assert came == []


def _endless_challenge(authority):
    """A challenge of a megabyte, and no end of it, is cut off."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    pair = authority.issue(label="given")
    context.load_cert_chain(pair.cert, pair.key)
    listener, sent = socket.create_server(("127.0.0.1", 0)), []

    def serve():
        with contextlib.suppress(OSError):
            sock, _ = listener.accept()
            with context.wrap_socket(sock, server_side=True) as secure:
                secure.sendall(b"220 x\r\n")
                secure.recv(4096)
                secure.sendall(b"250-x\r\n250 AUTH PLAIN LOGIN\r\n")
                secure.recv(4096)
                while len(sent) < 50_000:
                    secure.sendall(b"334 " * 250)
                    sent.append(1000)
    threading.Thread(target=serve, daemon=True).start()
    code, _facts = outcome("smtp", listener.getsockname()[1], "tls", authority.ca_file)
    listener.close()
    assert code in ("protocol", "timed_out")
    assert len(sent) < 50_000


def test_the_given_ones_are_all_here():
    assert not ROWS or len(ROWS) >= 22
