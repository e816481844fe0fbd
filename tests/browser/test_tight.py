"""Where room is short: a narrow window, a long name, a long language. What one reads and touches is there all the same."""

import pytest
from browser.letters import letter
from browser.moves import connect_team, open_conversation, ready
from browser.screens import spills
from browser.stage import DOMAIN
from playwright.sync_api import expect

ADDRESS = f"tight@{DOMAIN}"
LONG = "What customers of the northern warehouse have asked and nobody has answered"
PHONE = {"viewport": {"width": 390, "height": 800}}


@pytest.fixture(scope="module")
def inbox(stage, once):
    stage.mailbox(ADDRESS)
    for n in range(1, 5):
        stage.dovecot.deliver(ADDRESS, letter(ADDRESS, f"Tight {n}", sender=f"Customer {n} <t{n}@customer.example>"))
    page = once("zofia")
    path = connect_team(page, ADDRESS, "Tight")
    page.goto("/templates")
    page.get_by_label("Name").fill(LONG)
    page.get_by_label("Text").fill(f"{LONG}. " * 5)
    page.get_by_role("button", name="Save").click()
    return path


def at(page_of, path, who="zofia", **more):
    page = page_of(who, **more)
    page.goto(path)
    return ready(page)


def inside(page, selector):
    """Its box, which must lie in the window."""
    box, view = page.locator(selector).bounding_box(), page.viewport_size
    assert box["x"] >= 0 and box["x"] + box["width"] <= view["width"], box
    assert box["y"] >= 0 and box["y"] + box["height"] <= view["height"], box
    return box


@pytest.mark.parametrize("who", ["zofia", "pola"])
@pytest.mark.parametrize("width", [1440, 560, 390])
def test_the_bar_of_picked_rows_says_how_many(page_of, inbox, who, width):
    page = at(page_of, inbox, who, viewport={"width": width, "height": 800})
    for box in page.locator(".conv__pick .check").all()[:3]:
        box.check(force=True)
    seen = [part for part in page.locator(".bulk strong span").all()
            if part.bounding_box()["y"] < page.locator(".bulk strong").bounding_box()["y"] + 10]
    assert "3" in seen[-1].text_content()
    bar = inside(page, ".bulk")
    assert seen[-1].bounding_box()["x"] >= bar["x"]
    assert spills(page) == []


def test_its_menu_opens_above_it(page_of, inbox):
    page = at(page_of, inbox, **PHONE)
    page.locator(".conv__pick .check").first.check(force=True)
    page.locator("[popovertarget=bulk-more]").click()
    menu, bar = inside(page, "#bulk-more"), page.locator(".bulk").bounding_box()
    assert menu["y"] + menu["height"] <= bar["y"]


def test_long_templates_fit(page_of, inbox):
    page = at(page_of, inbox, **PHONE)
    open_conversation(page, "Tight 1")
    page.locator("[popovertarget=template-menu]").click()
    inside(page, "#template-menu")
    page.locator("#template-menu").get_by_role("link", name="Manage templates…").click()
    expect(page).to_have_url(page.watching.url + "/templates")
    assert spills(page) == []


def test_a_long_view_leaves_the_sidebar_as_wide_as_it_was(page_of, inbox):
    page = at(page_of, inbox)
    page.keyboard.press("f")
    page.get_by_label("Keep this list as a view").fill(LONG[:60])
    page.locator("#filter-menu").get_by_role("button", name="Keep", exact=True).click()
    item = page.locator("#side-inboxes a", has_text=LONG[:60])
    expect(item.locator("span")).to_have_attribute("title", LONG[:60])
    side, box = page.locator("#side").bounding_box(), item.bounding_box()
    assert box["x"] + box["width"] <= side["x"] + side["width"]


