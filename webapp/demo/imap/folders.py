"""The commands on folders: LIST, LSUB, STATUS, CREATE, DELETE, RENAME, SUBSCRIBE, NAMESPACE.

Each takes the session and the client's arguments, and raises No or BadSyntax, or TypeError, AttributeError or
IndexError for arguments of the wrong number or shape; Session turns these into NO and BAD.
"""

import re
import sqlite3

from webapp.demo.imap.refusal import No
from webapp.demo.imap.wire import BadSyntax, string
from webapp.demo.mailstore import Folder


async def namespace(session):
    session.say(b'* NAMESPACE (("" "/")) NIL NIL')


async def list_folders(session, *arguments):
    arguments = list(arguments)
    only_special = False
    if isinstance(arguments[0], list):  # selection options, LIST-EXTENDED
        only_special = b"SPECIAL-USE" in [option.upper() for option in arguments.pop(0)]
    reference, patterns = arguments[0], arguments[1]
    if patterns == b"":
        return session.say(b'* LIST (\\Noselect) "/" ""')
    patterns = patterns if isinstance(patterns, list) else [patterns]
    wanted = [_pattern(reference + pattern) for pattern in patterns]
    for folder in session.store.folders(session.user):
        if any(pattern.fullmatch(folder.name) for pattern in wanted) and (folder.role or not only_special):
            session.say(b"* LIST %b" % _described(session, folder))
    if len(arguments) == 4 and arguments[2].upper() == b"RETURN":
        await _list_status(session, arguments[3], wanted)


async def _list_status(session, options: list, wanted: list) -> None:
    """RETURN (STATUS (...)) of RFC 5819; the other options are always in the answer."""
    for option, value in zip(options, options[1:], strict=False):
        if option == b"STATUS" and isinstance(value, list):
            for folder in session.store.folders(session.user):
                if any(pattern.fullmatch(folder.name) for pattern in wanted):
                    await status(session, folder.name.encode(), value)


async def list_subscribed(session, reference, pattern):
    wanted = _pattern(reference + pattern)
    for folder in session.store.folders(session.user):
        if folder.subscribed and wanted.fullmatch(folder.name):
            session.say(b"* LSUB %b" % _described(session, folder))


def _described(session, folder: Folder) -> bytes:
    inside = any(other.name.startswith(folder.name + "/") for other in session.store.folders(session.user))
    attributes = ["\\HasChildren" if inside else "\\HasNoChildren", *([folder.role] if folder.role else [])]
    return b'(%b) "/" %b' % (" ".join(attributes).encode(), string(folder.name.encode()))


async def create(session, name, _options=None):
    try:
        session.store.create_folder(session.user, _new_name(name))
    except sqlite3.IntegrityError:
        raise No("[ALREADYEXISTS] there is such a folder") from None


async def delete(session, name):
    folder = find(session, name)
    if folder.name == "INBOX":
        raise No("[CANNOT] INBOX stays")
    session.store.delete_folder(folder)


async def rename(session, name, new_name):
    folder = find(session, name)
    if folder.name == "INBOX":
        raise No("[CANNOT] INBOX keeps its name")
    try:
        session.store.rename_folder(folder, _new_name(new_name))
    except sqlite3.IntegrityError:
        raise No("[ALREADYEXISTS] there is such a folder") from None


async def subscribe(session, name):
    session.store.subscribe(find(session, name), True)


async def unsubscribe(session, name):
    session.store.subscribe(find(session, name), False)


async def status(session, name, wanted):
    folder = find(session, name)
    entries = session.store.entries(folder.id)
    values = {b"MESSAGES": len(entries), b"RECENT": 0, b"UIDNEXT": folder.uidnext,
              b"UIDVALIDITY": folder.uidvalidity,
              b"UNSEEN": sum("\\Seen" not in entry.flags for entry in entries)}
    asked = [word.upper() for word in wanted]
    if not all(word in values for word in asked):
        raise BadSyntax("no such status item")
    pairs = b" ".join(b"%b %d" % (word, values[word]) for word in asked)
    session.say(b"* STATUS %b (%b)" % (string(folder.name.encode()), pairs))


def find(session, name) -> Folder:
    folder = session.store.folder(session.user, name.decode("utf-8", "replace"))
    if folder is None:
        raise No("[NONEXISTENT] no such folder")
    return folder


def _pattern(text: bytes) -> re.Pattern:
    """LIST's wildcards: * is anything, % anything within one level. INBOX in any case."""
    pieces = {"*": ".*", "%": "[^/]*"}
    name = text.decode("utf-8", "replace")
    name = "INBOX" if name.upper() == "INBOX" else name
    return re.compile("".join(pieces.get(letter) or re.escape(letter) for letter in name), re.DOTALL)


def _new_name(name: bytes) -> str:
    text = name.decode("ascii", "replace").rstrip("/")
    if not text or len(text) > 200 or re.search(r"[^\x20-\x7e]|[%*\"\\]|//|^/", text):
        raise No("[CANNOT] no name for a folder")
    return text
