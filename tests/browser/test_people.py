"""Somebody is invited, comes in, gets another role, leaves, and leaves an address behind."""

import re

import pytest
from browser.moves import SOON, connect_personal, ready
from browser.screens import axe, spills
from browser.stage import DOMAIN, PASSWORD
from playwright.sync_api import expect

PERMISSIONS = ["clipboard-read", "clipboard-write"]


def invite(page, address, role="Member"):
    """By an installation that sends no mail: the link that is shown."""
    page.goto("/people/invite")
    page.get_by_label("E-mail addresses").fill(address)
    page.get_by_role("radio", name=role, exact=False).check()
    page.get_by_role("button", name="Make the links").click()
    return page.get_by_label(address, exact=False).input_value()


def accept(page, link, name):
    page.goto(link)
    page.get_by_label("Your name").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Start using Postroom").click()
    page.wait_for_url(lambda url: "/links/" not in url)


def line(page, name):
    return page.locator("#users tr", has_text=name)


def test_a_person_comes_by_a_link_and_goes_and_the_address_is_released(stage, page_of):
    address = stage.mailbox(f"jan.nowak@{DOMAIN}")
    zofia = page_of("zofia", permissions=PERMISSIONS)
    link = invite(zofia, address, "Reads only")
    assert axe(zofia) + spills(zofia) == []
    zofia.get_by_role("button", name="Copy").click()
    expect(zofia.get_by_role("button", name="Copied")).to_be_visible()
    assert zofia.evaluate("navigator.clipboard.readText()") == link
    zofia.get_by_role("link", name="Done").click()
    expect(line(zofia, "jan.nowak")).to_contain_text("Invited")

    jan = page_of()
    accept(jan, link, "Jan Nowak")
    zofia.reload()
    line(zofia, "Jan Nowak").get_by_role("button", name="Reads only").click()
    zofia.locator(".people__menu:popover-open").get_by_role("button", name="Member").click()
    expect(line(zofia, "Jan Nowak")).to_contain_text("Member")
    connect_personal(jan, address)

    ready(zofia).get_by_label("Find a user").press_sequentially("jan n")
    expect(zofia.locator("#users tbody tr")).to_have_count(1, timeout=SOON)
    expect(zofia.get_by_label("Find a user")).to_be_focused()
    line(zofia, "Jan Nowak").get_by_role("button", name="Actions for Jan Nowak").click()
    menu = zofia.locator(".people__menu:popover-open")
    assert menu.bounding_box()["y"] > line(zofia, "Jan Nowak").bounding_box()["y"]
    menu.get_by_role("link", name="Deactivate").click()
    dialog = zofia.get_by_role("dialog")
    expect(dialog).to_contain_text("1 address stays held")
    dialog.get_by_role("button", name="Deactivate").click()
    expect(zofia.get_by_role("heading", name="In the name of Jan Nowak")).to_be_visible()
    expect(zofia.get_by_text("Held, at rest")).to_be_visible()
    jan.goto("/mailboxes")
    expect(jan.get_by_role("button", name="Sign in")).to_be_visible()

    zofia.get_by_role("link", name="Remove").click()
    zofia.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(zofia.get_by_text("Removed on")).to_be_visible()
    zofia.goto("/people")
    ghost = zofia.locator(".orphan", has_text="Jan Nowak")
    expect(ghost).to_contain_text(address)
    ghost.get_by_role("button", name="Release").click()
    expect(zofia.get_by_role("heading", name="Users and roles")).to_be_visible()
    expect(ghost).to_have_count(0)


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
def test_a_team_is_made_and_filled_and_a_removed_person_restored(page_of, stage, script):
    word = "Scripted" if script else "Plain"
    zofia = page_of("zofia", java_script_enabled=script)
    link = invite(zofia, f"{word.lower()}@{DOMAIN}")
    assert re.search(r"/links/\S+$", link)
    zofia.goto("/teams")
    zofia.get_by_label("Name").fill(f"{word} team")
    zofia.get_by_role("button", name="Make the team").click()
    zofia.get_by_role("checkbox", name=word.lower()).check()
    zofia.get_by_role("button", name="Save").click()
    expect(zofia.locator(".holding", has_text=f"{word} team")).to_contain_text(word.lower())
    zofia.goto(f"/people?q={word.lower()}")
    zofia.get_by_role("link", name=word.lower(), exact=True).click()
    zofia.get_by_role("button", name="Withdraw the invitation").click()
    zofia.get_by_role("link", name="Show removed people").click()
    zofia.get_by_role("link", name=word.lower(), exact=True).click()
    zofia.get_by_role("button", name="Restore").click()
    expect(zofia.get_by_role("heading", name="Pass this link on")).to_be_visible()
