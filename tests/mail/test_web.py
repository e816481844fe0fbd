"""The door to the web: where strangers name the target, only public addresses are reached, and little is said or taken."""

import socket
import time

import pytest
from fakes.web import Web, ok, redirect, slowly, status

from webapp.mail import web
from webapp.mail.web import MOST_BYTES, Reach, WebError, get

from .conftest import cases
from .test_connect import names  # noqa: F401 - the fixture: a name server of our own

ROWS = cases("ssrf-targets")
GIVEN = {
    "metadata.google.internal": ["169.254.169.254"], "imap.example.com": ["93.184.216.34"],
    "instance-data": ["169.254.169.254"], "mail.corp.internal": ["10.1.2.3"], "mx.local": ["192.168.0.9"],
    "localhost": ["127.0.0.1", "::1"], "localhost.": ["127.0.0.1"], "ip6-localhost": ["::1"],
    "127.0.0.1.nip.io": ["127.0.0.1"], "7f000001.nip.io": ["127.0.0.1"], "127-0-0-1.sslip.io": ["127.0.0.1"],
    "169.254.169.254.nip.io": ["169.254.169.254"], "rebind.test": ["8.8.8.8", "127.0.0.1"],
    "inside.example": ["10.0.0.1"], "far.example": ["8.8.8.8"], "both.example": ["8.8.8.8", "192.168.1.1"],
}


@pytest.fixture
def there():
    with Web() as server:
        yield server


@pytest.fixture
def reached(monkeypatch):
    """Addresses that somebody tried to connect to; nobody gets through."""
    found = []

    def connect(address, timeout=None, **_):
        found.append(address)
        raise ConnectionRefusedError
    monkeypatch.setattr(socket, "create_connection", connect)
    return found


def outcome(url, *servers, ca_file=None, seconds=5.0):
    """What `get` says: the bytes, or the code of its refusal."""
    try:
        return get(url, Reach(frozenset(s.place for s in servers), ca_file, seconds))
    except WebError as error:
        return error.code


@pytest.mark.skipif(not ROWS, reason="the hostile-input files are not here")
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_no_disguise_of_an_inner_host_is_ever_connected_to(names, reached, scheme):  # noqa: F811
    names |= GIVEN
    for row in ROWS:
        if "host" in row:
            del reached[:]
            code = outcome(f"{scheme}://{row['host']}/a.png")
            assert code in ({"unreachable"} if row["class"] == "public" else {"not_allowed", "unreachable"}), row
            assert bool(reached) == (row["class"] == "public"), row
        elif "port" in row:
            del reached[:]
            assert outcome(f"{scheme}://imap.example.com:{row['port']}/a.png") in ("not_allowed", "unreachable")
            assert bool(reached) == (row["port"] in (80, 443)), row


def test_what_an_admin_allows_for_mail_servers_is_not_allowed_here(names, reached):  # noqa: F811
    """There is nothing to allow it with: the door takes exact loopback places from code, for tests."""
    names |= GIVEN
    for host in ("inside.example", "both.example", "10.0.0.1", "192.168.1.1", "[fc00::1]", "100.64.0.1", "127.0.0.1"):
        for reach in (Reach(), Reach(frozenset({("127.0.0.1", 8080), ("10.0.0.1", 80)}))):
            with pytest.raises(WebError) as refused:
                get(f"http://{host}/", reach)
            assert refused.value.code == "not_allowed", host
    assert reached == []


@pytest.mark.parametrize("url", [
    "file:///etc/passwd", "ftp://far.example/x", "gopher://far.example/", "data:image/png;base64,AAAA", "javascript:1", "",
    "//far.example/x", "/x", "http:", "http://", "http:///x", "https:far.example", "http://user@far.example/",
    "http://user:pass@far.example/", "http://far.example@127.0.0.1/", "http://far.example:99999/", "http://far.example:x/",
    "http://far.example:25/", "http://far.example:6379/", "http://far.example:0/", "http://far.example/a\r\nX: y",
    "http://far.example/a b", "http://far.example/\0", "http://far\u0000.example/", "http://[zz::1]/", "http://far.example\\@x/",
    "http://-/", "http://far..example/", "http://far.example/" + "x" * 9000, "http://a%00b/", "http://far.example%2f@x/"])
def test_what_is_no_plain_web_address_is_not_asked_for(names, reached, url):  # noqa: F811
    names |= GIVEN
    assert outcome(url) in ("not_allowed", "unreachable")
    assert reached == []


def test_the_judged_address_is_the_one_connected_to(monkeypatch, reached):
    asked = []

    def rebinding(host, port, *_args, **_kwargs):
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("8.8.8.8" if len(asked) == 1 else "127.0.0.1", port))]
    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    assert outcome("http://rebind.example/") == "unreachable"
    assert (asked, reached) == (["rebind.example"], [("8.8.8.8", 80)])


