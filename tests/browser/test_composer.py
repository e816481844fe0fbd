"""The composer by hand: what is typed, formatted, pasted and attached is what leaves, byte for byte, or comes back."""

import base64
import email
import re
import time
from email import policy

import pytest
from browser.letters import letter
from browser.moves import SOON, connect_team, open_conversation, ready
from browser.stage import DOMAIN
from playwright.sync_api import expect

ADDRESS = f"composing@{DOMAIN}"
PIXEL = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")


@pytest.fixture(scope="module")
def inbox(stage, once):
    stage.mailbox(ADDRESS)
    for n in range(1, 10):
        stage.dovecot.deliver(ADDRESS, letter(ADDRESS, f"Question {n}", sender=f"Customer {n} <q{n}@customer.example>"))
    return connect_team(once("zofia"), ADDRESS, "Composing")


def opened(page_of, inbox, subject, who="zofia", **more):
    page = page_of(who, **more)
    page.goto(inbox)
    if more.get("java_script_enabled", True):
        ready(page)
    open_conversation(page, subject)
    return page


def sent_after(stage, before):
    """The one message that reached the sink since then, parsed."""
    for _ in range(150):
        if len(stage.sink.received) > before:
            break
        time.sleep(0.1)
    [one] = stage.sink.received[before:]
    return email.message_from_bytes(one.raw, policy=policy.default)


def test_formatted_words_a_picture_and_a_file_leave_as_they_look(page_of, inbox, stage):
    page, before = opened(page_of, inbox, "Question 1"), len(stage.sink.received)
    rich = page.locator("#rich")
    rich.click()
    page.keyboard.type("Dear ")
    page.keyboard.press("Control+b")
    page.keyboard.type("customer")
    page.keyboard.press("Control+b")
    page.keyboard.press("Enter")
    rich.evaluate("""(rich, data) => {
      const given = new DataTransfer();
      given.items.add(new File([Uint8Array.from(atob(data), c => c.charCodeAt(0))], "shot.png", { type: "image/png" }));
      rich.dispatchEvent(new ClipboardEvent("paste", { clipboardData: given, bubbles: true, cancelable: true }));
    }""", base64.b64encode(PIXEL).decode())
    expect(rich.locator("img")).to_have_count(1, timeout=SOON)
    page.locator("#files").set_input_files({"name": "offer.txt", "mimeType": "text/plain", "buffer": b"Ten pallets"})
    expect(page.locator("#enclosures")).to_contain_text("offer.txt")
    page.keyboard.press("Control+Enter")
    mail = sent_after(stage, before)
    html, text = mail.get_body(("html",)).get_content(), mail.get_body(("plain",)).get_content()
    assert re.search(r"Dear(?: |&nbsp;)<(b|strong)>customer</\1>", html) and text.startswith("Dear customer")
    [picture] = [p for p in mail.walk() if p.get_content_type() == "image/png"]
    assert picture.get_content() == PIXEL and f"cid:{picture['Content-ID'].strip('<>')}" in html
    assert [(a.get_filename(), a.get_content()) for a in mail.iter_attachments()
            if a.get_content_type() == "text/plain"] == [("offer.txt", "Ten pallets")]


def test_what_was_called_back_stands_in_the_editor_with_its_formatting(page_of, inbox, stage):
    page, before = opened(page_of, inbox, "Question 2"), len(stage.sink.received)
    page.locator("#rich").click()
    page.keyboard.press("Control+b")
    page.keyboard.type("Wait")
    page.keyboard.press("Control+Enter")
    page.locator("#messages").get_by_role("button", name="Undo").click()
    expect(page.locator("#rich b, #rich strong")).to_have_text("Wait")
    assert len(stage.sink.received) == before


def test_words_survive_while_the_thread_is_drawn_anew(page_of, inbox):
    page = opened(page_of, inbox, "Question 3")
    page.locator("#rich").click()
    page.keyboard.type("Half a ")
    page.keyboard.press("Control+i")
    page.keyboard.type("sentence")
    page.locator("#thread-bar").get_by_role("button", name="Close").click()
    expect(page.locator("#messages")).to_contain_text("closed")
    expect(page.locator("#rich i, #rich em")).to_have_text("sentence")
    expect(page.locator("#rich")).to_have_text("Half a sentence")


