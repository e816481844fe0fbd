"""The customers, one step at a time and with a clock of their own."""

from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest

from webapp.demo.customers import Customers
from webapp.demo.mailstore import MailStore
from webapp.demo.people import MAILBOXES
from webapp.demo.story.answers import BY_LANGUAGE, MAX_ANSWERS, THANKS

NOW = datetime(2026, 6, 8, 9, 42, tzinfo=UTC)
KONTAKT = "kontakt@transwisla.example"
NOWICKA = "a.nowicka@meblopol.example"
LINDQVIST = "anders.lindqvist@nordictimber.example"


def empty_store(path):
    store = MailStore(path)
    for mailbox in MAILBOXES:
        store.create_folder(mailbox.address, "INBOX")
    return store


@pytest.fixture
def store(tmp_path):
    store = empty_store(tmp_path / "mail.sqlite3")
    yield store
    store.close()


def inbox(store, address=KONTAKT):
    folder = store.folder(address, "INBOX")
    return [message_from_bytes(store.raw(folder.id, entry.uid), policy=policy.default)
            for entry in store.entries(folder.id)]


def letter(to, number=1, text="Dzień dobry, jedziemy.", references="", **fields):
    message = EmailMessage(policy=policy.SMTP)
    message["From"], message["To"], message["Subject"] = f"Transwisła <{KONTAKT}>", to, "Re: Paleta"
    message["Message-ID"] = f"<m{number}@transwisla.example>"
    if references:
        message["References"] = references
    for name, value in fields.items():
        message[name.replace("_", "-")] = value
    message.set_content(text)
    return message.as_bytes()


def text_of(message):
    return message.get_body(("plain",)).get_content().replace("\r\n", "\n")


def later(seconds):
    return NOW + timedelta(seconds=seconds)


def test_an_answer_comes_after_eight_to_twenty_seconds(store):
    customers = Customers(store, NOW, pace=0)
    customers.receive(KONTAKT, NOWICKA, letter(NOWICKA), NOW)
    assert later(8) <= customers.next_due() <= later(20)
    assert customers.step(later(7.9)) == []
    assert len(customers.step(later(20))) == 1
    assert customers.next_due() is None
    assert [message["In-Reply-To"] for message in inbox(store)] == ["<m1@transwisla.example>"]


def test_the_answer_is_in_the_customers_language_and_fits_what_was_said(store):
    customers = Customers(store, NOW, pace=0)
    customers.receive(KONTAKT, "j.brandt@spedition-brandt.example",
                      letter("j.brandt@spedition-brandt.example", text="Das Kennzeichen ist WGM 4K821."), NOW)
    customers.step(later(30))
    [answer] = inbox(store)
    assert "an die Rampe gegeben" in text_of(answer)
    assert answer["Subject"] == "Re: Paleta"  # a prefix is there already, none is added
    assert answer.get_body(("html",)) is not None


def test_a_customer_says_nothing_twice_thanks_at_last_and_is_then_silent(store):
    customers = Customers(store, NOW, pace=0)
    for number in range(MAX_ANSWERS + 3):
        customers.receive(KONTAKT, LINDQVIST, letter(LINDQVIST, number, references="<root@nordictimber.example>"),
                          later(number * 60))
        customers.step(later(number * 60 + 30))
    said = [text_of(message).split("\n\n")[0].replace("\n", " ") for message in inbox(store)]
    assert len(said) == len(set(said)) == MAX_ANSWERS
    assert said[-1] == THANKS["en"]
    assert set(said[:-1]) <= {text for _, text in BY_LANGUAGE["en"]}


def test_a_restart_forgets_no_answer_that_is_owed(store, tmp_path):
    Customers(store, NOW, pace=0).receive(KONTAKT, NOWICKA, letter(NOWICKA), NOW)
    store.close()
    again = MailStore(tmp_path / "mail.sqlite3")
    customers = Customers(again, later(3600), pace=0)
    assert len(customers.step(later(3600))) == 1
    assert len(inbox(again)) == 1
    again.close()


@pytest.mark.parametrize("fields", [{"Auto_Submitted": "auto-replied"}, {"Auto_Submitted": "auto-generated"}])
def test_robots_are_not_answered(store, fields):
    customers = Customers(store, NOW, pace=0)
    customers.receive(KONTAKT, NOWICKA, letter(NOWICKA, **fields), NOW)
    customers.receive("", NOWICKA, letter(NOWICKA), NOW)
    assert customers.next_due() is None


