"""The audit log's page: what it shows, filters and gives away."""

import contextvars
import csv
import io
import json
from datetime import UTC, datetime, timedelta

import pytest
from flask.testing import FlaskClient
from mailroom import person, stored

from webapp.actions import audit, inboxes
from webapp.extensions import db, unit
from webapp.models import Audit
from webapp.models.audit import digest_of
from webapp.words.audit import ACTIONS

HERE = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture
def log(team):
    """Six rows: four by Zofia, one by Marek, one by the product itself."""
    with unit():
        zofia, marek = person("zofia"), person("marek")
        audit.note(zofia, "inbox.created", "inbox-2", inbox="Sprzedaż", access="everyone")
        audit.note(zofia, "person.invited", "person-9", name="Łucja", email="lucja@corp.example", role="viewer")
        audit.note(marek, "connection.connected", "connection-1", address="marek@corp.example", kind="personal",
                   holder="Marek")
        audit.note(None, "person.removed", "person-8", name="=HYPERLINK(1)", email="x@corp.example", conversations=3)
        audit.note(zofia, "team.made_up", "team-1", name="<b>Bold</b> 100%_sure")
        audit.note(zofia, "hold.released", "hold-7", address="olga@corp.example", holder="Olga")


def shown(client, **query):
    """Numbers of the rows on the page."""
    page = client.get("/audit", query_string=query).text
    return [row.number for row in stored(Audit, Audit.action != "person.signed_in") if row.digest in page]


def test_everything_newest_first_in_words(log, browser_of):
    with browser_of("zofia") as client:
        page = client.get("/audit").text
    said = ["Released olga@corp.example, which Olga held.", "team.made_up", "3 open conversations handed over.",
            "Connected marek@corp.example. Person: Marek.", "Invited Łucja (lucja@corp.example), role: reads only.",
            "Made the inbox Sprzedaż. Open to everyone."]
    assert sorted(said, key=page.index) == said
    assert "Postroom itself" in page


def test_in_polish_too(log, browser_of):
    with unit():
        person("zofia").language = "pl"
    with browser_of("zofia") as client:
        page = client.get("/audit").text
    assert "Dziennik zdarzeń" in page and "Released" not in page and "Made the inbox" not in page


@pytest.mark.parametrize(("query", "numbers"), [
    ({"kind": "people"}, [2, 4]), ({"kind": "addresses"}, [3, 6]), ({"kind": "nonsense"}, [1, 2, 3, 4, 5, 6]),
    ({"who": "0"}, [4]), ({"who": "marek"}, [1, 2, 3, 4, 5, 6]), ({"q": "sprzedaż"}, [1]), ({"q": "SPRZEDAŻ"}, [1]),
    ({"q": "łucja"}, [2]), ({"q": "lucja@corp"}, [2]), ({"q": "inbox-2"}, [1]), ({"q": "inbox-"}, []),
    ({"q": "100%_sure"}, [5]), ({"q": "%"}, [5]), ({"q": "_sure"}, [5]), ({"q": "!"}, []), ({"q": "\\"}, []),
    ({"q": "hold.rel"}, [6]), ({"q": "mare"}, [3]), ({"q": "\x00"}, [1, 2, 3, 4, 5, 6]), ({"q": "<b>bold"}, [5]),
    ({"kind": "people", "q": "lucja"}, [2]), ({"since": "2999-01-01"}, []), ({"until": "2001-01-01"}, []),
    ({"since": "yesterday", "until": "0000-00-00"}, [1, 2, 3, 4, 5, 6])])
def test_the_filter_finds_these(log, browser_of, query, numbers):
    with browser_of("zofia") as client:
        assert shown(client, **query) == numbers


def test_the_filter_by_person_and_by_the_days_of_the_readers_own_zone(log, browser_of):
    with unit():
        person("zofia").time_zone = "Pacific/Kiritimati"     # 14 hours ahead
    here = (datetime.now(UTC) + timedelta(hours=14)).date()
    with browser_of("zofia") as client:
        assert shown(client, who=person("marek").id) == [3]
        assert shown(client, since=here, until=here) == [1, 2, 3, 4, 5, 6]
        assert shown(client, since=here + timedelta(days=1)) == []
        assert shown(client, until=here - timedelta(days=1)) == []


def test_nothing_found_says_so_and_what_is_typed_stays_harmless(log, browser_of):
    with browser_of("zofia") as client:
        page = client.get("/audit", query_string={"q": '"><script>x</script>'}).text
    assert "Nothing found" in page and "<script>x" not in page
    assert "<b>Bold</b>" not in page


