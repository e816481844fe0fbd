"""HTML of strangers made harmless: messages a second, and the slowest of all hostile ones, in milliseconds.

Ordinary mail: the corpus of the other benchmarks (limits, style sheets inlined, sanitiser, values, height) and the
samples of tests/mails/looks. Hostile: our own bombs and letters (tests/), and the cases beside the project, where
they are. What the body page does when it is shown (the wall at its exit, the fold) is timed by itself. One process,
CPU time.
"""

import argparse
import json
import statistics
import sys
import tarfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

import _corpus  # noqa: E402
from _stage import report  # noqa: E402
from browser.hostile_letters import LIST  # noqa: E402
from mail.test_folding import BOMBS as QUOTE_BOMBS  # noqa: E402
from mail.test_inline import BOMBS as SHEET_BOMBS  # noqa: E402

from webapp.mail.folding import fold  # noqa: E402
from webapp.mail.html import clean, estimate_height, recheck  # noqa: E402
from webapp.mail.parse import parse  # noqa: E402

CASES = ROOT.parent / "shared" / "cases"
ROUNDS = 5


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=1000, help="messages of the corpus")
    options = parser.parse_args()
    corpus = [html for raw, _at in _corpus.messages(options.count) if (html := parse(raw).html)]
    looks = [html for path in (ROOT / "tests/mails/looks").glob("*.eml") if (html := parse(path.read_bytes()).html)]
    hostile = _hostile()
    ordinary, styled = _rate(_arrive, corpus), _rate(_arrive, looks)
    stored = [clean(html).html for html in corpus]
    showing = _rate(_show, stored)
    slowest = sorted(((_once(_arrive, html), name) for name, html in hostile.items()), reverse=True)
    shown = sorted(((_once(_show, clean(html).html), name) for name, html in hostile.items()), reverse=True)
    report("sanitise", {
        "corpus": len(corpus), "per_second": round(ordinary),
        "samples": len(looks), "samples_per_second": round(styled),
        "shown_per_second": round(showing), "hostile": len(hostile), "worst_ms": round(slowest[0][0] * 1000, 1),
        "worst": slowest[0][1], "hostile_median_ms": round(statistics.median(t for t, _n in slowest) * 1000, 3),
        "worst_shown_ms": round(shown[0][0] * 1000, 1)}, [
        ("ordinary mail, on arrival", f"{ordinary:.0f}/s", f"{len(corpus)} with HTML; target 1,000 messages a second"),
        ("newsletters and replies of all kinds", f"{styled:.0f}/s", f"{len(looks)} samples, most with style sheets"),
        ("what is done when one is shown", f"{showing:.0f}/s", ""),
        ("slowest hostile one", f"{slowest[0][0] * 1000:.0f} ms", f"{slowest[0][1]}, of {len(hostile)}; under 1 s"),
        ("  the next", f"{slowest[1][0] * 1000:.0f} ms", slowest[1][1]),
        ("  median", f"{statistics.median(t for t, _n in slowest) * 1000:.2f} ms", ""),
        ("slowest to show", f"{shown[0][0] * 1000:.0f} ms", shown[0][1])])
    return 0


def _arrive(html):
    done = clean(html)
    estimate_height(done.html)


def _show(html):
    fold(recheck(html), "x")


def _rate(call, items):
    """Calls a second, the best of some rounds."""
    best = min(_once(lambda all_: [call(item) for item in all_], items) for _ in range(ROUNDS))
    return len(items) / best


def _once(call, item):
    began = time.process_time()
    call(item)
    return time.process_time() - began


def _hostile():
    """{name: HTML}"""
    found = {**LIST, **{f"quotes, {k}": v for k, v in QUOTE_BOMBS.items()},
             **{f"sheets, {k}": v for k, v in SHEET_BOMBS.items()}}
    for path in sorted(CASES.glob("*.jsonl")):
        for row in map(json.loads, path.read_text().splitlines()):
            if "html" in row:
                found[row["id"]] = row["html"]
    archive = CASES / "dos-mail.tar.xz"
    if archive.exists():
        with tarfile.open(archive) as files:
            for member in files:
                if member.isfile() and (html := parse(files.extractfile(member).read()).html):
                    found[member.name] = html
    return found


if __name__ == "__main__":
    sys.exit(main())
