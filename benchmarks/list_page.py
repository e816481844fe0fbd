"""The inbox list at 100,000 conversations: how long the server takes for a page, at the top and deep down.

A SQLite database in a temporary folder is filled directly; the pages are asked for through the application, without a
network. The query plan is printed: it must use ix_conversation_list and sort nothing.
"""

import argparse
import random
import re
import statistics
import time
from datetime import timedelta

from _stage import DOMAIN, PASSWORD, percentile, report  # noqa: I001 (sets the path of what follows)
from servers import remove, short_folder
from servers.valkey import Valkey
from sqlalchemy import event, insert

from webapp import create_app
from webapp.actions import inboxes, people
from webapp.config import Settings
from webapp.extensions import db, unit
from webapp.models import Conversation, Inbox
from webapp.models.types import now


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--conversations", type=int, default=100_000)
    count = parser.parse_args().conversations
    folder = short_folder("bench")
    try:
        with Valkey() as valkey:
            app = create_app(Settings(data_dir=str(folder), redis_url=valkey.url, log_level="WARNING",
                                      base_url="http://localhost"))
            with app.app_context():
                inbox = fill(count)
                db.engine.dispose()
            tell(count, *measure(app, inbox))
    finally:
        remove(folder)


def fill(count):
    """An inbox with that many conversations, nine of ten closed. Returns its id."""
    db.create_all()
    with unit():
        inboxes.ensure_default_inbox("Support")
        people.create_person("Zofia", f"zofia@{DOMAIN}", "admin", PASSWORD)
    inbox = db.session.query(Inbox.id).scalar()
    rng, start = random.Random(5), now()
    for first in range(0, count, 5000):
        with unit():
            db.session.execute(insert(Conversation), [
                {"inbox_id": inbox, "subject": f"Order {n} and a few words more", "who": f"Customer {n % 977}",
                 "status": "closed" if rng.random() < 0.9 else "open", "message_count": rng.randint(1, 9),
                 "last_at": start - timedelta(minutes=n), "opened_at": start - timedelta(minutes=n + 500),
                 "last_snippet": "We have received your order and will come back to you. " * 2, "last_in_id": 0}
                for n in range(first, min(first + 5000, count))])
    db.session.remove()
    return inbox


def measure(app, inbox):
    """({what: seconds of each request}, {what: seconds in the database}, plan)"""
    client = app.test_client()
    client.post("/sign-in", data={"email": f"zofia@{DOMAIN}", "password": PASSWORD, "csrf_token": token(client)},
                headers={"Sec-Fetch-Site": "same-origin"})
    spent, statements = [0.0], []
    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", lambda *a: spent.append(-time.perf_counter()))
    event.listen(engine, "after_cursor_execute", lambda *a: spent.append(time.perf_counter()))
    event.listen(engine, "before_cursor_execute", lambda _c, _k, sql, values, *_: statements.append((sql, values)))
    pages = {"the inbox, whole page": lambda: f"/inboxes/{inbox}",
             "rows, first page": lambda: f"/inboxes/{inbox}/list?status=closed",
             "rows, anywhere below": lambda: f"/inboxes/{inbox}/list?status=closed&before={deep()}"}
    times, database = {}, {}
    for what, path in pages.items():
        times[what], database[what] = [], []
        for attempt in range(120):
            del spent[:]
            began = time.perf_counter()
            answer = client.get(path())
            taken = time.perf_counter() - began
            assert answer.status_code == 200 and answer.text.count('class="conv"') == 50, (answer.status, path())
            if attempt >= 20:
                times[what].append(taken)
                database[what].append(sum(spent))
    return times, database, plan_of(app, statements)


def plan_of(app, statements):
    """EXPLAIN QUERY PLAN of the last list query that was made."""
    sql, values = next(s for s in reversed(statements) if "ORDER BY conversation.last_at" in s[0])
    with app.app_context(), db.engine.connect() as connection:
        return [row[3] for row in connection.exec_driver_sql("EXPLAIN QUERY PLAN " + sql, values)]


def deep():
    moment = now() - timedelta(minutes=random.randint(1000, 80_000))
    return f"{int(moment.timestamp() * 1e6)}-1"


def token(client):
    return re.search(r'name="csrf_token" value="([^"]+)"', client.get("/sign-in").text)[1]


def tell(count, times, database, plan):
    figures, table = {}, []
    for what in times:
        p50, p95 = (round(percentile(times[what], share) * 1000, 1) for share in (50, 95))
        inside = round(statistics.median(database[what]) * 1000, 2)
        figures[what] = {"p50_ms": p50, "p95_ms": p95, "database_p50_ms": inside}
        table.append((what, f"{p50} / {p95} ms", f"p50 / p95; in the database {inside} ms"))
    index = any("ix_conversation_list" in line for line in plan)
    sorts = any("TEMP B-TREE" in line for line in plan)
    table += [("plan", "", line) for line in plan]
    table.append(("index used, nothing sorted", "yes" if index and not sorts else "NO", ""))
    report("list_page", {"conversations": count, **figures, "index": index, "sorts": sorts}, table)


if __name__ == "__main__":
    main()
