"""The same mail in any order is the same conversations: as sent, reversed, and shuffled, in batches of 1, 7 and 100.

Long threads, forks, delivery reports, two addresses, mail that lies twice (tests/correspondence.py): once with all of
it, once with a tenth that never came, once with strangers who got hold of a Message-ID or forge one. Every reading is
rolled back; what is compared is which mails are together. Prints how many readings differ from the first one, and how
many strangers are together with others in it; exits with 1 if either is not 0. One seed is one correspondence.
"""

import argparse
import hashlib
import itertools
import os
import random
import sys
import tempfile
import time

from _stage import report
from correspondence import ADDRESSES, correspondence, grouped, is_evil, mint_of
from flask_migrate import upgrade
from mailroom import connected
from servers.postgres import Postgres
from servers.valkey import Valkey

from webapp import create_app
from webapp.actions import inboxes, people
from webapp.config import Settings
from webapp.extensions import db, unit

KINDS = {"complete": (0, 0), "a tenth missing": (0.1, 0), "with strangers": (0, 0.12)}     # parts of correspondence()

NONE = ("different", "strangers_in_company")      # figures that must be 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=400)
    parser.add_argument("--shuffles", type=int, default=20)
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 7, 100])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--postgresql", action="store_true", help="run it on PostgreSQL as well")
    arguments = parser.parse_args()
    figures, table = {}, []
    with Valkey() as valkey, Postgres() if arguments.postgresql else open(os.devnull) as postgres:
        for name in ["SQLite"] + ["PostgreSQL"] * arguments.postgresql:
            with tempfile.TemporaryDirectory() as data:
                url = postgres.create_database() if name == "PostgreSQL" else ""
                found = read_in_every_order(arguments, data_dir=data, database_url=url, redis_url=valkey.url)
            figures[name] = found
            table += [(f"{name}, {kind}: {what.replace('_', ' ')}", value, "0" if what in NONE else "")
                      for kind, values in found.items() for what, value in values.items()]
    report("threading", figures, table)
    sys.exit(any(values[what] for found in figures.values() for values in found.values() for what in NONE))


def read_in_every_order(arguments, **settings):
    """{kind: its figures}, on one database."""
    app = create_app(Settings(**settings, base_url="http://localhost", log_level="ERROR"), TESTING=True)
    with app.app_context():
        upgrade()
        app.extensions["blobs"].ensure()
        with unit():
            inboxes.ensure_default_inbox("Support")
            people.create_person("Zofia", "zofia@corp.example", "admin", "correct horse battery")
        boxes = [connected(address=address) for address in ADDRESSES]
        sent = {kind: correspondence(arguments.messages, arguments.seed, mint_of(app, arguments.seed), *parts)
                for kind, parts in KINDS.items()}
        found = {kind: compared(arguments, boxes, mails) for kind, mails in sent.items()}
        db.engine.dispose()
    return found


def compared(arguments, boxes, sent):
    """Figures of one correspondence, read in every order and in batches of every size."""
    orders = [sent, sent[::-1], *(random.Random(n).sample(sent, len(sent)) for n in range(arguments.shuffles))]
    expected, different, started = None, 0, time.monotonic()
    for order, batch in itertools.product(orders, arguments.batches):
        found = grouped(boxes, order, batch)
        expected = expected or found
        different += found != expected
    seconds, readings = time.monotonic() - started, len(orders) * len(arguments.batches)
    return {"mails": sum(map(len, expected)), "conversations": len(expected), "orders": len(orders),
            "readings": readings, "different": different, "strangers_in_company": in_company(sent, expected),
            "mails_a_second": round(readings * len(sent) / seconds)}


def in_company(sent, together):
    """How many mails by evil addresses are in a conversation with others' mail."""
    evil = {hashlib.sha256(m.item.raw).hexdigest() for m in sent if is_evil(m.item.raw)}
    return sum(digest in evil for inside in together if not all(d in evil for _box, d in inside)
               for _box, digest in inside)


if __name__ == "__main__":
    main()
