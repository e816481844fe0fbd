import random
import time

import pytest

from webapp.mail.bounce import read
from webapp.mail.parse import parse

STATUS = """Reporting-MTA: dns; mx.example
Original-Envelope-Id: envelope@corp.example

Original-Recipient: rfc822;anna@customer.example
Final-Recipient: rfc822; a.nowak@inside.example
Action: {action}
Status: {status}
Diagnostic-Code: smtp; 550 5.1.1
 <a.nowak@inside.example>: no such user
"""
COPY = "Message-ID:\n <ours@corp.example>\nReferences: <before@corp.example>\nSubject: x\n\nMessage-ID: <in.the.text@x>\n"
QMAIL = """Hi. This is the qmail-send program at mx.example.
I'm afraid I wasn't able to deliver your message to the following addresses.

<anna@customer.example>:
Sorry, no mailbox here by that name. (#5.1.1)

--- Below this line is a copy of the message.

Return-Path: <support@corp.example>
Message-ID: <ours@corp.example>
Subject: x

Hello
"""
EXIM = """This message was created automatically by mail delivery software.

A message that you sent could not be delivered to one or more of its
recipients. This is a permanent error. The following address(es) failed:

  anna@customer.example
    SMTP error from remote mail server after RCPT TO:<anna@customer.example>:
    550 5.2.2 Mailbox full

------ This is a copy of the message, including all the headers. ------

Message-Id: <ours@corp.example>
Subject: x
"""
EXCHANGE = """Delivery has failed to these recipients or groups:

anna@customer.example (anna@customer.example)
The email address you entered couldn't be found.

Original message headers:

Received: from x
Message-ID: <ours@corp.example>
"""
GMAIL = """X-Original-Message-ID: <ours@corp.example>

Final-Recipient: rfc822; anna@customer.example
Action: failed
Status: 5.7.1
Diagnostic-Code: smtp; 550-5.7.1 blocked
"""


def status(action="failed", number="5.1.1"):
    return ("message/delivery-status", STATUS.format(action=action, status=number).encode())


def test_a_report_in_fields():
    said = read([("text/plain", b"It failed."), status(), ("message/rfc822", COPY.encode())])
    assert said["ids"] == ["ours@corp.example", "envelope@corp.example"]      # not what our mail refers to
    assert said["recipients"] == [{"address": a, "hard": True, "status": "5.1.1",
                                   "text": "550 5.1.1 <a.nowak@inside.example>: no such user"}
                                  for a in ("anna@customer.example", "a.nowak@inside.example")]


@pytest.mark.parametrize("action, number, hard", [("failed", "5.7.0", True), ("failed", "4.4.7", False),
                                                  ("delayed", "4.4.1", False), ("delayed", "5.0.0", False)])
def test_hard_or_soft(action, number, hard):
    assert {r["hard"] for r in read([status(action, number)])["recipients"]} == {hard}


@pytest.mark.parametrize("action", ["delivered", "relayed", "expanded"])
def test_what_arrived_did_not_bounce(action):
    assert read([("text/plain", QMAIL.encode()), status(action, "2.0.0")]) is None


@pytest.mark.parametrize("text, number, why", [
    (QMAIL, "5.1.1", "Sorry, no mailbox here by that name. (#5.1.1)"), (EXIM, "5.2.2", "550 5.2.2 Mailbox full"),
    (EXCHANGE, "", "couldn't be found")], ids=["qmail", "exim", "exchange"])
def test_a_report_in_words(text, number, why):
    said = read([("text/plain", text.encode())])
    assert said["ids"] == ["ours@corp.example"]
    [one] = said["recipients"]
    assert (one["address"], one["hard"], one["status"]) == ("anna@customer.example", True, number) and why in one["text"]


def test_gmail_names_the_message_among_the_fields():
    said = read([("message/delivery-status", GMAIL.encode())])
    assert said["ids"] == ["ours@corp.example"] and said["recipients"][0]["status"] == "5.7.1"


def test_who_failed_by_the_header_alone():
    said = read([("text/plain", b"It will be retried for two days.")], [b"anna@customer.example, b@c.example"])
    assert [(r["address"], r["hard"]) for r in said["recipients"]] == [("anna@customer.example", False),
                                                                       ("b@c.example", False)]


def test_through_the_parser():
    parsed = parse(b"From: MAILER-DAEMON@mx.example\r\nReturn-Path: <>\r\nSubject: failure notice\r\n\r\n"
                   + QMAIL.replace("\n", "\r\n").encode())
    assert parsed.bounce and parsed.auto_kind == "robot" and parsed.report["ids"] == ["ours@corp.example"]
    letter = parse(b"From: anna@customer.example\r\nSubject: look\r\n\r\n" + QMAIL.encode())
    assert letter.report is None and not letter.bounce      # a person who quotes one


def test_whatever_it_says_it_is_read_in_no_time():
    rng, pieces = random.Random(1), [b"Final-Recipient:", b"rfc822;", b"a@b.example", b"\n", b"\n\n", b" ", b"Action:",
                                     b"failed", b"Status: 5.1.1", b"\xff\x00", b"Message-ID: <", b">", b"(", b"-" * 30,
                                     b"\r", b"<a@b.example>:", b"x" * 300]
    for kind in ("message/delivery-status", "text/plain", "message/rfc822"):
        for _ in range(60):
            content = b"".join(rng.choices(pieces, k=200))
            said = read([(kind, content)] * 20, [content])
            assert said is None or len(said["ids"]) <= 20 and len(said["recipients"]) <= 100
    for bomb in (b"Status:" + b"\n " * 200_000, b"a@" * 100_000, b"<" * 200_000, b"\n" * 200_000, b"x: " * 100_000,
                 b"- " * 100_000, b"Message-ID:" * 20_000):
        for kind in ("message/delivery-status", "text/plain", "message/rfc822"):
            began = time.process_time()
            read([(kind, bomb)] * 12, [bomb])
            assert time.process_time() - began < 1, (kind, bomb[:20])
