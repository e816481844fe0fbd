"""The page of an inbox's rules: written with any number of rows, refused at its place, tried, put in order."""

from datetime import timedelta

import pytest
from mailroom import arrive, connected, conversation, inbox, letter, person, stored

from webapp.actions import routing
from webapp.extensions import db, unit
from webapp.jobs import routing as jobs
from webapp.models import Absence, Contact, Inbox, Message, Notice, Person, Route, Routed, Tag, Team, Template
from webapp.models.types import now


@pytest.fixture
def box(app, team):
    box = connected()
    with unit():
        db.session.add_all([Tag(name="damage", key="damage"), Team(name="Night"), Inbox(name="Claims"),
                            Template(name="Got it", text="We have it.", made_by_id=team.zofia)])
    return box


@pytest.fixture
def zofia(box, browser_of, app):
    app.config["WTF_CSRF_ENABLED"] = False
    with browser_of("zofia") as client:
        yield client


def condition(n=0, field="subject", how="contains", values="pallet", **more):
    return {f"c{n}_field": field, f"c{n}_how": how, f"c{n}_values": values} | {f"c{n}_{k}": v for k, v in more.items()}


def action(n=0, do="assign", **more):
    return {f"a{n}_do": do} | {f"a{n}_{k}": v for k, v in more.items()}


def write(client, *parts, do="save", path="", **more):
    data = {"match": "all", "do": do} | more
    for part in parts:
        data |= part
    return client.post(f"/inboxes/{inbox().id}/routing{path}", data=data, headers={"Sec-Fetch-Site": "same-origin"})


def test_a_rule_is_written_and_read(zofia, team):
    answer = write(zofia, condition(values="pallet, damage"), action(people=[team.marek]), go_on="y")
    assert answer.status_code == 303, answer.text
    [route] = stored(Route)
    assert (route.conditions[0]["values"], route.actions, route.go_on) == (
        ["pallet", "damage"], [{"do": "assign", "people": [team.marek], "how": "turns"}], True)
    shown = zofia.get(f"/inboxes/{inbox().id}/routing").text
    assert "the subject contains <b>pallet</b> or <b>damage</b>" in shown and "assign to <b>Marek</b>" in shown


@pytest.mark.parametrize("parts, word", [
    ((condition(values=""), action(do="close")), "Say what to look for."),
    ((condition(field="sender", how="is", values="nobody at all"), action(do="close")), "neither an address nor a domain"),
    ((condition(field="size", how="over", values="big"), action(do="close")), "Type a number of megabytes"),
    ((condition(), action(do="assign")), "Choose at least one person."), ((condition(),), "add an action"),
    ((condition(), action(do="tag", tag="999")), "Choose one that is there."),
    ((condition(), action(do="close"), action(1, do="spam")), "exclude each other")])
def test_what_cannot_work_is_refused_at_its_place_and_nothing_is_lost(zofia, parts, word):
    answer = write(zofia, *parts, match="any")
    assert answer.status_code == 422 and word in answer.text and stored(Route) == []
    assert '<option value="any" selected' in answer.text
    if parts[0]["c0_values"]:
        assert f'value="{parts[0]["c0_values"]}"' in answer.text


def test_rows_come_and_go_without_being_saved(zofia):
    answer = write(zofia, condition(), condition(1, values="second"), action(do="close"), do="add_condition")
    assert answer.text.count("_values") == 3 and stored(Route) == []
    answer = write(zofia, condition(), condition(1, values="second"), action(do="close"), do="drop_condition:0")
    assert 'value="second"' in answer.text and 'value="pallet"' not in answer.text
    answer = write(zofia, condition(field="language", values="x"), action(do="team"), do="draw")
    assert "German" in answer.text and "Night" in answer.text


@pytest.mark.parametrize("more", [
    condition(field="language", how="is", choice=["de"]), condition(field="header", name="X-Priority", values="1"),
    condition(field="files", how="any"), condition(field="size", how="over", values="2,5"),
    condition(field="contact", how="new"), condition(field="hours", how="outside"),
    condition(field="tag", how="is", choice=["1"]), condition(field="written_by", how="is", choice=["list"]),
    condition(field="recipient", how="is", values="corp.example"), condition(field="owner", how="any"),
    condition(field="owner", how="is", choice=["2"]), condition(field="text", how="lacks", values="paid"),
    condition(field="address", how="is", choice=["support@corp.example"])])
