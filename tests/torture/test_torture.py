"""500 messages, 20 kills with -9, an emptied, stopped, full and silent queue: nothing lost, nothing doubled.

`python3 run torture` does the same with 5,000 and 200.
"""

import random
from pathlib import Path

import pytest
from servers.valkey import Valkey

from torture.ordeal import Ordeal

pytestmark = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="finds work horses through /proc")


def test_after_twenty_kills_the_servers_set_is_ours_hash_for_hash(dovecot, capsys):
    seed = random.SystemRandom().randrange(10**6)
    with Valkey() as valkey:
        outcome = Ordeal(dovecot, valkey, messages=500, kills=20, seed=seed, say=print).run()
    with capsys.disabled():
        print(f" [torture: seed {seed}, {outcome.on_server} messages, {outcome.at_work} of 20 kills at work, "
              f"{dict(outcome.strokes)}, taken up after {[round(s) for s in outcome.taken_up]} s, "
              f"{outcome.seconds:.0f} s] ", end="")
    assert outcome.good, outcome
    assert outcome.on_server == 500
    assert all(seconds < 60 for seconds in outcome.taken_up), outcome
