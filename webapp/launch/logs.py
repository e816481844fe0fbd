"""A child's log file: instance/log/<name>.log, rotated at start, capped in size; its warnings go to the terminal.

Children write to the file themselves, in append mode: a pipe would kill them when the reader dies.
"""

import re
import shutil
from pathlib import Path

KEPT = 3  # older files: name.log.1 ... name.log.3
LARGEST = 5_000_000  # bytes
AT_ONCE = 256_000  # bytes read per look
_ALARM = re.compile(r"\b(?:WARNING|WARN|ERROR|CRITICAL|FATAL)\b")
_TRACEBACK = "Traceback (most recent call last):"


class Log:
    """`opened()` for the child; `lines()` and `warnings()` for who watches it."""

    def __init__(self, folder, name):
        self.path = Path(folder) / f"{name}.log"
        self._at = 0
        self._rest = ""
        self._in_traceback = False

    def rotate(self):
        """Put the last run's file aside."""
        if self.path.exists() and self.path.stat().st_size:
            self._push()
            self.path.rename(self._older(1))
        self._at = 0

    def opened(self):
        return open(self.path, "ab", buffering=0)

    def lines(self):
        """New whole lines since the last look."""
        try:
            with open(self.path, "rb") as file:
                file.seek(self._at)
                new = file.read(AT_ONCE)
        except FileNotFoundError:
            return []
        self._at += len(new)
        *whole, self._rest = (self._rest + new.decode("utf-8", "replace")).split("\n")
        self._cap()
        return whole

    def warnings(self, lines):
        """Of these lines, what a person should see: alarms, and of a traceback its last line, the error itself."""
        for line in lines:
            if self._in_traceback:
                if line.startswith((" ", "\t")) or not line.strip():
                    continue
                self._in_traceback = False
                yield line
            elif _TRACEBACK in line:
                self._in_traceback = True
            elif _ALARM.search(line):
                yield line

    def tail(self, count):
        """The last lines, for the message that a child did not start."""
        try:
            return self.path.read_text(errors="replace").splitlines()[-count:]
        except OSError:
            return []

    def _cap(self):
        """Writers append, so a file that is cut to nothing goes on at its start. A line may be lost in between."""
        if self._at < LARGEST:
            return
        self._push()
        shutil.copyfile(self.path, self._older(1))
        with open(self.path, "r+b") as file:
            file.truncate(0)
        self._at, self._rest = 0, ""

    def _push(self):
        for number in range(KEPT - 1, 0, -1):
            if self._older(number).exists():
                self._older(number).replace(self._older(number + 1))

    def _older(self, number):
        return self.path.with_name(f"{self.path.name}.{number}")
