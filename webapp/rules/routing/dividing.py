"""Who of several gets the next conversation (BEHAVIOUR 0.17)."""

from typing import NamedTuple

HOWS = ("turns", "least")       # who has had none for longest; who has the fewest that are open


class Candidate(NamedTuple):
    """`turn`: the number of the last one that they got by themselves, 0 for none yet. `open`: how many they have."""

    id: int
    may: bool = True             # active, with access
    available: bool = True
    turn: int = 0
    open: int = 0


def choose(candidates, how="turns", cap=None):
    """(id of who gets it, or None; why). Why, of nobody: "nobody_there" (no longer with access), "nobody_available",
    "all_full". Of somebody: "alone" (nobody else is named), "only_one" (nobody else is free), or `how`."""
    there = [c for c in candidates if c.may]
    able = [c for c in there if c.available]
    free = [c for c in able if cap is None or c.open < cap]
    if not free:
        return None, "all_full" if able else "nobody_available" if there else "nobody_there"
    order = (lambda c: (c.open, c.turn, c.id)) if how == "least" else (lambda c: (c.turn, c.id))
    return min(free, key=order).id, how if len(free) > 1 else "only_one" if len(there) > 1 else "alone"
