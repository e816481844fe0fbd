"""What badly behaved clients send does not disturb the server."""

import random
import socket
import ssl

KONTAKT = "kontakt@transwisla.example"


def _plain_socket(demo, port=None):
    context = ssl.create_default_context(cafile=demo.ca)
    raw = socket.create_connection(("127.0.0.1", port or demo.imap_port), timeout=5)
    return context.wrap_socket(raw, server_hostname="localhost")


def test_commands_in_the_wrong_state_or_shape_are_bad_and_the_session_goes_on(demo):
    client = demo.imap(KONTAKT)
    for line in (b"FETCH 1 FLAGS", b"SELECT", b"NONSENSE x", b"STATUS INBOX (NOTHING)", b"UID", b"LIST (",
                 b"SEARCH", b"APPEND INBOX (\\Seen)", b"LOGIN a b", b"FETCH (1) (2)", b"STORE"):
        client.socket().sendall(b"x1 " + line + b"\r\n")
        answer = client._imap.readline()
        assert b" BAD " in answer, (line, answer)
    assert client.noop()


def test_noise_ends_only_the_connection_that_makes_it(demo):
    noise = random.Random(7)
    for _ in range(30):
        with _plain_socket(demo) as client:
            client.recv(4096)
            client.sendall(bytes(noise.choice(b"aA1 (){}[]\"\\*%\r\n\x00\xff+~") for _ in range(2000)))
    demo.imap(KONTAKT).logout()


def test_a_line_without_end_and_a_giant_literal_are_cut_off(demo):
    for flood in (b"a" * 200_000, b"a LOGIN {4000000000}\r\n"):
        with _plain_socket(demo) as client:
            client.recv(4096)
            try:
                client.sendall(flood)
                answers = b""
                while piece := client.recv(4096):
                    answers += piece
            except (ConnectionError, ssl.SSLError):
                continue  # closed while we were still sending
            assert b"* BYE" in answers


def test_guessing_passwords_is_cut_off_after_a_few(demo):
    with _plain_socket(demo) as client:
        client.recv(4096)
        answers = b""
        for number in range(6):
            try:
                client.sendall(b"a%d LOGIN kontakt@transwisla.example wrong\r\n" % number)
                answers += client.recv(4096)
            except (ConnectionError, ssl.SSLError):
                break
        assert answers.count(b"AUTHENTICATIONFAILED") == 5 and b"* BYE" in answers
