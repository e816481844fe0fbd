"""Server faults, given ones and our own, through the whole sync, and what must never become a command: how many.

Runs the tests that hold them and counts. After each fault clears, the server's set must equal ours, hash for hash. The
given ones lie beside the project (shared/cases); where that folder is not, only our own are counted.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as Tree
from pathlib import Path

from _stage import ROOT, report

from mail.conftest import cases  # isort: skip - found through _stage

# what -> (test file, part of the test's name, what is tried in it, least)
COUNTED = {
    "server faults of our own, struck twice each": ("jobs/test_faults.py", "after_the_fault_has_cleared", None, 55),
    "a server that cuts at every byte of a literal": ("jobs/test_faults.py", "every_byte", None, 1),
    "server faults given, by number": ("jobs/test_given_faults.py", "ends_as_it_should", None, 29),
    "faults on the wire alone": ("mail/test_imap_faults.py", "", None, 1),
    "scripts around STARTTLS and TLS given": ("mail/test_given_tls.py", "gets_no_credential", None, 22),
    "values that must not become a command, given": ("mail/test_imap_injection.py", "inside_its_own_command",
                                                     lambda: len(cases("imap-injection")), 233),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--postgresql", action="store_true", help="on PostgreSQL as well; else on SQLite alone")
    arguments = parser.parse_args()
    began = time.monotonic()
    done = _outcomes(sorted({path for path, *_rest in COUNTED.values()}), arguments.postgresql)
    table, figures, bad = [], {}, 0
    for what, (path, part, count, least) in COUNTED.items():
        found = [ok for (where, name), ok in done.items() if where == Path(path).stem and part in name]
        failed, tried = found.count(False), count() if count else len(found)
        bad += failed
        table.append((what, f"{tried - failed if not count else tried * (not failed)} of {tried}",
                      f"{failed} failed" if failed else f"at least {least}" if least > 1 else ""))
        figures[what] = [tried, failed]
    report("faults", {"counted": figures, "seconds": round(time.monotonic() - began),
                      "load": round(os.getloadavg()[0], 1)}, table)
    return 1 if bad else 0


def _outcomes(paths, postgresql):
    """{(file, test with its parameters): did it pass}"""
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder) / "result.xml"
        subprocess.run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={result}",
                        *([] if postgresql else ["-k", "not postgresql"]), *(f"tests/{path}" for path in paths)],
                       cwd=ROOT, check=False, stdout=sys.stderr)
        return {(case.get("classname").rpartition(".")[2], case.get("name")): len(case) == 0
                for case in Tree.parse(result).iter("testcase") if case.find("skipped") is None}


if __name__ == "__main__":
    sys.exit(main())
