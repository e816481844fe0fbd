"""What people outside a restricted inbox learn of it: nothing, not even its name."""

from mailroom import connected, inbox, person, stored
from tabs import at_once, let_two_meet

from webapp.actions import holds, inboxes
from webapp.extensions import unit
from webapp.models import HoldRequest

HERE = {"Sec-Fetch-Site": "same-origin"}


def test_the_first_page_names_no_inbox_that_one_cannot_open(app, team, browser_of):
    connected()
    with browser_of("ewa") as client:
        assert "Open Support" in client.get("/welcome").text
    with unit():
        inboxes.rename_inbox(person("zofia"), inbox(), "Layoffs")
        inboxes.change_access(person("zofia"), inbox("Layoffs"), "members", [person("zofia")])
    for name, sees in (("ewa", False), ("marek", False), ("zofia", True)):
        with browser_of(name) as client:
            for path in ("/welcome", "/choose", "/notices", "/mailboxes", "/connect/team?address=support@corp.example",
                         "/connect/personal/hint?address=support@corp.example",
                         "/choose/advice?goal=one-to-one&goal=shared&address=support@corp.example"):
                answer = client.get(path)
                assert answer.status_code == 200
                assert sees or "Layoffs" not in answer.text, path
            assert ("Open Layoffs" in client.get("/welcome").text) == sees


def test_asking_in_two_tabs_at_once_is_asking_once(app, team, monkeypatch):
    connected("personal", "zofia@corp.example")
    let_two_meet(monkeypatch, holds, "check_address")

    def ask():
        holds.request(person("marek"), "zofia@corp.example", "personal")
    at_once(app, ask, ask)
    assert len(stored(HoldRequest)) == 1
