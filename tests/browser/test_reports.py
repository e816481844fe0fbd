"""A target is set, a customer writes, the list says until when; the answer clears it, and the report counts it."""

import re

from browser.letters import letter
from browser.moves import SOON, connect_team, open_conversation, ready, row
from browser.stage import DOMAIN
from playwright.sync_api import expect

ADDRESS = f"targets@{DOMAIN}"


def test_from_the_target_to_the_report(stage, page_of):
    stage.mailbox(ADDRESS)
    page = page_of("zofia")
    inbox = connect_team(page, ADDRESS, "Targets")
    page.goto(f"{inbox}/settings#targets")
    page.get_by_label("The first answer within").fill("4")
    page.get_by_role("button", name="Save targets").click()
    expect(page.get_by_label("The first answer within")).to_have_value("4", timeout=SOON)
    page.goto(inbox)
    ready(page)
    stage.dovecot.deliver(ADDRESS, letter(ADDRESS, "How long", sender="Anna <anna@customer.example>"))
    page.locator("#newmail").click(timeout=SOON)
    due = row(page, "How long").locator("[data-due]")
    expect(due).to_have_text(re.compile("Reply due in [34]\u00a0h"), timeout=SOON)
    for _ in range(30):     # it ticks by itself; what the server draws anew meanwhile is as it was
        due.evaluate("time => time.dateTime = new Date(Date.now() - 50 * 60000).toISOString()")
        page.wait_for_timeout(2000)
        if due.inner_text() == "Overdue by 50\u00a0min":
            break
    else:
        raise AssertionError(due.inner_text())
    open_conversation(page, "How long")
    expect(page.locator("#subject-meta")).to_contain_text("Reply due in", timeout=SOON)
    page.locator("#rich").click(timeout=SOON)       # once it is there, the text area is not
    page.keyboard.type("Two days.")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#subject-meta")).not_to_contain_text("Reply due in", timeout=SOON)
    expect(row(page, "How long").locator("[data-due]")).to_have_count(0, timeout=SOON)
    expect(page.locator("#messages .sending, #messages [data-sending]")).to_have_count(0, timeout=2 * SOON)
    page.goto("/reports?days=7")
    for _ in range(30):
        if page.locator("#inboxes tr", has_text="Targets").get_by_text("100\u00a0%").count():
            break
        page.wait_for_timeout(1000)
        page.reload()
    cells = page.locator("#inboxes tr", has_text="Targets").locator("td")
    expect(cells.first).to_have_text("1")
    expect(cells.last).to_have_text("100\u00a0%")
    expect(page.locator("#people tr", has_text="Zofia Owner")).to_have_count(1)