def test_each_kind_of_condition_is_written_said_and_opened_again(zofia, more):
    assert write(zofia, more, action(do="close")).status_code == 303
    assert zofia.get(f"/inboxes/{inbox().id}/routing").text.count("then") >= 1
    again = zofia.get(f"/inboxes/{inbox().id}/routing/{stored(Route)[0].id}").text
    assert f'<option value="{more["c0_field"]}" selected' in again


@pytest.mark.parametrize("more", [
    action(do="team", team="1"), action(do="owner"), action(do="tag", tag="1"), action(do="move", inbox="2"),
    action(do="snooze", hours="3"), action(do="spam"), action(do="answer", template="1"), action(do="tell", people=["2"]),
    action(do="target", minutes="90")])
def test_each_kind_of_action_is_written_said_and_opened_again(zofia, more):
    more = more if more["a0_do"] != "move" else action(do="move", inbox=str(inbox("Claims").id))
    assert write(zofia, condition(), more).status_code == 303
    assert zofia.get(f"/inboxes/{inbox().id}/routing").status_code == 200
    again = zofia.get(f"/inboxes/{inbox().id}/routing/{stored(Route)[0].id}").text
    assert f'<option value="{more["a0_do"]}" selected' in again


def test_rules_are_moved_switched_and_removed(zofia, team):
    for name in ("one", "two", "three"):
        write(zofia, condition(values=name), action(do="close"))
    numbers = [r.id for r in stored(Route)]
    write(zofia, path=f"/{numbers[2]}/move", to="1")
    db.session.rollback()
    assert [r.id for r in routing.rules_of(inbox().id)] == [numbers[2], numbers[0], numbers[1]]
    write(zofia, path=f"/{numbers[0]}/switch")
    db.session.rollback()
    assert [r.is_on for r in routing.rules_of(inbox().id)] == [True, False, True]
    write(zofia, path=f"/{numbers[0]}/remove")
    db.session.rollback()
    assert [r.id for r in routing.rules_of(inbox().id)] == [numbers[2], numbers[1]]


def test_what_stands_in_the_way_is_said_on_the_rule(zofia, team):
    write(zofia, condition(values="pallet, box"), action(do="close"))
    write(zofia, condition(values="box"), action(people=[team.marek]))
    with unit():
        db.session.get(Person, team.marek).role = "viewer"
    shown = zofia.get(f"/inboxes/{inbox().id}/routing").text
    assert "Never read: whatever it holds for, rule 1 decides before." in shown
    assert "Marek can’t act in this inbox, and gets nothing." in shown


def test_a_message_is_tried_as_typed_and_as_it_came(zofia, box, team):
    arrive(box, letter(Message_ID="<1@x>", subject="Old pallet"))
    write(zofia, condition(values="invoice"), action(do="close"))
    write(zofia, condition(), action(people=[team.marek]), action(1, do="target", minutes="30"))
    typed = write(zofia, path="/try", sender="x@y.example", subject="A <b>pallet</b>", text="")
    assert "Goes to <b>Marek</b>" in typed.text and "Not so: the subject contains <b>invoice</b>" in typed.text
    assert "&lt;b&gt;pallet" in typed.text and "to be answered by" in typed.text
    came = write(zofia, path="/try", message=str(stored(Message)[0].id))
    assert "Goes to <b>Marek</b>" in came.text
    assert db.session.query(Routed).all() == [] and conversation(1).assignee is None


def test_a_changed_rule_is_replayed_before_it_is_saved(zofia, box, team):
    for n, subject in enumerate(("Pallet", "Invoice", "Other"), 1):
        arrive(box, letter(Message_ID=f"<{n}@x>", subject=subject), first_uid=n)
    write(zofia, condition(), action(people=[team.marek]))
    number = stored(Route)[0].id
    answer = write(zofia, condition(values="pallet, invoice"), action(people=[team.marek]), do="replay", path=f"/{number}")
    assert "Of the last 3 conversations 1 would have gone another way." in answer.text
    assert answer.text.count("<tr><td>") == 1 and stored(Route)[0].conditions[0]["values"] == ["pallet"]
    answer = write(zofia, condition(values="nothing such"), action(do="close"), do="replay")
    assert "The last 3 conversations would have gone the same way." in answer.text


def test_what_becomes_of_other_mail(zofia, team):
    url = "/otherwise"
    write(zofia, path=url, o_do="assign", o_people=[team.marek], o_how="least", open_most="7")
    db.session.rollback()
    assert (inbox().otherwise, inbox().open_most) == ({"do": "assign", "people": [team.marek], "how": "least"}, 7)
    answer = write(zofia, path=url, o_do="assign", open_most="7")
    assert answer.status_code == 422 and "Choose at least one person." in answer.text
    answer = write(zofia, path=url, o_do="", open_most="many")
    assert answer.status_code == 422 and "Type a whole number" in answer.text
    assert inbox().open_most == 7 and inbox().otherwise
    write(zofia, path=url, o_do="", open_most="")
    db.session.rollback()
    assert (inbox().otherwise, inbox().open_most) == (None, None)


