"""Handing mail over: exact bytes, one answer for each recipient, and certainty about whether it went out."""

import base64
import re
import socket
import threading

import pytest
from servers.proxy import FaultProxy

from webapp.mail.smtp import SmtpRefused, SmtpSession
from webapp.mail.types import Login, MailError

from .conftest import ZOFIA, at, cases, policy_for

RAW = b"From: zofia@example.test\r\nSubject: x\r\n\r\n.\r\n..two\r\n.QUIT\r\nend\r\n"


@pytest.fixture
def post(sink):
    """The sink, clean, with Zofia's password; `post()` opens a session."""
    sink.reset()
    sink.add_user(*ZOFIA)

    def open_session(login=ZOFIA, port=None, security="tls"):
        port = port or sink.port
        return SmtpSession.open(at(port, security), login, policy_for(sink.ca_file, port))

    return open_session


def send(session, recipients=("marek@example.test",), raw=RAW, before_dot=lambda: None):
    return session.send("zofia@example.test", list(recipients), raw, before_dot)


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_the_message_arrives_byte_for_byte(post, sink, security):
    with post(port=sink.port if security == "tls" else sink.starttls_port, security=security) as session:
        session.check()
        assert session.tls.version.startswith("TLSv1.")
        sent = send(session, ["marek@example.test", "ewa@example.test", "marek@example.test"])
    assert sent == (("marek@example.test", "ewa@example.test"), {})
    (got,) = sink.received
    assert got.raw == RAW and got.wire.endswith(b"\r\nend\r\n.\r\n") and b"\r\n...two\r\n" in got.wire
    assert got.recipients == ("marek@example.test", "ewa@example.test") and got.user == "zofia@example.test"


def test_two_messages_go_over_one_session(post, sink):
    with post() as session:
        send(session)
        send(session)
    assert len(sink.received) == 2


def test_before_dot_is_called_when_only_the_dot_is_missing(post, sink):
    seen = []
    with post() as session:
        send(session, before_dot=lambda: seen.append(len(sink.received)))
    assert seen == [0] and len(sink.received) == 1


def test_one_refused_recipient_does_not_stop_the_others(post, sink):
    sink.knobs.recipients = {"no@example.test": "550 5.1.1 No such user", "later@example.test": "451 4.7.1 Greylisted"}
    with post() as session:
        sent = send(session, ["no@example.test", "marek@example.test", "later@example.test"])
    assert sent.accepted == ("marek@example.test",)
    assert sent.refused == {
        "no@example.test": (550, "5.1.1 No such user"),
        "later@example.test": (451, "4.7.1 Greylisted"),
    }


@pytest.mark.parametrize(("answer", "temporary"), [("550 5.1.1 No", False), ("451 4.7.1 Later", True)])
def test_nobody_accepted_is_a_refusal_and_the_session_lives_on(post, sink, answer, temporary):
    sink.knobs.recipients = {"no@example.test": answer}
    with post() as session:
        with pytest.raises(SmtpRefused) as caught:
            send(session, ["no@example.test"], before_dot=lambda: pytest.fail("no dot was due"))
        assert caught.value.temporary is temporary and caught.value.facts["at"] == "recipients"
        assert caught.value.facts["refused"]["no@example.test"][0] == int(answer[:3])
        send(session)
    assert len(sink.received) == 1


@pytest.mark.parametrize(
    ("knob", "answer", "at_step"),
    [
        ("sender_answer", "553 5.7.1 Not yours", "sender"),
        ("data_answer", "554 5.7.1 Spam", "message"),
        ("data_answer", "452 4.3.1 Full", "message"),
    ],
)
def test_a_refusal_names_its_step(post, sink, knob, answer, at_step):
    setattr(sink.knobs, knob, answer)
    with post() as session, pytest.raises(SmtpRefused) as caught:
        send(session)
    facts = caught.value.facts
    assert (facts["at"], facts["smtp_code"], caught.value.temporary) == (at_step, int(answer[:3]), answer[0] == "4")
    assert sink.received == []


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ("535 5.7.8 no", "smtp_refused"),
        ("454 4.7.0 later", "unavailable"),
        ("534 5.7.9 app password needed", "smtp_refused"),
    ],
)
def test_a_refused_sign_in_is_tried_once(post, sink, answer, code):
    sink.knobs.sign_in_answer = answer
    with pytest.raises(MailError) as caught:
        post()
    assert caught.value.code == code and bytes(sink.wire).upper().count(b"AUTH") == 1
    if code == "smtp_refused":
        assert caught.value.facts["at"] == "sign_in" and caught.value.facts["smtp_code"] == int(answer[:3])


def test_a_password_may_hold_any_character(post, sink):
    odd = Login("zofia2@example.test", 'zażółć "x" \\')
    sink.add_user(*odd)
    post(odd).close()


def test_a_connection_lost_before_the_dot_sent_nothing(post, sink):
    sink.knobs.drop = "before_dot"
    called = []
    with pytest.raises(MailError) as caught, post() as session:
        send(
            session,
            raw=b"Subject: x\r\n\r\n" + b"y" * 900 + b"\r\n" + b"z\r\n" * 1_000_000,
            before_dot=lambda: called.append(True),
        )
    assert caught.value.code == "lost" and caught.value.temporary and called == [] and sink.received == []


def test_a_connection_lost_after_the_dot_is_uncertain(post, sink):
    sink.knobs.drop = "after_dot"
    with pytest.raises(MailError) as caught, post() as session:
        send(session)
    assert caught.value.code == "uncertain" and not caught.value.temporary and len(sink.received) == 1


def test_an_error_in_before_dot_leaves_nothing_behind(post, sink):
    def fail():
        raise LookupError("the row is gone")

    with pytest.raises(LookupError), post() as session:
        send(session, before_dot=fail)
    assert sink.received == []


