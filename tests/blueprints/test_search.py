"""The page of what was found: rows with marks, in words, without script too; nothing that one may not read."""

import re

import pytest
from mailroom import arrive, connected, letter, person, stored

from webapp.actions import notes
from webapp.extensions import db, unit
from webapp.models import Conversation

SWAP = {"HX-Request": "true", "Sec-Fetch-Site": "same-origin"}


@pytest.fixture
def box(team):
    box = connected()
    arrive(box, letter(subject="Damaged pallet", text="The <b>pallet</b> & the goods", Message_ID="<1@x>"),
           letter(subject="Umowa", text="W załączeniu", Message_ID="<2@x>", files=[("Umowa ramowa.pdf", "application/pdf", b"x")]),
           letter(sender="<script>alert(1)</script> <x@evil.example>", subject="<img src=x> pallet", text="<script>pallet</script>",
                  Message_ID="<3@x>"))
    return box


@pytest.fixture
def look(browser_of):
    def see(query, name="ewa", headers=(), **more):
        with browser_of(name) as client:
            answer = client.get("/search", query_string={"q": query, **more}, headers=dict(headers))
            assert answer.status_code == 200
            return answer.text
    return see


def found(page):
    return [int(i) for i in re.findall(r'id="hits-(\d+)"', page)]


def test_what_is_found_is_marked_and_strangers_text_stays_text(box, look):
    page = look("pallet")
    assert len(found(page)) == 2
    assert "The &lt;b&gt;<mark>pallet</mark>&lt;/b&gt; &amp; the goods" in page
    assert "&lt;img src=x&gt; <mark>pallet</mark>" in page
    assert "<script>" not in re.sub(r"<script [^>]*src=", "", page) and "<img src=x" not in page


def test_a_file_a_note_and_people_say_where_the_word_is(box, look):
    with unit():
        notes.write(person("marek"), db.session.get(Conversation, stored(Conversation)[0].id), "Ask the insurer")
    assert "<mark>Umowa</mark> <mark>ramowa</mark>.pdf" in look("umowa ramowa")
    page = look("insurer")
    assert "Note by Marek" in page and "Ask the <mark>insurer</mark>" in page
    assert "<mark>support</mark>@corp.example" in look("to:support")


def test_a_swap_gets_what_was_found_alone(box, look):
    page = look("pallet", headers=SWAP)
    assert "<html" not in page and len(found(page)) == 2


@pytest.mark.parametrize("query, words", [
    ("", "What are you looking for?"), ("!!!", "Nothing to look for yet"), ("absent", "Nothing found"),
    ("form:anna", "is not known here"), ("is:purple", "is not known"), ("in:nowhere", "no inbox called"),
    ("tag:none", "No conversation has the tag"), ("assignee:olaf", "Nobody is called"), ("before:soon", "is not a day"),
    ("-pallet", "has to be something to look for"), ("from:", "Something is missing")])
def test_what_is_not_understood_or_not_there_is_said(box, look, query, words):
    assert words in look(query)


@pytest.mark.parametrize("query", ["'", '"', "x' OR 1=1 --", "NEAR(a b)", "a:b:c", "*", "(", "\\", "%", "\0", "a" * 5000, "#99999999999",
                                   "from:\"", "pallet*\"", "{body}:x", "a & b | !c", "<->", "':*", "x:A", "😀", "ＡＮＤ", "before:9999-12-31",
                                   "after:0001-01-01 pallet", "before:0001-01-01", "after:9999-12-31 x", "#0", "in:" + "x" * 290])
def test_no_query_is_an_error(box, look, query):
    for before in ("", "0", "1-1", "99999999999999999999", "x", "-5"):
        look(query, before=before)


def test_a_number_leads_to_its_conversation(box, look):
    number = stored(Conversation)[1].id
    assert found(look(f"#{number}"))[0] == number


def test_pages_go_on_where_the_last_one_ended(team, look):
    box = connected()
    arrive(box, *(letter(subject=f"Pallet {n}", Message_ID=f"<{n}@x>") for n in range(70)))
    for query in ("pallet", "in:support"):
        seen, page = [], look(query)
        while True:
            seen += found(page)
            more = re.search(r'class="list-more" href="/search\?([^"]+)"', page)
            if not more:
                break
            page = look(query, headers=SWAP, before=re.search(r"before=([\d-]+)", more[1])[1])
        assert len(seen) == len(set(seen)) == 70


def test_own_mail_stands_below_for_its_owner_alone(box, look):
    own = connected("personal", "marek@corp.example", "marek")
    arrive(own, letter(to="marek@corp.example", subject="Secret pallet", Message_ID="<own@x>"))
    assert "Secret <mark>pallet</mark>" in look("pallet", "marek") and "<mark>Secret</mark> pallet" in look("secret", "marek", own=1)
    for name in ("zofia", "ewa"):
        assert "Secret" not in look("pallet", name) and "Secret" not in look("pallet", name, own=1)


def test_every_page_has_the_box_and_this_one_its_own(box, browser_of):
    with browser_of("ewa") as client:
        assert 'action="/search"' in client.get("/conversations").text
        page = client.get("/search?q=pallet").text
        assert page.count('role="search"') == 1 and 'value="pallet"' in page
