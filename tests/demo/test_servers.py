"""The demo's process seen from outside: real IMAP and SMTP clients, verified TLS, restarts."""

import os
import smtplib
import socket
import ssl
import subprocess
import sys
import threading
import time
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from imapclient import IMAPClient
from imapclient.exceptions import LoginError

from demo.conftest import PASSWORDS, PROJECT, start_demo
from webapp.config import Settings
from webapp.demo.people import MAILBOXES, NOTICES

KONTAKT = "kontakt@transwisla.example"
OFERTY = "oferty@transwisla.example"
FAKTURY = "faktury@transwisla.example"
ZOFIA = "zofia.dabrowska@transwisla.example"
MAREK = "marek.zielinski@transwisla.example"


def letter(sender, to, subject="Pytanie", text="Dzień dobry", ident="<one@transwisla.example>"):
    message = EmailMessage(policy=policy.SMTP)
    message["From"], message["To"], message["Subject"], message["Message-ID"] = sender, to, subject, ident
    message.set_content(text)
    return message


def wait_for(client, criteria, seconds):
    """UIDs that match, as soon as there are any."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        client.noop()
        if found := client.search(criteria):
            return found
        time.sleep(0.2)
    raise AssertionError(f"nothing matched {criteria} in {seconds} s")


def read(client, uid):
    return message_from_bytes(client.fetch([uid], ["BODY.PEEK[]"])[uid][b"BODY[]"], policy=policy.default)


def test_every_mailbox_is_opened_with_its_own_password_and_no_other(demo):
    for address in PASSWORDS:
        demo.imap(address).logout()
    with pytest.raises(LoginError, match="AUTHENTICATIONFAILED"):
        demo.imap(KONTAKT, PASSWORDS[OFERTY])
    with pytest.raises(LoginError):
        demo.imap("nobody@transwisla.example", "x")


def test_a_client_that_does_not_know_the_authority_refuses_the_certificate(demo):
    with pytest.raises(ssl.SSLCertVerificationError):
        IMAPClient("localhost", demo.imap_port, ssl_context=ssl.create_default_context())


def test_the_certificate_passes_the_strict_check_of_newer_pythons(demo):
    context = ssl.create_default_context(cafile=demo.ca)
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    IMAPClient("127.0.0.1", demo.imap_port, ssl_context=context).logout()


def test_folders_have_their_special_use_and_names_of_their_own_language(demo):
    names = {name: flags for flags, _, name in demo.imap(ZOFIA).list_folders()}
    assert b"\\Sent" in names["Wysłane"]
    assert b"\\Drafts" in names["Szkice"]
    assert b"\\HasChildren" in names["Klienci"]
    assert len(names) == 13
    assert demo.imap(KONTAKT).find_special_folder(b"\\Sent") == "Sent"


@pytest.mark.parametrize(("address", "fewest"), [(KONTAKT, 55), (OFERTY, 28), (ZOFIA, 22), (MAREK, 20), (FAKTURY, 8)])
def test_mailboxes_are_filled(demo, address, fewest):
    client = demo.imap(address)
    assert client.select_folder("INBOX", readonly=True)[b"EXISTS"] >= fewest
    assert client.folder_status("INBOX", ["MESSAGES"])[b"MESSAGES"] >= fewest


def test_a_whole_mailbox_can_be_fetched_in_every_way_a_client_asks_for(demo):
    client = demo.imap(KONTAKT)
    client.select_folder("INBOX", readonly=True)
    uids = client.search("ALL")
    for uid, item in client.fetch(uids, ["ENVELOPE", "BODYSTRUCTURE", "RFC822.SIZE", "FLAGS", "INTERNALDATE",
                                         "BODY.PEEK[]", "BODY.PEEK[HEADER]", "BODY.PEEK[TEXT]"]).items():
        raw = item[b"BODY[]"]
        assert len(raw) == item[b"RFC822.SIZE"], uid
        assert item[b"BODY[HEADER]"] + item[b"BODY[TEXT]"] == raw
        assert item[b"BODYSTRUCTURE"] and item[b"ENVELOPE"] and item[b"INTERNALDATE"]


def test_a_section_is_the_bytes_of_that_part(demo):
    client = demo.imap(KONTAKT)
    client.select_folder("INBOX", readonly=True)
    uid = client.search(["SUBJECT", "TW-48213", "LARGER", 20000], "UTF-8")[0]
    item = client.fetch([uid], ["BODY.PEEK[]", "BODY.PEEK[1.MIME]", "BODY.PEEK[2]", "BODY.PEEK[]<10.20>",
                                "BODY.PEEK[HEADER.FIELDS (SUBJECT)]"])[uid]
    assert item[b"BODY[1.MIME]"] in item[b"BODY[]"]
    assert item[b"BODY[2]"].startswith(b"JVBERi0")  # the PDF, base64
    assert item[b"BODY[HEADER.FIELDS (SUBJECT)]"].startswith(b"Subject:")
    assert item[b"BODY[]<10>"] == item[b"BODY[]"][10:30]


def test_peeking_changes_no_flag_and_reading_sets_seen(demo):
    client = demo.imap(FAKTURY)
    client.select_folder("INBOX")
    uid = client.append("INBOX", b"Subject: x\r\n\r\nx") and client.search("ALL")[-1]
    client.fetch([uid], ["BODY.PEEK[]"])
    assert client.get_flags([uid])[uid] == ()
    client.fetch([uid], ["BODY[]"])
    assert b"\\Seen" in client.get_flags([uid])[uid]


def test_what_is_appended_comes_back_byte_for_byte(demo):
    raw = b"Subject: =?broken\r\nno colon here\r\n\r\n\xff\xfe {12}\r\n. \r\nend without a line end"
    client = demo.imap(FAKTURY)
    answer = client.append("Drafts", raw, flags=["\\Draft"]).decode()
    uid = int(answer.split("]")[0].split()[2])
    client.select_folder("Drafts", readonly=True)
    assert client.fetch([uid], ["BODY.PEEK[]"])[uid][b"BODY[]"] == raw
    assert client.search(["UID", uid, "DRAFT"]) == [uid]


def test_messages_are_moved_deleted_and_searched(demo):
    client = demo.imap(FAKTURY)
    client.append("Drafts", b"Message-ID: <find-me@x.example>\r\nSubject: one\r\n\r\nx")
    client.select_folder("Drafts")
    [uid] = client.search(["HEADER", "Message-ID", "<find-me@x.example>"])
    client.move([uid], "Trash")
    assert client.search(["HEADER", "Message-ID", "<find-me@x.example>"]) == []
    client.select_folder("Trash")
    [uid] = client.search(["HEADER", "Message-ID", "<find-me@x.example>"])
    client.delete_messages([uid])
    client.expunge()
    assert client.search("ALL") == []
    with pytest.raises(IMAPClient.Error):
        client.select_folder("Nowhere")


def test_an_idling_client_hears_of_a_delivery_at_once(demo):
    client = demo.imap(OFERTY)
    before = client.select_folder("INBOX", readonly=True)[b"EXISTS"]
    client.idle()
    heard = []
    listener = threading.Thread(target=lambda: heard.append((client.idle_check(timeout=5), time.monotonic())))
    listener.start()
    with demo.smtp(KONTAKT) as smtp:
        smtp.send_message(letter(KONTAKT, OFERTY, ident="<idle@transwisla.example>"))
        sent = time.monotonic()
    listener.join()
    [(answers, at)] = heard
    client.idle_done()
    assert (before + 1, b"EXISTS") in answers
    assert at - sent < 0.3


def test_a_customer_answers_in_the_thread(demo):
    nowicka = "a.nowicka@meblopol.example"
    with demo.smtp(KONTAKT) as smtp:
        message = letter(f"Transwisła <{KONTAKT}>", nowicka, "Re: Szkoda", "Szkodę likwidujemy z polisy.",
                         "<a1@transwisla.example>")
        message["References"] = "<a0@meblopol.example>"
        smtp.send_message(message)
    sent = time.monotonic()
    client = demo.imap(KONTAKT)
    client.select_folder("INBOX", readonly=True)
    [uid] = wait_for(client, ["HEADER", "In-Reply-To", "<a1@transwisla.example>"], 25)
    assert time.monotonic() - sent > 0.7
    answer = read(client, uid)
    assert answer["References"].split() == ["<a0@meblopol.example>", "<a1@transwisla.example>"]
    assert answer["Subject"] == "Re: Szkoda"
    assert nowicka in answer["From"]
    text = answer.get_body(("plain",)).get_content()
    assert "Szkodę likwidujemy z polisy." in text.split("napisał(a):")[1]


def test_an_unknown_customer_bounces(demo):
    with demo.smtp(KONTAKT) as smtp:
        smtp.send_message(letter(KONTAKT, "nobody@meblopol.example", ident="<b1@transwisla.example>"))
    client = demo.imap(KONTAKT)
    client.select_folder("INBOX", readonly=True)
    uid = wait_for(client, ["SUBJECT", "Undelivered", "BODY", "nobody@meblopol.example"], 10)[-1]
    report = read(client, uid)
    assert report.get_content_type() == "multipart/report"
    assert report["Return-Path"] == "<>"
    kinds = [part.get_content_type() for part in report.iter_parts()]
    assert kinds == ["text/plain", "message/delivery-status", "text/rfc822-headers"]
    assert "<b1@transwisla.example>" in list(report.iter_parts())[2].get_content()


def test_sending_needs_a_sign_in_ones_own_address_and_a_mailbox_that_exists(demo):
    context = ssl.create_default_context(cafile=demo.ca)
    with smtplib.SMTP_SSL("localhost", demo.smtp_port, context=context) as smtp:
        with pytest.raises(smtplib.SMTPSenderRefused):
            smtp.sendmail(KONTAKT, [OFERTY], b"x")
        with pytest.raises(smtplib.SMTPAuthenticationError):
            smtp.login(KONTAKT, "wrong")
    with demo.smtp(KONTAKT) as smtp:
        with pytest.raises(smtplib.SMTPSenderRefused):
            smtp.sendmail(OFERTY, [OFERTY], b"Subject: x\r\n\r\nx")
        with pytest.raises(smtplib.SMTPRecipientsRefused):
            smtp.sendmail(KONTAKT, ["niema@transwisla.example"], b"Subject: x\r\n\r\nx")


def test_the_demos_postroom_writes_to_its_people_also_to_those_without_a_mailbox(demo):
    zofia = MAILBOXES[3].address
    with smtplib.SMTP_SSL("localhost", demo.smtp_port, context=ssl.create_default_context(cafile=demo.ca)) as smtp:
        smtp.login(NOTICES.address, NOTICES.password)
        raw = b"Auto-Submitted: auto-generated\r\nSubject: told\r\n\r\nx"
        assert smtp.sendmail(NOTICES.address, [zofia, "niema@transwisla.example", NOTICES.address], raw) == {}
    with demo.imap(zofia) as imap:
        imap.select_folder("INBOX")
        assert imap.search(["SUBJECT", "told"])
    assert NOTICES not in MAILBOXES
    assert Settings.from_env({"POSTROOM_DEMO": "1"}).notice_server()[1] == (NOTICES.address, NOTICES.password)


def test_a_restart_changes_no_uid_and_stopping_takes_less_than_a_second_with_clients_connected(tmp_path):
    first = start_demo(tmp_path / "in stance", "--imap-port", "0", "--smtp-port", "0")
    idler = first.imap(KONTAKT)
    before = idler.select_folder("INBOX")
    uids = idler.fetch(idler.search("ALL"), ["RFC822.SIZE", "ENVELOPE"])
    idler.idle()
    sender = first.smtp(KONTAKT)
    begun = time.monotonic()
    assert first.stop()[0] == 0
    assert time.monotonic() - begun < 1.0
    sender.close()
    second = start_demo(tmp_path / "in stance", "--imap-port", "0", "--smtp-port", "0")
    try:
        client = second.imap(KONTAKT)
        after = client.select_folder("INBOX")
        assert (after[b"UIDVALIDITY"], after[b"UIDNEXT"]) == (before[b"UIDVALIDITY"], before[b"UIDNEXT"])
        again = client.fetch(client.search("ALL"), ["RFC822.SIZE", "ENVELOPE"])
        assert {uid: item[b"ENVELOPE"] for uid, item in again.items()} == \
            {uid: item[b"ENVELOPE"] for uid, item in uids.items()}
    finally:
        second.stop()
    with pytest.raises(ProcessLookupError):
        os.kill(second.process.pid, 0)


def test_a_taken_port_is_one_clear_line(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = subprocess.run(
            [sys.executable, "-m", "webapp.demo", "--dir", str(tmp_path), "--imap-port", port, "--smtp-port", "0"],
            cwd=PROJECT, capture_output=True, text=True, timeout=20)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert f"port {port}" in done.stderr and "--imap-port" in done.stderr
