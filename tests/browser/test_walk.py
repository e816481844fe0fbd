"""The main job from the sign-in to the customer's answer, as Zofia does it, in a real browser on real servers."""

import email
import re
import time

import pytest
from browser.letters import NEWSLETTER, letter
from browser.moves import SOON, message_ids, open_conversation, ready, row
from browser.stage import DOMAIN, OUTSIDE, PASSWORD
from playwright.sync_api import expect

SUPPORT, OWN, CUSTOMER = f"walk-support@{DOMAIN}", f"walk-zofia@{DOMAIN}", f"walk-anna@{OUTSIDE}"
ANNA = f"Anna Nowak <{CUSTOMER}>"
MANY = 160  # enough for a first sync that one can walk away from


@pytest.fixture
def mailboxes(stage):
    """What lies on the mail servers before anybody connects anything."""
    for address in (SUPPORT, OWN, CUSTOMER):
        stage.mailbox(address)
    stage.dovecot.deliver_many(SUPPORT, [
        letter(SUPPORT, f"Old question {n}", sender=f"Customer {n} <c{n}@{OUTSIDE}>") for n in range(MANY)])
    time.sleep(1.1)  # a server's date of arrival knows seconds only
    stage.dovecot.deliver(SUPPORT, letter(SUPPORT, "News of the ramp", html=NEWSLETTER, sender=ANNA))
    stage.dovecot.deliver(SUPPORT, letter(SUPPORT, "Where is our pallet", sender=ANNA))
    stage.dovecot.deliver(OWN, letter(OWN, "Dinner on Sunday", "Mum asks: are you coming?\n", minutes_ago=60,
                                      sender=f"Hania <hania@{OUTSIDE}>"))


@pytest.fixture
def customer_answers(stage):
    """Anna answers the last mail that reached her, by SMTP, through the sink and LMTP into the team's mailbox."""

    def answer(text):
        with stage.dovecot.imap(CUSTOMER) as client:
            client.select("INBOX")
            last = client.search(None, "ALL")[1][0].split()[-1]
            received = email.message_from_bytes(client.fetch(last, "(RFC822)")[1][0][1])
        stage.dovecot.deliver_lmtp(CUSTOMER, [SUPPORT], letter(SUPPORT, f"Re: {received['Subject']}", text, sender=ANNA,
                                                               answers=received))

    return answer


def test_the_first_admin_sets_postroom_up(empty_stage, page_of):
    page = page_of(at=empty_stage.url)
    page.goto("/")
    expect(page).to_have_url(f"{empty_stage.url}/set-up")
    page.get_by_label("Code").fill("guessed")
    page.get_by_label("Your name").fill("Olga Pierwsza")
    page.get_by_label("E-mail address").fill("olga@corp.example")
    page.get_by_label("Password").fill("short")
    page.watching.expect("HTTP 422")
    page.get_by_role("button", name="Start using Postroom").click()
    expect(page.get_by_label("Password")).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_label("Your name")).to_have_value("Olga Pierwsza")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Start using Postroom").click()
    expect(page.get_by_label("Code")).to_have_attribute("aria-invalid", "true")
    page.goto(f"/set-up?code={(empty_stage.folder / 'data' / 'secret.setup').read_text().strip()}")
    expect(page.get_by_label("Code")).to_have_count(0)
    page.get_by_label("Your name").fill("Olga Pierwsza")
    page.get_by_label("E-mail address").fill("olga@corp.example")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Start using Postroom").click()
    expect(page.get_by_role("heading", name="Welcome, Olga")).to_be_visible()
    page.watching.expect("HTTP 404")
    assert page.goto("/set-up").status == 404, "there is one first admin"


