"""What changes elsewhere appears by itself: over the stream, over the poll where streams do not get through."""

import pytest
from browser.letters import letter
from browser.moves import SOON, connect_team, ready
from browser.stage import DOMAIN
from playwright.sync_api import expect
from servers.proxy import FaultProxy

ADDRESS = f"live@{DOMAIN}"
STREAM, POLL = "**/live?*", "**/live/poll?*"
HIDE = """hidden => {
  Object.defineProperty(document, 'hidden', {configurable: true, get: () => hidden});
  document.dispatchEvent(new Event('visibilitychange'));
}"""


@pytest.fixture(scope="module")
def inbox(stage, once):
    stage.dovecot.deliver(stage.mailbox(ADDRESS), letter(ADDRESS, "The first"))
    return connect_team(once("zofia"), ADDRESS, "Live")


@pytest.fixture
def arrive(stage):
    """A new mail for the inbox, as a mail server delivers it."""
    return lambda subject: stage.dovecot.deliver_lmtp("anna@customer.example", [ADDRESS], letter(ADDRESS, subject))


@pytest.fixture
def proxy(stage):
    """Between the browser and Postroom; it can cut what is open."""
    with FaultProxy(stage.port) as proxy:
        yield proxy


def opened(page, path, stream=True):
    page.goto(path)
    ready(page)
    if stream:
        page.wait_for_selector("html[data-stream=on]", state="attached")
    return page


def waits(page, count=1):
    expect(page.locator("#newmail")).to_contain_text(f"{count} new", timeout=SOON)


def asked(page, part):
    """A list that fills with the addresses of requests to it."""
    urls = []
    page.on("request", lambda request: urls.append(request.url) if part in request.url else None)
    return urls


def test_two_tabs_and_a_colleague_hear_of_new_mail_without_asking(page_of, inbox, arrive):
    zofia, marek = page_of("zofia"), page_of("marek")
    opened(zofia, inbox)
    other_tab = opened(zofia.context.new_page(), inbox)
    opened(marek, inbox)
    polls = [asked(page, "/live/poll") for page in (zofia, other_tab, marek)]
    arrive("For everybody")
    for page in (zofia, other_tab, marek):
        waits(page)
    assert polls == [[], [], []]


def test_a_stream_that_is_cut_comes_back_with_what_was_missed(page_of, inbox, arrive, proxy):
    page = page_of("zofia", at=f"http://127.0.0.1:{proxy.port}")
    page.watching.expect("/live", "ERR_")
    opened(page, inbox)
    polls = asked(page, "/live/poll")
    before = proxy.connections
    proxy.cut()
    arrive("While the line was cut")
    waits(page)
    assert proxy.connections > before
    assert polls == []


def test_after_the_third_break_the_page_polls(page_of, inbox, arrive, proxy):
    page = page_of("zofia", at=f"http://127.0.0.1:{proxy.port}")
    page.watching.expect("/live", "ERR_")
    opened(page, inbox)
    page.route(STREAM, lambda route: route.abort())
    streams, polls = asked(page, "/live?"), asked(page, "/live/poll")
    proxy.cut()
    arrive("Heard by polling")
    waits(page)
    assert polls
    assert len(streams) <= 3, "it stops trying"
    streams.clear()
    page.goto(inbox)
    ready(page)
    arrive("The next page of the session polls at once")
    waits(page)
    assert streams == []


@pytest.mark.parametrize(("answer", "noise"), [
    (lambda route: None, ()),                              # a proxy that keeps the answer to itself
    (lambda route: route.fulfill(status=503), ("HTTP 503",)),
], ids=["silent", "503"])
def test_without_a_first_word_on_the_stream_the_page_polls(page_of, inbox, arrive, answer, noise):
    page = page_of("zofia")
    page.watching.expect(*noise)
    page.route(STREAM, answer)
    polls = asked(page, "/live/poll")
    opened(page, inbox, stream=False)
    arrive("Heard without a stream")
    waits(page)
    assert polls


def test_a_hidden_tab_closes_its_stream_and_catches_up_when_it_is_looked_at(page_of, inbox, arrive):
    page = page_of("zofia")
    ended = []
    for event in ("requestfailed", "requestfinished"):
        page.on(event, lambda request: ended.append(request.url) if "/live?" in request.url else None)
    opened(page, inbox)
    streams = asked(page, "/live")
    page.evaluate(HIDE, True)
    page.wait_for_timeout(200)
    assert ended, "the stream is closed"
    arrive("While nobody looked")
    page.wait_for_timeout(2_500)
    assert streams == []
    expect(page.locator("#newmail")).to_have_count(0)
    page.evaluate(HIDE, False)
    waits(page)


def test_what_may_not_be_seen_cannot_be_listened_to(page_of, inbox):
    page = page_of("marek")
    page.goto(inbox)
    for name in ("inbox-999", "conversation-999", "connection-1", "person-1", "message-999", "everything", "inbox-x"):
        assert page.request.get(f"/live?on={name}").status == 404, name
        assert page.request.get(f"/live/poll?on={name}").status == 404, name
