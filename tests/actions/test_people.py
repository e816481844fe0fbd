"""People made, invited, changed, gone, come back; teams; and who leaves, with everything in their name."""

import threading

import pytest
from mailroom import arrive, connected, inbox, letter, person, stored
from sqlalchemy import select

from webapp.actions import audit, holds, inboxes, leaving, people, teams
from webapp.extensions import db, unit
from webapp.models import (
    Audit,
    Connection,
    Conversation,
    Event,
    Hold,
    HoldRequest,
    InboxMember,
    Link,
    Notice,
    Person,
    SignIn,
    Team,
    TeamMember,
)
from webapp.models.link import link_of, token_of
from webapp.rules import RuleBroken
from webapp.rules.connections import may_use
from webapp.rules.people import check_name, check_team_name, clean_name, invited_addresses


def refused(act):
    """The code with which a rule says no; nothing of it stays."""
    with pytest.raises(RuleBroken) as broken, unit():
        act()
    return broken.value.code


def actions():
    return [row.action for row in stored(Audit)]


def given(name, subject="Broken pallet", number=1, inbox_name="Support"):
    """Open conversations of an inbox, assigned to somebody. Returns their ids."""
    with unit():
        rows = [Conversation(inbox_id=inbox(inbox_name).id, subject=f"{subject} {n}", assignee_id=person(name).id)
                for n in range(number)]
        db.session.add_all(rows)
        db.session.flush()
        return [c.id for c in rows]


def restricted(name, *members):
    with unit():
        made = inboxes.create_inbox(person("zofia"), name)
        made.access = "members"
        db.session.add_all(InboxMember(inbox_id=made.id, person_id=person(m).id) for m in members)
        return made.id


# Invitations


def test_an_invitation_makes_a_person_who_cannot_sign_in_yet_a_link_and_a_mail(team):
    with unit():
        link = people.invite(person("zofia"), " Jan.Nowak@corp.example ", "viewer", "pl")
    made = link.person
    assert (made.name, made.email, made.role, made.language, made.state, made.password_hash) == (
        "Jan.Nowak", "Jan.Nowak@corp.example", "viewer", "pl", "invited", None)
    assert made.state_by_id == team.zofia
    assert link_of(token_of(link)).id == link.id
    [notice] = stored(Notice, Notice.person_id == made.id)
    assert (notice.kind, notice.shown, notice.facts["link"], notice.facts["by"]) == ("invite", False, link.id, "Zofia")
    assert actions()[-1] == "person.invited"


def test_who_is_here_or_invited_is_not_invited_twice_in_whatever_spelling(team):
    with unit():
        people.invite(person("zofia"), "jan@corp.example")
    for email in ("marek@corp.example", " JAN@Corp.Example", "zofia@corp.example"):
        assert refused(lambda email=email: people.invite(person("zofia"), email)) == "person_exists"
    assert refused(lambda: people.invite(person("marek"), "ola@corp.example")) == "admins_only_here"
    assert refused(lambda: people.invite(person("zofia"), "ola")) == "not_an_address"
    assert refused(lambda: people.invite(person("zofia"), "ola@corp.example", "owner")) == "unknown_role"


def test_inviting_the_address_of_a_removed_person_brings_back_account_connection_and_history(team):
    box = connected("personal", "marek@corp.example", "marek")
    arrive(box, letter(to="marek@corp.example"))
    with unit():
        people.remove_person(person("zofia"), person("marek"))
    with unit():
        link = people.invite(person("zofia"), "MAREK@corp.example", "member")
    assert (link.person_id, link.person.name, link.person.state) == (team.marek, "Marek", "invited")
    row = db.session.get(Connection, box)
    assert (row.person_id, row.hold.person_id, row.state) == (team.marek, team.marek, "active")
    assert not may_use(row.state, row.holder_state, "sync", "personal")     # until it is accepted


def test_sending_again_makes_the_old_link_void_and_withdrawing_the_new_one(team):
    with unit():
        first = people.invite(person("zofia"), "jan@corp.example")
    token = token_of(first)
    with unit():
        second = people.invite_again(person("zofia"), db.session.get(Person, first.person_id))
    assert link_of(token) is None
    assert link_of(token_of(second)) is not None
    with unit():
        people.withdraw(person("zofia"), db.session.get(Person, second.person_id))
    assert link_of(token_of(second)) is None
    assert db.session.get(Person, second.person_id).state == "removed"
    assert refused(lambda: people.invite_again(person("zofia"), person("marek"))) == "not_now"