def test_the_main_job(stage, page_of, mailboxes, customer_answers):
    zofia = page_of()
    sign_in_after_a_typo(zofia)
    ask_the_guide(zofia)
    connect_the_team_address(zofia)
    leave_during_the_first_sync_and_come_back(zofia)
    read_html_from_a_stranger(zofia)

    marek = page_of("marek")
    marek.goto(zofia.url)
    ready(marek)
    answer_the_customer(zofia, stage)
    expect(marek.locator("#messages").get_by_text("It left the warehouse today.")).to_be_visible(timeout=SOON)
    hear_the_customer_back(zofia, customer_answers)
    expect(marek.locator("#messages").get_by_text("Thank you, it is here.")).to_be_visible(timeout=SOON)
    assign_close_reopen(zofia, marek)
    let_new_mail_wait(zofia, stage)

    connection = keep_a_private_mailbox(zofia)
    nobody_else_sees_it(page_of, connection)
    one_address_is_never_both(zofia)
    disconnect_and_connect_again(zofia, connection)


def sign_in_after_a_typo(page):
    page.watching.expect("HTTP 422 POST " + page.watching.url + "/sign-in")
    page.goto("/")
    page.get_by_label("E-mail address").fill(f"zofia@{DOMAIN}")
    page.get_by_label("Password").fill("not my password")
    page.keyboard.press("Enter")
    expect(page.get_by_label("E-mail address")).to_have_value(f"zofia@{DOMAIN}")
    expect(page.get_by_label("Password")).to_have_attribute("aria-invalid", "true")
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "sign-in" not in url)


def ask_the_guide(page):
    page.goto("/choose")
    ready(page)
    for tick, verdict in (("Write to people from their contact page", "You need a personal address"),
                          ("Answer customers together", "You need two addresses")):
        page.get_by_text(tick).click()
        expect(page.get_by_role("heading", name=verdict)).to_be_visible()
    page.get_by_text("Write to people from their contact page").click()
    expect(page.get_by_role("heading", name="You need a team address")).to_be_visible()
    page.get_by_role("link", name="Connect a team address").click()


def connect_the_team_address(page):
    """First without what is needed, then with a wrong password, then right: each error stands where it belongs."""
    page.watching.expect("/connect/team")
    page.get_by_label("Team address", exact=True).fill(SUPPORT)
    page.get_by_label("Password for this address").fill("wrong")
    page.get_by_label("Answers in").select_option("new")
    page.get_by_label("Name of the new inbox").fill("Support of the walk")
    page.get_by_role("button", name="Connect", exact=True).click()
    expect(page.get_by_label("This is a shared address")).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_label("Team address", exact=True)).to_have_value(SUPPORT)
    expect(page.get_by_label("Name of the new inbox")).to_have_value("Support of the walk")
    page.get_by_label("This is a shared address").check()
    page.get_by_label("Password for this address").fill("wrong")
    page.get_by_role("button", name="Connect", exact=True).click()

    failed = page.locator("#check-receive.is-fail")
    expect(failed).to_contain_text("didn’t accept this password", timeout=SOON)
    expect(page.locator("#check-settings")).to_have_class("is-done")
    failed.get_by_label("Password").fill("secret-1")
    page.keyboard.press("Enter")


def leave_during_the_first_sync_and_come_back(page):
    expect(page.get_by_role("heading", name="Connecting a team address")).to_be_visible()
    checklist = page.url
    page.wait_for_selector("#check-folders.is-done", timeout=SOON)
    page.goto("/mailboxes")
    page.goto(checklist)
    expect(page.locator("#check-sync")).to_have_class(re.compile("is-(run|done)"))
    expect(page.get_by_text("Everything is connected")).to_be_attached(timeout=30_000)
    expect(page.locator("#check-sync")).to_contain_text(str(MANY + 2))
    page.get_by_role("link", name="Open Support of the walk").click()
    expect(row(page, "Where is our pallet")).to_be_visible()
    expect(page.locator("#open-count")).to_have_text(str(MANY + 2))
    ready(page)


