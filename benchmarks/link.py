"""Behind a network: 40 ms and 100 Mbit/s between us and the mail server. What of the link do we use?

    fetch        the messages alone, by our own reader, beside one raw command for everything
    sync         everything included, as bulk_sync does it, beside mbsync
    first 50     the product as `python3 run` starts it: from pressing Connect to 50 conversations in the page
    nothing new  round trips and bytes of a look at a mailbox in which nothing happened, small and large
"""

import argparse
import os
import ssl
import time
from statistics import median
from types import SimpleNamespace

from _stage import Stage, report, wait
from bulk_sync import ADDRESS, ours
from first_sync import fill, has_rows, mbsync, warm_up
from servers import remove, short_folder
from servers.ca import Authority
from servers.dovecot import Dovecot
from servers.link import Link
from servers.sink import SmtpSink
from servers.valkey import Valkey

from webapp.mail.imap import Session
from webapp.mail.types import Endpoint, Folder, Login, Policy

INBOX = Folder("INBOX", b"INBOX", "inbox", True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--corpus", help="a Maildir to use instead of a new one")
    arguments = parser.parse_args()
    folder = short_folder("link")
    try:
        seconds, size = measure(arguments, folder)
    finally:
        remove(folder)
    tell(arguments, size, seconds, looks(arguments), first_50(arguments))


def measure(arguments, folder):
    """{name: [seconds]}, bytes of the mailbox."""
    authority = Authority(folder / "ca")
    with Dovecot(authority=authority) as dovecot, SmtpSink(authority=authority) as sink, Valkey() as valkey:
        for server in (dovecot, sink):
            server.add_user(ADDRESS, "secret-1")
        size = fill(dovecot, ADDRESS, arguments)
        warm_up(dovecot, ADDRESS)
        with Link(dovecot.imaps_port) as link:
            far = SimpleNamespace(imaps_port=link.port, users=dovecot.users, ca_file=dovecot.ca_file)
            stage = SimpleNamespace(folder=folder, authority=authority, dovecot=far, sink=sink, valkey=valkey,
                                    postgres=None, profile=None)
            ways = {"one raw command": lambda: raw_fetch(link, dovecot), "our fetch": lambda: our_fetch(link, dovecot),
                    "our sync": lambda: ours(stage, "")["seconds"], "mbsync": lambda: mbsync(far, ADDRESS, "/dev/shm")}
            seconds = {name: [] for name in ways}
            for _ in range(arguments.rounds):
                for name, way in ways.items():
                    if (taken := way()) is not None:
                        seconds[name].append(taken)
    return {name: taken for name, taken in seconds.items() if taken}, size


def opened(port, dovecot):
    policy = Policy(ca_file=str(dovecot.ca_file), loopback=frozenset({("127.0.0.1", port)}))
    return Session.open(Endpoint("127.0.0.1", port, "tls"), Login(ADDRESS, "secret-1"), policy)


def raw_fetch(link, dovecot):
    """From the command to its tagged answer, nothing looked at."""
    with opened(link.port, dovecot) as session:
        session.select(INBOX)
        sock = session._wire.connection.sock
        sock.settimeout(60)
        began = time.monotonic()
        sock.sendall(b"R UID FETCH 1:* (UID FLAGS INTERNALDATE BODY.PEEK[])\r\n")
        tail = b""
        while b"\r\nR OK" not in tail:
            try:
                tail = tail[-100:] + sock.recv(65_536)
            except ssl.SSLWantReadError:
                continue
        return time.monotonic() - began


def our_fetch(link, dovecot):
    with opened(link.port, dovecot) as session:
        session.select(INBOX)
        began = time.monotonic()
        uids = session.uids(1, None)
        count = sum(1 for _ in session.fetch(uids, 50_000_000))
        assert count == len(uids)
        return time.monotonic() - began


def looks(arguments):
    """{messages: (round trips of the look, bytes from the server, round trips of signing in, milliseconds)}."""
    found = {}
    for count in (10, 10 * arguments.messages):
        with Dovecot() as dovecot:
            dovecot.add_user(ADDRESS, "secret-1")
            fill(dovecot, ADDRESS, SimpleNamespace(corpus=None, messages=count))
            warm_up(dovecot, ADDRESS)
            with Link(dovecot.imaps_port) as link, opened(link.port, dovecot) as session:
                signed_in, heard, began = link.turns, link.from_server, time.monotonic()
                [status] = session.statuses([INBOX])
                assert status.exists == count
                found[count] = (link.turns - signed_in, link.from_server - heard, signed_in,
                                round((time.monotonic() - began) * 1000))
    return found


def first_50(arguments):
    """Seconds from Connect to 50 conversations in the page."""
    with Stage(through=Link) as stage:
        address = stage.add_mailbox(ADDRESS)
        fill(stage.dovecot, address, arguments)
        warm_up(stage.dovecot, address)
        client = stage.sign_up()
        began = time.monotonic()
        _connection, inbox = stage.connect(client, address, watched=False)
        return wait(lambda: has_rows(client, inbox) and time.monotonic() - began, 60, "50 conversations", 0.05)


def tell(arguments, size, seconds, looks_, first):
    link = size / 12_500_000
    table = [("mailbox", f"{size / 1e6:.0f} MB", f"{arguments.messages} messages, {arguments.rounds} rounds; at the "
              f"least {link:.2f} s; load of the machine: {os.getloadavg()[0]:.1f}")]
    figures = {"messages": arguments.messages, "bytes": size, "least_s": round(link, 2)}
    for name, taken in seconds.items():
        share = link / median(taken)
        table.append((name, f"{median(taken):.2f} s", f"{share:.0%} of the link" + (
            ", at least 90 %" if name.startswith("our") else "")))
        figures[name] = round(share, 3)
    table.append(("Connect to the first 50 conversations", f"{first:.2f} s", "under 2 s"))
    figures["first_50_s"] = round(first, 2)
    for count, (turns, heard, signing_in, took) in looks_.items():
        table.append((f"nothing new in {count} messages", f"{turns} trips",
                      f"at most 2; {heard} bytes, {took} ms, after {signing_in} of signing in"))
        figures[f"look_{count}"] = {"trips": turns, "bytes": heard}
    report("link", figures, table)


if __name__ == "__main__":
    main()
