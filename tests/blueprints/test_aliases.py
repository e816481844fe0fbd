"""The page of what else a team address writes from."""

from mailroom import arrive, connected, letter, stored

from webapp.models import Outbox


def test_an_alias_is_added_chosen_and_taken_off(team, browser_of):
    box = connected()
    arrive(box, letter(Message_ID="<1@x>"))
    page = f"/connections/{box}/aliases"
    with browser_of("zofia") as client:
        assert page in client.get("/inboxes/1/settings").text
        assert client.post(page, data={"address": "Sales@corp.example"}).location == page
        assert "Sales@corp.example" in client.get(page).text
        shown = client.get("/conversations/1").text
        assert '<option value="Sales@corp.example">' in shown
        client.post("/conversations/1/reply", data={
            "text": "Hello", "to": "anna@customer.example", "subject": "Re: x", "sender": "Sales@corp.example"})
        assert [row.sender for row in stored(Outbox)] == ["Sales@corp.example"]
        [remove] = [line.partition('action="')[2].partition('"')[0] for line in client.get(page).text.splitlines()
                    if "/remove" in line]
        assert client.post(remove).location == page
        assert "Sales@corp.example" not in client.get(page).text
        assert client.post(remove).status_code == 404
        assert "support@corp.example no longer sends from Sales@corp.example." in client.get("/audit").text


def test_what_cannot_be_one_is_said_at_the_field_with_a_way_out(team, browser_of):
    box = connected()
    connected("personal", "marek@corp.example", actor="marek")
    with browser_of("zofia") as client:
        wrong = client.post(f"/connections/{box}/aliases", data={"address": "nobody"})
        assert (wrong.status_code, 'value="nobody"' in wrong.text) == (422, True)
        taken = client.post(f"/connections/{box}/aliases", data={"address": "marek@corp.example"})
        assert taken.status_code == 422 and "/release" in taken.text
        own = client.post(f"/connections/{box}/aliases", data={"address": "support@corp.example"})
        assert "This inbox already answers from support@corp.example." in own.text
    with browser_of("marek") as client:
        assert client.get(f"/connections/{box}/aliases").status_code == 404
