"""Templates: nothing inline that a content policy would have to allow, the right htmx, every sentence in Polish."""

import base64
import hashlib
import re
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = sorted(p for p in (ROOT / "templates").rglob("*.html") if "emails" not in p.parts)
CATALOGUE = ROOT / "webapp/words/catalogues/pl/LC_MESSAGES/messages.po"
INLINE = {
    "script": r"<script(?![^>]*\ssrc=)", "style element": r"<style", "style attribute": r"\sstyle=",
    "event attribute": r"\son[a-z]+\s*=", "hx-on": r"\shx-on", "javascript URL": r"javascript:",
    "js: value": r"=[\"']\s*js:", "trigger filter": r"hx-trigger=[\"'][^\"']*\[", "unsafe output": r"\|\s*safe\b",
}


@pytest.mark.parametrize("kind", INLINE)
def test_no_template_has_anything_inline(kind):
    found = {str(p.relative_to(ROOT)): m.group() for p in TEMPLATES
             if (m := re.search(INLINE[kind], re.sub(r"{#.*?#}", "", p.read_text(), flags=re.S), re.I))}
    assert found == {}


def test_the_vendored_htmx_is_the_one_whose_hash_the_page_names():
    page = (ROOT / "templates/base.html").read_text()
    url, sri, local = (re.search(pattern, page)[1] for pattern in (
        r"'(https://cdn[^']+)'", r'data-sri="sha384-([^"]+)"', r"asset\('(vendor/htmx[^']+)'\)"))
    digest = hashlib.sha384((ROOT / "static" / local).read_bytes()).digest()
    assert base64.b64encode(digest).decode() == sri
    assert re.search(r"@([\d.]+)/", url)[1] in local


def test_every_page_has_its_fragment():
    missing = [str(p.relative_to(ROOT)) for p in TEMPLATES
               if p.parent.name not in ("templates", "_macros", "_shared") and not p.name.startswith("_")
               and not (p.parent / f"_{p.name}").exists()
               and 'extends "base' in p.read_text() and "include" not in p.read_text()]
    assert missing == []


def _sentences():
    """Every msgid in templates and code, with where it stands."""
    found = {}
    for folder, method in ((ROOT / "templates", [("**.html", "jinja2.ext:babel_extract"),
                                                 ("**.txt", "jinja2.ext:babel_extract")]),
                           (ROOT / "webapp", [("**.py", "python")])):
        for name, line, message, _comments, _context in extract_from_dir(
                folder, method_map=method, options_map={"**": {"extensions": "jinja2.ext.i18n", "silent": "false"}},
                keywords={"_": None, "gettext": None, "lazy_gettext": None, "ngettext": (1, 2), "pgettext": ((1, "c"), 2)}):
            for msgid in [message] if isinstance(message, str) else message[:1]:
                found.setdefault(msgid, f"{name}:{line}")
    return found


@pytest.mark.skipif(not CATALOGUE.exists(), reason="no Polish catalogue yet")
def test_every_sentence_is_in_polish_with_the_same_values_in_it():
    catalogue = read_po(CATALOGUE.open("rb"), locale="pl")
    problems = {}
    for msgid, where in _sentences().items():
        entry = catalogue.get(msgid)
        texts = [] if entry is None else list(entry.string if isinstance(entry.string, (tuple, list)) else [entry.string])
        if not texts or not all(texts):
            problems[msgid] = f"{where}: not translated"
        elif entry.fuzzy:
            problems[msgid] = f"{where}: fuzzy"
        else:
            named = set(re.findall(r"%\((\w+)\)", str(entry.id)))
            wrong = [t for t in texts if set(re.findall(r"%\((\w+)\)", t)) - named
                     or len(texts) == 1 and set(re.findall(r"%\((\w+)\)", t)) != named]
            if wrong:
                problems[msgid] = f"{where}: other values in {wrong[0]!r}"
            elif len(texts) not in (1, 3):
                problems[msgid] = f"{where}: Polish has three plural forms here"
    assert problems == {}


def test_sentences_are_found_at_all():
    assert len(_sentences()) > 150
