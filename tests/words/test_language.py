"""Which language a person reads, and words that change inside a sentence."""

from datetime import UTC, datetime, timedelta

import pytest
from flask_babel import force_locale
from sqlalchemy import select

from webapp.extensions import db
from webapp.models import Person
from webapp.models.secret import ensure_setup_code
from webapp.web.filters import moment, weekday
from webapp.web.forms import Servers

POLISH = {"Accept-Language": "pl,en;q=0.5", "Sec-Fetch-Site": "same-origin"}


def test_the_first_admin_goes_on_in_the_language_of_the_set_up_page(app):
    client = app.test_client()
    assert "Postroom działa" in client.get("/set-up", headers=POLISH).text
    client.post("/set-up", headers=POLISH, data=dict(
        code=ensure_setup_code(app.config["SETTINGS"].folder), name="Zofia", email="zofia@corp.example", password="correct horse battery"))
    assert db.session.scalar(select(Person.language)) == "pl"


@pytest.mark.parametrize("language, alone, inside", [("en", "Yesterday", "yesterday"), ("pl", "Wczoraj", "wczoraj")])
def test_a_day_is_written_small_inside_a_sentence(app, language, alone, inside):
    at = datetime.now(UTC) - timedelta(days=1)
    with app.test_request_context(), force_locale(language):
        assert moment(at) == alone and moment(at, inside=True) == inside
        assert weekday(at).startswith(alone) and weekday(at, inside=True).startswith(inside)


@pytest.mark.parametrize("port", ["", "abc", "0", "65536"])
def test_a_port_that_is_none_is_refused_in_our_own_words(app, port):
    with app.test_request_context(method="POST", data={"imap_port": port}), force_locale("pl"):
        form = Servers()
        form.validate()
        assert form.imap_port.errors == ["Od 1 do 65535."]
