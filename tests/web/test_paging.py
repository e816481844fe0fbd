"""Keyset pages: every row once, whatever the moment and whatever the cursor says."""

from datetime import UTC, datetime, timedelta

import pytest
from mailroom import inbox, stored
from sqlalchemy import select, text

from webapp.extensions import db, unit
from webapp.models import Conversation
from webapp.web import paging


def read_all(cursor=None):
    ids = []
    for _page in range(20):
        rows, more = paging.page(db.session, select(Conversation), Conversation.last_at, Conversation.id, cursor, size=3)
        ids += [r[0].id for r in rows]
        if not more:
            return ids
        cursor = paging.cursor_of(rows[-1][0].last_at, rows[-1][0].id)


@pytest.mark.parametrize("zone", ["UTC", "Europe/Warsaw"])
def test_every_row_comes_once_newest_first_whatever_the_clock_of_the_database(app, database, zone):
    t0 = datetime(2026, 3, 29, 0, 59, 59, 999_997, tzinfo=UTC)
    with unit():
        for n in range(20):      # three at each moment, a microsecond apart
            at = t0 + timedelta(microseconds=n // 3)
            db.session.add(Conversation(inbox_id=inbox().id, last_at=at, opened_at=at))
    expected = [c.id for c in sorted(stored(Conversation), key=lambda c: (c.last_at, c.id), reverse=True)]
    if database == "postgresql":
        db.session.execute(text(f"SET LOCAL TIME ZONE '{zone}'"))
    assert read_all() == expected
    db.session.rollback()


def test_a_cursor_comes_back_as_the_same_moment():
    for n in range(0, 3_000_000, 997):
        at = datetime(2026, 11, 23, 16, 0, 0, tzinfo=UTC) + timedelta(microseconds=n)
        assert paging.parse(paging.cursor_of(at, 7)) == (at, 7)


@pytest.mark.parametrize("cursor", [None, "", "x", "1", "-1-1", "1-", "999999999999999999-1", "1-99999999999999999999", "²-1"])
def test_a_cursor_that_makes_no_sense_gives_the_first_page(app, cursor):
    with unit():
        db.session.add(Conversation(inbox_id=inbox().id))
    if paging.parse(cursor) is None:
        assert len(read_all(cursor)) == 1
