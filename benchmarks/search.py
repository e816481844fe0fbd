"""Search in a large installation: how long the server's part of a query takes, on SQLite and PostgreSQL.

`--messages` in a third as many conversations of ten inboxes (the largest has 40 %), words as frequent as in a natural
language (Zipf over 50,000), written straight into the tables. Each kind of query is asked with other words every time,
first pages of 30, by somebody who may read all but one of the inboxes. Printed: median and 95th percentile in ms; the
target is 200. Lists (first page, and anywhere below) and the sidebar's counts stand beside it; their target is 50.

3,000,000 messages: `--messages 3000000` takes about an hour to fill and 12 GB of disk for both.
"""

import argparse
import random
import time
from datetime import timedelta
from itertools import accumulate

from _installed import DATABASES, installed
from _stage import DOMAIN, PASSWORD, percentile, report  # noqa: I001 (sets the path of what follows)
from flask_login import login_user
from mailroom import connected
from sqlalchemy import func, insert, select, text

from webapp.actions import inboxes, people
from webapp.blueprints.team.rows import rows_of, side_of
from webapp.extensions import db, unit
from webapp.models import Conversation, Inbox, Message, Person, search, words
from webapp.models.rows import write_rows
from webapp.models.types import now
from webapp.rules.listing import Listing
from webapp.rules.search import parse
from webapp.rules.tokens import words_of
from webapp.web import paging

clock = time.perf_counter
VOCABULARY = 50_000
WORDS = 60          # of a message
BATCH = 3_000
TARGET, LIST_TARGET = 200, 50


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=300_000)
    parser.add_argument("--repeats", type=int, default=40)
    parser.add_argument("--only", choices=DATABASES)
    parser.add_argument("--cpu", action="store_true", help="SQLite on a busy machine: CPU seconds instead of the clock")
    arguments = parser.parse_args()
    if arguments.cpu:
        global clock
        clock = time.process_time
    for name in [arguments.only] if arguments.only else DATABASES:
        with installed(name) as app:
            _run(name, arguments, app)


def _run(name, arguments, app):
    with app.app_context():
        started = time.monotonic()
        vocabulary = fill(arguments.messages)
        filled = time.monotonic() - started
        figures = measure(app, vocabulary, arguments.repeats)
    lines = [(f"filled with {arguments.messages:,} messages", f"{filled:.0f} s", "")]
    for what, (times, target) in figures.items():
        lines.append((what, f"{percentile(times, 50) * 1000:.1f} / {percentile(times, 95) * 1000:.1f} ms",
                      f"under {target} ms"))
    report(f"search, {name}", {"messages": arguments.messages, **{
        what: round(percentile(times, 95) * 1000, 1) for what, (times, _target) in figures.items()}}, lines)


