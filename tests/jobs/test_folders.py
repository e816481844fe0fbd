"""Further folders: chosen by whoever has the mailbox, for servers sort mail away from the inbox by rules of their own."""

import pytest
from mailroom import connected, letter, person, stored

from webapp.actions import connections, folders
from webapp.extensions import db, unit
from webapp.jobs import sync
from webapp.models import Audit, Connection, Folder, Message, Place
from webapp.rules import RuleBroken


@pytest.fixture
def box(mailbox, dovecot):
    made = mailbox()
    with dovecot.imap(made.address) as client:
        for name in ("Projects", "Old"):
            client.create(name)
    dovecot.deliver_many(made.address, [letter(subject="here", Message_ID="<here@x>")])
    dovecot.deliver_many(made.address, [letter(subject="sorted", Message_ID="<sorted@x>")], folder="Projects")
    sync.pull(made.id)
    return made


def ids(box, *names):
    return [f.id for f in stored(Folder) if f.connection_id == box.id and f.name in names]


def choose(box, *names):
    with unit():
        folders.choose(person("zofia"), db.session.get(Connection, box.id), ids(box, *names))


def subjects():
    return sorted(m.subject for m in stored(Message))


def test_folders_made_later_are_found_and_read_once_chosen(box):
    assert subjects() == ["here"]
    assert ids(box, "Projects", "Old"), "the daily comparison lists them"
    choose(box, "Projects")
    assert not db.session.get(Connection, box.id).caught_up
    sync.pull(box.id)
    assert subjects() == ["here", "sorted"]
    assert db.session.get(Connection, box.id).caught_up


def test_a_folder_that_is_left_out_keeps_its_mail_and_is_taken_up_where_it_stood(box, dovecot):
    choose(box, "Projects")
    sync.pull(box.id)
    choose(box)
    dovecot.deliver_many(box.address, [letter(subject="later", Message_ID="<later@x>")], folder="Projects")
    sync.pull(box.id)
    assert subjects() == ["here", "sorted"]
    choose(box, "Projects")
    sync.pull(box.id)
    assert subjects() == ["here", "later", "sorted"]
    assert len(stored(Place)) == 3


def test_inbox_and_sent_stay_chosen_and_others_folders_are_refused(box):
    choose(box)
    assert {f.role for f in stored(Folder) if f.chosen and f.connection_id == box.id} == {"inbox", "sent"}
    other = connected("team", "other@corp.example", "zofia")
    with pytest.raises(RuleBroken), unit():
        folders.choose(person("zofia"), db.session.get(Connection, box.id),
                       [f.id for f in stored(Folder) if f.connection_id == other])


def test_a_chosen_folder_that_is_gone_on_the_server_is_told_and_can_be_left_out(box, dovecot):
    choose(box, "Projects")
    sync.pull(box.id)
    with dovecot.imap(box.address) as client:
        client.delete("Projects")
    dovecot.deliver_many(box.address, [letter(subject="new", Message_ID="<new@x>")])
    sync.pull(box.id)
    assert "new" in subjects(), "it stops no other folder"
    assert db.session.get(Connection, box.id).problem == "gone"
    choose(box)
    sync.pull(box.id)
    assert db.session.get(Connection, box.id).problem is None


def test_it_is_in_the_audit_log_and_a_choice_that_changes_nothing_is_not(box):
    choose(box, "Old")
    choose(box, "Old")
    rows = [a for a in stored(Audit) if a.action == "connection.folders_changed"]
    assert [(a.facts["added"], a.facts["left"]) for a in rows] == [(["Old"], [])]


def test_a_mailbox_that_is_not_connected_has_no_folders_to_choose(box):
    with unit():
        connections.disconnect(person("zofia"), db.session.get(Connection, box.id))
    with pytest.raises(RuleBroken):
        choose(box)
