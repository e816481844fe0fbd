"""Which servers an address may be connected on: the admin's for the own domains, confirmed ones where DNS points away."""

import pytest

from webapp.rules import RuleBroken
from webapp.rules.connections import check_published, check_servers

PRESETS = {"corp.example": (("imap.corp.example", 993, "tls"), ("smtp.corp.example", 465, "tls"))}


def verdict(rule, *arguments):
    try:
        rule(*arguments)
    except RuleBroken as broken:
        return broken.code
    return "yes"


@pytest.mark.parametrize(("address", "hosts", "answer"), [
    ("ceo@corp.example", ("imap.corp.example", "smtp.corp.example"), "yes"),
    ("ceo@CORP.example", ("IMAP.corp.example", "smtp.corp.example"), "yes"),
    ("ceo@corp.example", ("imap.evil.example", "smtp.corp.example"), "preset_servers"),
    ("ceo@corp.example", ("imap.corp.example", "smtp.evil.example"), "preset_servers"),
    ("ewa@elsewhere.example", ("imap.evil.example", "smtp.evil.example"), "yes"),
])
def test_nobody_holds_a_colleagues_address_by_a_server_of_their_own(address, hosts, answer):
    assert verdict(check_servers, address, hosts, PRESETS) == answer


@pytest.mark.parametrize(("hosts", "answer"), [
    (("imap.corp.example", "corp.example"), "yes"),
    (("imap.corp.example", "smtp.other.example"), "foreign_servers"),
    (("imap.notcorp.example", "smtp.corp.example"), "foreign_servers"),
])
def test_servers_that_dns_names_elsewhere_are_confirmed_first(hosts, answer):
    assert verdict(check_published, "ewa@corp.example", hosts) == answer
