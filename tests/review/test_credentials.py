"""A stored password goes to the servers that it was typed for, and nowhere else."""

import pytest
from mailroom import connected, person

from webapp.actions import connections, people
from webapp.extensions import db, unit
from webapp.models import Connection
from webapp.rules import RuleBroken

SERVERS = {"imap_host": "imap.corp.example", "imap_port": 993, "imap_security": "tls", "smtp_host": "smtp.corp.example",
           "smtp_port": 465, "smtp_security": "tls", "user_name": "support@corp.example"}


@pytest.fixture
def box(team):
    with unit():
        people.create_person("Olga", "olga@corp.example", "admin", "correct horse battery")
    return connected()


def again(who, box, **given):
    with unit():
        connections.try_again(person(who), db.session.get(Connection, box), **given)


@pytest.mark.parametrize("who", ["zofia", "olga"])
def test_the_password_of_a_connected_address_does_not_go_to_another_server_unasked(box, who):
    """Whoever may change the servers (another admin, a stolen session) would read it there."""
    with pytest.raises(RuleBroken) as broken:
        again(who, box, servers={**SERVERS, "smtp_host": "smtp.evil.example"})
    assert broken.value.field == "password"
    db.session.rollback()
    assert db.session.get(Connection, box).smtp_host == "smtp.corp.example"
    again(who, box, servers={**SERVERS, "smtp_host": "smtp2.corp.example"}, password="typed again")


def test_nor_does_that_of_one_that_a_colleague_is_connecting(box):
    with unit():
        row = connections.begin(person("zofia"), "team", "sales@corp.example", "secret-2", inbox=db.session.get(
            Connection, box).inbox, servers=SERVERS)
        box = row.id
    with pytest.raises(RuleBroken):
        again("olga", box, servers={**SERVERS, "imap_host": "imap.evil.example"})
    db.session.rollback()
    again("zofia", box, servers={**SERVERS, "imap_host": "mail.corp.example"})      # who typed it a moment ago


def test_the_same_servers_need_no_password(box):
    again("olga", box, servers=dict(SERVERS))
    again("olga", box, servers={**SERVERS, "smtp_port": 587, "smtp_security": "starttls"})
