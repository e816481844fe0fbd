"""README lists every setting, with its default."""

from dataclasses import fields
from pathlib import Path

import pytest

from webapp.config import Settings, variable

README = Path(__file__).resolve().parents[2] / "README.md"


@pytest.mark.skipif(not README.exists(), reason="no README yet")
def test_every_setting_stands_in_the_readme_with_its_words():
    lines = README.read_text().splitlines()
    missing = [variable(f.name) for f in fields(Settings)
               if not any(line.startswith("|") and f"`{variable(f.name)}`" in line and f.metadata["text"] in line
                          for line in lines)]
    assert missing == []


def test_every_setting_says_what_it_does():
    assert all(f.metadata["text"].endswith((".", "…")) for f in fields(Settings))
