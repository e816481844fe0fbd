"""Opening a conversation: how long the server takes for its whole page and for its fragment, with 5, 21 and 200
messages, of which the newest are shown.

Mail is received as the sync does it, half of it HTML; the pages are asked for through the application, without a
network. Printed: p50 and p95 in milliseconds, CPU, statements. `--postgresql`: there instead of
on SQLite. `--profile FILE`: cProfile of the page of 21 messages.
"""

import argparse
import cProfile
import time
from collections import Counter
from statistics import median

from _installed import installed
from _stage import DOMAIN, PASSWORD, percentile, report  # noqa: I001 (sets the path of what follows)
from mailroom import arrive, connected, letter
from sqlalchemy import event

from webapp.actions import inboxes, people
from webapp.extensions import db, unit
from webapp.models import Conversation

SIZES = (5, 21, 200)
TARGET = 150        # ms, of 200 messages
WORDS = "We have looked at the pallet and at the papers that came with it, and cannot find the cause of the damage. "


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=60)
    parser.add_argument("--postgresql", action="store_true")
    parser.add_argument("--statements", action="store_true", help="print each statement of the page of 21 messages")
    parser.add_argument("--profile")
    arguments = parser.parse_args()
    with installed("postgresql" if arguments.postgresql else "sqlite") as app:
        with app.app_context():
            conversations = {size: fill(size) for size in SIZES}
        measure(app, conversations, arguments)


def fill(size):
    """A conversation of that many messages; its id."""
    if size == SIZES[0]:
        with unit():
            inboxes.ensure_default_inbox("Support")
            people.create_person("Zofia", f"zofia@{DOMAIN}", "admin", PASSWORD)
        fill.box = connected()
    subject = f"Broken pallet, {size}"
    raws, known = [], ""
    for n in range(size):
        ids = {"Message_ID": f"<{size}-{n}@customer.example>", "References": known or None}
        known = ids["Message_ID"]
        text = WORDS * 4 + "\r\n\r\n> " + WORDS
        raws.append(letter(subject=f"Re: {subject}" if n else subject, text=text,
                           html=f"<p>{WORDS * 4}</p><blockquote>{WORDS}</blockquote>" if n % 2 else None, **ids))
    arrive(fill.box, *raws, first_uid=size * 1000)
    found = db.session.query(Conversation).filter_by(subject=subject).one()
    assert found.message_count == size, found.message_count
    return found.id


def measure(app, conversations, arguments):
    client = app.test_client()
    client.post("/sign-in", data={"email": f"zofia@{DOMAIN}", "password": PASSWORD},
                headers={"Sec-Fetch-Site": "same-origin"})
    statements = []
    with app.app_context():
        event.listen(db.engine, "before_cursor_execute", lambda _c, _k, sql, *_: statements.append(sql))
    figures, table = {}, []
    for size, number in conversations.items():
        path = f"/conversations/{number}"
        for what, headers in (("page", {}), ("fragment", {"HX-Request": "true"})):
            times, cpu = [], []
            for attempt in range(arguments.repeats):
                statements.clear()
                began, worked = time.perf_counter(), time.process_time()
                answer = client.get(path, headers=headers)
                if attempt > 5:
                    times.append(time.perf_counter() - began)
                    cpu.append(time.process_time() - worked)
                assert answer.status_code == 200
            p50, p95 = (round(percentile(times, share) * 1000, 1) for share in (50, 95))
            cpu = round(median(cpu) * 1000, 1)
            figures[f"{what} of {size}"] = {"p50_ms": p50, "p95_ms": p95, "cpu_ms": cpu, "statements": len(statements)}
            table.append((f"{what} of {size} messages", f"{p50} / {p95} ms",
                          f"p50 / p95; CPU {cpu} ms; {len(statements)} statements"
                          + f"; under {TARGET} ms" * (size == 200)))
            if size == 21 and what == "page" and arguments.statements:
                for sql, count in Counter(" ".join(s.split())[:230] for s in statements).most_common():
                    print(count, sql)
    if arguments.profile:
        profile = cProfile.Profile()
        profile.enable()
        for _ in range(30):
            client.get(f"/conversations/{conversations[21]}")
        profile.disable()
        profile.dump_stats(arguments.profile)
    report("thread_page", figures, table)


if __name__ == "__main__":
    main()
