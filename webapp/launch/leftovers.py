"""What a killed start left behind: its processes are ended, their notes and sockets removed.

Each child has a note in instance/run/<name>.json: pid, start time, boot. A pid that was given to somebody else
since, or a reboot, makes the note worthless, and it is only removed.
"""

import json
import os
import sys
from pathlib import Path

from webapp.launch.processes import end, family

MARK = "POSTROOM_RUN_DIR"  # every child carries it in its environment, so its own children can be told as ours
GRACE = 5  # seconds


def note(folder, name, process):
    """Write down a child, at once whole: a reader never sees half a note."""
    path = Path(folder) / f"{name}.json"
    content = {"pid": process.pid, "started": process.started, "boot": boot(), "command": process.command}
    path.with_suffix(".new").write_text(json.dumps(content))
    path.with_suffix(".new").replace(path)


def forget(folder, name):
    (Path(folder) / f"{name}.json").unlink(missing_ok=True)


def clear(folder, table, grace=GRACE):
    """End all that an earlier start left running. Returns the names of what was ended."""
    folder = Path(folder)
    rows = table.all()
    found, names = {}, []
    for path in sorted(folder.glob("*.json")):
        leader = rows.get(_pid_of(path, rows))
        if leader:
            names.append(path.stem)
            found.update({row.pid: row for row in family(table, leader.pid, rows)})
        path.unlink(missing_ok=True)
    strays = {pid: row for pid, row in rows.items()
              if pid not in found and pid != os.getpid() and _carries_mark(pid, folder)}
    if strays:
        names.append(f"{len(strays)} more")
    end(table, [*found.values(), *strays.values()], grace)
    for socket in folder.glob("*.sock"):
        socket.unlink(missing_ok=True)
    return names


def boot():
    """Names this boot of the machine: start times count from it. Empty where start times are dates anyway."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def _pid_of(path, rows):
    """The pid in a note if that very process still runs, else None."""
    try:
        content = json.loads(path.read_text())
        pid, started, same_boot = content["pid"], content["started"], content["boot"] == boot()
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return pid if same_boot and pid in rows and rows[pid].started == started else None


def _carries_mark(pid, folder):
    """Only Linux shows a process's environment to its owner; elsewhere the notes must do."""
    if not sys.platform.startswith("linux"):
        return False
    try:
        return f"{MARK}={folder}".encode() in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return False
