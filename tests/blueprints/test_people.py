"""Users and roles, inviting, the leaving page and teams, as an admin's browser meets them."""

import html
import re

import pytest
from mailroom import connected, inbox, person, stored

from webapp.actions import holds, inboxes, people, teams
from webapp.extensions import db, unit
from webapp.models import Conversation, Hold, InboxMember, Link, Person, Team

HERE = {"Sec-Fetch-Site": "same-origin"}
SWAP = {**HERE, "HX-Request": "true"}


@pytest.fixture
def zofia(team, browser_of):
    with browser_of("zofia") as client:
        yield client


def post(client, path, **data):
    return client.post(path, data=data, headers=HERE)


def state(name):
    db.session.rollback()
    return person(name).state


def names_in(answer):
    """The names in the table of users."""
    table = answer.text.partition('id="users"')[2]
    return [html.unescape(n) for n in re.findall(r'people__name"><a [^>]+>([^<]+)</a>', table)]


def test_for_everybody_else_these_pages_are_not_there(team, browser_of):
    with unit():
        made = teams.create_team(person("zofia"), "Sales").id
    for name in ("marek", "ewa"):
        with browser_of(name) as client:
            for path in ("/people", "/people/invite", f"/people/{team.zofia}", f"/people/{team.zofia}/leaving", "/teams",
                         f"/teams/{made}", f"/people/{team.ewa}/deactivate"):
                assert client.get(path).status_code == 404, path
            for path in ("/people/invite", f"/people/{team.ewa}/role", f"/people/{team.ewa}/remove", "/teams",
                         f"/teams/{made}", f"/teams/{made}/delete", f"/people/{team.ewa}/restore"):
                assert post(client, path, role="admin", name="x", emails="x@y.example").status_code == 404, path


def test_the_table_finds_people_by_parts_of_name_address_and_role_and_forgives_marks(zofia):
    with unit():
        people.create_person("Łukasz Wójcik", "lw@corp.example", "viewer")
    assert names_in(zofia.get("/people")) == ["Ewa", "Łukasz Wójcik", "Marek", "Zofia"]
    for typed, found in (("lukasz", ["Łukasz Wójcik"]), ("WÓJ", ["Łukasz Wójcik"]), ("reads only", ["Ewa", "Łukasz Wójcik"]),
                         ("marek@corp", ["Marek"]), ("admin", ["Zofia"]), ("%", []), ("x" * 5000, [])):
        answer = zofia.get("/people", query_string={"q": typed})
        assert names_in(answer) == found, typed
    swap = zofia.get("/people?q=marek", headers=SWAP)
    assert "<html" not in swap.text
    assert names_in(swap) == ["Marek"]


def test_several_are_invited_at_once_and_without_mail_their_links_are_shown_once(app, zofia):
    with unit():
        sales = teams.create_team(person("zofia"), "Sales").id
    answer = post(zofia, "/people/invite", emails="jan@corp.example\nola@corp.example", role="viewer", language="pl",
                  teams=str(sales))
    urls = re.findall(r'value="(http://localhost/links/[^"]+)"', answer.text)
    assert (answer.status_code, len(urls)) == (200, 2)
    assert answer.headers["Cache-Control"] == "no-store"
    assert {(p.role, p.language, p.state) for p in stored(Person)[-2:]} == {("viewer", "pl", "invited")}
    assert app.test_client().get(html.unescape(urls[0]).removeprefix("http://localhost")).status_code == 200
    listed = zofia.get("/people").text
    assert "Withdraw the invitation" in listed
    assert "/links/" not in listed


@pytest.mark.parametrize(("typed", "sentence"), [
    ("jan@corp.example\nbad address\nola@", "These aren’t whole e-mail addresses: bad address, ola@."),
    ("jan@corp.example, Marek@corp.example", "Somebody signs in with this address already: Marek@corp.example."),
    ("", "Type at least one e-mail address."),
    ("\n".join(f"p{n}@corp.example" for n in range(51)), "Invite at most 50 at once."),
    ("x" * 100_000, "Use at most"),
])
def test_of_a_bad_list_nobody_is_invited_and_nothing_typed_is_lost(zofia, typed, sentence):
    answer = post(zofia, "/people/invite", emails=typed, role="member", language="en")
    assert answer.status_code == 422
    assert sentence in html.unescape(answer.text)
    assert html.escape(typed, quote=False) in answer.text
    assert len(stored(Person)) == 3
    assert stored(Link) == []


def test_where_mail_is_sent_no_link_is_shown_to_anybody(app, zofia, monkeypatch):
    settings = app.config["SETTINGS"]
    monkeypatch.setitem(settings.__dict__, "notice_smtp", "smtps://u:p@mail.corp.example:465")
    answer = post(zofia, "/people/invite", emails="jan@corp.example", role="member", language="en")
    assert (answer.status_code, answer.location) == (303, "/people")
    monkeypatch.setitem(settings.__dict__, "demo", True)
    assert "/links/" in post(zofia, f"/people/{stored(Person)[-1].id}/invite-again").text


def test_a_role_is_changed_and_what_cannot_be_is_said_on_the_persons_page(zofia, team):
    assert post(zofia, f"/people/{team.marek}/role", role="viewer", back="people").location == "/people"
    assert person("marek").role == "viewer"
    answer = post(zofia, f"/people/{team.zofia}/role", role="member")
    assert answer.status_code == 422
    assert "Somebody has to be an admin" in answer.text
    assert post(zofia, f"/people/{team.marek}/role", role="owner").status_code == 422
    assert post(zofia, f"/people/{team.zofia}/deactivate", heir="0").status_code == 422
    with unit():
        people.set_role(person("zofia"), person("marek"), "admin")
    assert post(zofia, f"/people/{team.zofia}/role", role="member").location == "/"


