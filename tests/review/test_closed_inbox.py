"""What people outside a restricted inbox learn of it: nothing, not even its name."""

import threading

from mailroom import connected, inbox, person, stored

from webapp.actions import holds, inboxes
from webapp.extensions import db, unit
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
    together, real, wrong = threading.Barrier(2), holds.check_address, []

    def at_once(text):
        key = real(text)
        if db.engine.dialect.name != "sqlite":      # there one waits for the other from the first statement on
            together.wait(5)
        return key
    monkeypatch.setattr(holds, "check_address", at_once)

    def ask():
        with app.app_context():
            try:
                with unit():
                    holds.request(person("marek"), "zofia@corp.example", "personal")
            except Exception as error:
                wrong.append(error)
            finally:
                db.session.remove()
    tabs = [threading.Thread(target=ask) for _n in range(2)]
    [t.start() for t in tabs]
    [t.join(20) for t in tabs]
    assert not wrong
    assert len(stored(HoldRequest)) == 1