def test_a_day_that_has_passed_is_said_at_its_field(page_of, inbox):
    page = at(page_of, inbox)
    page.watching.expect("HTTP 422")
    open_conversation(page, "Tight 2")
    page.keyboard.press("z")
    menu = page.locator("#snooze-menu")
    menu.get_by_role("button", name="Snooze", exact=True).click()
    expect(menu).to_be_visible()
    expect(page.locator("#snooze-until:invalid")).to_be_focused()
    page.locator("#snooze-until").fill("2001-01-01T10:00")
    menu.get_by_role("button", name="Snooze", exact=True).click()
    expect(menu.get_by_role("alert")).to_contain_text("That time has passed")
    expect(page.locator("#snooze-until")).to_be_focused()
    expect(page.locator("#thread-scroll").get_by_text("That time has passed")).to_have_count(0)
    menu.get_by_role("button", name="tomorrow").click()
    expect(page.locator("#subject-meta")).to_contain_text("Snoozed until")


def test_a_kept_draft_can_be_thrown_away_at_once(page_of, inbox):
    page = at(page_of, inbox)
    open_conversation(page, "Tight 3")
    page.locator("#rich").press_sequentially("Not this")
    expect(page.locator("#saved")).to_have_text("Draft saved")
    page.locator("#rich").press_sequentially(" either")      # what is on its way is not kept once more
    page.get_by_role("button", name="Discard the draft").click()
    expect(page.locator("#rich")).to_have_text("")
    page.wait_for_timeout(1500)
    page.reload()
    ready(page)
    expect(page.locator("#rich")).to_have_text("")
    expect(page.get_by_role("button", name="Discard the draft")).to_have_count(0)


def test_a_new_message_that_was_kept_can_be_thrown_away_too(page_of, inbox):
    page = at(page_of, "/compose")
    page.locator("#rich").press_sequentially("Begun")
    page.get_by_role("button", name="Discard the draft").click()
    expect(page).to_have_url(page.watching.url + "/drafts")
    expect(page.get_by_text("Begun")).to_have_count(0)


def test_keeping_a_view_is_in_sight_however_low_the_window(page_of, inbox):
    page = at(page_of, inbox, viewport={"width": 1440, "height": 460})
    page.keyboard.press("f")
    menu, button = inside(page, "#filter-menu"), inside(page, "#filter-menu .filter-keep button")
    assert button["y"] + button["height"] <= menu["y"] + menu["height"]


def test_the_servers_reason_for_not_taking_files_is_shown(page_of, inbox):
    page = at(page_of, inbox)
    page.watching.expect("HTTP 413")
    open_conversation(page, "Tight 4")
    page.locator("#files").set_input_files(
        [{"name": f"{n}.txt", "mimeType": "text/plain", "buffer": b"x"} for n in range(51)])
    expect(page.locator("#enclosures [role=alert]")).to_have_text("A message takes at most 50 files.")


def test_somebody_is_offered_once_behind_an_at(page_of, inbox):
    page = at(page_of, inbox)
    open_conversation(page, "Tight 4")
    page.keyboard.press("n")
    page.locator("#note").press_sequentially("@mar")
    expect(page.locator("#complete [role=option]")).to_have_text(["@Marek"])


def test_a_finger_meets_what_it_is_to_touch(page_of, inbox):
    page = at(page_of, inbox, **PHONE)
    page.locator(".conv__pick .check").first.check(force=True)
    page.locator("[popovertarget=bulk-more]").click()
    low = _low(page, ".list-tabs a, .bulk button, #bulk-more button, .list-bar .btn:not(.only-narrow)")
    page.goto(inbox)
    ready(page)
    open_conversation(page, "Tight 4")
    page.locator("[popovertarget=template-menu]").click()
    low += _low(page, "#template-menu > *:is(a, button), .seg > *, .thread-bar > .btn, .composer__foot .btn, .composer__more summary")
    assert low == []


def _low(page, selector):
    """What is there and lower than a finger."""
    return page.locator(selector).evaluate_all(
        "all => all.filter(e => e.offsetParent !== null || e.closest(':popover-open'))"
        ".map(e => [e.textContent.trim(), e.getBoundingClientRect().height]).filter(([, h]) => h > 0 && h < 40)")
