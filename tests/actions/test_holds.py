"""Who holds an address, changed on purpose (BEHAVIOUR M4): paused, switched, released, asked for; history stays."""

import pytest
from mailroom import TEAM, arrive, connected, folder_of, inbox, letter, person, stored

from webapp.actions import connections, holds
from webapp.actions.people import create_person
from webapp.extensions import db, unit
from webapp.models import Audit, Connection, Conversation, Folder, Hold, HoldRequest, Message, Notice
from webapp.models.connection import held
from webapp.models.message import visible_messages
from webapp.models.secret import unseal
from webapp.rules import RuleBroken
from webapp.rules.connections import Holder, may_use

ZOFIA = "zofia@corp.example"


def row(connection_id) -> Connection:
    return db.session.get(Connection, connection_id)


def refused(call, *arguments, **named):
    with pytest.raises(RuleBroken) as broken, unit():
        call(*arguments, **named)
    return broken.value.code


def audited():
    return [(a.action, a.facts.get("address")) for a in stored(Audit)]


def test_a_paused_address_is_still_held_neither_reads_nor_sends_and_goes_on(team):
    box = connected("personal", ZOFIA, "zofia")
    with unit():
        holds.pause(person("zofia"), row(box))
    assert held(ZOFIA).holder == Holder("personal", team.zofia)
    assert not any(may_use(row(box).state, "active", tool, "personal") for tool in ("sync", "send", "sequence"))
    assert refused(connections.check, person("marek"), Holder("personal", team.marek), ZOFIA) == "taken"
    assert refused(holds.pause, person("zofia"), row(box)) == "not_now"
    with unit():
        holds.resume(person("zofia"), row(box))
    assert may_use(row(box).state, "active", "sync", "personal")
    assert audited()[-2:] == [("connection.paused", ZOFIA), ("connection.resumed", ZOFIA)]


def test_the_first_personal_address_is_the_default_and_when_it_goes_the_next_is(team):
    first, second = connected("personal", ZOFIA, "zofia"), connected("personal", "z2@corp.example", "zofia")
    assert (row(first).is_default, row(second).is_default) == (True, False)
    with unit():
        holds.make_default(person("zofia"), row(second))
    assert (row(first).is_default, row(second).is_default) == (False, True)
    with unit():
        connections.disconnect(person("zofia"), row(second))
    assert (row(first).is_default, row(second).is_default) == (True, False)
    assert refused(holds.make_default, person("marek"), row(first)) == "not_now"


def test_a_personal_address_becomes_a_team_address_at_once_and_its_mail_stays_private(team):
    box = connected("personal", ZOFIA, "zofia")
    arrive(box, letter(to=ZOFIA, subject="Private"))
    with unit():
        new = holds.switch(person("zofia"), row(box), inbox(), "Transwisła").id
    hold = stored(Hold)[0]
    assert (hold.address, hold.person_id, hold.inbox_id) == (ZOFIA, None, inbox().id)
    assert (row(box).state, row(new).state, row(new).kind) == ("removed", "active", "team")
    assert unseal(row(new).secret, "connection", new, "secret") == "secret-1"
    assert row(box).secret is None
    assert [(f.name, f.chosen) for f in stored(Folder, Folder.connection_id == new)] == [
        ("INBOX", True), ("Sent", True), ("Archive", False)]
    assert [f.high_uid for f in stored(Folder, Folder.connection_id == new)] == [0, 0, 0], "read from the beginning"
    private = stored(Message)[0]
    assert db.session.scalars(visible_messages(person("zofia"))).all() == [private]
    assert db.session.scalars(visible_messages(person("marek"))).all() == []
    assert ("connection.switched", ZOFIA) in audited()


def test_a_team_address_becomes_personal_and_its_conversations_stay_in_the_inbox(team):
    box = connected()
    arrive(box, letter(subject="Where is it?"))
    with unit():
        new = holds.switch(person("zofia"), row(box)).id
    assert (row(new).kind, row(new).person_id) == ("personal", team.zofia)
    assert [c.inbox_id for c in stored(Conversation)] == [inbox().id]
    assert refused(connections.check, person("zofia"), Holder("team", inbox().id), TEAM) == "taken"


