"""Two people at the same instant, again and again, on SQLite and on PostgreSQL: how many win each round.

Rounds: two people prove the sign-in of one address; two people prove two addresses of one mailbox; two admins make the
last inbox that the plan allows; two admins give two inboxes one name. Always exactly one may win. Exit code 1 when a
round had another number of winners.
"""

import argparse
import sys
import threading
from collections import Counter

from _stage import DOMAIN, PASSWORD  # noqa: I001 (sets the path of what follows)
from flask_migrate import upgrade
from servers import Missing, remove, short_folder
from servers.postgres import Postgres
from servers.valkey import Valkey
from sqlalchemy import delete, func, select

from webapp import create_app
from webapp.actions import connections, inboxes, people
from webapp.config import Settings
from webapp.extensions import db, unit
from webapp.models import Connection, Hold, Inbox, Person, Try
from webapp.rules import RuleBroken

LIMIT = 2      # inboxes that the plan allows: the first one, and the one that two want to make
NAMES = ("Zofia", "Adam")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=200)
    count = parser.parse_args().rounds
    with Valkey() as valkey:
        fine = run("SQLite", "", valkey.url, count)
        try:
            with Postgres() as postgres:
                fine = run("PostgreSQL", postgres.create_database(), valkey.url, count) and fine
        except Missing as missing:
            print(f"PostgreSQL is not installed: {missing}")
            fine = False
    sys.exit(0 if fine else 1)


def run(database, url, redis_url, count):
    """Every kind of round, `count` times. True when each had exactly one winner."""
    folder, fine = short_folder("race"), True
    try:
        app = create_app(Settings(data_dir=str(folder), database_url=url, redis_url=redis_url, log_level="ERROR",
                                  base_url="http://localhost", plans=f"race={LIMIT} free", plan="race"), TESTING=True)
        with app.app_context():
            upgrade()
            with unit():
                inboxes.ensure_default_inbox("Support")
                for name in NAMES:
                    people.create_person(name, f"{name.lower()}@{DOMAIN}", "admin", PASSWORD)
            for what, make in ROUNDS.items():
                winners, losers = Counter(), Counter()
                for number in range(count):
                    answers = at_once(app, *make(number))
                    winners[answers.count("won")] += 1
                    losers.update(a for a in answers if a != "won")
                right = winners == {1: count}
                fine = fine and right
                told = ", ".join(f"{n} winners: {rounds} rounds" for n, rounds in sorted(winners.items()))
                print(f"{database:<11} {what:<44} {count} rounds: "
                      f"{'always exactly one' if right else told}; the other hears {dict(losers)}", flush=True)
            held, used = holds()
            print(f"{database:<11} {held} addresses held, {used} connections use them", flush=True)
            db.session.remove()
            db.engine.dispose()
    finally:
        remove(folder)
    return fine and held == used


def one_address(number):
    return claims((f"a{number}@{DOMAIN}", f"a{number}@{DOMAIN}"), f"imap.{DOMAIN} a{number}@{DOMAIN}")


def one_mailbox(number):
    return claims((f"b{number}@{DOMAIN}", f"alias-of-b{number}@{DOMAIN}"), f"imap.{DOMAIN} b{number}@{DOMAIN}")


def claims(addresses, login):
    """What two people do who have each proven the sign-in of an address."""
    with unit():
        db.session.execute(delete(Try))     # nobody tries so often
        ids = [connections.begin(who(name), "personal", address, "secret-1").id
               for name, address in zip(NAMES, addresses, strict=True)]
    return [lambda i=i: connections.claim(db.session.get(Connection, i), login) for i in ids]


def last_inbox(number):
    delete_all()
    return [lambda n=name: inboxes.create_inbox(who(n), f"{n} {number}") for name in NAMES]


def one_name(number):
    delete_all()
    with unit():
        for name in NAMES:      # past the plan's limit, as after it was lowered
            db.session.add(Inbox(name=f"{name} {number}"))
    return [lambda n=name: inboxes.rename_inbox(who(n), named(f"{n} {number}"), f"New {number}") for name in NAMES]


# A round makes, for its number, the two calls that race. Each runs in a transaction of its own.
ROUNDS = {"one address, two people": one_address, "one mailbox by two addresses, two people": one_mailbox,
          "the last inbox of the plan, two admins": last_inbox, "one name for two inboxes, two admins": one_name}


def at_once(app, *calls):
    """What became of each call: "won", or the code of the rule that it broke."""
    barrier, answers = threading.Barrier(len(calls)), [None] * len(calls)

    def act(place, call):
        with app.app_context():
            barrier.wait(10)
            try:
                with unit():
                    call()
                answers[place] = "won"
            except RuleBroken as broken:
                answers[place] = broken.code
            except Exception as error:
                answers[place] = repr(error)[:80]
            finally:
                db.session.remove()
    threads = [threading.Thread(target=act, args=pair) for pair in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    db.session.rollback()
    return answers


def who(name):
    return db.session.scalar(select(Person).where(Person.name == name))


def named(name):
    return db.session.scalar(select(Inbox).where(Inbox.name == name, Inbox.deleted_at.is_(None)))


def delete_all():
    with unit():
        for inbox in db.session.scalars(select(Inbox).where(Inbox.deleted_at.is_(None), ~Inbox.is_default)).all():
            inboxes.delete_inbox(who(NAMES[0]), inbox, inbox.name)


def holds():
    return (db.session.scalar(select(func.count()).select_from(Hold)),
            db.session.scalar(select(func.count()).select_from(Connection).where(Connection.hold_id.is_not(None))))


if __name__ == "__main__":
    main()
