"""What templates get quick is what flask-babel and Flask would have given."""

import pytest
from flask import url_for
from flask_babel import force_locale, gettext

from webapp.web.quick import link

CASES = [
    ("team.conversation", {"conversation_id": 7}),
    ("team.conversation", {"conversation_id": 7, "older": "all"}),
    ("team.conversation", {"conversation_id": 7, "older": None}),
    ("team.conversation", {"conversation_id": 7, "_anchor": "m3"}),
    ("team.composer", {"conversation_id": 7, "write": "reply", "of": 8}),
    ("team.composer", {"of": 8, "conversation_id": 9, "write": "reply"}),
    ("team.composer", {"of": 8, "conversation_id": 9, "write": "a b&c=%d ł"}),
    ("team.composer", {"of": -8, "conversation_id": 9, "write": ["x", "y"]}),
    ("team.composer", {"of": True, "conversation_id": 9}),
    ("static", {"filename": "app.css", "v": "12%d"}),
]


@pytest.mark.parametrize("root", ["", "/mail", "/a%20b"])
@pytest.mark.parametrize("endpoint, values", CASES)
def test_a_url_is_the_same_the_first_time_and_later(app, root, endpoint, values):
    with app.test_request_context("/", environ_overrides={"SCRIPT_NAME": root}):
        for more in (0, 1, 2):
            given = {k: v + more if type(v) is int and v > 0 else v for k, v in values.items()}
            assert link(endpoint, **given) == url_for(endpoint, **given)


def test_a_url_that_cannot_be_is_refused_as_ever(app):
    with app.test_request_context("/"), pytest.raises(Exception, match="conversation_id"):
        link("team.conversation")


def test_a_sentence_is_the_readers_and_its_variables_are_escaped(app):
    with app.test_request_context("/"):
        for language in ("en", "pl", "en"):
            with force_locale(language):
                assert said(app, "Reply") == gettext("Reply")
                assert said(app, "Today %(time)s", time="<b>") == gettext("Today %(time)s", time="&lt;b&gt;")
        with force_locale("pl"):
            assert said(app, "Reply") != "Reply"


def test_plain_text_stays_plain(app):
    """As in the mails that Postroom writes itself."""
    with app.test_request_context("/"), force_locale("en"):
        assert said(app, "Today %(time)s", plain=True, time="<b> & co") == "Today <b> & co"


def said(app, sentence, plain=False, **variables):
    template = "{% autoescape " + str(not plain).lower() + " %}{{ _(sentence, **variables) }}{% endautoescape %}"
    return app.jinja_env.from_string(template).render(sentence=sentence, variables=variables)
