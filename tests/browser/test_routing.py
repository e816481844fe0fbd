"""A rule is written, tried and put in its place with the keyboard; mail that comes is given away, and says why."""

import pytest
from browser.letters import letter
from browser.moves import SOON, connect_team, open_conversation, ready, row
from browser.stage import DOMAIN
from playwright.sync_api import expect

ADDRESS = f"routed@{DOMAIN}"


@pytest.fixture(scope="module")
def inbox(stage, once):
    stage.mailbox(ADDRESS)
    return connect_team(once("zofia"), ADDRESS, "Routed")


def write(page, inbox, words, *people):
    page.goto(f"{inbox}/routing")
    count = page.locator("#rulelist .rule").count()
    page.get_by_role("link", name="Add a rule").click()
    page.locator("[name=c0_values]").fill(words)
    for name in people:
        page.locator("#rule-form").get_by_label(name).check()
    page.locator("#rule-form").get_by_role("button", name="Save rule").click()
    expect(page.locator("#rulelist .rule")).to_have_count(count + 1, timeout=SOON)
    expect(page.locator("#rule-form")).to_have_count(0)


def test_from_the_rule_to_the_mail_that_it_gives_away(stage, page_of, inbox):
    page = page_of("zofia")
    write(page, inbox, "urgent, invoice", "Marek Colleague")
    write(page, inbox, "invoice", "Zofia Owner")
    expect(page.locator("#rulelist")).to_contain_text("Never read: whatever it holds for, rule 1 decides before.")
    ready(page)
    page.get_by_label("Subject").fill("An urgent one")
    expect(page.locator("#trace .outcome")).to_contain_text("Goes to Marek Colleague", timeout=SOON)
    grip = page.get_by_role("button", name="Move rule 2")
    grip.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#rules-say")).to_contain_text("Rule 2 is lifted")
    page.keyboard.press("ArrowUp")
    expect(page.locator("#rules-say")).to_have_text("Place 1")
    page.keyboard.press("Escape")
    expect(page.locator("#rulelist .rule").first).to_contain_text("urgent")
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    expect(page.locator("#rulelist")).not_to_contain_text("Never read", timeout=SOON)
    expect(page.locator("#rulelist .rule").first).to_contain_text("Zofia Owner")
    page.reload()
    expect(page.locator("#rulelist .rule").first).to_contain_text("Zofia Owner")
    page.goto(inbox)
    ready(page)
    stage.dovecot.deliver(ADDRESS, letter(ADDRESS, "An urgent matter", sender="Anna <anna@customer.example>"))
    page.locator("#newmail").click(timeout=SOON)
    expect(row(page, "An urgent matter")).to_be_visible(timeout=SOON)
    open_conversation(page, "An urgent matter")
    expect(page.locator("#messages")).to_contain_text("Rule 2: given to Marek Colleague", timeout=SOON)
    page.locator("#messages").get_by_role("link", name="Why?").click()
    expect(page.locator("#dialog")).to_contain_text("Goes to Marek Colleague")
    expect(page.locator("#dialog")).to_contain_text("the subject or the text contains invoice")


def test_a_rule_is_dragged_and_switched_off(page_of, inbox):
    page = page_of("zofia")
    page.goto(f"{inbox}/routing")
    ready(page)
    first = page.locator("#rulelist .rule").first.inner_text()
    grip, other = page.locator(".rule__grip").nth(1), page.locator("#rulelist .rule").first
    grip.hover()
    page.mouse.down()
    box = other.bounding_box()
    page.mouse.move(box["x"] + 20, box["y"] + box["height"] - 5, steps=4)
    page.mouse.move(box["x"] + 20, box["y"] + 4, steps=4)
    with page.expect_response(lambda r: r.url.endswith("/move")):
        page.mouse.up()
    expect(page.locator("#rulelist .rule").first).not_to_have_text(first, timeout=SOON)
    with page.expect_response(lambda r: r.url.endswith("/switch")):
        page.get_by_role("switch", name="Rule 1 is on").click()
    expect(page.locator("#rulelist .rule").first).to_have_class("rule is-off", timeout=SOON)


def test_without_a_script_rules_are_written_and_moved(page_of, inbox):
    page = page_of("adam", java_script_enabled=False)
    page.goto(f"{inbox}/routing/new")
    page.locator("#c0").select_option("size")
    page.get_by_role("button", name="Show its fields").click()
    page.locator("[name=c0_how]").select_option("over")
    page.locator("[name=c0_values]").fill("5")
    page.locator("#a0").select_option("close")
    page.get_by_role("button", name="Save rule").click()
    shown = page.locator("#rulelist .rule", has_text="it is larger than 5 MB")
    expect(shown).to_have_count(1)
    shown.get_by_role("button", name="actions").click()
    page.get_by_role("button", name="Move up").click()
    expect(page.locator("#rulelist .rule").nth(1)).to_contain_text("it is larger than 5 MB")


def test_somebody_sets_themselves_away_and_back(page_of):
    page = page_of("marek")
    page.goto("/availability")
    page.get_by_role("button", name="Set me away").click()
    expect(page.get_by_text("You are away. New conversations go to others.")).to_be_visible()
    page.get_by_role("button", name="I’m available again").click()
    expect(page.get_by_role("button", name="Set me away")).to_be_visible()