def test_an_invited_person_is_in_the_teams_that_were_chosen(team):
    with unit():
        sales = teams.create_team(person("zofia"), "Sales")
        link = people.invite(person("zofia"), "jan@corp.example", team_ids=[sales.id, 999])
    assert [p.id for p in teams.members_of(sales)] == [link.person_id]


# Roles


def test_the_last_admin_cannot_be_lost(team):
    assert refused(lambda: people.set_role(person("zofia"), person("zofia"), "member")) == "last_admin"
    with unit():
        people.set_role(person("zofia"), person("marek"), "admin")
    with unit():
        people.set_role(person("zofia"), person("zofia"), "member")
    assert (person("zofia").role, person("marek").role) == ("member", "admin")
    assert actions().count("person.role_changed") == 2
    assert [n.kind for n in stored(Notice)] == ["role_changed"]


def test_nobody_deactivates_or_removes_themselves_and_members_nobody(team):
    with unit():
        people.set_role(person("zofia"), person("marek"), "admin")
    for act in (people.deactivate, people.remove_person):
        assert refused(lambda act=act: act(person("zofia"), person("zofia"))) == "not_yourself"
        assert refused(lambda act=act: act(person("ewa"), person("marek"))) == "admins_only_here"
    assert refused(lambda: people.set_role(person("ewa"), person("ewa"), "admin")) == "admins_only_here"


