"""Without JavaScript everything works, less comfortably: links are links, forms are forms."""

import pytest
from browser.letters import letter
from browser.moves import connect_team, sign_in
from browser.stage import DOMAIN
from playwright.sync_api import expect

ADDRESS, OWN = f"plain@{DOMAIN}", f"plain-own@{DOMAIN}"
ROWS = 54  # four more than a page of the list


@pytest.fixture(scope="module")
def inbox(stage, once):
    stage.mailbox(ADDRESS)
    stage.dovecot.deliver_many(ADDRESS, [letter(ADDRESS, f"Letter {n:02}", sender=f"C{n} <c{n}@customer.example>")
                                         for n in range(ROWS)])
    return connect_team(once("zofia"), ADDRESS, "No script")


@pytest.fixture
def page(page_of):
    return page_of("zofia", java_script_enabled=False)


def test_signing_in_with_a_typo_first(page_of):
    page = page_of(java_script_enabled=False)
    page.watching.expect("HTTP 422")
    page.goto("/mailboxes")
    page.get_by_label("E-mail address").fill(f"marek@{DOMAIN}")
    page.get_by_label("Password").fill("wrong password")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_label("E-mail address")).to_have_value(f"marek@{DOMAIN}")
    sign_in(page, f"marek@{DOMAIN}")
    page.goto("/mailboxes")
    expect(page.get_by_role("heading", name="Your mailboxes", level=1)).to_be_visible()
    page.get_by_role("button", name="Language, theme, sign out").click()
    page.get_by_role("button", name="Sign out", exact=True).click()
    expect(page).to_have_url(page.watching.url + "/sign-in")


def test_the_guide_answers_by_its_button(page):
    page.goto("/choose")
    page.get_by_text("Answer customers together").click()
    page.get_by_role("button", name="Which connection fits?").click()
    expect(page.get_by_role("heading", name="You need a team address")).to_be_visible()
    expect(page.get_by_label("Answer customers together")).to_be_checked()


def test_connecting_reading_and_disconnecting_an_address(stage, page):
    stage.dovecot.deliver(stage.mailbox(OWN), letter(OWN, "A private word"))
    page.goto("/connect/personal")
    page.get_by_label("Your e-mail address").fill(OWN)
    page.get_by_label("Password for this address").fill("wrong")
    page.get_by_role("button", name="Connect", exact=True).click()
    again(page, page.locator(".is-fail").get_by_label("Password")).fill("secret-1")
    page.get_by_role("button", name="Try again").click()
    again(page, page.get_by_text("Everything is connected"))
    page.get_by_role("link", name="Go to your mailboxes").click()
    page.get_by_role("link", name="Read").click()
    page.get_by_role("link", name="A private word").click()
    again(page, page.get_by_text("where is our pallet?"))
    page.goto("/mailboxes")
    page.locator("#d").get_by_role("link", name="Disconnect").click()
    page.get_by_role("button", name="Disconnect").click()
    expect(page.get_by_role("heading", name="No address yet")).to_be_visible()


def test_older_rows_are_a_page_further(page, inbox):
    page.goto(inbox)
    rows = page.locator(".conv__link")
    expect(rows).to_have_count(50)
    first = set(rows.evaluate_all("all => all.map(a => a.href)"))
    page.get_by_role("link", name="Older conversations").click()
    expect(rows).to_have_count(ROWS - 50)
    assert first.isdisjoint(rows.evaluate_all("all => all.map(a => a.href)"))


def test_reading_answering_calling_back_assigning_and_closing(stage, page, inbox):
    page.goto(inbox)
    page.locator(".conv__link").first.click()
    subject = page.locator("#subj").inner_text()
    expect(page.get_by_text("where is our pallet?").last).to_be_visible()
    page.get_by_label("Reply to").fill("   ")
    page.watching.expect("HTTP 422")
    page.get_by_role("button", name="Send").click()
    expect(page.locator("[aria-invalid]")).to_have_count(1)
    page.get_by_label("Reply to").fill("Without any script.")
    page.get_by_role("button", name="Send").click()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_label("Reply to")).to_have_value("Without any script.")
    before = len(stage.sink.received)
    page.get_by_role("button", name="Send").click()
    expect(page.locator("#messages")).to_contain_text("Without any script.")
    for _ in range(60):
        if len(stage.sink.received) > before:
            break
        page.wait_for_timeout(100)
    assert b"Without any script." in stage.sink.received[-1].raw

    page.get_by_role("button", name="Assign").click()
    page.locator("#assign-menu").get_by_role("button", name="Marek Colleague").click()
    expect(page.locator(".assignee")).to_contain_text("Marek Colleague")
    page.locator("#thread").get_by_role("button", name="Close").click()
    expect(page.locator(".subject__meta")).to_contain_text("Closed")
    page.goto(f"{inbox}?status=closed")
    expect(page.locator(".conv__link", has_text=subject)).to_have_count(1)


def test_picked_rows_are_acted_on_together(page, inbox):
    page.goto(inbox)
    boxes = page.locator(".conv__pick .check")
    ids = [boxes.nth(n).get_attribute("value") for n in range(2)]
    for n in range(2):
        boxes.nth(n).check(force=True)
    page.locator(".bulk").get_by_role("button", name="Assign to me").click()
    for each in ids:
        expect(page.locator(f"#conv-{each}")).to_contain_text("Assigned to Zofia Owner")


def again(page, locator, tries=60):
    """Without a script the reader loads the page again, until it is there."""
    for _ in range(tries):
        if locator.count():
            break
        page.wait_for_timeout(250)
        page.reload()
    return locator
