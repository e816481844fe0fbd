"""kill -9 at every step of sending: before and after each database write, each commit, each verb of SMTP and IMAP.

Three walks, each stopped at its first step, its second, and so on, several times each: the click (a draft becomes
a message that waits), the sending, the copy into Sent. After each a worker comes back, as the clock would call it.
Printed for each walk: steps, rounds, lost (neither sent nor shown as uncertain, nor a draft still), doubles (two
mails at the recipient), copies too many, and how many are shown as uncertain. Exit code 1 for anything lost or doubled.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
from collections import Counter
from datetime import timedelta

from _stage import ROOT  # noqa: I001 (sets the path of what follows)
from mailroom import arrive, connected, letter
from servers import Missing, remove, short_folder
from servers.ca import Authority
from servers.dovecot import Dovecot
from servers.postgres import Postgres
from servers.sink import SmtpSink
from servers.valkey import Valkey
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from webapp import create_app
from webapp.actions import drafts, inboxes, people, replies
from webapp.config import Settings
from webapp.extensions import db, unit
from webapp.jobs import outbox as job
from webapp.mail.imap.session import Session as ImapSession
from webapp.mail.smtp import _Smtp
from webapp.models import Conversation, Draft, Inbox, Message, Outbox, Person
from webapp.models.types import now
from webapp.rules import RuleBroken

ADDRESS, PASSWORD, MOST_STEPS = "support@corp.example", "secret-1", 400


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--only", choices=("SQLite", "PostgreSQL"))
    parser.add_argument("--nursery", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.nursery:
        return nursery(Settings(**json.loads(options.nursery)))
    folder, fine = short_folder("crash"), True
    try:
        authority = Authority(folder / "ca")
        with Valkey() as valkey, Dovecot(authority=authority) as dovecot, SmtpSink(authority=authority) as sink:
            for name in ("SQLite", "PostgreSQL"):
                if options.only in (None, name):
                    fine = _on(name, folder, valkey, dovecot, sink, options.rounds) and fine
    finally:
        remove(folder)
    sys.exit(0 if fine else 1)


def _on(name, folder, valkey, dovecot, sink, rounds):
    settings = dict(data_dir=str(folder / name), redis_url=valkey.url, undo_seconds=0, base_url="http://localhost",
                    log_level="ERROR", mail_ca_file=str(dovecot.ca_file),
                    mail_loopback=f"127.0.0.1:{dovecot.imaps_port} 127.0.0.1:{sink.port}")
    if name == "SQLite":
        return Matrix(name, settings, dovecot, sink).run(rounds)
    try:
        with Postgres() as postgres:
            return Matrix(name, {**settings, "database_url": postgres.create_database()}, dovecot, sink).run(rounds)
    except Missing as missing:
        print(f"PostgreSQL is not installed: {missing}")
        return False


# The nursery: a process without threads and without connections, from which each walk is forked.


def nursery(settings):
    app = create_app(settings, TESTING=True)
    for line in sys.stdin:
        walk, argument, stop = json.loads(line)
        reading, writing = os.pipe()
        pid = os.fork()
        if not pid:
            os.close(reading)
            _walk(app, walk, argument, stop, writing)
        os.close(writing)
        with os.fdopen(reading) as said:
            last = said.read().split("\n")
        _pid, status = os.waitpid(pid, 0)
        killed = os.WIFSIGNALED(status)
        print(json.dumps([killed, last[-1] if killed else "", last[0] if not killed else ""]), flush=True)


def _walk(app, walk, argument, stop, said):
    steps = 0

    def step(name):
        nonlocal steps
        steps += 1
        if steps == stop:
            os.write(said, name.encode())
            os.kill(os.getpid(), signal.SIGKILL)
    try:
        with app.app_context():
            _watch(step)
            WALKS[walk](argument)
        os.write(said, b"")
        os._exit(0)
    except BaseException as error:  # noqa: BLE001 - told to the parent
        os.write(said, f"{type(error).__name__}: {error}"[:300].encode())
        os._exit(1)


def _watch(step):
    """Every write and commit, every line of SMTP, every verb of IMAP is a step, before it and after it."""
    def around(owner, name, label):
        real = getattr(owner, name)

        def watched(*args, **kwargs):
            step(f"before {label}")
            done = real(*args, **kwargs)
            step(f"after {label}")
            return done
        setattr(owner, name, watched)

    def writes(statement):
        return statement.lstrip()[:6].upper() in ("INSERT", "UPDATE", "DELETE")
    event.listen(db.engine, "before_cursor_execute",
                 lambda _c, _cur, statement, *_: writes(statement) and step(f"before {statement.split()[:3]}"))
    event.listen(db.engine, "after_cursor_execute",
                 lambda _c, _cur, statement, *_: writes(statement) and step(f"after {statement.split()[:3]}"))
    around(Session, "commit", "commit")
    for name in ("say", "body", "dot", "leave"):
        around(_Smtp, name, f"SMTP {name}")
    for name in ("select", "search_message_id", "append"):
        around(ImapSession, name, f"IMAP {name}")


def click(conversation_id):
    with unit():
        marek = db.session.scalar(select(Person).where(Person.name == "Marek"))
        found = db.session.get(Conversation, conversation_id)
        replies.reply(marek, found, f"Answer in {conversation_id}", token=f"c{conversation_id}-p{marek.id}-0")


WALKS = {"click": click, "send": job.send, "copy": job.copy}


class Matrix:
    def __init__(self, name, settings, dovecot, sink):
        self.name, self.dovecot, self.sink, self.letters = name, dovecot, sink, 0
        for server in (dovecot, sink):
            server.add_user(ADDRESS, PASSWORD)
        self.app = create_app(Settings(**settings), TESTING=True)
        with self.app.app_context():
            self.app.test_cli_runner().invoke(args=["prepare"])
            self._set_up()
        self.process = subprocess.Popen(
            [sys.executable, __file__, "--nursery", json.dumps(settings)], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)})

    def _set_up(self):
        with unit():
            inboxes.ensure_default_inbox("Support")
            for name, role in (("Zofia", "admin"), ("Marek", "member")):
                people.create_person(name, f"{name.lower()}@corp.example", role, "correct horse battery")
        servers = {"imap_host": "127.0.0.1", "imap_port": self.dovecot.imaps_port, "imap_security": "tls",
                   "smtp_host": "127.0.0.1", "smtp_port": self.sink.port, "smtp_security": "tls", "user_name": ADDRESS}
        name = db.session.scalar(select(Inbox.name))
        db.session.rollback()
        self.box = connected(inbox_name=name, address=ADDRESS, servers=servers)

    def run(self, rounds):
        fine = True
        try:
            for walk in WALKS:
                fine = self._every_step(walk, rounds) and fine
        finally:
            self.process.stdin.close()
            self.process.wait(30)
            with self.app.app_context():
                db.engine.dispose()
        return fine

    def _every_step(self, walk, rounds):
        told, steps = Counter(), 0
        for stop in range(1, MOST_STEPS):
            killed = False
            for _ in range(rounds):
                with self.app.app_context():
                    verdict, at = self._one(walk, stop)
                    db.session.remove()
                if not at:
                    break
                killed = True
                told[verdict] += 1
                if verdict not in ("sent", "uncertain"):
                    print(f"  {self.name}, {walk}, step {stop} ({at}): {verdict}")
            if not killed:
                break
            steps = stop
        bad = {v: n for v, n in told.items() if v not in ("sent", "uncertain")}
        print(f"{self.name:10} {walk:5}: {steps} steps, {sum(told.values())} kills: {told['sent']} sent once, "
              f"{told['uncertain']} shown as uncertain, lost {told['lost']}, doubled {told['doubled']}, "
              f"copied twice {told['copied twice']}", flush=True)
        return steps > 5 and not bad

    def _one(self, walk, stop):
        """(what came of it, where it was killed or "")."""
        conversation_id = self._asked()
        if walk != "click":
            self._fork("click", conversation_id)
            outbox_id = self._outbox(conversation_id)
            if walk == "copy":
                self._fork("send", outbox_id)
            killed, at, _ = self._fork(walk, outbox_id, stop)
        else:
            killed, at, _ = self._fork("click", conversation_id, stop)
        return self._after(conversation_id), at if killed else ""

    def _after(self, conversation_id):
        """A worker comes back; of a click that was lost, its writer clicks again."""
        outbox_id = self._outbox(conversation_id)
        if outbox_id is None:
            if not db.session.scalar(select(Draft.id).where(Draft.conversation_id == conversation_id)):
                return "lost"
            db.session.rollback()
            self._fork("click", conversation_id)
            outbox_id = self._outbox(conversation_id)
            if outbox_id is None:
                return "lost"
        for _ in range(2):
            with unit():
                row = db.session.get(Outbox, outbox_id)
                if row.lease_until:
                    row.lease_until = now() - timedelta(seconds=1)
                row.not_before = now() - timedelta(seconds=1)
                if row.copy_at:
                    row.copy_at = now() - timedelta(seconds=1)
            self._fork("send", outbox_id)
            self._fork("copy", outbox_id)
        db.session.rollback()
        row = db.session.get(Outbox, outbox_id, populate_existing=True)
        state, message_id = row.state, row.message.message_id
        mails = sum(message_id.encode() in mail.raw for mail in self.sink.received)
        copies = self._copies(message_id)
        if mails > 1:
            return "doubled"
        if copies > 1:
            return "copied twice"
        if state == "uncertain":
            return "uncertain"
        return "sent" if (state, mails, copies, row.copy_state) == ("sent", 1, 1, "done") else "lost"

    def _asked(self):
        """A conversation of its own with a draft in it; its id."""
        self.letters += 1
        arrive(self.box, letter(to=ADDRESS, subject=f"Question {self.letters}", Message_ID=f"<q{self.letters}@x>"),
               first_uid=self.letters)
        with unit():
            found = db.session.scalars(select(Conversation).order_by(Conversation.id.desc()).limit(1)).one()
            drafts.save_draft(db.session.scalar(select(Person).where(Person.name == "Marek")), found,
                              f"Answer in {found.id}")
            return found.id

    def _outbox(self, conversation_id):
        db.session.rollback()
        found = db.session.scalar(select(Outbox.id).join(Message).where(Message.conversation_id == conversation_id))
        db.session.rollback()
        return found

    def _copies(self, message_id):
        with self.dovecot.imap(ADDRESS) as client:
            client.select("Sent", readonly=True)
            return len(client.search(None, "HEADER", "Message-ID", f'"<{message_id}>"')[1][0].split())

    def _fork(self, walk, argument, stop=0):
        self.process.stdin.write(json.dumps([walk, argument, stop]) + "\n")
        self.process.stdin.flush()
        killed, at, error = json.loads(self.process.stdout.readline())
        if error and RuleBroken.__name__ not in error:
            print(f"  {walk} {argument}: {error}")
        return killed, at, error


if __name__ == "__main__":
    main()