def test_the_ghost_is_listed_with_who_waits_released_and_restored(zofia, team):
    connected("personal", "marek@corp.example", "marek")
    with unit():
        people.remove_person(person("zofia"), person("marek"))
    with unit():
        people.create_person("Olga", "olga@corp.example")
    with unit():
        holds.request(person("olga"), "marek@corp.example", "personal")
    page = zofia.get("/people").text
    assert "Removed, still holding addresses" in page
    assert "Olga is waiting for it" in page
    assert "by Zofia" in page
    assert "Marek" not in names_in(zofia.get("/people"))
    assert names_in(zofia.get("/people?state=removed")) == ["Marek"]
    hold = stored(Hold)[0].id
    assert post(zofia, f"/holds/{hold}/release", back="people").location == "/people"
    assert "Removed, still holding addresses" not in zofia.get("/people").text
    assert "/links/" in post(zofia, f"/people/{team.marek}/restore").text
    assert state("marek") == "invited"
    assert post(zofia, f"/people/{team.marek}/restore").status_code == 422


def test_the_leaving_page_names_everything_and_hands_it_over_before_or_after(zofia, team):
    connected("personal", "marek@corp.example", "marek")
    with unit():
        board = inboxes.create_inbox(person("zofia"), "Board", access="members", people=[person("marek")])
        teams.create_team(person("zofia"), "Sales", [person("marek"), person("ewa")])
        db.session.add_all(Conversation(inbox_id=inbox().id, assignee_id=team.marek) for _ in range(3))
        board_id, team_id = board.id, db.session.query(Team.id).scalar()
    path = f"/people/{team.marek}/leaving"
    page = html.unescape(zofia.get(path).text.replace("<wbr>", ""))
    for words in ("marek@corp.example", "3 open conversations", "Board", "Sales", "Zofia</option>"):
        assert words in page, words
    assert "Ewa</option>" not in page            # she only reads
    assert post(zofia, f"{path}/conversations/{inbox().id}", heir=str(team.ewa)).status_code == 422
    assert post(zofia, f"{path}/conversations/{inbox().id}", heir="x").status_code == 400
    assert post(zofia, f"{path}/conversations/{inbox().id}", heir=str(team.zofia)).status_code == 303
    assert {c.assignee_id for c in stored(Conversation)} == {team.zofia}
    answer = post(zofia, f"{path}/inboxes/{board_id}")
    assert answer.status_code == 422
    assert "Board would be left with nobody" in answer.text
    assert [m.person_id for m in db.session.query(InboxMember)] == [team.marek]
    assert post(zofia, f"{path}/teams/{team_id}").status_code == 303
    assert post(zofia, f"/people/{team.marek}/remove", heir="0").location == path
    page = zofia.get(path).text
    assert "No mail is read or sent with them meanwhile" in page
    assert "Board" not in page
    assert post(zofia, f"/holds/{stored(Hold)[0].id}/release", back="leaving").location == path
    assert "Nothing is left in their name" in zofia.get(path).text


def test_deactivating_asks_who_gets_the_conversations_and_keeps_a_refused_choice(zofia, team):
    with unit():
        db.session.add(Conversation(inbox_id=inbox().id, assignee_id=team.marek))
    question = zofia.get(f"/people/{team.marek}/deactivate").text
    assert "1 open conversation is assigned to Marek" in question
    answer = post(zofia, f"/people/{team.marek}/deactivate", heir=str(team.ewa))
    assert answer.status_code == 422
    assert "Ewa can’t answer in Support" in answer.text
    assert state("marek") == "active"
    assert post(zofia, f"/people/{team.marek}/deactivate", heir=str(team.zofia)).status_code == 303
    assert (state("marek"), stored(Conversation)[0].assignee_id) == ("deactivated", team.zofia)
    assert post(zofia, f"/people/{team.marek}/deactivate", heir="0").status_code == 422
    assert post(zofia, f"/people/{team.marek}/reactivate").status_code == 303


def test_a_team_is_made_filled_and_deleted_with_what_it_opens_named(zofia, team):
    made = post(zofia, "/teams", name="Sales\u202e").location
    assert post(zofia, "/teams", name="Sales").status_code == 422
    assert post(zofia, made, name="Sales", members=[str(team.marek), str(team.ewa), "999"]).status_code == 303
    assert [m.name for m in teams.members_of(stored(Team)[0])] == ["Ewa", "Marek"]
    with unit():
        inboxes.create_inbox(person("zofia"), "Board", access="members", teams=stored(Team))
    assert "Board" in zofia.get(f"{made}/delete").text
    answer = post(zofia, made, name="Other name")
    assert answer.status_code == 422
    assert "Board would be left with nobody" in answer.text
    assert 'value="Other name"' in answer.text
    assert post(zofia, f"{made}/delete").status_code == 422
    assert stored(Team)[0].name == "Sales"


@pytest.mark.parametrize("name", ["", "\u202e", "x" * 61, "\x00\x01", "x" * 1_000_000])
def test_a_team_without_a_good_name_is_not_made(zofia, name):
    assert post(zofia, "/teams", name=name).status_code == 422
    assert stored(Team) == []


def test_a_name_of_html_is_text_on_every_page(zofia, team):
    evil = "<script>x()</script>&amp; Ala"
    with unit():
        person("marek").name = evil
        made = teams.create_team(person("zofia"), evil[:60], [db.session.get(Person, team.marek)]).id
    for path in ("/people", f"/people/{team.marek}", f"/people/{team.marek}/leaving", f"/people/{team.marek}/remove",
                 "/teams", f"/teams/{made}", f"/teams/{made}/delete", "/people/invite"):
        answer = zofia.get(path)
        assert answer.status_code == 200, path
        assert "<script>x()" not in answer.text, path
