"""Every code that the product can say no with has a sentence, in both languages."""

import ast
import re
from types import SimpleNamespace

import pytest
from flask import Flask
from flask_babel import Babel, force_locale

from webapp.mail.types import ERROR_CODES
from webapp.rules.bounds import OUTBOX_STATES
from webapp.words import FOLDER, catalogue, connecting, events, outgoing
from webapp.words.rules import SENTENCES

SAID_ELSEWHERE = {"sent", "cancelled"}      # a sent mail stands there without a word; a cancelled one is a draft again


@pytest.fixture(scope="module")
def translated():
    app = Flask(__name__)
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = str(FOLDER)
    Babel(app)
    with app.test_request_context():
        yield


def sources():
    return [(path, ast.parse(path.read_text())) for path in sorted((catalogue.ROOT / "webapp").rglob("*.py"))]


def calls(name):
    """(path, call) of every call of that name in the product."""
    return [(path, node) for path, tree in sources() for node in ast.walk(tree) if isinstance(node, ast.Call)
            and getattr(node.func, "id", getattr(node.func, "attr", None)) == name]


def test_every_rule_that_can_be_broken_has_a_sentence():
    raised = {call.args[1].value for _path, call in calls("RuleBroken")
              if len(call.args) > 1 and isinstance(call.args[1], ast.Constant)}
    assert {"taken", "not_shared", "required"} <= raised
    assert raised - set(SENTENCES) == set()


def test_every_way_a_mail_server_can_fail_has_a_title_and_a_remedy():
    assert set(ERROR_CODES) - set(connecting.FAILURES) == set()


@pytest.mark.parametrize("code", ERROR_CODES)
def test_a_failure_is_told_in_both_languages(translated, code):
    told = {}
    for language in ("en", "pl"):
        with force_locale(language):
            told[language] = connecting.failure("sync", code, {"host": "mail.corp.example", "port": 993},
                                                "mail.corp.example")
    assert told["en"].title and told["en"].text and told["en"].title != told["pl"].title
    assert told["en"].text != told["pl"].text
    assert told["en"].remedy in ("password", "servers", "again", "address")


@pytest.mark.parametrize("state", OUTBOX_STATES)
def test_every_state_of_an_outgoing_message_has_words(translated, state):
    row = SimpleNamespace(state=state, attempts=1, problem="smtp_refused", author_id=1)
    for language in ("en", "pl"):
        with force_locale(language):
            assert bool(outgoing.state(row)) == (state not in SAID_ELSEWHERE)


def test_everything_that_happens_to_a_conversation_has_words(translated):
    kinds = _event_kinds()
    assert {"assigned", "closed", "reopened_by_mail"} <= kinds
    for kind in kinds:
        event = SimpleNamespace(kind=kind, actor_id=1, facts={"to": 2, "name": "Marek"})
        with force_locale("pl"):
            assert events.happened(event, SimpleNamespace(id=3)) != kind, f"no words for {kind}"


def _event_kinds():
    """Kinds of Event that actions write: given to Event itself, to a Row of it, to _happened, or to _set_status."""
    found = set()
    for _path, call in [*calls("Event"), *calls("Row")]:
        found |= {n.value for k in call.keywords if k.arg == "kind" for n in ast.walk(k.value) if isinstance(n, ast.Constant)}
    for name, place in (("_happened", 2), ("happened", 2), ("_told", 2), ("_status", 3)):
        for _path, call in calls(name):
            if len(call.args) > place:
                found |= {n.value for n in ast.walk(call.args[place]) if isinstance(n, ast.Constant)}
    return {kind for kind in found if re.fullmatch(r"[a-z_]+", str(kind))}
