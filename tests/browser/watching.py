"""What a page must not do: console errors, script errors, CSP violations, failed requests, strangers' hosts."""

from dataclasses import dataclass, field
from urllib.parse import urlsplit

CDN = "cdn.jsdelivr.net"
OWN_SCHEMES = ("data", "blob", "about")


@dataclass
class Watching:
    """Listens to a browser context. `troubles` must be empty at the end; a test announces what it provokes."""

    url: str
    troubles: list = field(default_factory=list)
    left: list = field(default_factory=list)         # URLs that went to any other host
    _announced: list = field(default_factory=list)

    def expect(self, *parts):
        """Trouble whose text contains one of these is part of the test: "422", "/live", "net::ERR_FAILED"."""
        self._announced.extend(parts)

    def follow(self, context):
        context.on("request", self._request)
        context.on("response", self._response)
        context.on("console", self._console)
        context.on("weberror", lambda error: self.troubles.append(f"script error: {error.error}"))

    def start_anew(self):
        """For a page that is used by one test after the other."""
        self.troubles.clear()
        self.left.clear()
        self._announced.clear()

    def unannounced(self):
        return [t for t in self.troubles if not any(part in t for part in self._announced)]

    def _request(self, request):
        parts = urlsplit(request.url)
        if parts.scheme not in OWN_SCHEMES and parts.netloc not in (urlsplit(self.url).netloc, CDN):
            self.left.append(request.url)
            self.troubles.append(f"left for {request.url}")

    def _response(self, response):
        if response.status >= 400:
            self.troubles.append(f"HTTP {response.status} {response.request.method} {response.url}")

    def _console(self, message):
        # "Failed to load resource" comes once more for each bad status, which _response has already told.
        text = f"{message.text} {message.location.get('url', '')}"
        if message.type in ("error", "warning") and "the server responded with a status of" not in text:
            self.troubles.append(f"console {message.type}: {text}")
