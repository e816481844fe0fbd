"""Stands in for the workers: notes when it stops; as `clock` it can be told to be deaf, to die, or to leave a child."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

folder = Path(os.environ["POSTROOM_DATA_DIR"])
name = "-".join(sys.argv[1:])


def stop(*_):
    with open(folder / "stopped", "a") as file:
        file.write(f"{name}\n")
    sys.exit(0)


if name == "clock" and "deaf" in os.environ.get("STANDIN_CLOCK", ""):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
else:
    signal.signal(signal.SIGTERM, stop)
if name == "clock" and "parent" in os.environ.get("STANDIN_CLOCK", ""):
    subprocess.Popen(["sleep", "300"], start_new_session=True)
if name == "clock" and "dies" in os.environ.get("STANDIN_CLOCK", ""):
    print("WARNING this clock is broken", flush=True)
    time.sleep(0.3)
    sys.exit(3)
while True:
    time.sleep(0.1)
