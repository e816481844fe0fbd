import pytest

from webapp.mail.parse import parse_header


@pytest.mark.parametrize("header, auto, kind", [
    ("", False, ""), ("Auto-Submitted: no", False, ""), ("Auto-Submitted: auto-replied (vacation)", True, "away"),
    ("Auto-Submitted: auto-replied", True, "away"), ("Auto-Submitted: Auto-Replied; x=y", True, "away"),
    ("Auto-Submitted: auto-generated", True, "robot"), ("X-Autoreply: yes", True, "away"),
    ("X-Autorespond: x", True, "away"), ("Precedence: auto_reply", True, "away"), ("Precedence: bulk", False, "list"),
    ("List-Id: <x.list>", False, "list"), ("List-Unsubscribe: <mailto:x@y>", False, "list"),
    ("X-Auto-Response-Suppress: All", True, "robot"), ("Return-Path: <>", True, "robot"),
    ("Return-Path: <a@b.test>", False, ""), ("X-FC-MachineGenerated: true", True, "robot"),
    ("List-Id: <x>\r\nAuto-Submitted: auto-generated", True, "robot"),
    ("Content-Type: multipart/report; report-type=disposition-notification; boundary=b", True, "robot"),
    ("Content-Type: multipart/report; report-type=delivery-status; boundary=b", True, "robot")])
def test_who_wrote_it(header, auto, kind):
    parsed = parse_header(f"From: a@b.test\r\nTo: support@us.test\r\n{header}\r\n\r\n".encode())
    assert (parsed.auto_submitted, parsed.auto_kind) == (auto, kind)


def test_what_it_came_through():
    parsed = parse_header(b"Received: x\r\n" * 31 + b"From: a@b.test\r\n\r\n")
    assert parsed.automatic.hops == 31
