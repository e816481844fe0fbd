"""Keyset pages: the cursor is the last row's (moment, id), never an offset (SYNC 6)."""

import re
from datetime import UTC, datetime, timedelta

from sqlalchemy import tuple_

PAGE = 50
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CURSOR = re.compile(r"^(\d{1,18})-(\d{1,18})$")


def page(session, query, at, row_id, cursor, size=PAGE, oldest_first=False):
    """(rows, are there more), newest first unless said. A cursor that makes no sense gives the first page."""
    here, after = tuple_(at, row_id), parse(cursor)
    if after:
        there = tuple_(*after, types=(at.type, row_id.type))
        query = query.where(here > there if oldest_first else here < there)
    order = (at, row_id) if oldest_first else (at.desc(), row_id.desc())
    rows = session.execute(query.order_by(*order).limit(size + 1)).all()
    more = len(rows) > size
    return rows[:size], more


def cursor_of(at, row_id):
    return f"{(at - EPOCH) // timedelta(microseconds=1)}-{row_id}"


def parse(cursor):
    match = _CURSOR.match(cursor or "")
    if not match:
        return None
    try:
        return EPOCH + timedelta(microseconds=int(match[1])), int(match[2])
    except (OverflowError, ValueError, OSError):
        return None
