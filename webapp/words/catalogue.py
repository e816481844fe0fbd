"""The catalogue of translated sentences: found in code and templates, kept in a .po, compiled to the .mo beside it.

Both files are in the repository, so that a start compiles nothing; tests/words holds them to the code.
"""

from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

WORDS = Path(__file__).parent
ROOT = WORDS.parent.parent
SOURCES = ("webapp", "templates")
PO = WORDS / "catalogues" / "pl" / "LC_MESSAGES" / "messages.po"
MO = PO.with_suffix(".mo")
KEYWORDS = {**DEFAULT_KEYWORDS, "lazy_gettext": None}


def refresh() -> list[str]:
    """Bring .po and .mo up to date with the code. Returns the English sentences that still want a translation."""
    catalogue = read()
    catalogue.update(extract(), no_fuzzy_matching=True, update_creation_date=False)
    catalogue.obsolete.clear()
    PO.write_bytes(as_po(catalogue))
    MO.write_bytes(as_mo(catalogue))
    return [text(m) for m in catalogue if m.id and not all(forms(m))]


def extract() -> Catalog:
    """Every sentence of code and templates, not translated."""
    with open(WORDS / "babel.cfg") as config:
        methods, options = parse_mapping_cfg(config)
    found = Catalog()
    for name, _line, message, comments, context in extract_from_dir(
            ROOT, methods, options, KEYWORDS, directory_filter=_is_source):
        found.add(message, locations=[(name, None)], auto_comments=comments, context=context)
    return found


def read() -> Catalog:
    with open(PO, "rb") as file:
        return read_po(file, locale="pl")


def as_po(catalogue) -> bytes:
    """Without line numbers: a moved line is no change of words."""
    out = BytesIO()
    write_po(out, catalogue, width=120, include_lineno=False)
    return out.getvalue()


def as_mo(catalogue) -> bytes:
    out = BytesIO()
    write_mo(out, catalogue)
    return out.getvalue()


def text(message) -> str:
    """The English sentence; of a plural its singular."""
    return message.id if isinstance(message.id, str) else message.id[0]


def forms(message) -> tuple[str, ...]:
    """The translation as a tuple: one form, or all of a plural."""
    return (message.string,) if isinstance(message.string, str) else tuple(message.string or ("",))


def _is_source(folder):
    """Babel's own filter leaves out folders that begin with an underscore: templates/_shared is one."""
    inside = Path(folder).relative_to(ROOT).parts
    return inside[0] in SOURCES and "__pycache__" not in inside
