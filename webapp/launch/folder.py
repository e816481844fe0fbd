"""The data folder: made, private, writable, and used by one `run` at a time."""

import fcntl
import json
import os
from pathlib import Path


class FolderProblem(Exception):
    """One sentence with what to do."""


def make(folder):
    """instance/ with run/ and log/, mode 700. Raises FolderProblem."""
    folder = Path(folder)
    try:
        for path in (folder, folder / "run", folder / "log"):
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
        probe = folder / "run" / "writable"
        probe.write_text("")
        probe.unlink()
    except OSError as problem:
        raise FolderProblem(f"Can't write to the data folder {folder} ({problem.strerror}). Give yourself the right to "
                            "write there, or name another folder in POSTROOM_DATA_DIR.") from None


class Lock:
    """Held as long as this process lives; the system gives it back however the process ends."""

    def __init__(self, folder):
        self.path = Path(folder) / "run" / "lock"
        self._handle = None

    def take(self, url):
        """Raises FolderProblem, naming who holds it."""
        self._handle = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = self.holder()
            raise FolderProblem(f"Postroom already runs with this data folder, at {holder.get('url', 'its address')}. "
                                f"To stop it: Ctrl-C in its window, or kill {holder.get('pid', '')}".rstrip()) from None
        os.ftruncate(self._handle, 0)
        os.pwrite(self._handle, json.dumps({"pid": os.getpid(), "url": url}).encode(), 0)

    def holder(self):
        """{"pid", "url"} of who took it last."""
        try:
            return json.loads(self.path.read_text())
        except (OSError, ValueError):
            return {}

    def is_held(self):
        """Whether somebody holds it now."""
        try:
            handle = os.open(self.path, os.O_RDWR)
        except OSError:
            return False
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(handle)
        return False
