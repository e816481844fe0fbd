"""Who a note calls in: @ and a name, of a person or a team."""

import re
import unicodedata

from webapp.rules import RuleBroken
from webapp.rules.bounds import NOTE_MAX

_AT = re.compile(r"(?<![\w@.])@(?=\w)")
MOST = 100      # names looked for in one note


def check_note(text: str) -> str:
    """Raises RuleBroken("note", "empty_note" | "long_note")."""
    text = (text or "").strip()
    if not text:
        raise RuleBroken("note", "empty_note")
    if len(text) > NOTE_MAX:
        raise RuleBroken("note", "long_note", limit=NOTE_MAX)
    return text


def handles(people, teams) -> dict[str, tuple]:
    """What can stand behind an @: {folded name: ("person", id) or ("team", id)}, from (id, name) pairs. A first name
    alone is enough where only one person has it; a whole name goes before a team's."""
    known = {fold(name): ("team", i) for i, name in teams}
    firsts = {}
    for i, name in people:
        firsts.setdefault(fold(name).split(" ")[0], []).append(i)
    known |= {first: ("person", ids[0]) for first, ids in firsts.items() if len(ids) == 1 and first not in known}
    return known | {fold(name): ("person", i) for i, name in people}


def as_written(known: dict[str, tuple], names: dict[tuple, str]) -> dict[str, tuple]:
    """The same with each name as its owner writes it. `names`: of ("person", id) and ("team", id)."""
    return {" ".join(names[meant].split()[:len(handle.split(" "))]): meant for handle, meant in known.items()}


def spans(text: str, known: dict[str, tuple]):
    """(start, end, what is meant) of each name in the text, the longest that fits."""
    longest = max(map(len, known), default=0)
    for match in list(_AT.finditer(text))[:MOST]:
        start = match.end()
        for end in _ends(text, start, longest):
            if (meant := known.get(fold(text[start:end]))) is not None:
                yield match.start(), end, meant
                break


def _ends(text, start, longest):
    """Where a name that begins here could end, the farthest first: at the end of a word."""
    window = text[start:start + longest + 20]
    ends = [m.end() for m in re.finditer(r"[\w.-]+", window)]
    whole = [e for e in ends if "\n" not in window[:e]]
    for end in reversed(whole):
        yield start + end
        if window[:end] != window[:end].rstrip(".-"):       # a full stop ends the sentence, not the name
            yield start + len(window[:end].rstrip(".-"))


def fold(name: str) -> str:
    return " ".join(unicodedata.normalize("NFC", name).casefold().split())
