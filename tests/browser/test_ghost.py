"""Somebody leaves and their address stays held: both ways out, by real people in the browser, on real mail servers."""

from browser.letters import letter
from browser.moves import SOON, connect_personal, sign_in
from browser.stage import DOMAIN, PASSWORD
from playwright.sync_api import expect


def invite(admin, address):
    """The link that an admin passes on where no mail is sent."""
    admin.goto("/people/invite")
    admin.get_by_label("E-mail addresses").fill(address)
    admin.locator("main .btn--primary").click()
    return admin.locator("input[readonly]").first.input_value()


def accept(page, link):
    page.goto(link)
    name = page.get_by_label("Your name")
    if name.count():
        name.fill("Gustaw Ghost")
    page.locator("input[type=password]").first.fill(PASSWORD)
    page.locator("main .btn--primary").click()
    page.wait_for_url(lambda url: "/links/" not in url)


def remove(admin, name):
    admin.goto("/people")
    admin.get_by_role("link", name=name, exact=True).first.click()
    admin.get_by_role("link", name="Remove", exact=True).click()
    admin.get_by_role("button", name="Remove").click()
    admin.wait_for_url("**/people**")


def try_to_connect(page, kind, address):
    page.goto(f"/connect/{kind}")
    page.locator("#address").fill(address)
    page.locator("#password").fill("secret-1")
    if kind == "team":
        page.locator("#shared").check()
    page.locator(".connect__form").get_by_role("button", name="Connect", exact=True).click()


def test_a_leavers_address_is_asked_for_released_and_connected_by_somebody_else(stage, page_of):
    address = stage.mailbox(f"ghost@{DOMAIN}")
    admin, ghost, marek = page_of("adam"), page_of(), page_of("marek")
    accept(ghost, invite(admin, f"gustaw@{DOMAIN}"))
    connect_personal(ghost, address)
    remove(admin, "Gustaw Ghost")
    ghost.goto("/mailboxes")
    expect(ghost).to_have_url(f"{stage.url}/sign-in?next=/mailboxes")
    marek.watching.expect("HTTP 422")
    try_to_connect(marek, "personal", address)
    expect(marek.locator("#address-e")).to_contain_text("already connected in this organisation")
    expect(marek.locator("body")).not_to_contain_text("Gustaw")
    marek.get_by_role("button", name="Ask").click()
    expect(marek.get_by_role("heading", name="Asked")).to_be_visible()
    admin.goto("/notices")
    expect(admin.locator("main")).to_contain_text(f"Marek Colleague asks for {address}")
    admin.watching.expect("HTTP 422")
    try_to_connect(admin, "team", address)
    expect(admin.locator("#address-e")).to_contain_text("Gustaw Ghost still holds")
    admin.get_by_role("button", name=f"Release {address}").click()
    admin.wait_for_url("**/connect/team**")
    marek.goto("/notices")
    expect(marek.locator("main")).to_contain_text(f"{address} is free")
    assert connect_personal(marek, address)
    admin.goto("/audit")
    expect(admin.locator("main")).to_contain_text(address)


def test_a_leaver_comes_back_to_everything_disconnects_it_and_the_team_connects_it(stage, page_of):
    address = stage.mailbox(f"returns@{DOMAIN}")
    stage.dovecot.deliver(address, letter(address, "From before", "Kept for me."))
    admin, back = page_of("adam"), page_of()
    accept(back, invite(admin, f"rene@{DOMAIN}"))
    connection = connect_personal(back, address)
    remove(admin, "Gustaw Ghost")
    back.context.clear_cookies()
    accept(back, invite(admin, f"rene@{DOMAIN}"))           # the same address: the same person
    if "/sign-in" in back.url:
        sign_in(back, f"rene@{DOMAIN}")
    back.goto(f"/mailboxes/{connection}/mail")
    expect(back.get_by_role("link", name="From before")).to_be_visible()
    back.goto(f"/connections/{connection}/disconnect")
    back.get_by_role("button", name="Disconnect").click()
    back.wait_for_url("**/mailboxes")
    try_to_connect(admin, "team", address)
    expect(admin.get_by_text("Everything is connected")).to_be_attached(timeout=SOON)
    back.goto(f"/mailboxes/{connection}/mail")
    expect(back.get_by_role("link", name="From before")).to_be_visible()


def test_a_personal_address_is_switched_to_a_team_address_in_one_step(stage, page_of):
    address = stage.mailbox(f"switched@{DOMAIN}")
    stage.dovecot.deliver(address, letter(address, "For the team", "Hello team."))
    page = page_of("adam")
    connection = connect_personal(page, address)
    page.watching.expect("HTTP 422")
    try_to_connect(page, "team", address)
    page.get_by_role("link", name="Make it a team address").click()
    page.get_by_label("This is a shared address").check()
    page.get_by_role("button", name="Switch to a team address").click()
    page.wait_for_url("**/connections/*")
    expect(page.get_by_text("Everything is connected")).to_be_attached(timeout=SOON)
    page.locator(".connect__end a").click()
    expect(page.locator(".conv__subj", has_text="For the team")).to_be_visible(timeout=SOON)
    page.goto(f"/mailboxes/{connection}/mail")
    expect(page.get_by_role("link", name="For the team")).to_be_visible()


def test_a_mailbox_pauses_and_goes_on(stage, page_of):
    address = stage.mailbox(f"pauses@{DOMAIN}")
    page = page_of("marek")
    connection = connect_personal(page, address)
    page.goto(f"/mailboxes?show={connection}")
    page.locator("#d").get_by_role("button", name="Pause", exact=True).click()
    box = page.locator(".box", has_text=address)
    expect(box).to_contain_text("Paused")
    stage.dovecot.deliver(address, letter(address, "While paused", "Hello."))
    box.get_by_role("button", name="Go on").click()
    expect(box).to_contain_text("Connected", timeout=SOON)
    page.goto(f"/mailboxes/{connection}/mail")
    expect(page.get_by_role("link", name="While paused")).to_be_visible(timeout=SOON)
