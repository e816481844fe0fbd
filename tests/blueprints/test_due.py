"""Until when answers are due, in lists and at the head of a conversation."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from mailroom import arrive, connected, inbox, letter
from sqlalchemy import event

from webapp.extensions import db, unit
from webapp.models import Conversation


def now():
    return datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
def three(app, team):
    """Three customers wait: one for long, one soon to be answered, one with time."""
    box = connected()
    with unit():
        inbox().first_within = 60
    for n, minutes in enumerate((10, 59, 30), 1):
        arrive(box, letter(subject=f"Pallet {n}", Message_ID=f"<{n}@c.example>"), first_uid=n,
               at=now() - timedelta(minutes=minutes))
    late(2)


def late(number, hours=3):
    with unit():
        db.session.get(Conversation, number).due_at = now() - timedelta(hours=hours, minutes=5)


def order(page):
    found = [(page.index(f'id="conv-{n}"'), n) for n in (1, 2, 3) if f'id="conv-{n}"' in page]
    return [n for _at, n in sorted(found)]


def test_rows_and_heads_say_until_when(three, browser_of):
    with browser_of("marek") as client:
        rows = client.get(f"/inboxes/{inbox().id}").text
        assert "Overdue by 3\u00a0h" in rows and 'class="conv__due danger"' in rows
        assert re.search("Reply due in 4\\d\u00a0min", rows) and 'class="conv__due warn"' in rows
        head = client.get("/conversations/2").text
        assert "Overdue by 3\u00a0h" in head and 'class="tag subject__due danger"' in head


def test_what_is_due_first_comes_first(three, browser_of):
    with browser_of("marek") as client:
        assert order(client.get(f"/inboxes/{inbox().id}?sort=due").text) == [2, 3, 1]
        assert order(client.get(f"/inboxes/{inbox().id}").text) == [1, 3, 2]


def test_what_is_overdue_is_listed_alone_and_counted(three, browser_of):
    with browser_of("ewa") as client:
        page = client.get("/conversations?status=any&late=1&sort=due").text
        assert order(page) == [2] and '<span class="nav__n danger">1</span>' in page
        late(2, hours=-9)
        page = client.get("/conversations?status=any&late=1&sort=due").text
        assert order(page) == [] and "Nothing is overdue" in page


def test_who_has_no_target_is_shown_none(three, browser_of):
    with unit():
        inbox().first_within = None
        db.session.execute(db.update(Conversation).values(due_at=None))
    with browser_of("marek") as client:
        page = client.get(f"/inboxes/{inbox().id}").text
        assert "data-due" not in page and ">Overdue<" not in page


def test_a_page_of_what_is_due_goes_on_where_it_ended(three, browser_of, monkeypatch):
    monkeypatch.setattr("webapp.web.paging.page.__defaults__", (2, False))
    with browser_of("marek") as client:
        first = client.get(f"/inboxes/{inbox().id}/list?sort=due").text
        assert order(first) == [2, 3] and "Conversations that are due later" in first
        url = first.split('class="list-more" href="')[1].split('"')[0].replace("&amp;", "&").replace("?", "/list?")
        assert order(client.get(url).text) == [1]


def test_the_list_of_what_is_due_is_read_from_its_index(three, browser_of):
    if db.engine.dialect.name != "sqlite":
        pytest.skip("PostgreSQL reads a small table whole")
    asked = []
    event.listen(db.engine, "before_cursor_execute", lambda _c, _k, statement, values, *_: asked.append((statement, values)))
    with browser_of("marek") as client:
        client.get(f"/inboxes/{inbox().id}?sort=due&late=1")
    [(statement, values)] = [a for a in asked if "ORDER BY conversation.due_at" in a[0]]
    plan = str(db.session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values).all())
    assert "ix_conversation_due" in plan and "TEMP B-TREE" not in plan, plan
