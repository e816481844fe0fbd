"""A newsletter in a real browser: nothing is asked for until somebody says so, then its pictures are painted through us,
and the next one's without a click for whoever allowed the sender."""

import contextlib

import pytest
from browser.letters import letter
from browser.moves import SOON, connect_personal, connect_team, open_conversation, ready
from browser.screens import axe, spills
from browser.stage import DOMAIN
from drawings import film, noise, picture
from fakes.web import ok, slowly, status
from playwright.sync_api import Error, expect

ADDRESS, OWN = f"news@{DOMAIN}", f"news-own@{DOMAIN}"
SHOP = "Radar <radar@shop.example>"
PAINTED = """() => [...document.images].map(i => [i.complete && i.naturalWidth, new URL(i.src, location).pathname.split('/')[1],
  new URL(i.src, location).host === location.host])"""


@pytest.fixture(scope="module")
def inbox(stage, once):
    stage.mailbox(ADDRESS)
    return connect_team(once("zofia"), ADDRESS, "News")


@pytest.fixture
def shelf(stage):
    """Pictures on the sender's server: their paths, each as large as its number says."""
    before = len(stage.outside.asked)
    stage.outside.at |= {"/31.png": ok(picture(size=(31, 20))), "/32.jpg": ok(noise("JPEG", (32, 20)), "image/jpeg"),
                         "/33.gif": ok(film(size=(33, 20)), "image/gif"), "/34.webp": ok(picture("WEBP", (34, 20)), "image/webp"),
                         "/bad.png": ok(b"<svg onload='alert(1)'>", "image/png"), "/broken.png": status(503)}

    def asked():
        return [path for path, _request in stage.outside.asked[before:]]
    return asked


@pytest.fixture
def newsletter(stage, inbox):
    """`newsletter("Subject", "/31.png")`: put into the mailbox by APPEND, with these pictures."""
    def make(subject, *paths, sender=SHOP, to=ADDRESS):
        images = "".join(f'<p><img src="{stage.outside.url(path)}" alt="{path}"></p>' for path in paths)
        html = (f"<html><body><h1>News</h1>{images}<table background='{stage.outside.url('/background.png')}'><tr><td>x"
                f"</td></tr></table><img src='cid:dot@customer.example' width=12 height=12></body></html>")
        with stage.dovecot.imap(to) as client:
            client.append("INBOX", None, None, letter(to, subject, sender=sender, html=html))
    return make


def opened(page, inbox, subject):
    page.goto(inbox)
    ready(page)
    page.locator(".conv__subj", has_text=subject).or_(page.locator("#newmail")).first.wait_for(timeout=SOON)
    if page.locator("#newmail").count():
        page.goto(inbox)
        ready(page)
    open_conversation(page, subject)
    return body(page)


def body(page):
    """The frame of the message, loaded."""
    page.locator(".sheet__frame").last.scroll_into_view_if_needed()
    frame = page.locator(".sheet__frame").last.element_handle().content_frame()
    frame.wait_for_load_state("load")
    return frame


def painted(page, widths):
    """Waits until the pictures of the frame have these widths, and looks where they came from."""
    found = []
    for _ in range(100):
        with contextlib.suppress(Error, AttributeError):      # it is being drawn anew
            found = [row for row in body(page).evaluate(PAINTED) if row[0]]
        if sorted(w for w, _where, _ours in found) == sorted(widths):
            assert {(where, ours) for _w, where, ours in found} == {("image", True)}
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"painted: {found}, not {widths}\n{page.locator('.msg__blocked').all_inner_texts()}")


def test_blocked_then_once_then_always(stage, page_of, inbox, newsletter, shelf):
    newsletter("First number", "/31.png", "/32.jpg", "/33.gif", "/34.webp")
    zofia, marek = page_of("zofia"), page_of("marek")
    frame = opened(zofia, inbox, "First number")
    expect(zofia.locator(".msg__blocked")).to_contain_text("4 pictures blocked.")
    assert [row[1] for row in frame.evaluate(PAINTED) if row[0]] == ["image"], "the mail's own picture is there"
    zofia.wait_for_timeout(500)
    assert shelf() == []

    zofia.get_by_role("button", name="Show pictures").click()
    painted(zofia, [1, 31, 32, 33, 34])
    expect(zofia.locator(".msg__blocked")).to_contain_text("Pictures are shown this time.")
    assert sorted(shelf()) == ["/31.png", "/32.jpg", "/33.gif", "/34.webp"]
    said = {request.partition(b"\r\n")[2] for _path, request in stage.outside.asked[-4:]}
    assert len(said) == 1
    assert b"Chrome" not in said.pop(), "not the browser asked"

    opened(marek, inbox, "First number")
    expect(marek.locator(".msg__blocked")).to_contain_text("4 pictures blocked.")

    zofia.get_by_role("button", name="Always…").click()
    zofia.get_by_role("button", name="Always from radar@shop.example").click()
    expect(zofia.locator(".msg__blocked")).to_contain_text("Pictures of this sender are always shown.")

    newsletter("Second number", "/31.png", "/33.gif")
    opened(zofia, inbox, "Second number")
    painted(zofia, [1, 31, 33])
    opened(marek, inbox, "Second number")
    expect(marek.locator(".msg__blocked")).to_contain_text("2 pictures blocked.")
    assert [w for w, _where, _ours in body(marek).evaluate(PAINTED) if w] == [1]
    assert zofia.watching.left == marek.watching.left == []


