"""One's own account at the screen: a forgotten password comes back by mail, browsers are ended, the profile changes."""

import re
from email import message_from_bytes, policy

import pytest
from browser.moves import SOON, ready, sign_in
from browser.screens import axe, spills
from browser.stage import DOMAIN, PASSWORD, Stage
from playwright.sync_api import expect

NEW = "a brand new password"
PEOPLE = (("Zofia Owner", f"zofia@{DOMAIN}", "admin"), ("Pola Polish", f"pola@{DOMAIN}", "member"))


@pytest.fixture(scope="module")
def office(dovecot, post, _names):
    """A Postroom that sends mail of its own, by the sink."""
    post.add_user(f"post@{DOMAIN}", "secret-1")
    with Stage(dovecot, post, f"{_names.url}?db=2", PEOPLE, organisation="Transwisła",
               notice_from=f"Postroom <post@{DOMAIN}>",
               notice_smtp=f"smtps://post%40{DOMAIN}:secret-1@127.0.0.1:{post.port}") as stage:
        yield stage


@pytest.fixture
def letter_to(post, page_of):
    """`letter_to(page, address, subject)`: the text of the newest such mail, once it is there."""

    def letter_to(page, address, subject):
        for _ in range(SOON // 100):
            for received in reversed(post.received):
                message = message_from_bytes(received.raw, policy=policy.default)
                if address in received.recipients and subject in message["Subject"]:
                    return message.get_body(("plain",)).get_content()
            page.wait_for_timeout(100)
        raise AssertionError(f"no mail to {address}: {[r.recipients for r in post.received]}")

    return letter_to


def link_in(text):
    return re.search(r"http://\S+/links/\S+", text)[0]


def clean(page):
    assert axe(page) + spills(page) == []


def test_a_forgotten_password_comes_back_by_mail(office, page_of, letter_to):
    page = page_of(at=office.url)
    page.watching.expect("HTTP 404")
    page.goto("/sign-in")
    page.get_by_role("link", name="Forgot the password?").click()
    clean(page)
    page.get_by_label("E-mail address").fill(f"zofia@{DOMAIN}")
    page.get_by_role("button", name="Send the link").click()
    expect(page.get_by_role("heading", name="Look into your mail")).to_be_visible()
    clean(page)
    link = link_in(letter_to(page, f"zofia@{DOMAIN}", "Choose a new password"))
    page.goto(link)
    clean(page)
    page.get_by_label("New password").fill(NEW)
    page.get_by_role("button", name="Use this password").click()
    expect(page.get_by_text("Your new password works now")).to_be_visible()
    clean(page)
    page.get_by_label("E-mail address").fill(f"zofia@{DOMAIN}")
    page.get_by_label("Password").fill(NEW)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url(lambda url: "/sign-in" not in url)
    letter_to(page, f"zofia@{DOMAIN}", "Your password has changed")
    assert page.goto(link).status == 404
    expect(page.get_by_role("heading", name="This link doesn’t work")).to_be_visible()
    clean(page)


def test_another_sign_in_address_is_confirmed_by_its_link_and_other_browsers_are_ended(office, page_of, letter_to):
    page, other = page_of(at=office.url), page_of(at=office.url)
    sign_in(other, f"pola@{DOMAIN}")
    sign_in(page, f"pola@{DOMAIN}")
    page.goto("/profile")
    clean(page)
    page.get_by_text("Change the address").first.click()
    page.get_by_label("New sign-in address").fill(f"pola.nowa@{DOMAIN}")
    page.locator("#password").fill("wrong")
    page.watching.expect("HTTP 422")
    page.get_by_role("button", name="Send the link").click()
    expect(page.get_by_text("This isn’t your password")).to_be_visible()
    clean(page)
    page.locator("#password").fill(PASSWORD)
    page.get_by_role("button", name="Send the link").click()
    expect(page.get_by_text("A link was sent to")).to_be_visible()
    page.goto(link_in(letter_to(page, f"pola.nowa@{DOMAIN}", "Confirm your new sign-in address")))
    page.get_by_role("button", name="Confirm the address").click()
    expect(page.get_by_text(f"You sign in with pola.nowa@{DOMAIN}")).to_be_visible()
    letter_to(page, f"pola@{DOMAIN}", "Your sign-in address has changed")
    expect(page.locator(".session")).to_have_count(2)
    page.locator(".session").get_by_role("button").click()
    expect(page.locator(".session")).to_have_count(1)
    other.goto("/welcome")
    expect(other).to_have_url(re.compile("/sign-in"))
    page.get_by_label("Language", exact=True).select_option("pl")
    page.get_by_label("Time zone").select_option("Asia/Tokyo")
    page.get_by_role("button", name="Save").first.click()
    expect(page.get_by_text("Zapisano")).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", "pl")


def test_notices_appear_while_the_page_is_open_and_are_marked_as_read(office, page_of):
    page, other = page_of(at=office.url), page_of(at=office.url)
    for each in (page, other):
        sign_in(each, f"zofia@{DOMAIN}", NEW)
    page.goto("/notices")
    ready(page)
    clean(page)
    page.get_by_role("button", name="Mark all as read").click()
    expect(page.locator(".notice.is-unread")).to_have_count(0)
    ready(page)
    before = page.locator(".notice").count()
    other.goto("/profile")
    other.get_by_text("Change the address").first.click()
    other.get_by_label("New sign-in address").fill(f"zofia.nowa@{DOMAIN}")
    other.locator("#password").fill(NEW)
    other.get_by_role("button", name="Send the link").click()
    expect(other.get_by_text("A link was sent to")).to_be_visible()
    expect(page.locator(".notice")).to_have_count(before + 1)
    expect(page.locator(".notice.is-unread")).to_contain_text("Your sign-in address is to change")
    clean(page)