def fill(count):
    """Returns the vocabulary, the most frequent word first."""
    rng = random.Random(7)
    vocabulary = sorted({"".join(rng.choices("bcdfghklmnprstwz", k=1) + [rng.choice("aeiou") + rng.choice("lmnrstk")
                                 for _ in range(rng.randint(1, 4))]) for _ in range(VOCABULARY * 2)})
    rng.shuffle(vocabulary)
    del vocabulary[VOCABULARY:]
    weights = list(accumulate(1 / (rank + 10) for rank in range(len(vocabulary))))
    with unit():
        inboxes.ensure_default_inbox("Inbox 0")
        people.create_person("Zofia", f"zofia@{DOMAIN}", "admin", PASSWORD)
        db.session.add_all([Inbox(name=f"Inbox {n}", access="members" if n == 9 else "everyone") for n in range(1, 10)])
        db.session.flush()
        ids = db.session.scalars(select(Inbox.id).order_by(Inbox.id)).all()
    connection_id = connected(address=hold_address(), inbox_name="Inbox 0")
    start, message_id = now() - timedelta(days=3 * 365), 0
    step = timedelta(days=3 * 365) / count
    shares = list(accumulate([40, 15, 10, 8, 7, 6, 5, 4, 3, 2]))
    for first in range(0, count // 3, BATCH):
        conversations, messages, documents = [], [], []
        for number in range(first + 1, min(first + BATCH, count // 3) + 1):
            [inbox_id] = rng.choices(ids, cum_weights=shares)
            for _turn in range(3):
                message_id += 1
                at = start + step * message_id
                said = rng.choices(vocabulary, cum_weights=weights, k=WORDS)
                body, subject = " ".join(said), " ".join(said[:4])
                sender = f"{said[5]}{number % 5000}@customer.example"
                document = words.number_of(at, message_id)
                messages.append({"id": message_id, "connection_id": connection_id, "conversation_id": number,
                                 "digest": f"{message_id:064d}", "size": 900, "subject": subject, "at": at,
                                 "text": body, "from_name": said[6], "from_address": sender, "snippet": body[:100],
                                 "words_id": document})
                documents.append((document, words_of(f"{said[6]} {sender}", [["", hold_address()]], subject, (),
                                                     f"{body} u{message_id}")))
            conversations.append({"id": number, "inbox_id": inbox_id, "subject": subject, "who": said[6],
                                  "status": rng.choices(("open", "waiting", "closed", "spam"), (3, 5, 90, 2))[0],
                                  "opened_at": at, "status_at": at, "last_at": at, "last_snippet": body[:100],
                                  "message_count": 3, "last_in_id": message_id})
        with unit():
            db.session.execute(insert(Conversation), conversations)
            write_rows(Message, messages)
            words.put(documents)
    if db.engine.dialect.name == "postgresql":
        with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as bare:
            bare.execute(text("VACUUM ANALYZE"))
    return vocabulary


def hold_address():
    return f"support@{DOMAIN}"


def measure(app, vocabulary, repeats):
    """{what: (seconds of each, target in ms)}"""
    rng = random.Random(11)
    person = db.session.scalar(select(Person))
    newest = db.session.scalar(select(func.max(Message.id)))
    # After about how many of so many words one is so frequent, by the law that fill() follows.
    common, medium, rare = vocabulary[:20], vocabulary[200:600], vocabulary[20_000:40_000]
    kinds = {
        "a unique word": lambda: f"u{rng.randint(1, newest)} ",
        "a rare word": lambda: rng.choice(rare),
        "a word of medium frequency": lambda: f'"{rng.choice(medium)}"',
        "a common word": lambda: f'"{rng.choice(common)}"',
        "two common words": lambda: '"{}" "{}"'.format(*rng.sample(common, 2)),
        "a common and a rare word": lambda: f'"{rng.choice(common)}" "{rng.choice(rare)}"',
        "the beginning of words, 3 letters": lambda: rng.choice(vocabulary)[:3],
        "the beginning of words, 2 letters": lambda: rng.choice(vocabulary)[:2],
        "a common word in a small inbox": lambda: f'"{rng.choice(common)}" in:"Inbox 8"',
        "a medium word in a small inbox": lambda: f'"{rng.choice(medium)}" in:"Inbox 8"',
        "a phrase of common words": lambda: '"{} {}"'.format(*rng.sample(common, 2)),
        "a common word in open ones": lambda: f'"{rng.choice(common)}" is:open',
        "from somebody": lambda: f'from:"{rng.choice(medium)}"',
        "a common word without another": lambda: '"{}" -"{}"'.format(*rng.sample(common, 2)),
        "a common word of one week": lambda: f'"{rng.choice(common)}" after:{rng.randint(60, 90)}w before:59w',
        "no word: unread in an inbox": lambda: f'is:unread in:"Inbox {rng.randint(0, 8)}"',
    }
    figures = {what: (_times(person, made, repeats), TARGET) for what, made in kinds.items()}
    with app.test_request_context("/"):
        login_user(person)
        inbox = db.session.scalar(select(Inbox).order_by(Inbox.id))
        listing = Listing(inbox.id, status="closed")
        figures["list, first page"] = _timed(lambda: rows_of(inbox, listing), repeats), LIST_TARGET
        figures["counts of the sidebar"] = _timed(lambda: side_of(listing), repeats), LIST_TARGET
    deep = []
    for _ in range(repeats):
        at = now() - timedelta(days=rng.uniform(1, 1000))
        with app.test_request_context(f"/?before={paging.cursor_of(at, 5)}"):
            login_user(person)
            deep += _timed(lambda: rows_of(inbox, listing), 1)
    figures["list, anywhere below"] = deep, LIST_TARGET
    return figures


def _times(person, made, repeats):
    times = []
    for turn in range(repeats + 3):
        query = parse(made(), now().date())
        db.session.rollback()
        started = clock()
        (search.find if query.terms else search.narrowed)(person, query, "Europe/Warsaw")
        if turn >= 3:
            times.append(clock() - started)
    return times


def _timed(what, repeats):
    times = []
    for _ in range(repeats):
        db.session.rollback()
        started = clock()
        what()
        times.append(clock() - started)
    return times


if __name__ == "__main__":
    main()
