"""Dividing the work by hand and by key: snooze, tag, spam, many at once; each with its undo, and live for colleagues."""

import pytest
from browser.letters import letter
from browser.moves import SOON, connect_team, open_conversation, ready, row
from browser.stage import DOMAIN
from playwright.sync_api import expect

ADDRESS = f"handling@{DOMAIN}"


@pytest.fixture(scope="module")
def inbox(stage, once):
    stage.mailbox(ADDRESS)
    for n in range(1, 7):
        stage.dovecot.deliver(ADDRESS, letter(ADDRESS, f"Task {n}", sender=f"Customer {n} <h{n}@customer.example>"))
    return connect_team(once("zofia"), ADDRESS, "Handling")


def at(page_of, inbox, who="zofia", **more):
    page = page_of(who, **more)
    page.goto(inbox)
    ready(page)
    return page


def test_a_key_snoozes_and_ctrl_z_takes_it_back(page_of, inbox):
    page = at(page_of, inbox)
    open_conversation(page, "Task 1")
    page.keyboard.press("z")
    page.locator("#snooze-menu").get_by_role("button", name="tomorrow at 8:00").click()
    expect(page.locator("#subject-meta")).to_contain_text("Snoozed until")
    expect(page.locator(".toast[data-act]")).to_contain_text("Snoozed until")
    expect(page.locator("#list-tabs a", has_text="Snoozed").locator(".num")).to_have_text("1")
    page.keyboard.press("Control+z")
    expect(page.locator("#subject-meta")).not_to_contain_text("Snoozed")
    expect(page.locator(".toast[data-act]")).to_have_count(0)
    expect(page.locator("#messages")).to_contain_text("took that back")


def test_a_tag_is_typed_shown_and_leads_to_all_that_have_it(page_of, inbox):
    page = at(page_of, inbox)
    open_conversation(page, "Task 2")
    page.keyboard.press("t")
    page.get_by_label("New tag").fill("urgent")
    page.keyboard.press("Enter")
    expect(row(page, "Task 2").locator(".tag")).to_have_text("urgent")
    page.locator("#subject-meta a", has_text="urgent").click()
    expect(page.locator(".conv")).to_have_count(1)
    expect(page.locator(".conv__subj")).to_contain_text("Task 2")


def test_many_are_thrown_away_and_come_back(page_of, inbox):
    page = at(page_of, inbox)
    for subject in ("Task 3", "Task 4"):
        row(page, subject).locator("xpath=..").locator(".check").check(force=True)
    page.get_by_role("button", name="More for the selected ones").click()
    page.locator("#bulk-more").get_by_role("button", name="Throw away").click()
    expect(page.locator("#told")).to_contain_text("Thrown away: 2 conversations")
    expect(row(page, "Task 3")).to_have_count(0)
    page.locator("#told").get_by_role("button", name="Undo").click()
    expect(row(page, "Task 3")).to_be_visible()
    expect(row(page, "Task 4")).to_be_visible()


def test_a_colleague_sees_who_writes_and_what_is_done_without_reloading(page_of, inbox):
    zofia, marek = at(page_of, inbox), at(page_of, inbox, "marek")
    for page in (zofia, marek):
        open_conversation(page, "Task 5")
    expect(zofia.locator("#presence")).to_contain_text("Marek is reading this, too", timeout=SOON)
    marek.locator("#composer textarea, #composer [contenteditable]").first.press_sequentially("We will")
    expect(zofia.locator("#presence")).to_contain_text("Marek is replying", timeout=SOON)
    marek.goto(inbox)
    expect(zofia.locator("#presence")).to_be_hidden(timeout=SOON)
    zofia.keyboard.press("Escape")
    zofia.locator("#thread-bar").get_by_role("button", name="Close").click()
    expect(marek.locator("#open-count")).to_have_text("5", timeout=SOON)


def test_a_view_is_kept_and_found_in_the_sidebar(page_of, inbox):
    page = at(page_of, inbox)
    page.keyboard.press("f")
    page.locator("#f-status").select_option("any")
    page.locator("#filter-menu").get_by_role("button", name="Show", exact=True).click()
    ready(page)
    page.keyboard.press("f")
    page.get_by_label("Keep this list as a view").fill("All of it")
    page.locator("#filter-menu").get_by_role("button", name="Keep", exact=True).click()
    expect(page.locator("#side-inboxes a", has_text="All of it")).to_have_attribute("aria-current", "page")
    expect(page.locator(".conv")).to_have_count(6)


def test_the_contact_is_a_key_away_where_there_is_no_room_for_it(page_of, inbox):
    page = at(page_of, inbox)
    page.set_viewport_size({"width": 1100, "height": 800})
    open_conversation(page, "Task 6")
    expect(page.locator("#aside")).to_be_hidden()
    page.keyboard.press("i")
    expect(page.locator("#aside")).to_be_visible()
    expect(page.locator("#aside")).to_contain_text("h6@")
    page.keyboard.press("Escape")
    expect(page.locator("#aside")).to_be_hidden()


def test_without_script_each_click_says_what_it_did_and_can_be_taken_back(page_of, inbox):
    page = page_of("zofia", java_script_enabled=False)
    page.goto(inbox)
    row(page, "Task 6").click()
    page.locator("#thread-bar form[action$='/close'] button").click()
    expect(page.locator("#told")).to_contain_text("Closed.")
    page.locator("#told").get_by_role("button", name="Undo").click()
    expect(page.locator("#subject-meta")).not_to_contain_text("Closed")
