"""Files, invitations, senders, originals and paper on the screen, in a real browser."""

import io
from types import SimpleNamespace

import pytest
from browser.moves import SOON, connect_team, ready
from browser.stage import DOMAIN
from browser.test_screens import look_at
from mail.test_invitation import calendar
from mailroom import letter
from PIL import Image
from playwright.sync_api import expect

ADDRESS = f"files@{DOMAIN}"


def pdf(action=b""):
    """One page that is red all over."""
    objects = [b"<< /Type /Catalog /Pages 2 0 R %b >>" % action,
               b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
               b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 200] /Contents 4 0 R >>",
               b"<< /Length 25 >>\nstream\n1 0 0 rg 0 0 300 200 re f\nendstream"]
    out, places = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%b\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    return out + b"xref\n0 5\n0000000000 65535 f \n%btrailer << /Root 1 0 R /Size 5 >>\nstartxref\n%d\n%%%%EOF" % (table, len(out))


def photo(size=(900, 600)):
    out = io.BytesIO()
    Image.new("RGB", size, "navy").save(out, "JPEG")
    return out.getvalue()


@pytest.fixture(scope="module")
def house(stage, once):
    stage.mailbox(ADDRESS)
    files = [("CMR_48213.pdf", "application/pdf", pdf()), ("alert.pdf", "application/pdf", pdf(b"/OpenAction << /S /JavaScript /JS (app.alert\\(1\\);) >>")), ("not-one.pdf", "application/pdf", b"<html><script>document.title='owned'</script>"),
             ("przód.jpg", "image/jpeg", photo()), ("bok " * 30 + ".jpg", "image/jpeg", photo((300, 900))),
             ("wyniki.csv", "text/csv", "lp;nazwa\n1;śruba\n".encode() * 50), ("oferta.docx", "application/msword", b"x" * 3000)]
    stage.dovecot.deliver(ADDRESS, letter(to=ADDRESS, subject="With files", files=files, Message_ID="<files@x>"))
    stage.dovecot.deliver(ADDRESS, letter(to=ADDRESS, subject="A meeting", Message_ID="<meeting@x>",
                                          files=[("invite.ics", "text/calendar", calendar("RRULE:FREQ=WEEKLY;BYDAY=TH", "LOCATION:Room 2"))]))
    stage.dovecot.deliver(ADDRESS, letter(to=ADDRESS, subject="A lie", Message_ID="<lie@x>", sender='"Zofia Owner" <zofia@c0rp.example>',
                                          Reply_To="zofia.owner.private@a-very-long-domain-name-of-somebody-else.example"))
    page = once("adam")
    inbox = connect_team(page, ADDRESS, "Files")
    page.goto(inbox)
    ready(page)
    links = page.locator(".conv__link").evaluate_all("all => all.map(a => [a.textContent, a.getAttribute('href')])")
    paths = {name: next(href for text, href in links if name in text) for name in ("With files", "A meeting", "A lie")}
    page.goto(paths["With files"])
    shown = page.locator(".file__name").evaluate_all("all => all.map(a => [a.textContent, a.getAttribute('href')])")
    previews = {name: next(href for text, href in shown if name in text) for name in ("CMR", "alert", "not-one", "przód", "wyniki", "oferta")}
    original = page.locator('a[href$="/original"]').first.get_attribute("href")
    return SimpleNamespace(inbox=inbox, paths=paths, files=previews, original=original)


def share_of_red(page):
    image = Image.open(io.BytesIO(page.screenshot())).convert("RGB").resize((200, 150))
    red = sum(1 for r, g, b in image.getdata() if r > 200 and g < 60 and b < 60)
    return red / (200 * 150)


def test_a_pdf_is_drawn_by_the_browsers_viewer(page_of, house):
    page = page_of("marek")
    page.watching.expect("left for chrome")      # the viewer's own parts
    page.goto(house.files["CMR"])
    assert page.locator("iframe.preview__pdf[sandbox]").count() == 0
    deadline = 20
    while share_of_red(page) < 0.05 and deadline:
        page.wait_for_timeout(250)
        deadline -= 1
    assert share_of_red(page) > 0.05


def test_a_pdf_with_a_script_is_not_opened(page_of, house):
    """The browser's viewer would run it: this one asks a question in our name."""
    page, said = page_of("marek"), []
    page.watching.expect("HTTP 404")
    page.on("dialog", lambda dialog: (said.append(dialog.message), dialog.dismiss()))
    page.goto(house.files["alert"])
    expect(page.get_by_text("This PDF does something by itself")).to_be_visible()
    page.goto(house.files["alert"].replace("/preview", "/pdf"))
    page.wait_for_timeout(1000)
    assert said == []


def test_what_is_no_pdf_is_not_shown_as_one(page_of, house):
    page = page_of("marek")
    page.goto(house.files["not-one"])
    assert page.locator("iframe").count() == 0
    expect(page.get_by_text("This file isn’t what its name says")).to_be_visible()
    assert "owned" not in page.title()


def test_pictures_are_small_in_the_list_and_large_on_their_page(page_of, house):
    page = page_of("marek")
    page.goto(house.paths["With files"])
    ready(page)
    thumb = page.locator(".file__thumb").first
    thumb.scroll_into_view_if_needed()
    page.wait_for_function("() => document.querySelector('.file__thumb').naturalWidth > 0", timeout=SOON)
    assert thumb.evaluate("i => i.naturalWidth") == 320
    page.locator(".file__name", has_text="przód").click()
    expect(page.locator(".preview__picture img")).to_be_visible()
    assert page.locator(".preview__picture img").evaluate("i => i.decode().then(() => i.naturalWidth)") == 900
    ready(page)     # the key is a script's
    page.keyboard.press("Escape")
    expect(page.locator("#subj")).to_have_text("With files")


def test_files_are_reached_by_keyboard_and_without_script(page_of, house):
    page = page_of("marek", java_script_enabled=False)
    page.goto(house.paths["With files"])
    page.locator(".file__name", has_text="wyniki").focus()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "Download wyniki.csv"
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    assert download.value.suggested_filename == "wyniki.csv"
    with page.expect_download() as everything:
        page.get_by_role("link", name="Download all").click()
    assert everything.value.suggested_filename.endswith(".zip")
    page.locator(".file__name", has_text="wyniki").click()
    expect(page.locator("pre")).to_contain_text("śruba")
    page.get_by_role("link", name="Back to the message").click()
    expect(page.locator("#subj")).to_have_text("With files")


def test_paper_leaves_out_what_is_not_mail(page_of, house):
    page = page_of("ewa")
    page.goto(house.paths["With files"])
    page.get_by_role("link", name="Print the conversation").click()
    expect(page.get_by_role("button", name="Print")).to_be_visible()
    page.emulate_media(media="print")
    expect(page.get_by_role("button", name="Print")).to_be_hidden()
    expect(page.locator(".focus-top")).to_be_hidden()
    expect(page.locator(".paper__text")).to_be_visible()
    assert page.pdf()[:5] == b"%PDF-"


@pytest.mark.parametrize("screen", ["With files", "A meeting", "A lie", "przód", "wyniki", "not-one", "original", "print"])
def test_a_screen_is_clean(page_of, house, screen):
    page = page_of("adam")
    page.goto(house.paths.get(screen) or house.files.get(screen) or {
        "original": house.original, "print": house.paths["With files"] + "/print"}[screen])
    assert look_at(page) == []
