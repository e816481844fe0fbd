"""Nobody gets at another's mail or account by a way round: switching, old links, a paused address, a typo."""

import pytest
from mailroom import connected, inbox, person, stored

from webapp.actions import connections, holds, inboxes, leases, links, profile
from webapp.actions.people import create_person
from webapp.extensions import db, unit
from webapp.models import Connection, Hold, Link, Person
from webapp.models.link import token_of
from webapp.models.types import now
from webapp.rules import RuleBroken

HERE = {"Sec-Fetch-Site": "same-origin"}
SERVERS = {"imap_host": "imap.corp.example", "imap_port": 993, "imap_security": "tls",
           "smtp_host": "smtp.corp.example", "smtp_port": 465, "smtp_security": "tls"}


def row(connection_id) -> Connection:
    return db.session.get(Connection, connection_id)


def closed_to_zofia():
    """A team address in an inbox of Marek's alone."""
    with unit():
        made = inboxes.create_inbox(person("zofia"), "Boardroom", "members", [person("marek")])
        assert made.id
    return connected("team", "board@corp.example", inbox_name="Boardroom")


def test_an_admin_outside_an_inbox_cannot_make_its_address_their_own(app, team, browser_of):
    box = closed_to_zofia()
    with pytest.raises(RuleBroken) as broken, unit():
        holds.switch(person("zofia"), row(box))
    assert broken.value.code == "join_first"
    with browser_of("zofia") as client:
        assert client.post(f"/connections/{box}/switch", headers=HERE).status_code == 422
        assert "Add yourself" in client.get(f"/connections/{box}/switch").text
    assert stored(Hold, Hold.address == "board@corp.example")[0].inbox_id == inbox("Boardroom").id
    with unit():
        inboxes.join_inbox(person("zofia"), inbox("Boardroom"))
        assert holds.switch(person("zofia"), row(box)).person_id == team.zofia


def test_a_reading_job_stores_nothing_more_once_the_address_was_switched_or_paused(team):
    box = connected()
    with unit():
        fence = leases.take(box)
        holds.switch(person("zofia"), row(box))
    with pytest.raises(leases.LeaseLost), unit():
        leases.hold_on(box, fence)
    other = connected("personal", "z2@corp.example")
    with unit():
        fence = leases.take(other)
        holds.pause(person("zofia"), row(other))
    with pytest.raises(leases.LeaseLost), unit():
        leases.hold_on(other, fence)


def test_a_paused_address_is_reconnected_to_its_own_mailbox_only(team):
    box = connected("personal", "marek@corp.example", "marek")
    with unit():
        holds.pause(person("marek"), row(box))
    with pytest.raises(RuleBroken) as broken, unit():
        connections.try_again(person("marek"), row(box), password="x",
                              servers={**SERVERS, "user_name": "zofia@corp.example"})
    assert broken.value.code == "another_mailbox"


def asked_for(address):
    with unit():
        links.ask_for_email(person("marek"), address, True)
    return token_of(stored(Link, Link.purpose == "email")[-1])


def asked_for_reset():
    with unit():
        links.ask_for_reset("marek@corp.example", "192.0.2.1")
    with unit():
        links.find_person(stored(Link, Link.purpose == "reset")[0].id)
    return stored(Link, Link.purpose == "reset")[0]


@pytest.mark.parametrize("way", ["profile", "reset"])
def test_a_new_password_voids_the_link_to_another_sign_in_address(app, team, by_mail, browser_of, way):
    """Whoever knew the old password may have asked for it: the word to the owner says to change the password."""
    token = asked_for("thief@evil.example")
    if way == "profile":
        with unit():
            profile.change_password(person("marek"), "hash", "")
    else:
        reset = asked_for_reset()
        with unit():
            links.reset_password(reset, "hash")
    assert app.test_client().get(f"/links/{token}").status_code == 404
    assert links.waiting_email(person("marek")) is None


def test_asking_again_voids_the_link_to_the_address_before(app, team, by_mail, browser_of):
    first = asked_for("marke@corp.example")
    asked_for("m.z@corp.example")
    with browser_of("marek") as client:
        assert client.post(f"/links/{first}", headers=HERE).status_code == 404


def test_no_address_answers_in_an_inbox_that_was_deleted_while_it_was_being_connected(team):
    with unit():
        made = inboxes.create_inbox(person("zofia"), "Short")
        connections.begin(person("zofia"), "team", "short@corp.example", "x", inbox=made)
        made.deleted_at = now()
    with pytest.raises(RuleBroken), unit():
        connections.claim(stored(Connection)[0], "imap.corp.example short@corp.example")
    assert not stored(Hold)


def test_a_link_for_a_new_password_is_void_once_the_sign_in_address_has_changed(app, team, by_mail):
    token = token_of(asked_for_reset())
    assert app.test_client().get(f"/links/{token}").status_code == 200
    with unit():
        links.ask_for_email(person("marek"), "new@corp.example", False)
    assert app.test_client().get(f"/links/{token}").status_code == 404


def test_a_stranger_at_a_mistyped_address_cannot_take_the_account(app, team, by_mail, browser_of):
    token = asked_for("marke@gmial.example")
    stranger = app.test_client()
    answer = stranger.get(f"/links/{token}")
    assert answer.status_code == 302 and answer.location.startswith("/sign-in?next=")
    assert stranger.post(f"/links/{token}", headers=HERE).status_code == 302
    with browser_of("ewa") as somebody_else:
        assert somebody_else.post(f"/links/{token}", headers=HERE).status_code == 404
    assert person("marek").email_key == "marek@corp.example"
    with browser_of("marek") as client:
        assert client.post(f"/links/{token}", headers=HERE).location == "/profile?saved=email"


def test_a_name_has_something_to_see(app, team):
    for name in ("\u2060", "\u00ad\u00ad", "\u3164", "\u200d", "\U000e0041"):
        with pytest.raises(RuleBroken), unit():
            create_person(name, "x@corp.example")
    with unit():
        assert create_person("\u2060Zoë \U000e0041Ż", "x@corp.example").name == "Zoë Ż"
    assert stored(Person, Person.email_key == "x@corp.example")


def test_a_long_list_of_ids_in_a_form_is_no_trouble_for_the_database(app, team, browser_of):
    with browser_of("zofia") as client:
        for path, field in ((f"/inboxes/{inbox().id}/access", "people"), ("/teams", "members"), ("/inboxes", "teams"),
                            ("/people/invite", "teams")):
            body = "access=members&name=Long&emails=n%40corp.example&role=member&language=en&" + "&".join(
                [f"{field}={n}" for n in range(1, 140_000)])
            answer = client.post(path, data=body, content_type="application/x-www-form-urlencoded", headers=HERE)
            assert answer.status_code in (200, 303, 413, 422), path
