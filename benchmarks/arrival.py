"""A new message on the mail server, until its news is in an open browser.

The product as `python3 run` starts it, a real Dovecot, a real Chromium with the inbox open. Each message is put into
the mailbox by APPEND, one at a time. Time stamps, all of one machine's clock:

    delivered   APPEND is answered
    exists      another client that idles on the mailbox hears EXISTS (Dovecot waits about 500 ms before it tells)
    committed   the row is in the database: the product has announced the inbox
    shown       a MutationObserver in the page saw the button "n new conversations ..." change
"""

import argparse
import os
import random
import threading
import time

from _hearing import announcements, hear, hear_exists
from _stage import Stage, chromium, percentile, report, signed_in_context, wait

OBSERVE = """() => {
  window.seen = [];
  new MutationObserver(() => {
    const found = /\\d+/.exec(document.querySelector("#newmail")?.textContent ?? "");
    const count = found ? Number(found[0]) : 0;
    if (count > window.seen.length) window.seen[count - 1] = Date.now() / 1000;
  }).observe(document.querySelector("#list-scroll"), {subtree: true, childList: true, characterData: true});
}"""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=40)
    count = parser.parse_args().messages
    with Stage() as stage, chromium() as browser:
        address = stage.add_mailbox("support@corp.example")
        stage.dovecot.deliver_many(address, [letter(address, f"Earlier {n}") for n in range(5)])
        client = stage.sign_up()
        _connection, inbox = stage.connect(client, address)
        page = signed_in_context(browser, client).new_page()
        page.goto(f"{stage.url}/inboxes/{inbox}")
        page.wait_for_selector("html[data-stream=on][data-htmx=ready]")
        page.evaluate(OBSERVE)
        rows = measure(stage, address, inbox, page, count)
    tell(rows)


def measure(stage, address, inbox, page, count):
    """[(delivered, exists, committed, shown)] in seconds since 1970."""
    exists, committed, rows = [], [], []
    threads = [threading.Thread(target=follow, args=(*arguments, time.time), daemon=True) for follow, *arguments in (
        (hear_exists, stage.dovecot.imap(address), exists),
        (hear, announcements(stage.redis_url()), f"inbox-{inbox}", committed))]
    for thread in threads:
        thread.start()
    time.sleep(1.5)
    with stage.dovecot.imap(address) as client:
        for number in range(count):
            del exists[:], committed[:]
            client.append("INBOX", None, None, letter(address, f"New {number}"))
            delivered = time.time()
            page.wait_for_function("n => window.seen.length > n", arg=number, timeout=20_000, polling=20)
            shown = page.evaluate("n => window.seen[n]", number)
            wait(lambda: exists and committed, 5, "EXISTS and the announcement")
            rows.append((delivered, exists[0], committed[0], shown))
            time.sleep(random.uniform(0.1, 0.6))
    return rows


def letter(to, subject):
    return (f"From: Anna Nowak <anna@customer.example>\r\nTo: {to}\r\nSubject: {subject}\r\n"
            f"Message-ID: <{random.getrandbits(64):x}@customer.example>\r\nMIME-Version: 1.0\r\n"
            "Content-Type: text/plain; charset=utf-8\r\n\r\nHello,\r\n\r\nwhere is it?\r\n").encode()


def tell(rows):
    parts = {"delivered to EXISTS": [e - d for d, e, _c, _s in rows],
             "EXISTS to committed": [c - e for _d, e, c, _s in rows],
             "committed to shown": [s - c for _d, _e, c, s in rows],
             "EXISTS to shown": [s - e for _d, e, _c, s in rows],
             "delivered to shown": [s - d for d, _e, _c, s in rows]}
    figures = {what: [round(percentile(times, share) * 1000) for share in (50, 95)] for what, times in parts.items()}
    targets = {"EXISTS to committed": "p95 under 25 ms on an idle machine",
               "EXISTS to shown": "p95 under 100 ms on an idle machine", "delivered to shown": "p95 under 1000 ms"}
    table = [(what, f"{p50} / {p95} ms", targets.get(what, "p50 / p95")) for what, (p50, p95) in figures.items()]
    load = round(os.getloadavg()[0], 1)
    report("arrival", {"messages": len(rows), "load": load, "p50_p95_ms": figures},
           [*table, ("load of the machine", f"{load}", "")])


if __name__ == "__main__":
    main()
