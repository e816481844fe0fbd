"""Stands in for the demo's mail servers."""

import time

time.sleep(0.2)
print("ready", flush=True)
while True:
    time.sleep(1)