def test_nothing_is_said_of_who_asks(there):
    """The whole request, byte for byte: no Referer, no cookie, no language, no name of ours, the same for everybody."""
    there.at["/a"] = ok(b"x", "image/png", "Set-Cookie: who=zofia; Path=/")
    there.at["/b"] = redirect("/a?z=ł")
    for path in ("/a", "/b", "/a?q=1&x=%20y"):
        assert outcome(there.url(path), there) == b"x"
    expected = ("GET {} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nUser-Agent: Mozilla/5.0\r\n"
                "Accept: image/avif,image/webp,image/png,image/jpeg,image/gif,*/*;q=0.5\r\n"
                "Accept-Encoding: identity\r\nConnection: close\r\n\r\n")
    assert [request.decode() for _path, request in there.asked] == [
        expected.format(path, there.port) for path in ("/a", "/b", "/a?z=%C5%82", "/a?q=1&x=%20y")]


def test_a_fragment_stays_here_and_odd_letters_are_written_as_the_wire_wants_them(there):
    there.at["/a%C5%82%20b"] = there.at["/"] = ok(b"x")
    assert outcome(there.url("/ał%20b?ü=[1]|2#me@home"), there) == outcome(there.url("?x"), there) == b"x"
    assert [request.split(b" ")[1] for _p, request in there.asked] == [b"/a%C5%82%20b?%C3%BC=[1]|2", b"/?x"]


@pytest.mark.parametrize("to", [
    "http://127.0.0.1:22/", "http://169.254.169.254/latest/meta-data/", "http://[::1]/", "http://0/", "http://10.0.0.1/",
    "http://[::ffff:127.0.0.1]/", "file:///etc/passwd", "gopher://127.0.0.1/", "//127.0.0.1:1/x", "http://2130706433/",
    "http://user:pass@127.0.0.1/", "http://0x7f.1/", "javascript:alert(1)", "http://[fe80::1]/", "http://[64:ff9b::7f00:1]/"])
@pytest.mark.parametrize("number", [301, 302, 303, 307, 308])
def test_a_redirect_is_judged_like_the_first_address(there, to, number):
    there.at["/a"] = redirect(to, number)
    assert outcome(there.url("/a"), there) in ("not_allowed", "unreachable")
    assert there.paths == ["/a"]


def test_three_redirects_are_followed_and_no_more(there):
    for number in range(5):
        there.at[f"/{number}"] = redirect(f"/{number + 1}")
    there.at["/5"] = ok(b"there")
    assert outcome(there.url("/2"), there) == b"there"
    assert outcome(there.url("/1"), there) == "missing"
    assert there.paths[4:] == ["/1", "/2", "/3", "/4"]
    there.at["/loop"] = redirect("/loop")
    assert outcome(there.url("/loop"), there) == "missing"
    there.at["/nowhere"] = status(302)
    assert outcome(there.url("/nowhere"), there) == "missing"


def test_what_began_with_tls_does_not_go_on_without(there, authority):
    with Web(authority.issue(label="web")) as safe:
        there.at["/a"], safe.at["/a"], safe.at["/b"], safe.at["/c"] = (
            ok(b"plain"), ok(b"safe"), redirect(there.url("/a")), redirect(safe.url("/a")))
        there.at["/up"] = redirect(safe.url("/a"))
        asked = {path: outcome(server.url(path), there, safe, ca_file=authority.ca_file)
                 for server, path in ((safe, "/a"), (safe, "/b"), (safe, "/c"), (there, "/up"), (there, "/a"))}
    assert asked == {"/a": b"plain", "/b": "not_allowed", "/c": b"safe", "/up": b"safe"}


@pytest.mark.parametrize("bad", ["expired", "not_yet_valid", "wrong_name", "self_signed"])
def test_a_certificate_that_cannot_be_verified_ends_it_before_a_word(authority, bad):
    with Web(getattr(authority, bad)()) as server:
        server.at["/"] = ok(b"x")
        assert outcome(server.url("/"), server, ca_file=authority.ca_file) == "unreachable"
        assert server.asked == []
    with Web(authority.issue(label="unknown")) as server:
        assert outcome(server.url("/"), server) == "unreachable"
        assert server.asked == []


@pytest.mark.parametrize(("number", "code"), [
    (204, "missing"), (206, "missing"), (304, "missing"), (400, "missing"), (401, "missing"), (403, "missing"),
    (404, "missing"), (410, "missing"), (429, "unreachable"), (500, "unreachable"), (503, "unreachable")])
def test_only_a_200_brings_something(there, number, code):
    there.at["/"] = status(number, b"" if number in (204, 304) else b"x" * 100, "WWW-Authenticate: Basic")
    assert outcome(there.url("/"), there) == code
    assert len(there.asked) == 1, "nobody answers a challenge"


