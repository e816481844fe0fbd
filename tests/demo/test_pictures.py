"""The demo's customers have pictures in their newsletters: each that a letter names can be loaded, without any network."""

import ast
from pathlib import Path

import pytest
from drawings import seen

from webapp.demo import pictures
from webapp.mail.repaint import repaint
from webapp.mail.web import WebError

STORY = Path(pictures.__file__).parent / "story"


def urls():
    """Every remote picture that the story names."""
    for path in STORY.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.keyword) and node.arg == "remote_images":
                yield from (e.value for e in getattr(node.value, "elts", ()))


def test_every_picture_of_the_story_is_there(monkeypatch):
    monkeypatch.setattr(pictures, "DELAY", 0)
    found = sorted(set(urls()))
    assert len(found) >= 5
    for url in found:
        painted = repaint(pictures.get(url))
        assert seen(painted.content)[1] == ((1, 1) if url.endswith(".gif") else (1120, 360)), url
    with pytest.raises(WebError):
        pictures.get("https://img.trzymosty.example/other.png")


def test_what_is_not_of_the_demo_is_asked_for_as_always(monkeypatch):
    asked = []
    monkeypatch.setattr(pictures, "get_from_web", lambda *a: asked.append(a) or b"x")
    for url in ("https://www.gstatic.com/a.png", "http://127.0.0.1/a.png", "http://x.example.evil.test/a.gif", "x"):
        assert pictures.get(url, None) == b"x"
    assert len(asked) == 4