def test_who_is_only_copied_keeps_quiet(store):
    customers = Customers(store, NOW, pace=0)
    customers.receive(KONTAKT, LINDQVIST, letter(NOWICKA, Cc=LINDQVIST), NOW)
    assert customers.next_due() is None


def test_one_customer_is_away_and_says_so_once(store):
    schulz = "p.schulz@schulz-verpackungen.example"
    customers = Customers(store, NOW, pace=0)
    for number in (1, 2):
        customers.receive(KONTAKT, schulz, letter(schulz, number, references="<r@x.example>"), NOW)
    customers.step(later(30))
    [answer] = inbox(store)
    assert answer["Auto-Submitted"] == "auto-replied"
    assert answer["Subject"].startswith("Automatische Antwort")


def test_one_address_bounces_and_says_which(store):
    customers = Customers(store, NOW, pace=0)
    customers.receive(KONTAKT, "zamowienia@sklep-balia.example", letter("zamowienia@sklep-balia.example"), NOW)
    customers.step(later(5))
    [report] = inbox(store)
    status = list(report.iter_parts())[1].get_payload()
    assert report.get_content_type() == "multipart/report"
    assert status[1]["Final-Recipient"] == "rfc822; zamowienia@sklep-balia.example"
    assert status[1]["Status"] == "5.1.1"
    assert "<m1@transwisla.example>" in list(report.iter_parts())[2].get_content()


def test_somebody_unknown_is_told_that_this_is_a_demo(store):
    customers = Customers(store, NOW, pace=0)
    customers.receive(KONTAKT, "me@home.example.org", letter("me@home.example.org", text="Hello there"), NOW)
    customers.step(later(30))
    assert "has not left this computer" in text_of(inbox(store)[0]).replace("\n", " ")


def test_customers_write_by_themselves_first_after_forty_seconds_then_every_few_minutes(store):
    customers = Customers(store, NOW)
    assert customers.next_due() == later(40)
    clock, times = NOW, []
    for _ in range(12):
        clock = customers.next_due()
        times.append(clock)
        assert len(customers.step(clock)) == 1
    gaps = [(b - a).total_seconds() for a, b in zip(times, times[1:], strict=False)]
    assert all(115 <= gap <= 305 for gap in gaps)
    found = inbox(store) + inbox(store, "oferty@transwisla.example")
    assert len(found) == 12
    assert any(message["In-Reply-To"] for message in found)      # some ask again
    assert len({message["Subject"] for message in found}) > 5


def test_nobody_asks_after_what_was_answered(store):
    asked = "Message-ID: <q@nordictimber.example>\r\nFrom: " + LINDQVIST + "\r\nSubject: Rate\r\n\r\nHow much?\r\n"
    folder = store.folder(KONTAKT, "INBOX")
    store.add(folder, asked.encode())

    def asks_again(answered):
        customers = Customers(store, NOW, seed=5)
        if answered:
            customers.receive(KONTAKT, NOWICKA, letter(NOWICKA, Auto_Submitted="auto-generated",
                                                       In_Reply_To="<q@nordictimber.example>"), NOW)
        return [address for address, message in customers._waiting() if message["Subject"] == "Rate"]

    assert asks_again(answered=False) == [KONTAKT]
    assert asks_again(answered=True) == []


def test_nobody_listening_makes_them_come_less_often(store):
    customers = Customers(store, NOW)
    for _ in range(60):
        clock = customers.next_due()
        customers.step(clock)
    assert (customers.next_due() - clock).total_seconds() > 3 * 115


def test_the_same_seed_gives_the_same_mail_twice_and_another_seed_another(tmp_path):
    def played(name, seed):
        store = empty_store(tmp_path / name)
        customers = Customers(store, NOW, seed)
        customers.receive(KONTAKT, NOWICKA, letter(NOWICKA), NOW)
        for seconds in range(0, 3600, 5):
            customers.step(later(seconds))
        raws = [store.raw(folder.id, entry.uid) for mailbox in MAILBOXES for folder in store.folders(mailbox.address)
                for entry in store.entries(folder.id)]
        store.close()
        return raws

    first = played("a", 7)
    assert len(first) > 10
    assert first == played("b", 7)
    assert first != played("c", 8)