def test_it_works_without_javascript(page_of, inbox, newsletter, shelf):
    newsletter("Plain number", "/31.png", "/bad.png", sender="Plain <plain@shop2.example>")
    page = page_of("marek", java_script_enabled=False)
    for _ in range(100):
        page.goto(inbox)
        if page.locator(".conv__subj", has_text="Plain number").count():
            break
        page.wait_for_timeout(200)
    page.locator(".conv__link", has=page.locator(".conv__subj", has_text="Plain number")).click()
    page.get_by_role("button", name="Show pictures").click()
    _look_again(page)
    expect(page.locator(".msg__blocked")).to_contain_text("1 of 2 pictures could not be loaded: not a picture.")
    painted(page, [1, 31])
    page.get_by_role("button", name="Hide pictures").click()
    expect(page.locator(".msg__blocked")).to_contain_text("2 pictures blocked.")
    page.get_by_role("button", name="Always…").click()
    page.get_by_role("button", name="Always from shop2.example").click()
    _look_again(page)
    expect(page.locator(".msg__blocked")).to_contain_text("could not be loaded")
    painted(page, [1, 31])
    page.goto("/profile")
    page.get_by_role("button", name="Block pictures again: shop2.example").click()
    expect(page.locator("#pictures")).to_contain_text("Blocked again")


def _look_again(page):
    for _ in range(50):
        if "Loading" not in page.locator(".msg__blocked").inner_text():
            break
        page.get_by_role("link", name="Look again").click()
        page.wait_for_timeout(200)


def test_what_comes_late_appears_by_itself_and_what_failed_can_be_tried_again(stage, page_of, inbox, newsletter, shelf):
    stage.outside.at["/slow.png"] = slowly(1.5, ok(picture(size=(77, 20))))
    newsletter("Late number", "/slow.png", "/broken.png", sender="Late <late@shop3.example>")
    page = page_of("zofia")
    opened(page, inbox, "Late number")
    page.get_by_role("button", name="Show pictures").click()
    expect(page.locator(".msg__blocked")).to_contain_text("Loading pictures…")
    expect(page.locator(".msg__blocked")).to_contain_text("1 of 2 pictures could not be loaded: the server didn’t answer.",
                                                          timeout=SOON)
    painted(page, [1, 77])
    stage.outside.at["/broken.png"] = ok(picture(size=(78, 20)))
    page.get_by_role("button", name="Try again").click()
    painted(page, [1, 77, 78])


def test_personal_mail_has_the_same(stage, page_of, newsletter, shelf):
    stage.mailbox(OWN)
    newsletter("Own number", "/31.png", to=OWN)
    page = page_of("adam")
    connection = connect_personal(page, OWN)
    page.goto(f"/mailboxes/{connection}/mail")
    page.get_by_text("Own number").click()
    page.locator("#personal-body").get_by_role("button", name="Show pictures").click(timeout=SOON)
    painted(page, [1, 31])


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 560, 390])
def test_the_line_below_a_message_in_every_width(page_of, inbox, newsletter, shelf, width, scheme, tmp_path):
    subject = f"Wide {width} {scheme}"
    newsletter(subject, "/31.png", "/bad.png", sender="A very long name <newsletter-with-a-long-name@department.shop.example>")
    page = page_of("marek", viewport={"width": width, "height": 900}, color_scheme=scheme)
    opened(page, inbox, subject)
    line = page.locator(".msg__blocked")
    line.scroll_into_view_if_needed()
    assert (axe(page), spills(page)) == ([], [])
    page.get_by_role("button", name="Always…").click()
    expect(page.get_by_role("button", name="Always from newsletter-with")).to_be_in_viewport()
    assert (axe(page), spills(page)) == ([], [])
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Show pictures").click()
    expect(line).to_contain_text("could not be loaded", timeout=SOON)
    assert (axe(page), spills(page)) == ([], [])
    page.goto("/profile#pictures")
    assert (axe(page), spills(page)) == ([], [])
