"""Names of what changed reach the screens that asked for them, after the commit, and nobody else."""

import time

import pytest
from mailroom import arrive, connected, letter, stored

from webapp.extensions import db, unit
from webapp.live import Hub, announce, versions
from webapp.models import Conversation


@pytest.fixture
def hub(app):
    hub = Hub(app.extensions["redis"], 3)
    yield hub
    hub.close()


def heard(inbox, count, seconds=5):
    """The next names; the first round after subscribing ("look at everything") comes with version -1."""
    found = []
    until = time.monotonic() + seconds
    while len(found) < count and time.monotonic() < until:
        try:
            found.append(inbox.get(timeout=0.2))
        except Exception:
            continue
    return found


def test_a_name_is_told_after_the_commit_to_who_listens(app, hub):
    inbox = hub.listen({"inbox-1": 0}, "a")
    other = hub.listen({"inbox-2": 0}, "b")
    assert heard(inbox, 1) == [("inbox-1", -1)]
    with unit():
        announce("inbox-1", "inbox-1")
        assert versions(["inbox-1"]) == {"inbox-1": 0}
    version = versions(["inbox-1"])["inbox-1"]
    assert version > 0
    assert heard(inbox, 1) == [("inbox-1", version)]
    # Whether the first round came to it too is a race: the thread may have subscribed before it listened.
    assert heard(other, 2, 0.3) in ([], [("inbox-2", -1)])
    announce("inbox-1")
    db.session.rollback()
    assert versions(["inbox-1", "never"]) == {"inbox-1": version, "never": 0}


def test_an_emptied_redis_never_repeats_a_version(app):
    with unit():
        announce("inbox-1")
    before = versions(["inbox-1"])
    app.extensions["redis"].flushdb()
    with unit():
        announce("inbox-1")
    assert versions(["inbox-1"]) != before


def test_a_second_stream_of_one_tab_ends_the_first_and_the_number_of_streams_is_bounded(hub):
    first = hub.listen({"x": 0}, "tab")
    second = hub.listen({"x": 0}, "tab")
    assert None in heard(first, 2, 1)
    assert hub.listen({"x": 0}, "b") is not None
    assert hub.listen({"x": 0}, "c") is not None
    assert hub.listen({"x": 0}, "d") is None
    hub.leave("tab", second)
    assert hub.listen({"x": 0}, "d") is not None


def test_a_full_queue_drops_names_but_never_the_end(hub):
    inbox = hub.listen({"x": 0}, "tab")
    for n in range(300):
        hub._tell("x", n)
    hub.close()
    assert None in [inbox.get_nowait() for _ in range(inbox.qsize())]


def test_the_poll_tells_what_moved_since_it_was_known(team, browser_of):
    box = connected()
    arrive(box, letter(Message_ID="<0@x>"))
    conversation = stored(Conversation)[0]
    with browser_of("marek") as client:
        url = f"/live/poll?on=inbox-{conversation.inbox_id}:%s&on=conversation-{conversation.id}:%s"
        arrive(box, letter(Message_ID="<1@x>", In_Reply_To="<0@x>"), first_uid=2)
        fresh = client.get(url % (0, 0)).json
        assert set(fresh) == {f"inbox-{conversation.inbox_id}", f"conversation-{conversation.id}"}
        known = tuple(fresh[f"{kind}-{number}"] for kind, number in (("inbox", conversation.inbox_id),
                                                                     ("conversation", conversation.id)))
        assert client.get(url % known).status_code == 204
        arrive(box, letter(subject="Another"), first_uid=3)
        assert set(client.get(url % known).json) == {f"inbox-{conversation.inbox_id}"}


def test_a_stream_says_at_once_what_was_missed(team, browser_of):
    box = connected()
    arrive(box, letter())
    conversation = stored(Conversation)[0]
    with browser_of("marek") as client:
        answer = client.get(f"/live?tab=1&on=inbox-{conversation.inbox_id}:0")
        stream = answer.iter_encoded()
        text = next(stream) + next(stream)
        assert b"event: changed" in text
        assert f"inbox-{conversation.inbox_id}".encode() in text
        assert answer.headers["X-Accel-Buffering"] == "no"
        answer.close()
