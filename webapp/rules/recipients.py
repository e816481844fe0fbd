"""Whom a message goes to: read from what people type, and taken from the message that is answered."""

from webapp.mail.address import address_key
from webapp.rules import RuleBroken
from webapp.rules.bounds import NAME_MAX, RECIPIENTS_MAX

TYPED_MAX = 20_000      # characters of one field


def read(typed: str, field: str = "to") -> list[list[str]]:
    """[[name, address], ...] of a field, people parted by commas or semicolons. Raises RuleBroken(field,
    "bad_recipients" | "too_long"): nothing is guessed, and nothing is left out."""
    if len(typed) > TYPED_MAX:
        raise RuleBroken(field, "too_long", limit=TYPED_MAX)
    found, wrong, seen = [], [], set()
    for piece in filter(None, _pieces(typed)):
        pair = _one(piece)
        if pair is None:
            wrong.append(piece[:80])
        elif address_key(pair[1]) not in seen:
            seen.add(address_key(pair[1]))
            found.append(pair)
    if wrong:
        raise RuleBroken(field, "bad_recipients", addresses=wrong[:5])
    return found


def read_loosely(typed: str) -> list[list[str]]:
    """As `read`, of a draft: what is no address yet stays as it was typed."""
    return [_one(piece) or ["", piece] for piece in filter(None, _pieces(typed[:TYPED_MAX]))]


def written(pairs) -> str:
    """As people type and read it: the other way round of `read`."""
    return ", ".join(_written(name, address) for name, address in pairs)


def check(to, cc, bcc):
    """Raises RuleBroken("to", "nobody_named" | "many_recipients")."""
    if not (to or cc or bcc):
        raise RuleBroken("to", "nobody_named")
    if len(to) + len(cc) + len(bcc) > RECIPIENTS_MAX:
        raise RuleBroken("to", "many_recipients", limit=RECIPIENTS_MAX)


def of_all(asked, to, cc, ours) -> tuple[list, list]:
    """(to, cc) of an answer to everybody: who asked, then whom they wrote to, without us and nobody twice. `ours`: keys
    of our own addresses."""
    taken = set(ours)

    def new(pairs):
        kept = []
        for name, address in pairs:
            key = _key(address)
            if key and key not in taken:
                taken.add(key)
                kept.append([name, address])
        return kept
    first = new(asked) or [list(p) for p in asked]
    return first + new(to), new(cc)


def _key(address):
    try:
        return address_key(address)
    except ValueError:
        return ""


def _pieces(typed):
    """The field, parted outside quotes and angle brackets."""
    piece, quoted, inside = "", False, False
    for character in typed:
        if character == '"':
            quoted = not quoted
        elif not quoted and character in "<>":
            inside = character == "<"
        if character in ",;" and not quoted and not inside:
            yield piece.strip()
            piece, quoted, inside = "", False, False
        else:
            piece += character
    yield piece.strip()


def _one(piece):
    """[name, address] of one person, or None."""
    if any(ord(c) < 32 or c in "\x7f\x85\u2028\u2029" for c in piece):
        return None
    name, bracket, rest = piece.rpartition("<")
    if bracket:
        if not rest.endswith(">"):
            return None
        name, address = name.strip(), rest[:-1].strip()
        if name.startswith('"') and name.endswith('"') and len(name) > 1:
            name = name[1:-1].replace('\\"', '"').replace("\\\\", "\\")
    else:
        name, address = "", piece
    try:
        address_key(address)
    except ValueError:
        return None
    if "@" in name or "<" in name or len(name) > NAME_MAX:     # a name that looks like an address misleads
        return None
    return [name.strip(), address]


def _written(name, address):
    if not name or "@" in name or "<" in name or len(name) > NAME_MAX:      # as `read` would refuse it
        return address
    if any(c in name for c in ',;<>@"\\()[]:.'):
        name = '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return f"{name} <{address}>"