def read_html_from_a_stranger(page):
    """Framed, cleaned, its images blocked: nothing leaves (Watching fails on any request to another host)."""
    open_conversation(page, "News of the ramp")
    frame = page.frame_locator(".sheet__frame")
    expect(frame.get_by_role("heading", name="Rampe 4")).to_be_visible()
    expect(page.locator(".msg__blocked")).to_contain_text("1 picture blocked.")
    assert frame.locator("img[src]").count() == 1, "the inline picture only"
    assert frame.locator("script, form, input, [onclick]").count() == 0
    element = page.locator(".sheet__frame")
    assert element.get_attribute("sandbox") == "allow-same-origin allow-popups allow-popups-to-escape-sandbox"
    assert page.title().startswith("News of the ramp"), "no script of a letter renamed the page"
    assert page.watching.left == []
    open_conversation(page, "Where is our pallet")
    expect(page.locator(".conv[data-current]")).to_contain_text("Where is our pallet")


def answer_the_customer(page, stage):
    """Undone once: the text comes back. Then sent: the sink has the bytes."""
    before = len(stage.sink.received)
    box = page.get_by_label("Reply to Anna Nowak")
    box.fill("It left the warehouse today.")
    page.get_by_role("button", name="Send").click()
    page.get_by_role("button", name="Undo").click()
    expect(box).to_have_text("It left the warehouse today.")
    expect(page.locator("#messages > article")).to_have_count(1)
    page.wait_for_timeout(2_500)
    assert len(stage.sink.received) == before, "what was called back never left"

    box.press("Control+Enter")
    expect(page.locator("#messages > article")).to_have_count(2)
    expect(box).to_have_text("")
    expect(page.get_by_role("button", name="Undo")).to_have_count(0, timeout=SOON)
    [sent] = stage.sink.received[before:]
    assert sent.recipients == (CUSTOMER,)
    assert b"It left the warehouse today." in sent.raw
    assert b"In-Reply-To: <" in sent.raw


def hear_the_customer_back(page, customer_answers):
    """On the open screen, without a reload, and without moving what is being read or typed."""
    page.evaluate("window.sameScreen = true")
    page.set_viewport_size({"width": 1440, "height": 320})
    box = page.get_by_label("Reply to Anna Nowak")
    box.fill("I am just typing something")
    pane = page.locator("#thread-scroll")
    pane.evaluate("e => e.scrollTop = 0")
    assert pane.evaluate("e => e.scrollHeight - e.clientHeight") > 130, "there must be something to scroll"
    customer_answers("Thank you, it is here.\n")
    expect(page.locator("#messages").get_by_text("Thank you, it is here.")).to_be_attached(timeout=SOON)
    assert page.evaluate("window.sameScreen") is True
    assert pane.evaluate("e => e.scrollTop") == 0
    expect(box).to_have_text("I am just typing something")
    expect(box).to_be_focused()
    assert len(message_ids(page)) == 3
    box.fill("")
    page.set_viewport_size({"width": 1440, "height": 900})


def assign_close_reopen(page, colleague):
    """Zofia gives it to Marek, closes it and opens it again; his screen follows each time."""
    page.get_by_role("button", name="Assign").click()
    page.locator("#assign-menu").get_by_role("button", name="Marek Colleague").click()
    expect(page.locator(".assignee")).to_contain_text("Marek Colleague")
    expect(row(page, "Where is our pallet")).to_contain_text("Assigned to Marek Colleague")
    expect(colleague.locator("#messages .event").last).to_contain_text("assigned you", timeout=SOON)
    expect(colleague.locator("#thread-bar .assignee")).to_contain_text("Marek")
    page.locator("#thread").get_by_role("button", name="Close").click()
    expect(page.locator(".subject__meta")).to_contain_text("Closed")
    expect(page.locator("#open-count")).to_have_text(str(MANY + 1))
    expect(colleague.locator("#messages .event").last).to_contain_text("closed", timeout=SOON)
    expect(colleague.locator("#thread-bar [data-key=e]")).to_contain_text("Open again")
    expect(colleague.locator("#subject-meta")).to_contain_text("Closed")
    colleague.locator("#thread-bar").get_by_role("button", name="Open again").click()
    expect(page.locator("#subject-meta")).not_to_contain_text("Closed", timeout=SOON)
    expect(page.locator("#open-count")).to_have_text(str(MANY + 2))


