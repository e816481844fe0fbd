"""Templates: nothing inline that a content policy would have to allow, the right htmx, every sentence in Polish."""

import base64
import hashlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = sorted(p for p in (ROOT / "templates").rglob("*.html") if "emails" not in p.parts)
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


# As npm has them, without the line that names a source map.
VENDORED = {"squire-2.4.8.js": "eb02e4b6d8be703e8e1f27114c811e528b3ff88d29ccb50f302b4da984278a7d", "purify-3.4.18.min.js": "5c64f2cdc55474de0409a8e419d741285ab833f6f0818b76a8380dcc2d408078"}


@pytest.mark.parametrize("name", VENDORED)
def test_a_vendored_file_is_the_one_that_was_looked_at(name):
    assert hashlib.sha256((ROOT / "static/vendor" / name).read_bytes()).hexdigest() == VENDORED[name]
    assert (ROOT / "static/vendor" / f"LICENSE-{name.split('-')[0].replace('purify', 'dompurify')}.txt").exists()


def test_every_page_has_its_fragment():
    missing = [str(p.relative_to(ROOT)) for p in TEMPLATES
               if p.parent.name not in ("templates", "_macros", "_shared") and not p.name.startswith("_")
               and not (p.parent / f"_{p.name}").exists()
               and 'extends "base' in p.read_text() and "include" not in p.read_text()]
    assert missing == []
