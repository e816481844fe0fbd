"""For what other processes do in their own time."""

import time


def wait(ready, seconds, what, step=0.02):
    """Until `ready()` is true; its value. Raises TimeoutError after `seconds`."""
    deadline = time.monotonic() + seconds
    while not (value := ready()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {seconds} s for {what}")
        time.sleep(step)
    return value