def test_two_admins_who_demote_each_other_at_the_same_instant_leave_one(app, team, database):
    with unit():
        people.set_role(person("zofia"), person("marek"), "admin")
    barrier, answers = threading.Barrier(2), {}

    def demote(actor, other):
        with app.app_context():
            if database == "sqlite":
                barrier.wait(5)          # its write lock lets only one in at a time
            try:
                with unit():
                    one, two = person(actor), person(other)
                    if database == "postgresql":
                        barrier.wait(5)  # both have read that both are admins
                    people.set_role(one, two, "member")
                answers[actor] = "done"
            except RuleBroken as broken:
                answers[actor] = broken.code
            finally:
                db.session.remove()

    for _round in range(5):
        threads = [threading.Thread(target=demote, args=pair) for pair in (("zofia", "marek"), ("marek", "zofia"))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        assert sorted(answers.values()) == ["admins_only_here", "done"]
        db.session.rollback()
        with unit():
            assert sorted((person("zofia").role, person("marek").role)) == ["admin", "member"]
            person("zofia").role = person("marek").role = "admin"


def test_who_only_reads_from_now_on_keeps_no_open_conversation(team):
    [mine] = given("marek")
    with unit():
        people.set_role(person("zofia"), person("marek"), "viewer")
    assert db.session.get(Conversation, mine).assignee_id is None


# Leaving


def test_deactivating_ends_sessions_rests_the_mailbox_and_keeps_the_rest(team, browser_of):
    box = connected("personal", "marek@corp.example", "marek")
    [mine] = given("marek")
    with browser_of("marek") as client:
        with unit():
            people.deactivate(person("zofia"), person("marek"))
        assert client.get("/mailboxes").status_code == 302
    marek = person("marek")
    assert (marek.state, marek.state_by_id, marek.state_at is not None) == ("deactivated", team.zofia, True)
    assert stored(SignIn) == []
    row = db.session.get(Connection, box)
    assert not may_use(row.state, row.holder_state, "sync", "personal")
    assert row.hold.person_id == team.marek                     # still held
    assert db.session.get(Conversation, mine).assignee_id is None
    assert [e.kind for e in stored(Event)] == ["unassigned"]
    with unit():
        people.reactivate(person("zofia"), person("marek"))
    assert (person("marek").state, person("marek").password_hash is not None) == ("active", True)
    with browser_of("marek") as client:
        assert client.get("/mailboxes").status_code == 200
    assert [a for a in actions() if a.endswith("activated")] == ["person.deactivated", "person.reactivated"]


def test_open_conversations_go_to_an_heir_who_may_act_in_each_inbox_or_it_is_refused(team):
    restricted("Board", "marek")
    mine, hidden = given("marek", number=3), given("marek", "Secret", inbox_name="Board")
    with unit():
        people.create_person("Olga", "olga@corp.example")
    for heir in ("olga", "ewa", "marek"):      # not in Board; reads only; themselves
        assert refused(lambda heir=heir: people.deactivate(person("zofia"), person("marek"), person(heir))) == (
            "may_not_act")
    with unit():
        db.session.add(InboxMember(inbox_id=inbox("Board").id, person_id=person("olga").id))
        people.deactivate(person("zofia"), person("marek"), person("olga"))
    assert {c.assignee_id for c in stored(Conversation)} == {person("olga").id}
    assert len(stored(Event, Event.kind == "assigned")) == len(mine + hidden)
    assert sorted(n.facts["number"] for n in stored(Notice, Notice.kind == "handed_over")) == [1, 3]


def test_removing_ends_places_and_requests_and_keeps_holds_that_the_estate_shows(team):
    box = connected("personal", "marek@corp.example", "marek")
    restricted("Board", "marek")
    with unit():
        teams.create_team(person("zofia"), "Sales", [person("marek")])
        connected_id = db.session.get(Connection, box).hold_id
        people.create_person("Olga", "olga@corp.example")
    with unit():
        holds.request(person("olga"), "marek@corp.example", "personal")
    found = leaving.estate(person("marek"))
    assert ([h.hold.id for h in found.held], found.held[0].uses, [p.name for p in found.held[0].waiting],
            [i.name for i in found.inboxes], [t.name for t in found.teams], found.to_settle) == (
        [connected_id], ("mail",), ["Olga"], ["Board"], ["Sales"], 3)
    assert [i.name for i in leaving.needed_in(person("marek"))] == ["Board"]
    with unit():
        people.remove_person(person("zofia"), person("marek"))
    assert (stored_rows(InboxMember), stored_rows(TeamMember)) == ([], [])
    found = leaving.estate(person("marek"))
    assert (len(found.held), found.inboxes, found.teams) == (1, [], [])
    row = stored(Audit)[-1]
    assert (row.action, row.facts["holds"], row.facts["inboxes"], row.facts["teams"]) == (
        "person.removed", ["marek@corp.example"], ["Board"], ["Sales"])
    with unit():
        people.remove_person(person("zofia"), person("olga"))
    assert stored(HoldRequest)[0].ended_at is not None
    assert audit.verify()[2] == []


def stored_rows(model):
    db.session.rollback()
    return db.session.execute(select(model)).all()


def test_a_removed_person_is_restored_with_a_link_and_their_hold(team):
    connected("personal", "marek@corp.example", "marek")
    with unit():
        people.remove_person(person("zofia"), person("marek"))
    assert refused(lambda: people.reactivate(person("zofia"), person("marek"))) == "not_now"
    with unit():
        link = people.restore(person("zofia"), person("marek"))
    assert (person("marek").state, link.person_id, len(stored(Hold))) == ("invited", team.marek, 1)
    assert refused(lambda: people.restore(person("zofia"), person("marek"))) == "not_now"
    assert len(stored(Link, Link.used_at.is_(None))) == 1


def test_conversations_of_one_inbox_are_handed_over_and_those_of_others_stay(team):
    restricted("Board", "marek", "zofia")
    [mine], [other] = given("marek"), given("marek", inbox_name="Board")
    with unit():
        assert leaving.hand_over(person("zofia"), person("marek"), inbox("Board"), person("zofia")) == 1
    assert db.session.get(Conversation, other).assignee_id == team.zofia
    assert db.session.get(Conversation, mine).assignee_id == team.marek
    assert refused(lambda: leaving.hand_over(person("marek"), person("zofia"), inbox("Board"), None)) == (
        "admins_only_here")


def test_mail_that_opens_a_conversation_of_somebody_gone_leaves_it_unassigned(team):
    box = connected()
    arrive(box, letter(Message_ID="<1@x>"))
    with unit():
        found = stored(Conversation)[0]
        found.assignee_id, found.status = team.marek, "closed"
    with unit():
        people.deactivate(person("zofia"), person("marek"))
    assert stored(Conversation)[0].assignee_id == team.marek       # history
    arrive(box, letter(Message_ID="<2@x>", References="<1@x>"), first_uid=2)
    [found] = stored(Conversation)
    assert (found.status, found.assignee_id) == ("open", None)


# Teams


def test_a_team_is_never_taken_from_an_inbox_that_it_alone_can_open(team):
    with unit():
        sales = teams.create_team(person("zofia"), "Sales", [person("marek")])
        board = inboxes.create_inbox(person("zofia"), "Board", access="members", teams=[sales])
        ids = board.id, sales.id
    assert refused(lambda: teams.delete_team(person("zofia"), _team(ids[1]))) == "left_with_nobody"
    assert refused(lambda: teams.save_team(person("zofia"), _team(ids[1]), "Sales", [])) == "left_with_nobody"
    assert refused(lambda: teams.leave_team(person("zofia"), person("marek"), _team(ids[1]))) == "left_with_nobody"
    with unit():
        db.session.add(InboxMember(inbox_id=ids[0], person_id=team.marek))
        teams.delete_team(person("zofia"), _team(ids[1]))
    assert actions()[-1] == "team.deleted"
    assert refused(lambda: leaving.leave_inbox(person("zofia"), person("marek"), inbox("Board"))) == "left_with_nobody"


def test_an_admin_who_joins_an_inbox_through_a_team_has_joined_it(team):
    with unit():
        sales = teams.create_team(person("zofia"), "Sales", [person("marek")])
        inboxes.create_inbox(person("zofia"), "Board", access="members", teams=[sales])
    with unit():
        teams.save_team(person("zofia"), _team(sales.id), "Sales", [person("marek"), person("zofia")])
    assert actions()[-2:] == ["inbox.joined", "team.changed"]
    assert [n.kind for n in stored(Notice, Notice.person_id == team.marek)] == ["inbox.joined"]


def test_a_team_has_a_name_of_its_own(team):
    with unit():
        sales = teams.create_team(person("zofia"), "Sales")
        teams.create_team(person("zofia"), "Support")
    for name, code in (("Sales", "team_exists"), (" ", "team_name"), ("x" * 61, "team_name")):
        assert refused(lambda name=name: teams.create_team(person("zofia"), name)) == code
    assert refused(lambda: teams.save_team(person("zofia"), _team(sales.id), "Support", [])) == "team_exists"
    assert refused(lambda: teams.create_team(person("marek"), "Mine")) == "admins_only_here"


def _team(team_id):
    return db.session.get(Team, team_id)


# Names


@pytest.mark.parametrize(("typed", "kept"), [
    ("  Łukasz \t Wójcik ", "Łukasz Wójcik"), ("Ewa\u202e gpj.exe", "Ewa gpj.exe"), ("A\x00\x1b[31mB", "A [31mB"),
    ("Za\u017co\u0301lc", "Zażólc"), ("\u2066Iza\u2069", "Iza"), ("Jan\r\nBcc: x@y.example", "Jan Bcc: x@y.example"),
    ("\u200fעדי\u200e", "עדי"), ("a\ud800b", "a b"), ("Ola\u2028Lis", "Ola Lis"), ("👩\u200d🔧 Ada", "👩\u200d🔧 Ada")])
def test_a_name_is_kept_so_that_it_is_safe_everywhere(typed, kept):
    assert clean_name(typed) == check_name(typed) == check_team_name(typed) == kept


@pytest.mark.parametrize("typed", ["", " \t\n", "\u202e\u200f", "x" * 101, "x" * 10_000_000, "\u202e" * 10_000_000])
def test_a_name_that_says_nothing_or_too_much_is_refused(typed):
    for check, code in ((check_name, "person_name"), (check_team_name, "team_name")):
        with pytest.raises(RuleBroken) as broken:
            check(typed)
        assert broken.value.code == code


def test_several_addresses_are_read_from_one_text_each_once_and_each_bad_one_is_named():
    assert invited_addresses("a@x.example, B@x.example;\r\n\n b@X.example\nc@x.example") == [
        "a@x.example", "B@x.example", "c@x.example"]
    for text, code in ((" \n,", "nobody_invited"), ("a@x.example\n" * 51, "too_many_invited")):
        with pytest.raises(RuleBroken) as broken:
            invited_addresses(text)
        assert broken.value.code == code
    with pytest.raises(RuleBroken) as broken:
        invited_addresses("a@x.example\nbad\nJan <jan@x.example>")
    assert broken.value.facts["addresses"] == ["bad", "Jan <jan@x.example>"]
