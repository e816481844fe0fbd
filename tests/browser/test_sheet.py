"""A letter's frame in a conversation: as tall as what is in it, quotes folded, wide tables made to fit, light at night."""

import os
from pathlib import Path

import pytest
from browser.letters import letter
from browser.moves import connect_team, open_conversation, ready
from browser.screens import axe, spills
from browser.stage import DOMAIN

LOOKS = Path(__file__).resolve().parents[1] / "mails/looks"
ADDRESS = f"sheet@{DOMAIN}"
LONG = "<p>A line of words that is not very long at all.</p>" * 80
SUBJECTS = {"long": LONG, "quoting": f"<p>NEW</p><div class=gmail_quote><div class=gmail_attr>On Mon, 2 Mar 2026 at 08:00, Anna "
                                     f"Nowak &lt;anna@customer.example&gt; wrote:<br></div><blockquote class=gmail_quote>{LONG}"
                                     "</blockquote></div>"}
FITS = """f => { const d = f.contentDocument.documentElement;
  return [d.scrollHeight - f.clientHeight, f.clientHeight - Math.ceil(d.getBoundingClientRect().height),
          d.scrollWidth - d.clientWidth, f.clientHeight]; }"""


@pytest.fixture(scope="module")
def inbox(stage, once):
    """The path of an inbox with the letters above and some of the samples."""
    stage.mailbox(ADDRESS)
    with stage.dovecot.imap(ADDRESS) as client:
        for subject, html in SUBJECTS.items():
            client.append("INBOX", None, None, letter(ADDRESS, subject, "see the HTML", html=html))
        for name in ("newsletter-mailchimp", "wide-data-table", "newsletter-dark", "reply-outlook-desktop", "plain-flowed"):
            raw = (LOOKS / f"{name}.eml").read_bytes().replace(b"\nSubject: ", b"\nX-Was: ", 1)
            raw = raw.replace(b"To: Zofia", f"Subject: {name}\nTo: Zofia".encode(), 1).replace(b"\n", b"\r\n")
            client.append("INBOX", None, None, raw)
    return connect_team(once("zofia"), ADDRESS, "Sheets")


def shown(page, inbox, subject):
    page.goto(inbox)
    ready(page)
    open_conversation(page, subject)
    frame = page.locator("iframe.sheet__frame").last
    frame.scroll_into_view_if_needed()
    page.wait_for_function("f => f.contentDocument?.body?.childElementCount > 0 && f.style.height", arg=frame.element_handle())
    page.wait_for_timeout(200)
    return frame


def picture(page, name):
    if folder := os.environ.get("POSTROOM_TEST_PICTURES"):
        page.screenshot(path=f"{folder}/sheet-{name}.png")


@pytest.mark.parametrize("width", [1440, 560, 390])
def test_a_frame_is_as_tall_as_what_is_in_it(page_of, inbox, width):
    page = page_of("zofia", viewport={"width": width, "height": 800})
    for subject in ("long", "quoting", "newsletter-mailchimp", "newsletter-dark", "reply-outlook-desktop"):
        frame = shown(page, inbox, subject)
        hidden, empty, aside, _tall = frame.evaluate(FITS)
        assert hidden <= 1 and empty <= 2 and aside <= 0, (subject, hidden, empty, aside)
        picture(page, f"{subject}-{width}")
        assert spills(page) == []


def test_a_frame_grows_when_the_quote_is_unfolded_and_keeps_its_height_over_a_morph(page_of, inbox):
    page = page_of("zofia")
    page.watching.expect("Blocked script execution")     # Playwright's own, when it asks where something lies in there
    frame = shown(page, inbox, "quoting")
    short = frame.evaluate(FITS)[3]
    assert short < 200
    fold = frame.content_frame.locator("details.quote > summary")
    assert fold.get_attribute("title") == "Show quoted text"
    assert fold.evaluate("s => getComputedStyle(s).cursor") == "pointer"
    box = fold.bounding_box()
    page.mouse.click(box["x"] + 5, box["y"] + 5)
    page.wait_for_function("f => f.clientHeight > 2000", arg=frame.element_handle())
    page.wait_for_timeout(100)
    hidden, empty, _aside, tall = frame.evaluate(FITS)
    assert hidden <= 1 and empty <= 2
    name = page.locator("#messages").get_attribute("hx-trigger").split()[0]
    with page.expect_response(lambda answer: "/messages" in answer.url):
        page.evaluate("name => document.body.dispatchEvent(new CustomEvent(name))", name)
    page.wait_for_timeout(400)
    assert frame.evaluate(FITS)[3] == tall, "the server's guess came with the markup, the height stays"


def test_a_table_that_is_too_wide_is_made_smaller(page_of, inbox):
    page = page_of("zofia", viewport={"width": 560, "height": 800})
    frame = shown(page, inbox, "wide-data-table")
    assert frame.evaluate("f => +f.contentDocument.body.style.zoom") < 1
    assert frame.evaluate(FITS)[0] <= 1
    picture(page, "wide-data-table-560")


def test_paper_gets_the_whole_letter(page_of, inbox):
    page = page_of("zofia")
    frame = shown(page, inbox, "long")
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.wait_for_timeout(100)
    assert frame.evaluate(FITS)[0] <= 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_letter_lies_on_a_light_sheet_in_both_themes(page_of, inbox, scheme):
    page = page_of("zofia", color_scheme=scheme)
    frame = shown(page, inbox, "reply-outlook-desktop")
    look = frame.evaluate("""f => { const s = f.contentWindow.getComputedStyle(f.contentDocument.documentElement);
        return [s.backgroundColor, s.color, s.colorScheme]; }""")
    assert look[:2] == ["rgb(255, 255, 255)", "rgb(34, 34, 34)"]
    picture(page, f"theme-{scheme}")
    assert axe(page) == []


def test_plain_text_is_whole_paragraphs_with_quotes_and_signature_folded(page_of, inbox):
    page = page_of("zofia")
    page.goto(inbox)
    ready(page)
    open_conversation(page, "plain-flowed")
    text = page.locator(".msg__text").last
    assert "where the trucks from Łódź" in text.inner_text()
    assert text.locator("a").evaluate_all("all => all.map(a => a.href)")[:2] == [
        "https://firma.example/ramp?n=4", "https://www.firma.example/"]
    assert text.locator("blockquote blockquote").first.inner_text().startswith("where is our pallet?")
    fold = text.locator("details")
    assert fold.get_attribute("open") is None and not fold.locator("blockquote").first.is_visible()
    assert fold.locator("summary").get_attribute("title") == "Show signature"
    picture(page, "plain")
    fold.locator("summary").click()
    assert "Warehouse" in fold.inner_text()


def test_without_script_the_frame_scrolls_and_the_quote_still_unfolds(page_of, inbox):
    page = page_of("zofia", java_script_enabled=False)
    page.goto(inbox)
    page.get_by_role("link", name="quoting").first.click()
    frame = page.locator("iframe.sheet__frame").last
    fold = frame.content_frame.locator("details.quote")
    fold.locator("summary").click()
    assert fold.get_attribute("open") is not None
    assert fold.locator("blockquote").first.is_visible()


def test_links_open_beside_the_product_and_know_nothing_of_it(page_of, inbox):
    page = page_of("zofia")
    page.watching.expect("mill.example")
    frame = shown(page, inbox, "newsletter-mailchimp")
    with page.context.expect_page() as opened:
        frame.content_frame.get_by_role("link", name="Come to the open day").click()
    assert opened.value.evaluate("window.opener") is None
    assert "/conversations/" in page.url or "/inboxes/" in page.url
    opened.value.close()