def test_pages_go_on_below_the_last_row_and_a_swap_gets_rows_alone(team, browser_of):
    with unit():
        for n in range(120):
            audit.note(person("zofia"), "inbox.renamed", f"inbox-{n}", inbox=f"New{n}", was="Old")
    with browser_of("zofia") as client:
        assert shown(client, before=121) == list(range(71, 121))
        assert shown(client, before=71) == list(range(21, 71))
        assert shown(client, before=21) == list(range(1, 21))
        more = client.get("/audit?before=71", headers={"HX-Request": "true"}).text
        found = client.get("/audit?q=New7", headers={"HX-Request": "true"}).text
    assert more.lstrip().startswith("<li") and "<html" not in found and 'id="found"' in found


def test_admins_only(log, browser_of):
    for name in ("marek", "ewa"):
        with browser_of(name) as client:
            assert client.get("/audit").status_code == 404
            assert client.post("/audit/export", data={"format": "csv"}, headers=HERE).status_code == 404
    assert stored(Audit, Audit.action == "audit.exported") == []


def test_an_export_is_a_file_of_what_the_filter_shows_and_is_noted(log, browser_of):
    with browser_of("zofia") as client:
        answer = client.post("/audit/export", data={"format": "jsonl", "kind": "people"}, headers=HERE,
                             buffered=True)
        rows = [json.loads(line) for line in answer.text.splitlines()]
    assert [row["number"] for row in rows] == [4, 2]
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="audit-20')
    last = stored(Audit)[-1]
    assert (last.action, last.actor.name, last.facts) == (
        "audit.exported", "Zofia", {"format": "jsonl", "rows": 2, "filter": {"kind": "people"}})
    assert audit.verify()[2] == []


def test_whoever_has_the_whole_file_can_check_the_chain_without_us(log, browser_of):
    with browser_of("zofia") as client:
        rows = [json.loads(line) for line in client.post(
            "/audit/export", data={"format": "jsonl"}, headers=HERE, buffered=True).text.splitlines()]
    assert [row["number"] for row in rows] == list(range(rows[0]["number"], 0, -1))
    for row in rows:
        assert row["digest"] == digest_of(row["previous"], row["number"], datetime.fromisoformat(row["at"]),
                                          row["person_id"], row["action"], row["subject"], row["facts"])


def test_no_cell_of_the_table_is_a_formula(team, browser_of):
    evil = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"]
    with unit():
        for text in evil:
            audit.note(person("zofia"), text, text, inbox=text)
        person("zofia").name = "=cmd|calc"
    with browser_of("zofia") as client:
        answer = client.post("/audit/export", data={"format": "csv"}, headers=HERE, buffered=True)
    cells = [cell for row in csv.reader(io.StringIO(answer.text, newline="")) for cell in row]
    assert len(cells) == 10 * len(stored(Audit))      # with a line of names, and without the export itself
    assert [c for c in cells if c.startswith(("=", "+", "-", "@", "\t", "\r"))] == []
    assert "'=1+1" in cells and "'=cmd|calc" in cells


def test_a_large_export_comes_whole_and_holds_no_lock_while_it_is_read(app, team, browser_of, database):
    with unit():
        for n in range(1100):
            audit.note(person("zofia"), "inbox.renamed", f"inbox-{n}", inbox=f"New{n}", was="Old")
    with browser_of("zofia") as client:
        request = contextvars.Context()      # of its own, as a thread of the server has
        answer = request.run(FlaskClient.open, client, "/audit/export", method="POST", headers=HERE,
                             data={"format": "jsonl", "kind": "inboxes"})
        lines = iter(answer.response)
        first = request.run(next, lines)
        with unit():                     # somebody writes in the middle of it
            inboxes.rename_inbox(person("zofia"), db.session.get(inboxes.Inbox, 1), "Renamed meanwhile")
        rest = b"".join(iter(lambda: request.run(next, lines, b""), b""))
    text = (first + rest).decode()
    assert [json.loads(line)["number"] for line in text.splitlines()] == list(range(1100, 0, -1))


@pytest.mark.parametrize("data", [{}, {"format": "exe"}])
def test_an_unknown_kind_of_file_is_refused_and_not_noted(log, browser_of, data):
    with browser_of("zofia") as client:
        assert client.post("/audit/export", data=data, headers=HERE).status_code == 400
    assert stored(Audit, Audit.action == "audit.exported") == []


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("facts", [{}, {"name": None, "number": "x", "teams": "x", "conversations": None, "role": 7}])
def test_every_action_has_words_in_both_languages_whatever_its_facts(team, browser_of, action, facts):
    with unit():
        audit.note(person("zofia"), action, "x-1", **facts)
        person("zofia").language = "pl"
    with browser_of("zofia") as client:
        page = client.get("/audit")
    assert page.status_code == 200 and f"<p>{action}</p>" not in page.text
