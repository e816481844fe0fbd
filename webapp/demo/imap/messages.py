"""The commands on messages: FETCH, SEARCH, STORE, EXPUNGE, COPY, MOVE, their UID forms, and APPEND.

Each takes the session and the client's arguments, and raises No or BadSyntax, or TypeError, AttributeError or
IndexError for arguments of the wrong number or shape; Session turns these into NO and BAD. What they return,
if anything, is the text of the OK. All but APPEND need a selected folder.
"""

import contextlib
import re
from datetime import datetime

from webapp.demo.imap.fetch import MONTHS, items
from webapp.demo.imap.folders import find
from webapp.demo.imap.refusal import No
from webapp.demo.imap.search import BadCharset, question
from webapp.demo.imap.wire import BadSyntax, as_set
from webapp.demo.mailstore import Entry, Folder

SYSTEM_FLAGS = {flag.lower(): flag for flag in ("\\Answered", "\\Flagged", "\\Deleted", "\\Seen", "\\Draft")}


async def fetch(session, numbers, wanted, by_uid=False):
    selected = session.selected
    chosen_items = items(wanted)
    if by_uid and not any(item.name == b"UID" for item in chosen_items):
        chosen_items = items(b"UID") + chosen_items
    marks_seen = not selected.readonly and any(item.marks_seen for item in chosen_items)
    for number, entry in selected.chosen(numbers, by_uid):
        if marks_seen and "\\Seen" not in entry.flags:
            session.store.set_flags(selected.folder.id, entry.uid, entry.flags | {"\\Seen"})
        message = selected.message(number, entry)
        pairs = [item.name + b" " + item.render(message) for item in chosen_items]
        session.say(b"* %d FETCH (%b)" % (number, b" ".join(pairs)))
        await session.drain()


async def uid_fetch(session, numbers, wanted):
    return await fetch(session, numbers, wanted, by_uid=True)


async def search(session, *arguments, by_uid=False):
    selected = session.selected
    highest_uid = selected.known[-1].uid if selected.known else 0
    try:
        asked = question(list(arguments), len(selected.known), highest_uid)
    except BadCharset:
        raise No("[BADCHARSET (UTF-8 US-ASCII)] UTF-8, please") from None
    found = [entry.uid if by_uid else number for number, entry in enumerate(selected.known, 1)
             if asked(selected.message(number, entry))]
    session.say(b" ".join([b"* SEARCH", *(b"%d" % number for number in found)]))


async def uid_search(session, *arguments):
    return await search(session, *arguments, by_uid=True)


async def store(session, numbers, action, *flags, by_uid=False):
    selected = session.selected
    selected.require_writable()
    found = re.fullmatch(rb"([+-]?)FLAGS(\.SILENT)?", action.upper())
    if not found:
        raise BadSyntax("FLAGS, +FLAGS or -FLAGS")
    words = flags[0] if len(flags) == 1 and isinstance(flags[0], list) else flags
    named = _flags(words)
    current = {entry.uid: entry for entry in session.store.entries(selected.folder.id)}
    for number, known in selected.chosen(numbers, by_uid):
        entry = current.get(known.uid)
        if entry is None:
            continue
        after = {b"+": entry.flags | named, b"-": entry.flags - named, b"": named}[found[1]]
        session.store.set_flags(selected.folder.id, entry.uid, after)
        if found[2]:
            selected.known[number - 1] = entry._replace(flags=frozenset(after))  # silent: the client knows


async def uid_store(session, numbers, action, *flags):
    return await store(session, numbers, action, *flags, by_uid=True)


async def expunge(session):
    session.selected.require_writable()
    session.selected.remove_deleted()


async def uid_expunge(session, numbers):
    selected = session.selected
    selected.require_writable()
    chosen = {entry.uid for _, entry in selected.chosen(numbers, by_uid=True)}
    selected.remove([entry.uid for entry in session.store.entries(selected.folder.id)
                     if entry.uid in chosen and "\\Deleted" in entry.flags])


async def copy(session, numbers, name, by_uid=False):
    target = _target(session, name)
    before, after = _copy(session, session.selected.chosen(numbers, by_uid), target)
    return _copied(target, before, after) + b"copied" if before else None


async def uid_copy(session, numbers, name):
    return await copy(session, numbers, name, by_uid=True)


async def move(session, numbers, name, by_uid=False):
    selected = session.selected
    selected.require_writable()
    target = _target(session, name)
    before, after = _copy(session, selected.chosen(numbers, by_uid), target)
    if before:
        session.say(b"* OK " + _copied(target, before, after) + b"moved")  # before the EXPUNGEs (RFC 6851 3.3)
        selected.remove(before)


async def uid_move(session, numbers, name):
    return await move(session, numbers, name, by_uid=True)


def _copy(session, chosen: list[tuple[int, Entry]], target: Folder) -> tuple[list[int], list[int]]:
    before, after = [], []
    with session.store.transaction():
        for _, entry in chosen:
            raw = session.store.raw(session.selected.folder.id, entry.uid)
            if raw is not None:
                before.append(entry.uid)
                after.append(session.store.add(target, raw, entry.flags, entry.arrived))
    return before, after


async def append(session, name, *arguments):
    folder = _target(session, name)
    arguments = list(arguments)
    raw = arguments.pop()
    flags = _flags(arguments.pop(0)) if arguments and isinstance(arguments[0], list) else set()
    arrived = _moment(arguments.pop(0)) if arguments else None
    if arguments or not isinstance(raw, bytes):
        raise BadSyntax("wrong arguments")
    uid = session.store.add(folder, raw, flags, arrived)
    return b"[APPENDUID %d %d] kept" % (folder.uidvalidity, uid)


def _target(session, name) -> Folder:
    with contextlib.suppress(No):
        return find(session, name)
    raise No("[TRYCREATE] no such folder")


def _copied(target: Folder, before: list[int], after: list[int]) -> bytes:
    return b"[COPYUID %d %b %b] " % (target.uidvalidity, as_set(before), as_set(after))


def _flags(words) -> set[str]:
    flags = [word.decode("ascii", "replace") for word in words]
    if any(re.search(r"[^\x21-\x7e]|[(){%*\"\]]", flag) for flag in flags):
        raise BadSyntax("not a flag")
    return {SYSTEM_FLAGS.get(flag.lower(), flag) for flag in flags} - {"\\Recent"}


def _moment(token: bytes) -> datetime:
    """APPEND's date-time, such as " 7-Feb-1994 21:52:25 -0800"."""
    text = token.decode("ascii", "replace").strip()
    found = re.fullmatch(r"(\d{1,2})-([A-Za-z]{3})-(\d{4} \d\d:\d\d:\d\d [+-]\d{4})", text)
    try:
        month = MONTHS.index(found[2].capitalize()) + 1
        return datetime.strptime(f"{found[1]} {month} {found[3]}", "%d %m %Y %H:%M:%S %z")
    except (TypeError, ValueError):
        raise BadSyntax("not a date") from None