def test_why_it_was_routed_so_is_told_to_whoever_reads_it(zofia, box, team, browser_of):
    write(zofia, condition(values="invoice"), action(do="close"))
    write(zofia, condition(), action(people=[team.marek]))
    arrive(box, letter(Message_ID="<1@x>"))
    jobs.route(1)
    with browser_of("ewa") as ewa:
        shown = ewa.get("/conversations/1/routing").text
        assert "Not so: the subject contains <b>invoice</b>" in shown and "Goes to <b>Marek</b>" in shown
        assert "Rule 2: given to Marek" in ewa.get("/conversations/1").text
    arrive(box, letter(Message_ID="<2@x>"), first_uid=2, at=now() - timedelta(days=3))
    assert "No rule has looked" in zofia.get("/conversations/2/routing").text


def test_one_says_when_one_is_there(box, browser_of, team):
    here = {"headers": {"Sec-Fetch-Site": "same-origin"}}
    box_day = (now().date() + timedelta(days=3)).isoformat()
    with browser_of("marek") as client:
        client.application.config["WTF_CSRF_ENABLED"] = False
        client.post("/availability", data={"away": "y"}, **here)
        assert person("marek").is_away and "You are away" in client.get("/availability").text
        client.post("/availability", data={}, **here)
        client.post("/availability/hours", data={"day0": "9-17"}, **here)
        db.session.rollback()
        assert not person("marek").is_away and person("marek").hours["days"][0] == [["09:00", "17:00"]]
        answer = client.post("/availability/hours", data={"day0": "late"}, **here)
        assert answer.status_code == 422 and 'value="late"' in answer.text
        answer = client.post("/availability/absences", data={"first": box_day, "last": "2001-01-01"}, **here)
        assert answer.status_code == 422 and "The last day is before the first." in answer.text
        answer = client.post("/availability/absences", data={"first": "", "last": ""}, **here)
        assert answer.status_code == 422 and "Choose a day." in answer.text
        client.post("/availability/absences", data={"first": box_day, "last": box_day, "hand_over": "y"}, **here)
        [absence] = stored(Absence)
        assert absence.hand_over and client.get("/availability").status_code == 200
        client.post(f"/availability/absences/{absence.id}/remove", **here)
        assert stored(Absence) == []


def test_an_admin_sets_somebody_away_and_they_are_told(zofia, team):
    zofia.post(f"/people/{team.marek}/availability", data={"away": "y"}, headers={"Sec-Fetch-Site": "same-origin"})
    assert person("marek").is_away
    [notice] = stored(Notice, Notice.kind == "availability")
    assert (notice.person_id, notice.facts) == (team.marek, {"by": "Zofia", "away": True})
    assert "Set available" in zofia.get(f"/people/{team.marek}").text


def test_a_contact_gets_an_owner(zofia, box, team):
    arrive(box, letter(Message_ID="<1@x>"))
    answer = zofia.post("/conversations/1/owner", data={"owner": str(team.marek)},
                        headers={"Sec-Fetch-Site": "same-origin"})
    assert answer.status_code == 303
    assert db.session.query(Contact).one().owner_id == team.marek
    assert "made Marek the owner of this contact" in zofia.get("/conversations/1").text


def test_the_page_of_who_leaves_names_the_rules_that_name_them(zofia, team):
    write(zofia, condition(), action(do="close"))
    write(zofia, condition(), action(people=[team.marek]))
    shown = zofia.get(f"/people/{team.marek}/leaving").text
    assert "Routing rules that name them" in shown and "Rule 2" in shown and "Rule 1" not in shown


def test_contacts_of_who_leaves_get_another_owner(zofia, box, team):
    arrive(box, letter(Message_ID="<1@x>"))
    zofia.post("/conversations/1/owner", data={"owner": str(team.marek)}, headers={"Sec-Fetch-Site": "same-origin"})
    assert "Contacts they own" in zofia.get(f"/people/{team.marek}/leaving").text
    zofia.post(f"/people/{team.marek}/leaving/contacts", data={"heir": str(team.zofia)},
               headers={"Sec-Fetch-Site": "same-origin"})
    db.session.rollback()
    assert db.session.query(Contact).one().owner_id == team.zofia
