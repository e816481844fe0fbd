"""Every hostile and odd mail in one folder, an ordinary letter between each two of them: what does it cost?

The product as `python3 run` starts it, and a real Dovecot. A quiet mailbox is connected first; while the hostile one is
read, a letter comes to the quiet one again and again. At the end each stored message is compared with the server's
bytes, and each file is given to the parser alone, in a process whose CPU time and memory are taken from the kernel.
The mail: our own (tests/hostile.py, tests/mails) and the cases beside the project, where they are.
"""

import argparse
import hashlib
import os
import sqlite3
import statistics
import threading
import time
import uuid

from _stage import Stage, percentile, report, wait

import hostile  # isort: skip - found through _stage
from mailroom import letter  # isort: skip

BETWEEN = 10.0


def main():
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    mails = hostile.between_letters(hostile.hostile())
    with Stage() as stage:
        bad, quiet = stage.add_mailbox("bad@corp.example"), stage.add_mailbox("quiet@corp.example")
        hostile.put_in(stage.dovecot, bad, mails)
        theirs = hostile.on_server(stage.dovecot, bad)
        stage.dovecot.deliver(quiet, letter(subject="The first one"))
        client = stage.sign_up()
        quiet_id, _inbox = stage.connect(client, quiet)
        before = [_arrives(stage, quiet) for _ in range(10)]
        bad_id, _inbox = stage.connect(client, bad, watched=False)
        began, over, meanwhile = time.monotonic(), threading.Event(), []
        neighbour = threading.Thread(target=_keep_writing, args=(stage, quiet, over, meanwhile))
        neighbour.start()
        gaps = _gaps(stage, bad_id, began, lambda: stage.caught_up(client, bad_id))
        took = time.monotonic() - began
        over.set()
        neighbour.join()
        outcome = _compare(stage, bad_id, theirs)
    costs = _costs()
    _tell(len(mails), len(hostile.hostile()), outcome, costs, gaps, took, before, meanwhile)
    return 0


def _ask(stage, question, *values):
    with sqlite3.connect(f"file:{stage.data / 'postroom.db'}?mode=ro", uri=True) as database:
        return database.execute(question, values).fetchall()


def _arrives(stage, address):
    """Seconds from the server's OK to APPEND until the row is committed."""
    name = uuid.uuid4().hex
    stage.dovecot.deliver(address, letter(subject="To the neighbour", Message_ID=f"<{name}@x>"))
    began = time.monotonic()
    wait(lambda: _ask(stage, "SELECT id FROM message WHERE message_id = ?", f"{name}@x"), 60, "a letter", 0.01)
    return time.monotonic() - began


def _keep_writing(stage, address, over, times):
    while not over.is_set():
        times.append(_arrives(stage, address))
        over.wait(0.1)


def _gaps(stage, connection_id, began, is_done):
    """Seconds between two looks at which there was more in the database, while it is being read."""
    question = "SELECT count(*) FROM message WHERE connection_id = ?"
    seen, since, gaps, next_look = 0, began, [], began + 0.5
    while True:
        now, [(count,)] = time.monotonic(), _ask(stage, question, connection_id)
        if count > seen:
            gaps.append(now - since)
            seen, since = count, now
        if now > next_look:
            if is_done():
                return gaps
            next_look = now + 0.5
        time.sleep(0.02)


def _compare(stage, connection_id, theirs):
    """{what: how many} of the server's messages."""
    from webapp.models.blob import Blobs
    blobs = Blobs(f"sqlite:///{stage.data / 'blobs.db'}")
    rows = {uid: (state, raw) for uid, state, raw in _ask(
        stage, "SELECT place.uid, message.state, message.raw_sha256 FROM place JOIN message"
               " ON message.id = place.message_id WHERE message.connection_id = ?", connection_id)}
    same = {uid for uid, (_state, raw) in rows.items()
            if raw and hashlib.sha256(blobs.get_raw(raw)).hexdigest() == theirs.get(uid)}
    return {"lost": len(theirs.keys() - rows.keys()), "changed": len(rows.keys() - same),
            "extra": len(rows.keys() - theirs.keys()),
            "stored": sum(state == "ok" for state, _raw in rows.values()),
            "unreadable": sum(state == "unreadable" for state, _raw in rows.values())}


def _costs():
    """[(CPU seconds, bytes, name)] of the parser, for each hostile file."""
    from webapp.actions.contents import contents_of
    costs = [(*hostile.cost(contents_of, raw), name) for name, raw in hostile.hostile().items()]
    assert all(survived for _s, _m, survived, _n in costs), [name for *_c, survived, name in costs if not survived]
    return [(seconds, memory, name) for seconds, memory, _survived, name in costs]


def _tell(count, files, outcome, costs, gaps, took, before, meanwhile):
    seconds, memory = max(costs), max(costs, key=lambda c: c[1])
    report("hostile_folder", {"messages": count, "hostile": files, **outcome, "cpu_s": round(seconds[0], 2),
                              "memory_mb": round(memory[1] / 1e6, 1), "next_s": round(max(gaps), 2),
                              "neighbour_s": [round(percentile(t, 50), 2) for t in (before, meanwhile)],
                              "took_s": round(took, 1), "load": round(os.getloadavg()[0], 1)}, [
        ("messages in the folder", str(count), f"{files} of them hostile or odd"),
        ("stored and read", str(outcome["stored"]), ""),
        ("shown as unreadable, raw kept", str(outcome["unreadable"]), ""),
        ("lost", str(outcome["lost"]), "0"),
        ("other bytes than the server's, or extra", str(outcome["changed"] + outcome["extra"]), "0"),
        ("most CPU for one message", f"{seconds[0]:.2f} s", f"at most 2 s; {seconds[2]}"),
        ("most memory for one message", f"{memory[1] / 1e6:.0f} MB", f"at most 200 MB; {memory[2]}"),
        ("slowest next message", f"{max(gaps):.2f} s", f"at most {BETWEEN:.0f} s"),
        ("all of it", f"{took:.1f} s", ""),
        ("a neighbour's new mail, before", f"{statistics.median(before):.2f} s", f"slowest {max(before):.2f} s"),
        ("a neighbour's new mail, meanwhile", f"{statistics.median(meanwhile):.2f} s",
         f"slowest {max(meanwhile):.2f} s, of {len(meanwhile)}")])


if __name__ == "__main__":
    main()
