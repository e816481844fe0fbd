"""A live stream ends when what it tells is no longer for that person, and one person cannot take them all."""

import pytest
from mailroom import connected

from webapp.blueprints import live
from webapp.live import EACH


@pytest.fixture
def hub(app):
    yield app.extensions["live"]
    app.extensions["live"].close()


def test_a_stream_ends_by_itself_so_that_the_next_one_asks_again_who_may_hear(team, browser_of, hub, monkeypatch):
    """Who is removed, or taken out of an inbox, would hear of every mail there for as long as the page is open."""
    connected()
    monkeypatch.setattr(live, "LONGEST", 0.5, raising=False)
    monkeypatch.setattr(live, "HEARTBEAT", 0.1)
    with browser_of("marek") as browser:
        answer = browser.get("/live?on=inbox-1:0&tab=a")
        said = []
        for piece in answer.response:
            said.append(piece)
            if len(said) > 40:
                break
        assert len(said) <= 40, "it would have gone on for ever"


def test_one_person_cannot_take_all_the_streams(team, browser_of, hub):
    connected()
    with browser_of("ewa") as browser:
        answers = [browser.get(f"/live?on=inbox-1:0&tab={n}") for n in range(40)]
    assert [a.status_code for a in answers] == [200] * 40
    assert len(hub._streams) == EACH, "the oldest went: pages that were left, most likely"
    with browser_of("marek") as browser:
        assert browser.get("/live?on=inbox-1:0&tab=x").status_code == 200
    for answer in answers:
        answer.close()
