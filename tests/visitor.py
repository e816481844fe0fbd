"""A person's browser without a screen, for a product that runs in processes of its own: cookies, CSRF tokens,
redirects."""

import http.cookiejar
import re
import urllib.parse
import urllib.request


class Visitor:
    """`at` is the path it ended at. An answer of 400 and more is an urllib.error.HTTPError, with its `code`."""

    def __init__(self, url):
        self.url, self.at = url, ""
        self.cookies = http.cookiejar.CookieJar()
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.cookies))

    def get(self, path, **headers):
        return self._answer(urllib.request.Request(self.url + path, headers=headers))

    def post(self, path, form=None, **fields):
        """`form`: the path of the page whose CSRF token is taken, when it is another one."""
        token = re.search(r'name="csrf_token" value="([^"]+)"', self.get(form or path))[1]
        return self.send(path, {"csrf_token": token, **fields})

    def send(self, path, fields):
        """POST what a form holds, its token among it."""
        data = urllib.parse.urlencode(fields).encode()
        return self._answer(urllib.request.Request(self.url + path, data, {"Origin": self.url}))

    def open(self, path):
        """A stream: the answer itself, to be read on and closed."""
        return self._opener.open(urllib.request.Request(self.url + path), timeout=30)

    def _answer(self, request):
        with self._opener.open(request, timeout=30) as answer:
            self.at = urllib.parse.urlsplit(answer.url).path
            return answer.read().decode()
