"""Routing: decisions a second with 100 rules, the worst mail with 500, and what several workers make of a queue.

Decisions: 100 rules of two conditions each, of which none or the last holds, on mails of 2 kB. The worst: 500 rules of
twenty words each on a text of 10 MB. Dividing: `--messages` through the database, seven people who come and go, two
workers that route them at the same time; printed is how far anybody is off while the same people are there, how many
were assigned twice, and how many were skipped. Exit code 1 when one is off by more than one, or any is lost or doubled.
"""

import argparse
import random
import sys
import threading
import time
from collections import Counter

from _installed import DATABASES, installed
from _stage import DOMAIN, PASSWORD, report  # noqa: I001 (sets the path of what follows)
from mailroom import arrive, connected, inbox, letter, person
from sqlalchemy import select, update

from webapp.actions import inboxes, people, routing
from webapp.extensions import db, unit
from webapp.models import Connection, Conversation, Event, Message, Person, Routed
from webapp.rules.routing import Mail, Rule, decide

PEOPLE = 7
WORDS = "pallet invoice truck driver customs delay order label scale crane ferry winter summer paper steel".split()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=2_000)
    parser.add_argument("--only", choices=DATABASES)
    options = parser.parse_args()
    rate, worst = decisions(), slowest()
    table = [("100 rules, decisions a second", f"{rate:,.0f}", ""),
             ("500 rules, a text of 10 MB", f"{worst * 1000:.0f} ms", "its first 200,000 characters are looked at")]
    facts, fine = {"decisions_a_second": round(rate), "worst_ms": round(worst * 1000)}, True
    for database in DATABASES:
        if options.only not in (None, database):
            continue
        with installed(database) as app, app.app_context():
            off, doubled, skipped, seconds = divide(app, options.messages)
        fine = fine and off <= 1 and not doubled and not skipped
        facts |= {f"{database}_off": off, f"{database}_doubled": doubled, f"{database}_skipped": skipped}
        table.append((f"{database}, two workers", f"{options.messages / seconds:.0f} a second",
                      f"off by {off} at most, {doubled} doubled, {skipped} skipped of {options.messages}"))
    report("routing", facts, table)
    sys.exit(0 if fine else 1)


def decisions():
    dice = random.Random(1)
    rules = [Rule(n, (_contains("words", dice.sample(WORDS, 2)), _contains("subject", [f"number {n}"])),
                  ({"do": "close"},)) for n in range(100)]
    mails = [(f"number {dice.randint(0, 150)}", " ".join(dice.choices(WORDS, k=300))) for _ in range(500)]
    began = time.perf_counter()
    for subject, text in mails:
        decide(rules, Mail(subject=subject, text=text))
    return len(mails) / (time.perf_counter() - began)


def slowest():
    rules = [Rule(n, (_contains("words", [f"word{n}.{k}" for k in range(20)]),), ({"do": "close"},))
             for n in range(500)]
    text = "wor" * 3_500_000
    began = time.perf_counter()
    decide(rules, Mail(subject="x", text=text))
    return time.perf_counter() - began


def _contains(field, words):
    return {"field": field, "how": "contains", "values": words, "name": ""}


def divide(app, count):
    """(how far anybody was off, doubled, skipped, seconds of routing)"""
    box = _set_up()
    dice, off, done, seconds = random.Random(7), 0, 0, 0.0
    while done < count:
        there = dice.sample(range(PEOPLE), dice.randint(1, PEOPLE))
        size = min(dice.randint(20, 60), count - done)
        with unit():
            for n in range(PEOPLE):
                person(f"Person {n}").is_away = n not in there
        first = db.session.scalar(select(db.func.coalesce(db.func.max(Message.id), 0)))
        arrive(box, *(letter(Message_ID=f"<{done + n}@x.example>", subject=f"P {done + n}") for n in range(size)),
               first_uid=done + 1)
        ids = db.session.scalars(select(Message.id).where(Message.id > first).order_by(Message.id)).all()
        began = time.perf_counter()
        _by_two(app, ids)
        seconds += time.perf_counter() - began
        got = Counter(db.session.scalars(select(Conversation.assignee_id).join(
            Message, Message.conversation_id == Conversation.id).where(Message.id.in_(ids))))
        counts = [got[person(f"Person {n}").id] for n in there]
        off = max(off, max(counts) - min(counts))
        done += size
        with unit():        # nobody's list grows without end
            db.session.execute(update(Conversation).values(status="closed"))
    db.session.rollback()
    routed = Counter(db.session.scalars(select(Event.conversation_id).where(Event.kind == "routed")))
    skipped = db.session.scalar(select(db.func.count()).select_from(Routed).where(Routed.due_at.is_not(None)))
    unassigned = db.session.scalar(select(db.func.count()).select_from(Conversation).where(
        Conversation.assignee_id.is_(None)))
    return off, sum(n > 1 for n in routed.values()), skipped + unassigned, seconds


def _set_up():
    with unit():
        inboxes.ensure_default_inbox("Support")
        people.create_person("Zofia", f"zofia@{DOMAIN}", "admin", PASSWORD)
        for n in range(PEOPLE):
            people.create_person(f"Person {n}", f"p{n}@{DOMAIN}", "member", PASSWORD)
    box = connected()
    with unit():
        db.session.get(Connection, box)
        ids = list(db.session.scalars(select(Person.id).where(Person.role == "member")))
        routing.save(person("zofia"), inbox(), {"match": "all", "conditions": [], "actions": [
            {"do": "assign", "people": ids, "how": "turns"}], "go_on": False})
    return box


def _by_two(app, ids):
    """Both are told of every message, as after a lost and a repeated hint."""
    def work(order):
        with app.app_context():
            for message_id in order:
                with unit():
                    routing.route(message_id)
            db.session.remove()
    threads = [threading.Thread(target=work, args=(order,)) for order in (ids, ids[::-1])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    db.session.rollback()


if __name__ == "__main__":
    main()
