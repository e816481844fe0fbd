"""List and thread by keyboard alone."""

import pytest
from browser.letters import letter
from browser.moves import SOON, connect_team, ready
from browser.stage import DOMAIN
from playwright.sync_api import expect

ADDRESS = f"keys@{DOMAIN}"
SUBJECTS = [f"Key {n}" for n in range(1, 6)]


@pytest.fixture(scope="module")
def inbox(stage, once):
    stage.mailbox(ADDRESS)
    for n, subject in enumerate(SUBJECTS):
        stage.dovecot.deliver(ADDRESS, letter(ADDRESS, subject, sender=f"Customer {n} <k{n}@customer.example>"))
    return connect_team(once("zofia"), ADDRESS, "Keys")


@pytest.fixture
def page(page_of, inbox):
    page = page_of("zofia")
    page.goto(inbox)
    ready(page)
    return page


def focused(page):
    """Subject of the row that has the focus."""
    return page.evaluate("document.activeElement.closest('.conv')?.querySelector('.conv__subj').firstChild.data.trim()")


def subjects(page):
    return page.locator(".conv__subj").evaluate_all("all => all.map(s => s.firstChild.data.trim())")


def test_j_and_k_and_the_arrows_walk_the_list_and_stop_at_its_ends(page):
    rows = subjects(page)
    walk = []
    for key in ("j", "j", "ArrowDown", "k", "ArrowUp", "k"):
        page.keyboard.press(key)
        walk.append(focused(page))
    assert walk == [rows[0], rows[1], rows[2], rows[1], rows[0], rows[0]]
    for _ in rows:
        page.keyboard.press("j")
    assert focused(page) == rows[-1]


@pytest.mark.parametrize("key", ["Enter", "o"])
def test_opening_moves_the_focus_to_the_subject(page, key):
    page.keyboard.press("j")
    page.keyboard.press("j")
    wanted = focused(page)
    page.keyboard.press(key)
    expect(page.locator("#subj")).to_have_text(wanted)
    expect(page.locator("#subj")).to_be_focused()
    assert "/conversations/" in page.url
    assert page.title().startswith(wanted)


@pytest.mark.parametrize("key", ["u", "Escape"])
def test_back_to_the_row_that_one_came_from(page, key):
    page.keyboard.press("j")
    wanted = focused(page)
    page.keyboard.press("Enter")
    expect(page.locator("#subj")).to_be_focused()
    page.keyboard.press(key)
    assert focused(page) == wanted


def test_back_in_a_narrow_window_shows_the_list_again(page):
    page.set_viewport_size({"width": 390, "height": 780})
    page.keyboard.press("j")
    wanted = focused(page)
    page.keyboard.press("Enter")
    expect(page.locator("#subj")).to_be_focused()
    expect(page.locator("#convs")).to_be_hidden()
    page.keyboard.press("u")
    expect(page.locator("#convs")).to_be_visible()
    assert focused(page) == wanted
    assert "/inboxes/" in page.url


def test_x_picks_and_escape_lets_go(page):
    bar = page.locator(".bulk")
    page.keyboard.press("j")
    page.keyboard.press("x")
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(bar).to_be_visible()
    expect(bar).to_contain_text("2 selected")
    page.keyboard.press("Escape")
    expect(bar).to_be_hidden()
    expect(page.locator(".check:checked")).to_have_count(0)


def test_a_opens_the_menu_of_people_and_shift_a_takes_it(page):
    open_by_keys(page)
    page.keyboard.press("a")
    menu = page.locator("#assign-menu")
    expect(menu).to_be_visible()
    expect(menu.get_by_role("button", name="Nobody")).to_be_focused()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Escape")
    expect(menu).to_be_hidden()
    expect(page.locator(".assignee")).to_be_focused()
    page.keyboard.press("a")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    expect(page.locator(".assignee")).not_to_contain_text("Unassigned")
    page.keyboard.press("Shift+A")
    expect(page.locator(".assignee")).to_contain_text("Zofia Owner")


def test_e_closes_and_opens_again(page):
    open_by_keys(page)
    page.keyboard.press("e")
    expect(page.locator(".subject__meta")).to_contain_text("Closed")
    page.keyboard.press("e")
    expect(page.locator(".subject__meta")).not_to_contain_text("Closed")


def test_r_writes_and_ctrl_enter_sends_and_keys_in_the_field_are_letters(stage, page):
    open_by_keys(page)
    before = len(stage.sink.received)
    page.keyboard.press("r")
    field = page.get_by_label("Reply to")
    expect(field).to_be_focused()
    page.keyboard.type("jake rex ?")
    expect(field).to_have_text("jake rex ?")
    page.keyboard.press("Escape")
    expect(field).not_to_be_focused()
    expect(field).to_have_text("jake rex ?")
    page.keyboard.press("r")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#messages > article")).to_have_count(2)
    expect(page.get_by_role("button", name="Undo")).to_have_count(0, timeout=SOON)
    assert b"jake rex ?" in stage.sink.received[before].raw


def test_the_question_mark_lists_the_keys(page):
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keyboard")
    expect(dialog).to_be_visible()
    page.keyboard.press("j")
    assert focused(page) is None, "behind a dialog nothing moves"
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()


def test_the_first_tab_skips_to_the_content(page):
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('#convs') !== null")


def test_tab_goes_pane_by_pane_and_the_focus_is_always_seen(page):
    open_by_keys(page)
    page.evaluate("document.activeElement.blur()")
    page.reload()
    ready(page)
    panes, unseen = [], []
    for _ in range(60):
        page.keyboard.press("Tab")
        stop = page.evaluate("""() => {
          const e = document.activeElement, s = getComputedStyle(e), box = e.getBoundingClientRect();
          const mark = e.matches('.check') ? getComputedStyle(e.closest('label')) : s;
          return {name: e.outerHTML.slice(0, 120), body: e === document.body,
                  pane: e.closest('.side, .pane-list, .pane-thread, .pane-aside, .skip')?.className.split(' ')[0],
                  outline: s.outlineStyle !== 'none' || mark.outlineStyle !== 'none' || s.boxShadow !== 'none'
                           || e.closest('.composer') !== null,
                  seen: box.width > 0 && box.bottom > 0 && box.top < innerHeight && box.right > 0
                        && box.left < innerWidth};
        }""")
        if stop["body"]:
            break
        if not (stop["outline"] and stop["seen"]):
            unseen.append(stop)
        if stop["pane"] and (not panes or panes[-1] != stop["pane"]):
            panes.append(stop["pane"])
    assert unseen == []
    assert panes[:4] == ["skip", "side", "pane-list", "pane-thread"]
    assert len(panes) == len(set(panes)), f"it never goes back: {panes}"


def open_by_keys(page):
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.locator("#subj")).to_be_focused()
