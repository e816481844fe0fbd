"""Everything that is noted in the audit log has words there."""

import ast
import re

from webapp.words import catalogue
from webapp.words.audit import ACTIONS


def noted():
    """Codes among the arguments of whatever calls note(), or hands such a code on to who does."""
    found = set()
    for path in sorted((catalogue.ROOT / "webapp").rglob("*.py")):
        text = path.read_text()
        if "import note" not in text and "audit.note" not in text:
            continue
        found |= {node.value for call in ast.walk(ast.parse(text)) if isinstance(call, ast.Call)
                  and getattr(call.func, "id", getattr(call.func, "attr", "")) in ("note", "_set_state")
                  for node in call.args if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return {code for code in found if re.fullmatch(r"[a-z_]+\.[a-z_]+", code)}


def test_every_action_that_is_noted_has_words():
    assert {"inbox.joined", "person.removed", "connection.paused", "audit.exported"} <= noted()
    assert noted() - set(ACTIONS) == set()
