"""The first page of the inbox over the wire, with a cold cache: bytes, layout shift, time to the largest content.

A real Chromium opens the inbox (50 conversations on it) of the product as `python3 run` starts it. Bytes are what
Chromium counts as received, headers and compression included. Twice: htmx from our own server, and from its CDN, which
is played by a route (its bytes are those of the file as a CDN sends it, with gzip).
"""

import gzip
import time
from pathlib import Path

import _corpus
from _stage import ROOT, Stage, chromium, report, signed_in_context

CDN_HEADERS = 500   # bytes that a CDN's own headers take, about
SIZES = ((1440, 900), (390, 844))
LOOK = """() => {
  window.shift = 0; window.largest = 0;
  new PerformanceObserver(l => { for (const e of l.getEntries()) if (!e.hadRecentInput) window.shift += e.value; })
    .observe({type: "layout-shift", buffered: true});
  new PerformanceObserver(l => { for (const e of l.getEntries()) window.largest = e.startTime; })
    .observe({type: "largest-contentful-paint", buffered: true});
}"""


def main():
    table, figures = [], {}
    for name, setting in (("htmx of our own", "off"), ("htmx from the CDN", "on")):
        with Stage(POSTROOM_HTMX_CDN=setting) as stage, chromium() as browser:
            address = stage.add_mailbox("support@corp.example")
            stage.dovecot.deliver_many(address, [raw for raw, _at in _corpus.messages(90)])
            client = stage.sign_up()
            _connection, inbox = stage.connect(client, address)
            loads = [load(browser, client, f"{stage.url}/inboxes/{inbox}", size) for size in SIZES]
        by_kind = loads[0]["kinds"]
        total = max(one["bytes"] for one in loads)
        shift = max(one["shift"] for one in loads)
        largest = max(one["largest_ms"] for one in loads)
        figures[setting] = {"bytes": total, "kinds": by_kind, "shift": shift, "largest_ms": largest,
                            "conversations": loads[0]["rows"]}
        table += [(f"{name}: received", f"{total / 1000:.1f} kB", "under 150 kB"),
                  ("  of it", "", ", ".join(f"{kind} {size / 1000:.1f}" for kind, size in sorted(by_kind.items()))),
                  ("  layout shift", f"{shift:.4f}", "0"), ("  largest content after", f"{largest:.0f} ms", "")]
    report("first_page", {"cdn_" + setting: one for setting, one in figures.items()}, table)


def load(browser, client, url, size):
    """One visit in a new context: nothing is cached."""
    context = signed_in_context(browser, client, viewport={"width": size[0], "height": size[1]})
    context.add_init_script(f"({LOOK})()")
    page = context.new_page()
    context.route("https://cdn.jsdelivr.net/**", lambda route: route.fulfill(
        path=vendored(route.request.url), content_type="text/javascript",
        headers={"Access-Control-Allow-Origin": "*", "Cache-Control": "public, max-age=31536000, immutable"}))
    session, kinds, urls = context.new_cdp_session(page), {}, {}
    session.on("Network.responseReceived", lambda e: urls.update({e["requestId"]: (e["type"], e["response"]["url"])}))
    session.on("Network.loadingFinished", lambda e: note(kinds, urls.get(e["requestId"]), e["encodedDataLength"]))
    session.send("Network.enable")
    page.goto(url)
    page.wait_for_selector("html[data-htmx=ready][data-stream=on]")
    page.evaluate("() => document.fonts.ready.then(() => true)")
    time.sleep(1)
    page.wait_for_timeout(100)
    found = {"bytes": sum(kinds.values()), "kinds": kinds, "shift": round(page.evaluate("window.shift"), 4),
             "largest_ms": round(page.evaluate("window.largest")), "rows": page.locator(".conv").count()}
    context.close()
    return found


def note(kinds, response, size):
    kind, url = response or ("Other", "")
    if url.startswith("https://cdn."):
        size = 0 if "CDN" in kinds else len(gzip.compress(Path(vendored(url)).read_bytes(), 6)) + CDN_HEADERS
        kind = "CDN"
    kinds[kind] = kinds.get(kind, 0) + round(size)


def vendored(url):
    version = url.partition("htmx.org@")[2].partition("/")[0]
    return str(ROOT / "static" / "vendor" / f"htmx-{version}.min.js")


if __name__ == "__main__":
    main()
