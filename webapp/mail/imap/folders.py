"""Which folder is what: SPECIAL-USE (RFC 6154), else the names that mail programs give in several languages."""

import unicodedata
from collections.abc import Iterable

from imapclient.imap_utf7 import decode as decode_utf7

from webapp.mail.types import Folder, FolderRole

_ATTRIBUTES: dict[str, FolderRole] = {
    "\\sent": "sent", "\\drafts": "drafts", "\\trash": "trash", "\\junk": "junk", "\\spam": "junk",
    "\\archive": "archive", "\\all": "all", "\\allmail": "all",
}

# English, Polish, German, French, Spanish, Italian, Dutch; lower case, without diacritics. First in a list wins.
_NAMES: dict[FolderRole, tuple[str, ...]] = {
    "sent": ("sent", "sent items", "sent messages", "sent mail", "sent-mail", "wyslane", "elementy wyslane",
             "wiadomosci wyslane", "poczta wyslana", "gesendet", "gesendete elemente", "gesendete objekte",
             "gesendete nachrichten", "envoyes", "elements envoyes", "messages envoyes", "courrier envoye", "enviados",
             "elementos enviados", "mensajes enviados", "inviati", "posta inviata", "verzonden", "verzonden items"),
    "drafts": ("drafts", "draft", "szkice", "wersje robocze", "robocze", "kopie robocze", "entwurfe", "entwurf",
               "brouillons", "borradores", "bozze", "concepten"),
    "trash": ("trash", "deleted items", "deleted messages", "deleted", "bin", "kosz", "elementy usuniete", "usuniete",
              "papierkorb", "geloschte elemente", "geloschte objekte", "geloscht", "corbeille", "elements supprimes",
              "papelera", "elementos eliminados", "eliminados", "cestino", "prullenbak", "verwijderde items"),
    "junk": ("junk", "spam", "junk e-mail", "junk email", "junk mail", "bulk mail", "wiadomosci-smieci", "niechciane",
             "wiadomosci smieci", "spamverdacht", "junk-e-mail", "unerwunscht", "courrier indesirable", "indesirables",
             "pourriel", "correo no deseado", "no deseado", "posta indesiderata", "ongewenste e-mail"),
    "archive": ("archive", "archives", "archiwum", "archiv", "archivo", "archivos", "archivio", "archief"),
    "all": ("all mail", "wszystkie", "alle nachrichten", "tous les messages", "todos"),
}
_ROLES = {name: role for role, names in _NAMES.items() for name in names}


def folders_of(listed: Iterable[tuple]) -> list[Folder]:
    """imapclient's list_folders (flags, delimiter, name, all bytes) as Folders. At most one folder a role.

    Attributes win over names; of several that fit by name, the one with the shortest path. Names that are not valid
    modified UTF-7 are shown as they are.
    """
    found = [_folder(flags, delimiter, name) for flags, delimiter, name in listed]
    roles: dict[bytes, FolderRole] = {}
    taken: set[str] = {"other"}
    for choose in (lambda flags, folder: _by_attribute(flags, folder), lambda flags, folder: _by_name(folder)):
        for flags, folder in sorted(found, key=lambda item: item[1].name.count(item[1].delimiter)):
            role = choose(flags, folder)
            if role in taken or folder.wire_name in roles or not folder.selectable:
                continue
            roles[folder.wire_name] = role
            taken.add(role)
    return [folder._replace(role=roles.get(folder.wire_name, "other")) for _flags, folder in found]


def _folder(flags, delimiter, name) -> tuple[set[str], Folder]:
    wire_name = name if isinstance(name, bytes) else str(name).encode()
    attributes = {flag.decode("latin-1").lower() for flag in flags if isinstance(flag, bytes)}
    mark = delimiter.decode("latin-1") if isinstance(delimiter, bytes) and delimiter else "/"
    selectable = not attributes & {"\\noselect", "\\nonexistent"} and not set(wire_name) & set(b"\r\n\0")
    return attributes, Folder(_shown(wire_name), wire_name, "other", selectable, mark)


def _shown(wire_name: bytes) -> str:
    try:
        text = decode_utf7(wire_name)
    except (ValueError, LookupError, AssertionError):
        text = None
    if not isinstance(text, str):
        text = wire_name.decode("utf-8", "replace")
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def _by_attribute(flags: set[str], folder: Folder) -> FolderRole:
    if folder.wire_name.upper() == b"INBOX":
        return "inbox"
    return next((_ATTRIBUTES[flag] for flag in sorted(flags) if flag in _ATTRIBUTES), "other")


def _by_name(folder: Folder) -> FolderRole:
    if folder.wire_name.upper() == b"INBOX":
        return "inbox"
    last = folder.name.rpartition(folder.delimiter)[2]
    return _ROLES.get(_folded(last), "other")


def _folded(name: str) -> str:
    """Lower case, without diacritics: "Wysłane" -> "wyslane"."""
    plain = unicodedata.normalize("NFKD", name.casefold().replace("ł", "l").replace("ß", "ss"))
    return " ".join("".join(c for c in plain if not unicodedata.combining(c)).split())
