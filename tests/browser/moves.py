"""What people do at the screen, in one line each, for the tests that are about something else."""

from browser.stage import PASSWORD

SOON = 15_000  # milliseconds: for what goes over mail servers and workers


def ready(page):
    """htmx is there, from wherever it came. Without it pages work too, but differently."""
    page.wait_for_selector("html[data-htmx=ready]", state="attached")
    return page


def sign_in(page, email, password=PASSWORD):
    page.goto("/sign-in")
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(lambda url: "/sign-in" not in url)


def connect_team(page, address, inbox, password="secret-1"):
    """Connect a team address to a new inbox of this name, wait for the whole first sync, return the inbox's path."""
    page.goto("/connect/team")
    page.get_by_label("Team address", exact=True).fill(address)
    page.get_by_label("Password for this address").fill(password)
    page.get_by_label("Answers in").select_option("new")
    page.get_by_label("Name of the new inbox").fill(inbox)
    page.get_by_label("This is a shared address").check()
    page.get_by_role("button", name="Connect", exact=True).click()
    page.get_by_text("Everything is connected").wait_for(state="attached", timeout=SOON)
    return page.get_by_role("link", name=f"Open {inbox}").get_attribute("href")


def connect_personal(page, address, password="secret-1"):
    """Connect a personal address and wait for the first sync. Returns the connection's id."""
    page.goto("/connect/personal")
    page.get_by_label("Your e-mail address").fill(address)
    page.get_by_label("Password for this address").fill(password)
    page.get_by_role("button", name="Connect", exact=True).click()
    page.get_by_text("Everything is connected").wait_for(state="attached", timeout=SOON)
    return int(page.url.rpartition("/")[2])


def row(page, subject):
    """The link of the conversation with this subject in the list."""
    return page.locator(".conv__link", has=page.locator(".conv__subj", has_text=subject))


def open_conversation(page, subject):
    row(page, subject).click()
    page.locator("#subj", has_text=subject).wait_for()


def message_ids(page):
    return page.locator("#messages > article").evaluate_all("all => all.map(m => m.id)")
