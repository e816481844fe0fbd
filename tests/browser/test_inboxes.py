"""Inboxes as an admin sets them, while others have them open."""

import json

import pytest
from browser.letters import letter
from browser.moves import SOON, connect_team, open_conversation, ready
from browser.stage import DOMAIN
from playwright.sync_api import expect

ADDRESS = f"team-{{}}@{DOMAIN}"


@pytest.fixture
def make(stage, once):
    """`make("Sales")`: path of a new inbox with a connected address and one mail."""
    def make(name):
        address = stage.mailbox(ADDRESS.format(name.lower()))
        stage.dovecot.deliver(address, letter(address, f"{name} question"))
        page = once("zofia")
        path = connect_team(page, address, name)
        page.goto("/mailboxes")      # away from what the test may delete
        return path
    return make


def listening(page, path):
    page.goto(path)
    ready(page)
    page.wait_for_selector("html[data-stream=on]", state="attached")
    return page


def access(page, path, *people):
    page.goto(f"{path}/settings")
    page.get_by_label("Chosen people and teams").check()
    for name in ("Zofia", "Marek", "Ewa", "Adam", "Pola"):
        page.get_by_role("checkbox", name=name).set_checked(name in people)
    page.get_by_role("button", name="Save access").click()
    page.wait_for_load_state()


def test_the_sidebar_loses_and_gains_an_inbox_while_it_is_looked_at_and_goes_on_listening(page_of, make, stage):
    path, other = make("Alpha"), make("Beta")
    marek, zofia = listening(page_of("marek"), other), page_of("zofia")
    inside = marek.locator("#side-inboxes").get_by_role("link", name="Alpha")
    expect(inside).to_be_visible()
    access(zofia, path, "Zofia")
    expect(inside).to_have_count(0, timeout=SOON)
    access(zofia, path, "Zofia", "Marek")
    expect(inside).to_be_visible(timeout=SOON)
    # The page hears of mail in the inbox that it did not know when it was opened, and of that in its own.
    for name in ("Alpha", "Beta"):
        stage.dovecot.deliver_lmtp("bo@customer.example", [ADDRESS.format(name.lower())],
                                   letter(ADDRESS.format(name.lower()), f"{name} again"))
        row = marek.locator("#side-inboxes a", has_text=name)
        expect(row.locator(".nav__n")).to_have_text("2", timeout=SOON)


def test_an_inbox_that_one_may_not_open_any_more_is_not_there_at_the_next_step(page_of, make):
    path = make("Gamma")
    marek, zofia = listening(page_of("marek"), path), page_of("zofia")
    access(zofia, path, "Zofia")
    marek.watching.expect("HTTP 404")
    expect(marek.locator("#side-inboxes").get_by_role("link", name="Gamma")).to_have_count(0, timeout=SOON)
    marek.reload()
    expect(marek.get_by_role("heading", name="There is nothing here")).to_be_visible()


def test_the_people_are_shown_only_where_they_are_chosen_and_an_admin_adds_themselves(page_of, make):
    path = make("Delta")
    zofia, adam = page_of("zofia"), page_of("adam")
    zofia.goto(f"{path}/settings")
    expect(zofia.get_by_role("checkbox", name="Marek")).to_be_hidden()
    zofia.get_by_label("Chosen people and teams").check()
    expect(zofia.get_by_role("checkbox", name="Marek")).to_be_visible()
    access(zofia, path, "Zofia", "Marek")
    adam.goto("/inboxes")
    adam.get_by_role("row", name="Delta").get_by_role("link", name="Settings").click()
    expect(adam.get_by_role("link", name="Open the inbox")).to_have_count(0)
    adam.get_by_role("button", name="Add yourself").click()
    adam.get_by_role("link", name="Open the inbox").click()
    open_conversation(ready(adam), "Delta question")
    zofia.goto("/notices")
    expect(zofia.get_by_text("Adam Admin joined Delta").first).to_be_visible()


def test_deleting_asks_in_a_dialog_for_the_name_and_leaves_the_conversation_to_read(page_of, make):
    path = make("Epsilon")
    marek, zofia = listening(page_of("marek"), path), page_of("zofia")
    open_conversation(marek, "Epsilon question")
    link = marek.url
    zofia.goto(f"{path}/settings")
    ready(zofia)
    zofia.get_by_role("link", name="Delete the inbox").click()
    dialog = zofia.locator("#dialog")
    expect(dialog).to_contain_text("1 conversation leaves the lists")
    dialog.get_by_role("link", name="Keep it").click()
    expect(dialog).to_be_hidden()
    zofia.get_by_role("link", name="Delete the inbox").click()
    dialog.get_by_label("Name of the inbox").fill("Epsilon")
    for page in (marek, zofia):
        page.watching.expect("HTTP 404", "HTTP 403")     # fragments of what is gone
    dialog.get_by_role("button", name="Delete the inbox").click()
    zofia.wait_for_url("**/inboxes")
    expect(zofia.get_by_role("row", name="Epsilon")).to_have_count(0)
    expect(marek.locator("#side-inboxes").get_by_role("link", name="Epsilon")).to_have_count(0, timeout=SOON)
    marek.goto(link)
    expect(marek.get_by_text("This inbox was deleted on")).to_be_visible()
    expect(marek.locator("#composer")).to_have_count(0)


def test_the_log_is_filtered_while_one_types_and_exported(page_of, make):
    make("Zeta")
    page = ready_at(page_of("zofia"), "/audit")
    page.get_by_label("Search").press_sequentially("zeta")
    expect(page.get_by_text("Made the inbox Zeta.")).to_be_visible()
    expect(page.locator(".auditrow", has_text="Signed in")).to_have_count(0)
    expect(page.get_by_label("Search")).to_be_focused()
    assert "q=zeta" in page.url
    page.get_by_label("Kind").select_option("addresses")
    expect(page.get_by_text("Made the inbox Zeta.")).to_have_count(0)
    with page.expect_download() as download:
        page.get_by_role("button", name="JSON Lines").click()
    rows = [json.loads(line) for line in download.value.path().read_text().splitlines()]
    assert rows and {row["action"] for row in rows} == {"connection.connected"}
    page.goto("/audit?kind=log")
    expect(page.locator(".auditrow").first).to_contain_text("Exported the audit log as jsonl")


def ready_at(page, path):
    page.goto(path)
    return ready(page)