def test_everything_that_takes_too_long_ends_in_time(there):
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 4000000\r\n\r\n"
    there.at |= {
        "/silent": lambda sock: there.drip(sock, b"", 0.2), "/headers": lambda sock: there.drip(sock, b"X", 0.05),
        "/body": lambda sock: (sock.sendall(head), there.drip(sock, b"x", 0.05)),
        "/early": lambda sock: (sock.sendall(b"220 mail.corp.example ESMTP\r\n"), there.drip(sock, b"x", 0.05)),
        "/chunks": lambda sock: (sock.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
                                 there.drip(sock, b"1\r\nx\r\n", 0.05)),
        "/slow": slowly(0.4, redirect("/slow2")), "/slow2": slowly(0.4, redirect("/slow3")),
        "/slow3": slowly(0.4, ok(b"late"))}
    for path in ("/silent", "/headers", "/body", "/early", "/chunks", "/slow"):
        began = time.monotonic()
        assert outcome(there.url(path), there, seconds=0.8) == "unreachable", path
        assert time.monotonic() - began < 1.6, path


def test_a_slow_name_server_counts_too(monkeypatch):
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_a, **_k: time.sleep(2) or [])
    began = time.monotonic()
    assert outcome("http://slow.example/", seconds=0.3) == "unreachable"
    assert time.monotonic() - began < 1


def endless(head):
    def give(sock):
        sock.sendall(head)
        while True:
            sock.sendall(b"x" * 65_536)
    return give


def test_everything_that_is_too_much_is_left(there):
    line = b"X-Header: " + b"y" * 1000 + b"\r\n"
    there.at |= {
        "/endless": endless(b"HTTP/1.1 200 OK\r\n\r\n"),
        "/promised": status(200, b"", f"Content-Length: {MOST_BYTES + 1}").replace(b"Content-Length: 0\r\n", b""),
        "/lied": endless(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n"),
        "/headers": b"HTTP/1.1 200 OK\r\n" + line * 60 + b"\r\n", "/line": b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70_000 + b"\r\n\r\n",
        "/continue": b"HTTP/1.1 100 Continue\r\n\r\n" * 10_000, "/many": b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 5_000 + b"\r\n",
        "/chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 1_200_000,
        "/chunk": endless(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1;" + b"y" * 100_000),
    }
    for path in there.at:
        began = time.monotonic()
        assert outcome(there.url(path), there) in ("too_large", "unreachable"), path
        assert time.monotonic() - began < 3, path


@pytest.mark.parametrize("head", [
    b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 6\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n", b"HTTP/1.0 200 OK\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n"])
def test_what_comes_in_pieces_is_put_together(there, head):
    def give(sock):
        for piece in (head, b"ab", b"cd", b"ef"):
            sock.sendall(piece)
            time.sleep(0.05)
    there.at["/"] = give
    assert outcome(there.url("/"), there) == b"abcdef"


def test_the_largest_that_is_taken(there):
    there.at["/most"], there.at["/more"] = ok(b"x" * MOST_BYTES), ok(b"x" * (MOST_BYTES + 1))
    there.at["/closed"] = b"HTTP/1.0 200 OK\r\n\r\n" + b"x" * MOST_BYTES
    assert len(outcome(there.url("/most"), there)) == len(outcome(there.url("/closed"), there)) == MOST_BYTES
    assert outcome(there.url("/more"), there) == "too_large"


def test_half_of_something_is_nothing(there):
    there.at |= {"/length": b"HTTP/1.1 200 OK\r\nContent-Length: 30\r\n\r\nabc", "/empty": b"", "/rubbish": b"\0\1\2\r\n\r\n",
                 "/chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\nabc",
                 "/minus": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-3\r\nabc\r\n0\r\n\r\n",
                 "/version": b"HTTP/9.9 200 OK\r\n\r\nabc", "/banner": b"220 mail ESMTP\r\n"}
    for path in there.at:
        assert outcome(there.url(path), there) == "unreachable", path


def test_what_is_packed_stays_packed(there):
    """We ask for plain bytes, and unpack nothing: a bomb of zeros stays as small as it came."""
    import gzip
    packed = gzip.compress(bytes(4_000_000))
    there.at["/"] = ok(packed, "image/png", "Content-Encoding: gzip")
    assert outcome(there.url("/"), there) == packed


def test_errors_say_nothing_of_what_was_there(there):
    there.at["/"] = status(500, b"secret banner", "Server: secret")
    try:
        get(there.url("/"), Reach(frozenset({there.place})))
    except WebError as error:
        assert (error.args, error.code, error.__cause__) == (("unreachable",), "unreachable", None)
    assert web.HEADERS.keys() == {"User-Agent", "Accept", "Accept-Encoding", "Connection"}
