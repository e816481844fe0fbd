"""The real virus scanner with one signature of our own, where it is installed: its hundreds of megabytes of signatures
are not needed to speak with it."""

import shutil
import subprocess
import time

from servers import end, remove, short_folder

PROGRAM = shutil.which("clamd") or shutil.which("clamd", path="/usr/sbin:/usr/local/sbin")
STARTS_WITHIN = 30      # seconds


class RealClamd:
    """Context manager. `where`: its socket. Finds `found`, and takes streams of up to `most` bytes."""

    most = 1_000_000

    def __init__(self, found: bytes):
        self.folder = short_folder("clam")
        self.where, self._found, self._process = str(self.folder / "c.ctl"), found, None

    def __enter__(self):
        (self.folder / "db").mkdir()
        (self.folder / "db" / "own.ndb").write_text(f"Win.Test.EICAR_HDB-1:0:*:{self._found.hex()}\n")
        config = self.folder / "clamd.conf"
        config.write_text(f"LocalSocket {self.where}\nDatabaseDirectory {self.folder}/db\nStreamMaxLength {self.most}\n"
                          f"Foreground yes\nLogFile {self.folder}/log\n")
        self._process = subprocess.Popen([PROGRAM, "-c", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + STARTS_WITHIN
        while not (self.folder / "c.ctl").exists():
            if time.monotonic() > deadline or self._process.poll() is not None:
                self.__exit__()
                raise RuntimeError("clamd does not start")
            time.sleep(0.1)
        return self

    def __exit__(self, *_exc):
        end(self._process, 8)
        remove(self.folder)