def test_where_the_editor_does_not_come_the_text_counts(page_of, inbox):
    page = opened(page_of, inbox, "Question 4")
    page.locator("#rich").click()
    page.keyboard.press("Control+b")
    page.keyboard.type("Bold")
    expect(page.locator("#saved")).to_have_text("Draft saved")
    page.route("**/*squire*", lambda route: None)       # it is on its way, for ever
    page.reload(wait_until="commit")
    area = page.locator("#composer textarea")
    expect(area).to_have_value("Bold")
    with page.expect_response("**/draft"):
        area.fill("Plain words")
    page.unroute("**/*squire*")
    page.reload()
    expect(page.locator("#rich")).to_have_text("Plain words")


def test_what_is_typed_before_the_editor_comes_is_in_it(page_of, inbox):
    page = opened(page_of, inbox, "Question 5")
    page.locator("#rich").click()
    page.keyboard.press("Control+b")
    page.keyboard.type("Old")
    expect(page.locator("#saved")).to_have_text("Draft saved")
    held = []
    page.route("**/*squire*", lambda route: held.append(route))
    page.reload(wait_until="commit")
    page.locator("#composer textarea").fill("Newer words")
    for _ in range(50):
        if held:
            break
        page.wait_for_timeout(100)
    held[0].continue_()
    expect(page.locator("#rich")).to_have_text("Newer words")


def test_a_reply_without_javascript_leaves_once(page_of, inbox, stage):
    page, before = opened(page_of, inbox, "Question 6", java_script_enabled=False), len(stage.sink.received)
    page.locator("#composer textarea[name=text]").fill("By hand")
    page.locator("#composer .send button.btn--primary").first.click()
    assert sent_after(stage, before).get_body(("plain",)).get_content().startswith("By hand")


def test_enter_beside_a_day_means_that_day_and_sends_nothing_now(page_of, inbox, stage):
    page, before = opened(page_of, inbox, "Question 7"), len(stage.sink.received)
    page.locator("#rich").click()
    page.keyboard.type("Not before the new year")
    page.get_by_role("button", name="More choices").click()
    page.locator("#send-until").fill("2027-03-01T09:00")
    page.locator("#send-until").press("Enter")
    expect(page.locator("#messages")).to_contain_text("1 March", timeout=SOON)
    assert len(stage.sink.received) == before


def test_a_message_waits_for_a_file_that_is_still_on_its_way(page_of, inbox, stage):
    page, before = opened(page_of, inbox, "Question 8"), len(stage.sink.received)
    page.route("**/files", lambda route: (time.sleep(1), route.continue_()))
    page.locator("#rich").click()
    page.keyboard.type("Here it is")
    page.locator("#files").set_input_files({"name": "offer.txt", "mimeType": "text/plain", "buffer": b"Ten pallets"})
    page.keyboard.press("Control+Enter")
    mail = sent_after(stage, before)
    assert [a.get_filename() for a in mail.iter_attachments()] == ["offer.txt"]


def test_a_colleagues_draft_grows_while_it_is_read_and_says_when_it_is_gone(page_of, inbox):
    zofia, marek = opened(page_of, inbox, "Question 9"), opened(page_of, inbox, "Question 9", "marek")
    marek.watching.expect("HTTP 404")
    zofia.locator("#rich").click()
    zofia.keyboard.type("We have")
    marek.get_by_role("link", name="See the draft").click(timeout=SOON)
    draft = marek.locator("dialog #their-draft")
    expect(draft).to_contain_text("We have", timeout=SOON)
    zofia.keyboard.type(" looked at it")
    expect(draft).to_contain_text("We have looked at it", timeout=SOON)
    zofia.keyboard.press("Control+Enter")
    expect(draft).to_contain_text("It was sent, or thrown away.", timeout=SOON)
