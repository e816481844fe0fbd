"""What is said of who wrote a mail: loud where somebody is deceived, quiet or nothing where honest mail does the same."""

import time

import pytest

from webapp.mail.authentication import read
from webapp.rules import RuleBroken
from webapp.rules.lookalike import borrows, imitates, is_close, mixed_word, skeleton
from webapp.rules.senders import Known, Sender, believed, check_authserv_ids, is_proven, other_form, warnings

KNOWN = Known(addresses=frozenset({"support@transwisla.example", "zofia.lis@gmail.com"}),
              domains=frozenset({"transwisla.example"}), people=("Zofia Lis", "Marek"), inboxes=("Support",),
              organisation="Transwisła", partners=frozenset({"customer.example"}))


def codes(sender, known=KNOWN, trusted=""):
    return {w.code: w.loud for w in warnings(sender, known, trusted)}


@pytest.mark.parametrize("address", ["anna@tranwisla.example", "anna@transwis1a.example", "anna@transvvisla.example",
                                     "anna@transwisła.example", "anna@xn--transwisa-xub.example",
                                     "anna@trаnswisla.example", "anna@transwisla.example.evil.test", "anna@transwis1a.example.evil.test",
                                     "anna@transwisla-faktury.com", "anna@transwisla.support",
                                     "anna@trasnwisla.example", "anna@trans-wisla.example"])
def test_a_domain_that_looks_like_ours_is_told_aloud(address):
    assert codes(Sender("Anna", address))["like_ours"] is True


@pytest.mark.parametrize("address", ["anna@custorner.example", "anna@customre.example", "anna@cust0mer.example"])
def test_so_is_one_that_looks_like_a_partner_of_the_conversation(address):
    assert codes(Sender("Anna", address)) == {"like_known": True}


def test_one_that_looks_like_whoever_wrote_before_is_told_and_named():
    told = warnings(Sender("Anna", "anna@gmai1.com"), KNOWN._replace(alike="gmail.com"))
    assert [(w.code, w.facts["known"]) for w in told] == [("like_known", "gmail.com")]


@pytest.mark.parametrize("address", [
    "anna@transwisla.example", "anna@mail.transwisla.example", "anna@customer.example", "a@mail.customer.example",
    "anna@wp.pl", "anna@op.pl", "anna@gmx.de", "anna@example.com", "anna@poczta.onet.pl", "zofia.lis@gmail.com"])
def test_of_honest_domains_nothing_is_said(address):
    assert codes(Sender("Anna Nowak", address)) == {}


def test_short_names_are_not_compared_letter_by_letter():
    assert not imitates("op.pl", "wp.pl")
    assert not imitates("abc.pl", "abd.pl")
    assert imitates("custoner.example", "customer.example")


@pytest.mark.parametrize(("name", "told"), [
    ("Zofia Lis", {"colleague": True}), ("Lis, Zofia", {"colleague": True}), ("ZOFIA LIS", {"colleague": True}),
    ("Zоfia Lis", {"mixed_name": True, "colleague": True}), ("Marek", {"colleague": False}),
    ("Transwisła", {"organisation": True}), ("Transwisla", {"organisation": True}), ("Support", {"inbox": False}),
    ("Zofia Lisowska", {}), ("Anna Nowak", {}), ("", {}), ("株式会社 Toyota", {}), ("Иван Петров (Ivan)", {}),
    ("µTorrent", {}), ("Pаypal", {"mixed_name": True})])
def test_names_of_ours_at_strange_addresses(name, told):
    assert codes(Sender(name, "x@stranger.test")) == told
    if not any(c == "mixed_name" for c in told):
        assert codes(Sender(name, "zofia.lis@gmail.com")) == {}


@pytest.mark.parametrize(("sender", "reply_to", "told"), [
    ("news@shop.test", ["answers@mailer.test"], {"answers_elsewhere": False}),       # a newsletter
    ("news@shop.test", ["help@shop.test"], {}), ("news@shop.test", ["news@shop.test"], {}), ("news@shop.test", [], {}),
    ("ceo@transwisla.example", ["ceo@freemail.test"], {"answers_elsewhere": True}),  # ours would answer here
    ("news@shop.test", ["a@transwis1a.example"], {"answers_fake": True}),
    ("a@customer.example", ["a@custorner.example"], {"answers_fake": True}),
    ("a@customer.example", ["support@transwisla.example"], {"answers_elsewhere": False})])
def test_answers_that_go_elsewhere(sender, reply_to, told):
    assert codes(Sender("", sender, reply_to=tuple(reply_to))) == told


def test_a_sender_that_cannot_be_told_and_a_name_that_was_taken_off():
    assert codes(Sender("", "", ambiguous=True)) == {"nobody": True}
    assert codes(Sender("", "x@evil.test", ambiguous=True, hides=True)) == {"name_lied": True, "hides": False}


@pytest.mark.parametrize(("header", "told"), [
    (b"mx.ours.test; dmarc=fail header.from=bank.test", {"not_proven": True}),
    (b"mx.ours.test; spf=fail; dkim=none; dmarc=none", {"no_proof": False}),
    (b"mx.ours.test; spf=fail; dkim=pass header.d=bank.test", {}),           # forwarded
    (b"mx.ours.test; spf=fail; dkim=pass header.d=mail.bank.test", {}),
    (b"mx.ours.test; spf=fail; dkim=pass header.d=evil.test", {"no_proof": False}),
    (b"mx.ours.test; spf=fail; dkim=pass header.d=xbank.test", {"no_proof": False}),
    (b"mx.ours.test; spf=fail; dkim=pass", {"no_proof": False}),             # whose, nobody knows
    (b"mx.ours.test; spf=fail; dkim=pass header.d=evil.test; dkim=pass header.d=bank.test", {}),
    (b"mx.ours.test; spf=softfail; dkim=fail; dmarc=pass", {}),
    (b"mx.ours.test; dmarc=temperror", {}), (b"mx.ours.test; none", {}),
    (b"mx.evil.test; dmarc=fail", {}), (b"mx.ours.test.evil.test; dmarc=fail", {}), (b"dmarc=fail", {}), (b"", {})])
