"""Run as a script: become another program, tied to the life of the process that started it.

    python tether.py PARENT_PID COMMAND [ARGUMENT ...]

On Linux the kernel sends SIGTERM when the parent dies, however it dies (prctl(2), PR_SET_PDEATHSIG; it survives
execve). Elsewhere only the check of left-overs at the next start remains (leftovers.py). A wrapper and not
subprocess's preexec_fn, because that is unsafe in a process with threads.
"""

import os
import sys

PR_SET_PDEATHSIG = 1
SIGTERM = 15


def tie_to(parent):
    """Raises nothing: a kernel without it only loses this one safety."""
    if not sys.platform.startswith("linux"):
        return
    import ctypes

    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0)
    if os.getppid() != parent:  # it died before the line above
        sys.exit(1)


if __name__ == "__main__":
    tie_to(int(sys.argv[1]))
    try:
        os.execvp(sys.argv[2], sys.argv[2:])
    except OSError as problem:
        sys.exit(f"ERROR can't start {sys.argv[2]}: {problem.strerror}")