@pytest.mark.parametrize(
    "raw", [b"a\nb\r\n", b"a\rb\r\n", b"a\0b\r\n", b"a\r\n.\n.\r\n", b"\r\n.\r\r\n", b"x" * 999 + b"\r\n"]
)
def test_bytes_that_could_end_the_message_early_never_leave(post, sink, raw):
    with post() as session, pytest.raises(ValueError, match="bare|line"):
        send(session, raw=raw)
    assert b"MAIL" not in sink.wire


@pytest.mark.parametrize(
    "address", ["a@b.c> SIZE=1", "a b@c.d", "<a@b.c>", "a@b.c\r\nRCPT TO:<ewa@b.c>", "", "a\0@b.c", "a@b.c\n"]
)
def test_addresses_that_could_become_commands_never_leave(post, sink, address):
    with post() as session:
        with pytest.raises(ValueError, match="address"):
            send(session, [address])
        with pytest.raises(ValueError, match="address"):
            session.send(address or " ", ["marek@example.test"], RAW, lambda: None)
    assert b"MAIL" not in sink.wire


def test_smuggled_ends_of_data_are_refused_or_stuffed(post, sink):
    rows = [base64.b64decode(row["body_b64"]) for row in cases("smtp-smuggling") if "body_b64" in row]
    rows += [
        b"hi" + end + b"MAIL FROM:<ceo@example.test>\r\n"
        for end in (b"\n.\n", b"\n.\r\n", b"\r.\r", b"\r\n.\r", b"\r\n.\r\n")
    ]
    expected = 0
    with post() as session:
        for body in rows:
            for raw in (body, re.sub(rb"\r\n|\r|\n", b"\r\n", body)):
                try:
                    send(session, raw=b"Subject: x\r\n\r\n" + raw)
                    expected += 1
                    assert sink.received[-1].raw.startswith(b"Subject: x\r\n\r\n" + raw)
                except ValueError:
                    assert re.search(rb"\r(?!\n)|(?<!\r)\n|\0", raw)
    assert len(sink.received) == expected >= len(rows)
    assert all(got.recipients == ("marek@example.test",) for got in sink.received)


def test_a_message_over_the_servers_size_is_refused_before_it_is_sent(post, sink):
    with post() as session:
        session._smtp.esmtp_features["size"] = "20"
        with pytest.raises(SmtpRefused) as caught:
            send(session)
    assert caught.value.facts["smtp_code"] == 552 and b"MAIL" not in sink.wire


def test_control_characters_in_a_password_never_leave():
    with pytest.raises(MailError) as caught:
        SmtpSession.open(at(1), Login("zofia", "a\r\nb"), policy_for(None, 1))
    assert caught.value.code == "not_allowed"


class Script:
    """A server that says these lines, one for each line that it hears; b"TLS" is nothing it can do."""

    def __init__(self, *lines: bytes):
        self.heard: list[bytes] = []
        self._lines, self._listener = list(lines), socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]

    def __enter__(self):
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *exc):
        self._listener.close()
        self._thread.join(5)

    def _serve(self):
        sock, _ = self._listener.accept()
        with sock, sock.makefile("rb") as file:
            sock.settimeout(3)
            try:
                for line in self._lines:
                    sock.sendall(line)
                    self.heard.append(file.readline())
            except OSError:
                pass


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        ([b"220 x\r\n", b"250 x\r\n", b"502 what\r\n"], "not_tls"),
        ([b"220 x\r\n", b"250-x\r\n250 STARTTLS\r\n", b"454 no\r\n"], "not_tls"),
        ([b"220 x\r\n", b"250-x\r\n250 AUTH LOGIN PLAIN\r\n", b"500 no\r\n"], "not_tls"),
        ([b"220 x\r\n", b"250-x\r\n250 STARTTLS\r\n", b"220 go\r\n250 injected\r\n"], "protocol"),
        ([b"220 x\r\n", b"250-x\r\n250 STARTTLS\r\n", b"220 go\r\n", b"250 plain\r\n"], "not_tls"),
        ([b"554 no\r\n"], "unavailable"),
        ([b"421 too many connections\r\n"], "throttled"),
        ([b"* OK imap\r\n"], "protocol"),
        ([b"220 x\r\n", b"502 no\r\n"], "protocol"),
        ([b"220-" + b"x" * 100_000 + b"\r\n"], "protocol"),
        ([b"220-x\r\n" * 1000], "protocol"),
        ([b""], "timed_out"),
    ],
)
def test_no_password_leaves_before_tls(lines, code):
    with Script(*lines) as server:
        with pytest.raises(MailError) as caught:
            SmtpSession.open(at(server.port, "starttls"), ZOFIA, policy_for(None, server.port, read_seconds=0.5))
        assert caught.value.code == code
        server._listener.close()
    assert not [line for line in server.heard if b"AUTH" in line.upper()]


def test_a_self_signed_certificate_is_refused(authority):
    from fakes.imap import FakeImap

    with FakeImap(authority.self_signed()) as server, pytest.raises(MailError) as caught:
        SmtpSession.open(at(server.port), ZOFIA, policy_for(authority.ca_file, server.port))
    assert caught.value.code == "certificate" and caught.value.facts["reason"] == "self_signed"


def test_the_session_as_a_whole_has_an_end(sink):
    with FaultProxy(sink.port) as proxy:
        proxy.delay = 0.4
        with pytest.raises(MailError) as caught:
            SmtpSession.open(at(proxy.port), ZOFIA, policy_for(sink.ca_file, proxy.port), seconds=1.0)
    assert caught.value.code in ("timed_out", "lost")
