"""Redis away for some seconds, in both ways. `python3 run torture --queue-away 300` does it for five minutes."""

import random
from pathlib import Path

import pytest
from servers.valkey import Valkey

from torture.outage import BACK_WITHIN, Outage

pytestmark = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="finds work horses through /proc")


@pytest.mark.parametrize("how", ["stopped", "silent"])
def test_pages_are_shown_while_redis_is_away_and_nothing_is_missing_after_it(dovecot, capsys, how):
    seed = random.SystemRandom().randrange(10**6)
    with Valkey() as valkey:
        outage = Outage(dovecot, valkey, seconds=8, seed=seed, how=how, say=print)
        outcome = outage.run()
    with capsys.disabled():
        print(f" [{how}: seed {seed}, {outage.pages.total()} pages, slowest {outage.took[-1]:.1f} s, {outage.came} letters "
              f"came and {outage.placed} were stored, all there {outcome.calm:.0f} s later] ", end="")
    assert outcome.good, outcome
    assert outage.broken == {}
    assert outcome.calm < BACK_WITHIN
    assert outage.pages.total() > 20
    assert outage.came
