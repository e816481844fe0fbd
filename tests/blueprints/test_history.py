"""How far back and which folders, on the screens: chosen while connecting, shown and changed on the mailbox's page; the
last comparison."""

import re

from mailroom import connected, folder_of, inbox, stored

from webapp.extensions import db, unit
from webapp.models import Connection, Folder
from webapp.models.types import now

HERE = {"Sec-Fetch-Site": "same-origin"}


def choices(html):
    return re.findall(r'<option value="(\w+)"( selected)?', html[html.index('name="history"'):].split("</select>")[0])


def test_it_is_chosen_while_connecting_and_kept_when_the_form_is_refused(app, team, browser_of):
    with browser_of("marek") as client:
        assert choices(client.get("/connect/personal").text) == [
            ("all", " selected"), ("year", ""), ("quarter", ""), ("new", "")]
        refused = client.post("/connect/personal", data={"address": "no address", "password": "x", "history": "quarter"},
                              headers=HERE)
        assert refused.status_code == 422
        assert ("quarter", " selected") in choices(refused.text)
        made = client.post("/connect/personal", data={"address": "marek@corp.example", "password": "x",
                                                      "history": "year"}, headers=HERE)
        assert made.status_code == 303
    assert [c.history for c in db.session.scalars(db.select(Connection))] == ["year"]


def test_it_is_shown_and_changed_on_the_mailboxs_page(app, team, browser_of):
    box = connected("personal", "marek@corp.example", "marek")
    with browser_of("marek") as client:
        assert ("all", " selected") in choices(client.get("/mailboxes").text)
        answer = client.post(f"/connections/{box}/history", data={"history": "quarter"}, headers=HERE)
        assert (answer.status_code, answer.headers["Location"]) == (303, f"/mailboxes?show={box}")
        assert ("quarter", " selected") in choices(client.get("/mailboxes").text)
        assert client.post(f"/connections/{box}/history", data={"history": "ever"}, headers=HERE).status_code == 409
    with browser_of("ewa") as client:
        assert client.post(f"/connections/{box}/history", data={"history": "all"}, headers=HERE).status_code == 404
    with browser_of("zofia") as client:
        assert client.post(f"/connections/{box}/history", data={"history": "all"}, headers=HERE).status_code == 404


def test_a_team_address_has_it_in_its_inboxs_settings(app, team, browser_of):
    box = connected("team", "support@corp.example", "zofia")
    with browser_of("zofia") as client:
        page = client.get(f"/inboxes/{inbox().id}/settings").text
        assert ("all", " selected") in choices(page)
        assert "Compared with the server" not in page
        client.post(f"/connections/{box}/history", data={"history": "new"}, headers=HERE)
        db.session.rollback()
        assert db.session.get(Connection, box).history == "new"


def test_the_last_comparison_is_one_quiet_line(app, team, browser_of):
    box, mine = connected("team", "support@corp.example", "zofia"), connected("personal", "z@corp.example", "zofia")
    with unit():
        for folder in db.session.scalars(db.select(Folder)):
            folder.reconciled_at = now() if folder.chosen else None
    with browser_of("zofia") as client:
        for page in (f"/inboxes/{inbox().id}/settings", f"/mailboxes?show={mine}"):
            assert re.search(r"Compared with the server today \d+:\d\d: nothing missing\.", client.get(page).text)
        with unit():
            folder_of(box).missing = folder_of(mine).missing = 2
        for page in (f"/inboxes/{inbox().id}/settings", f"/mailboxes?show={mine}"):
            assert "2 messages were missing and are here now." in client.get(page).text


def test_folders_are_chosen_on_the_mailboxs_page_and_in_the_inboxs_settings(app, team, browser_of):
    mine, ours = connected("personal", "marek@corp.example", "marek"), connected("team", "s@corp.example", "zofia")
    with unit():
        for box in (mine, ours):
            for name, role in (("Projects", "other"), ("Junk", "junk")):
                db.session.add(Folder(connection_id=box, name=name, wire_name=name.encode(), role=role))
    for who, page, box in (("marek", f"/mailboxes?show={mine}", mine), ("zofia", f"/inboxes/{inbox().id}/settings", ours)):
        with browser_of(who) as client:
            shown = client.get(page).text
            assert "Projects" in shown and "Junk" not in shown
            wanted = next(f.id for f in stored(Folder) if f.connection_id == box and f.name == "Projects")
            junk = next(f.id for f in stored(Folder) if f.connection_id == box and f.name == "Junk")
            assert client.post(f"/connections/{box}/folders", data={"folder": wanted}, headers=HERE).status_code == 303
            assert re.search(rf'value="{wanted}" checked', client.get(page).text)
            assert client.post(f"/connections/{box}/folders", data={"folder": junk}, headers=HERE).status_code == 409