def let_new_mail_wait(page, stage):
    """New mail moves no row under the pointer: it waits behind its button."""
    first = page.locator(".conv__link").first
    before = first.inner_text()
    stage.dovecot.deliver_lmtp(f"new@{OUTSIDE}", [SUPPORT], letter(SUPPORT, "A brand new question",
                                                                   sender=f"New One <new@{OUTSIDE}>"))
    waiting = page.locator("#newmail")
    expect(waiting).to_contain_text("1 new", timeout=SOON)
    expect(page.locator("#open-count")).to_have_text(str(MANY + 3), timeout=SOON)
    assert first.inner_text() == before
    waiting.click()
    expect(page.locator(".conv__link").first).to_contain_text("A brand new question")
    expect(waiting).to_have_count(0)


def keep_a_private_mailbox(page):
    """Connected, listed with its health; a message's text is fetched when it is opened, not before."""
    page.goto("/mailboxes")
    page.locator(".page__act").get_by_role("link", name="Connect an address").click()
    page.get_by_label("Your e-mail address").fill(OWN)
    page.get_by_label("Password for this address").fill("secret-1")
    page.get_by_role("button", name="Connect", exact=True).click()
    expect(page.get_by_text("Everything is connected")).to_be_attached(timeout=SOON)
    connection = int(page.url.rpartition("/")[2])
    page.get_by_role("link", name="Go to your mailboxes").click()
    expect(page.locator(".box", has_text=OWN).first).to_contain_text("Connected")
    page.locator(".box", has_text=OWN).first.get_by_role("link", name="Read").click()
    page.get_by_role("link", name="Dinner on Sunday").click()
    expect(page.get_by_text("Mum asks: are you coming?")).to_be_visible(timeout=SOON)
    return connection


def nobody_else_sees_it(page_of, connection):
    """Not the colleague, and not the other admin: for them it does not exist."""
    for who in ("marek", "adam"):
        page = page_of(who)
        page.watching.expect("HTTP 404")
        for path in ("connections/{}", "connections/{}/servers", "connections/{}/disconnect", "mailboxes/{}/mail",
                     "live?on=connection-{}"):
            assert page.request.get("/" + path.format(connection)).status == 404, f"{who} {path}"
        assert page.goto(f"/mailboxes/{connection}/mail").status == 404
        expect(page.get_by_role("heading", name="There is nothing here")).to_be_visible()
        page.goto("/mailboxes")
        expect(page.get_by_text(OWN)).to_have_count(0)


def one_address_is_never_both(page):
    """The team's address is refused as a personal one: who holds it, and the way out."""
    page.watching.expect("HTTP 422 POST " + page.watching.url + "/connect/personal")
    page.goto("/connect/personal")
    page.get_by_label("Your e-mail address").fill(SUPPORT)
    page.get_by_label("Password for this address").fill("secret-1")
    page.get_by_role("button", name="Connect", exact=True).click()
    expect(page.get_by_label("Your e-mail address")).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_label("Your e-mail address")).to_have_value(SUPPORT)
    expect(page.locator("#address-e")).to_contain_text("Support of the walk")
    expect(page.get_by_role("link", name="Open Support of the walk")).to_be_visible()


def disconnect_and_connect_again(page, connection):
    page.goto("/mailboxes")
    ready(page)
    page.locator("#d").get_by_role("link", name="Disconnect").click()
    dialog = page.get_by_role("dialog", name=f"Disconnect {OWN}?")
    dialog.get_by_role("link", name="Keep it").click()
    expect(dialog).to_be_hidden()
    page.locator("#d").get_by_role("link", name="Disconnect").click()
    dialog.get_by_role("button", name="Disconnect").click()
    expect(page.get_by_role("heading", name="No address yet")).to_be_visible()
    assert page.goto(f"/mailboxes/{connection}/mail").status == 200, "what was read stays"
    page.goto("/connect/personal")
    page.get_by_label("Your e-mail address").fill(OWN)
    page.get_by_label("Password for this address").fill("secret-1")
    page.get_by_role("button", name="Connect", exact=True).click()
    expect(page.get_by_text("Everything is connected")).to_be_attached(timeout=SOON)
    page.goto("/mailboxes")
    expect(page.locator(".box", has_text=OWN).first).to_contain_text("Connected")