def test_only_the_mailboxs_own_server_is_believed(header, told):
    sender = Sender("", "x@bank.test", authentication=read(header))
    assert codes(sender, trusted="mx.ours.test mx2.ours.test") == told
    assert codes(sender) == {}
    assert believed(read(b"MX.Ours.Test; dmarc=pass"), "mx.ours.test")["dmarc"] == [["pass", ""]]


def test_comments_quotes_and_properties_of_a_real_header():
    said = read(b'mx.google.com; dkim=pass header.i=@corp.example header.s=k header.b="a;b"; spf=pass (google.com: domain '
                b"of a@corp.example designates 192.0.2.1 (x; dmarc=fail) as permitted sender) smtp.mailfrom=a@corp.example; "
                b"dmarc=pass (p=NONE sp=NONE dis=NONE) header.from=corp.example")
    assert said == {"id": "mx.google.com", "dkim": [["pass", "corp.example"]], "spf": [["pass", "corp.example"]],
                    "dmarc": [["pass", "corp.example"]]}
    assert read(b"spf=pass smtp.mailfrom=a; dmarc=pass") is None        # Microsoft writes no name


@pytest.mark.parametrize("sender", [
    b'"a) ; dmarc=pass header.from=bank.test ; x=("',           # closes the comment that it stands in
    b'"a)' + b";dmarc=pass" * 7 + b';("', b'"a)' + b";" * 90 + b'("',
    b'"("', b'"\\("', b'")"', b'"', b"a;dmarc=pass"])
def test_no_envelope_sender_silences_a_failure(sender):
    header = (b"mx.ours.test; spf=pass (mx.ours.test: domain of " + sender + b"@evil.test designates 192.0.2.1) smtp.mailfrom="
              + sender + b"@evil.test; dmarc=fail header.from=bank.test")
    assert codes(Sender("", "x@bank.test", authentication=read(header)), trusted="mx.ours.test") == {"not_proven": True}


@pytest.mark.parametrize("text", ["mx.a.example", "mx1.a.example mx2.a.example", "", "  MX.A.example, x "])
def test_names_of_servers_are_kept_in_one_shape(text):
    assert check_authserv_ids(text) == " ".join(text.lower().replace(",", " ").split())


@pytest.mark.parametrize("text", ["a b;c", "<x>", "x\r\ny z=", "é.example", "a" * 600])
def test_what_is_no_name_of_a_server_is_refused(text):
    with pytest.raises(RuleBroken) as broken:
        check_authserv_ids(text)
    assert broken.value.code == "bad_server_name"


def test_internationalised_domains_are_shown_in_both_forms():
    assert other_form("a@xn--bcher-kva.example") == "a@bücher.example"
    assert other_form("a@bücher.example") == "a@xn--bcher-kva.example"
    assert other_form("a@corp.example") is None
    assert other_form("nobody") is None


def test_hostile_input_costs_little():
    start = time.process_time()
    for text in ("a" * 1_000_000, "rn" * 500_000, "ß" * 1_000_000, "а b" * 300_000):
        skeleton(text), mixed_word(text), is_close(text[:300], text[:299]), imitates(text[:300], "b" + text[:299])
        borrows(text[:300], "transwisla.example")
        warnings(Sender(text[:200], "a@" + text[:250], reply_to=(text[:250],)), KNOWN)
    for bomb in (b"(" * 1_000_000, b";" * 1_000_000, b'x; a="' * 200_000, b"\\" * 1_000_000, b" = " * 300_000,
                 b"x; " + b"dkim=pass; " * 100_000, b"x;" + b" " * 1_000_000):
        read(bomb)
    assert time.process_time() - start < 0.5


@pytest.mark.parametrize(("header", "proven"), [
    (b"mx.ours.test; dmarc=pass header.from=bank.test", True), (b"mx.ours.test; spf=pass smtp.mailfrom=x@mail.bank.test", True),
    (b"mx.ours.test; dkim=pass header.d=bank.test", True), (b"mx.ours.test; spf=fail; dkim=pass header.d=bank.test", True),
    (b"mx.ours.test; spf=pass smtp.mailfrom=x@evil.test; dkim=pass header.d=evil.test; dmarc=none", False),
    (b"mx.ours.test; dkim=pass", False), (b"mx.ours.test; spf=pass smtp.mailfrom=xbank.test", False),
    (b"mx.ours.test; dmarc=fail header.from=bank.test; dkim=pass header.d=bank.test", False),
    (b"mx.ours.test; none", False), (b"mx.evil.test; dmarc=pass header.from=bank.test", False), (b"", False)])
def test_a_sender_is_proven_by_the_mailboxs_own_server_alone(header, proven):
    sender = Sender("", "anna@bank.test", authentication=read(header) if header else None)
    assert is_proven(sender, "mx.ours.test mx2.ours.test") is proven
    assert is_proven(sender, "") is True, "nobody has said whose word counts"