def test_an_address_that_takes_bookings_cannot_be_switched_and_nothing_is_changed(team):
    box = connected("personal", ZOFIA, "zofia")
    with unit():
        connections.claim(_calendar(team.zofia), None)
    assert refused(holds.switch, person("zofia"), row(box), inbox()) == "takes_bookings"
    assert (row(box).state, len(stored(Connection))) == ("active", 2)


def test_only_admins_switch_and_nobody_a_colleagues_own(team):
    box = connected("personal", "marek@corp.example", "marek")
    assert refused(holds.switch, person("marek"), row(box), inbox()) == "admins_only"


def test_when_the_mail_of_an_address_goes_its_calendar_stays_and_holds_it(team):
    box = connected("personal", ZOFIA, "zofia", login="imap.corp.example zofia")
    with unit():
        connections.claim(_calendar(team.zofia), None)
        connections.disconnect(person("zofia"), row(box))
    assert (stored(Hold)[0].login_key, held(ZOFIA).uses) == (None, frozenset({"calendar"}))
    assert refused(connections.check, person("zofia"), Holder("team", inbox().id), ZOFIA) == "taken"


def test_a_person_has_one_calendar(team):
    with unit():
        connections.claim(_calendar(team.zofia), None)
    with pytest.raises(RuleBroken), unit():
        connections.claim(_calendar(team.zofia, "other@corp.example"), None)
    assert len(stored(Hold)) == 1


def test_an_admin_releases_what_a_colleague_holds_and_the_colleague_is_told(team):
    box = connected("personal", "marek@corp.example", "marek")
    arrive(box, letter(to="marek@corp.example"))
    with unit():
        holds.release(person("zofia"), stored(Hold)[0])
    assert (stored(Hold), row(box).state) == ([], "removed")
    assert [(n.kind, n.person_id, n.facts["by"]) for n in stored(Notice)] == [("address.released", team.marek, "Zofia")]
    assert len(stored(Message)) == 1, "what was read stays"
    assert ("hold.released", "marek@corp.example") in audited()


def test_whoever_asks_for_an_address_is_told_once_when_it_is_free(team):
    with unit():
        create_person("Olga", "olga@corp.example")
    assert refused(holds.request, person("ewa"), "marek@corp.example", "personal") == "viewer"
    box = connected("personal", "marek@corp.example", "marek")
    for _ in range(2):
        with unit():
            holds.request(person("olga"), " MAREK@corp.example", "personal")
    assert len(stored(HoldRequest)) == 1
    assert [(n.kind, n.person_id) for n in stored(Notice)] == [("hold.requested", team.zofia)]
    with unit():
        connections.disconnect(person("marek"), row(box))
    assert [(n.kind, n.person_id) for n in stored(Notice)][1:] == [("address.free", person("olga").id)]
    assert stored(HoldRequest)[0].ended_at is not None
    assert refused(holds.request, person("olga"), "marek@corp.example", "personal") == "not_taken"


def test_reconnecting_is_for_the_same_mailbox(team):
    box = connected("personal", ZOFIA, "zofia")
    servers = {"imap_host": "imap.corp.example", "imap_port": 993, "imap_security": "tls", "user_name": "other",
               "smtp_host": "smtp.corp.example", "smtp_port": 465, "smtp_security": "tls"}
    assert refused(connections.try_again, person("zofia"), row(box), password="x", servers=servers) == "another_mailbox"


def test_tries_to_connect_are_limited_for_each_person(team):
    from webapp.rules.people import MAX_TRIES
    box = connected("personal", ZOFIA, "zofia")
    for _ in range(MAX_TRIES["connect"]["person"] - 1):
        with unit():
            connections.try_again(person("zofia"), row(box))
    assert refused(connections.try_again, person("zofia"), row(box)) == "throttled"
    with unit():
        connections.begin(person("marek"), "personal", "marek@corp.example", "x")


def _calendar(person_id, address=ZOFIA):
    made = Connection(use="calendar", address=address, person_id=person_id, connected_by_id=person_id)
    db.session.add(made)
    db.session.flush()
    return made


def test_mail_that_came_while_paused_is_asked_for_when_it_goes_on(team):
    box = connected()
    assert folder_of(box).high_uid == 0
    with unit():
        holds.pause(person("zofia"), row(box))
        holds.resume(person("zofia"), row(box))
    from webapp.queue import client, marker
    assert client().exists(marker("webapp.jobs.sync.pull", (box,), "in"))
