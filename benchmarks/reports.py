"""The page of reports: how long the server takes for 30 days with 100,000 messages, on SQLite and PostgreSQL.

As many messages lie in each of the months before (the page compares). Ten people answer in three inboxes; half of the
mail is an answer. Written straight into the tables; the page is asked for through the application, without a network.
Printed: median and 95th percentile in ms; the target is 300.
"""

import argparse
import random
import time
from datetime import timedelta

from _installed import DATABASES, installed
from _stage import DOMAIN, PASSWORD, percentile, report  # noqa: I001 (sets the path of what follows)
from mailroom import connected
from sqlalchemy import select, text

from webapp.actions import inboxes, people
from webapp.extensions import db, unit
from webapp.models import Answer, Closing, Conversation, Inbox, Message, Person
from webapp.models.rows import write_rows
from webapp.models.types import now

TARGET, DAYS, BATCH, TURNS = 300, 30, 2_000, 4       # messages of a conversation: question, answer, question, answer
ASKED = {"30 days, all inboxes": "days=30", "30 days, one inbox": "days=30&inbox=2", "7 days": "days=7",
         "90 days": "days=90"}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=100_000, help="in 30 days")
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--months", type=int, default=3, help="of such 30 days")
    parser.add_argument("--only", choices=DATABASES)
    arguments = parser.parse_args()
    for name in [arguments.only] if arguments.only else DATABASES:
        with installed(name) as app:
            _run(name, arguments, app)


def _run(name, arguments, app):
    with app.app_context():
        fill(arguments.messages, arguments.months)
    figures = {what: measure(app, query, arguments.repeats) for what, query in ASKED.items()}
    lines = [(f"{arguments.messages:,} messages in {DAYS} days", name, "")]
    lines += [(what, f"{percentile(times, 50) * 1000:.0f} / {percentile(times, 95) * 1000:.0f} ms",
               f"under {TARGET} ms" if "30" in what else "") for what, times in figures.items()]
    report(f"reports, {name}", {"messages": arguments.messages, **{
        what: round(percentile(times, 95) * 1000) for what, times in figures.items()}}, lines)


def fill(count, months):
    rng = random.Random(9)
    with unit():
        inboxes.ensure_default_inbox("Inbox 1")
        for name in ("Zofia", *(f"Person {n}" for n in range(9))):
            people.create_person(name, f"{name.split()[-1].lower()}@{DOMAIN}", "admin", PASSWORD)
        db.session.add_all([Inbox(name="Inbox 2"), Inbox(name="Inbox 3")])
        db.session.flush()
        ids, writers = (db.session.scalars(select(m.id).order_by(m.id)).all() for m in (Inbox, Person))
    box = connected(address=f"support@{DOMAIN}", inbox_name="Inbox 1")
    conversations, length = months * count // TURNS, timedelta(days=months * DAYS)
    for first in range(0, conversations, BATCH):
        rows = {Conversation: [], Message: [], Answer: [], Closing: []}
        for number in range(first + 1, min(first + BATCH, conversations) + 1):
            at = now() - length * rng.random()
            _conversation(rows, number, box, rng.choice(ids), rng.choice(writers), at, rng)
        with unit():
            for model, made in rows.items():
                write_rows(model, made)
    if db.engine.dialect.name == "postgresql":
        with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as bare:
            bare.execute(text("VACUUM ANALYZE"))


def _conversation(rows, number, box, inbox_id, writer_id, at, rng):
    rows[Conversation].append({"id": number, "inbox_id": inbox_id, "subject": f"Order {number}", "status": "closed",
                               "opened_at": at, "status_at": at, "last_at": at, "message_count": TURNS})
    for turn in range(TURNS):
        message_id, asked = (number - 1) * TURNS + turn + 1, at
        is_answer = turn % 2 == 1
        at = min(now(), at + timedelta(minutes=int(rng.expovariate(1 / 240)) + 1))
        rows[Message].append({
            "id": message_id, "connection_id": box, "conversation_id": number, "at": at, "size": 2_000,
            "digest": f"{message_id:064d}", "outgoing": is_answer, "author_id": writer_id if is_answer else None,
            "subject": f"Order {number}", "text": "We have received it. " * 40})
        if is_answer:
            seconds = int((at - asked).total_seconds())
            rows[Answer].append({"message_id": message_id, "conversation_id": number, "inbox_id": inbox_id,
                                 "person_id": writer_id, "asked_at": asked, "answered_at": at, "seconds": seconds,
                                 "work_seconds": seconds, "is_first": turn == 1, "target": 240,
                                 "in_time": seconds <= 240 * 60})
    since = at - timedelta(hours=20)
    rows[Closing].append({"event_id": None, "conversation_id": number, "inbox_id": inbox_id, "person_id": writer_id,
                          "since": since, "at": at, "seconds": 20 * 3600 + rng.randrange(100_000)})


def measure(app, query, repeats):
    client, times = app.test_client(), []
    answer = client.post("/sign-in", data={"email": f"zofia@{DOMAIN}", "password": PASSWORD},
                         headers={"Sec-Fetch-Site": "same-origin"})
    assert answer.status_code == 303, answer.text
    for turn in range(repeats + 2):
        started = time.perf_counter()
        answer = client.get(f"/reports?{query}")
        assert answer.status_code == 200
        if turn >= 2:       # the first ones compile the templates
            times.append(time.perf_counter() - started)
    return times


if __name__ == "__main__":
    main()
