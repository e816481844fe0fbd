"""Which hosts may be reached: every address is judged, in every disguise, and that very address is connected to."""

import socket

import pytest

from webapp.mail import connect
from webapp.mail.connect import check_host, classify_address, clean, open_socket, plain_host, tls_context
from webapp.mail.types import Endpoint, MailError, Policy

from .conftest import cases

ROWS = cases("ssrf-targets")


@pytest.fixture
def names(monkeypatch):
    """name -> addresses, for getaddrinfo; whatever is not in it goes to the system when numeric, else is unknown."""
    table: dict[str, list[str]] = {}
    real = socket.getaddrinfo

    def resolve(host, port, *args, **kwargs):
        if host in table:
            return [
                (socket.AF_INET6 if ":" in a else socket.AF_INET, socket.SOCK_STREAM, 6, "", (a, port))
                for a in table[host]
            ]
        if any(c.isdigit() for c in host) and not any(c in "ghijklmnopqrstuvwyz" for c in host.lower()) or ":" in host:
            return real(host, port, *args, **kwargs)
        raise socket.gaierror("unknown")

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    return table


def verdict(host, policy=None, port=993) -> str:
    try:
        check_host(Endpoint(host, port, "tls"), policy or Policy())
    except MailError as error:
        return error.code
    return "allowed"


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("8.8.8.8", "public"),
        ("2001:470::76:0:0:0:2", "public"),
        ("::ffff:8.8.8.8", "public"),
        ("64:ff9b::808:808", "public"),
        ("10.0.0.5", "private"),
        ("172.31.255.254", "private"),
        ("192.168.1.1", "private"),
        ("fc00::1", "private"),
        ("127.0.0.1", "loopback"),
        ("127.127.127.127", "loopback"),
        ("::1", "loopback"),
        ("0.0.0.0", "forbidden"),
        ("::", "forbidden"),
        ("169.254.169.254", "forbidden"),
        ("fe80::1", "forbidden"),
        ("fe80::1%eth0", "forbidden"),
        ("ff02::1", "forbidden"),
        ("224.0.0.1", "forbidden"),
        ("255.255.255.255", "forbidden"),
        ("100.64.0.1", "forbidden"),
        ("192.0.2.1", "forbidden"),
        ("198.18.0.1", "forbidden"),
        ("240.0.0.1", "forbidden"),
        ("2001:db8::1", "forbidden"),
        ("100::1", "forbidden"),
        ("192.88.99.1", "forbidden"),
        ("fd00:ec2::254", "forbidden"),
        ("fec0::1", "forbidden"),
        ("::ffff:127.0.0.1", "forbidden"),
        ("::ffff:10.0.0.1", "forbidden"),
        ("::127.0.0.1", "forbidden"),
        ("64:ff9b::7f00:1", "forbidden"),
        ("64:ff9b::a9fe:a9fe", "forbidden"),
        ("64:ff9b:1::1", "forbidden"),
        ("2002:7f00:1::", "forbidden"),
        ("2002:808:808::", "forbidden"),
        ("2001::1", "forbidden"),
        ("::ffff:0:127.0.0.1", "forbidden"),
        ("4000::1", "forbidden"),
        ("8000::1", "forbidden"),
        ("::2:3:4", "forbidden"),
        ("168.63.129.16", "forbidden"),
        ("168.63.129.17", "public"),
    ],
)
def test_an_address_has_one_class(address, kind):
    assert classify_address(address) == kind


@pytest.mark.skipif(not ROWS, reason="the hostile-input files are not here")
def test_all_known_disguises_of_inner_hosts_are_refused(names):
    names |= {
        "rebind.test": ["8.8.8.8", "127.0.0.1"],
        "metadata.google.internal": ["169.254.169.254"],
        "imap.example.com": ["93.184.216.34"],
        "instance-data": ["169.254.169.254"],
        "mail.corp.internal": ["10.1.2.3"],
        "mx.local": ["192.168.0.9"],
        "localhost": ["127.0.0.1", "::1"],
        "localhost.": ["127.0.0.1"],
        "ip6-localhost": ["::1"],
        "127.0.0.1.nip.io": ["127.0.0.1"],
        "7f000001.nip.io": ["127.0.0.1"],
        "127-0-0-1.sslip.io": ["127.0.0.1"],
        "169.254.169.254.nip.io": ["169.254.169.254"],
    }
    for row in ROWS:
        if "host" in row:
            expected = {"allowed"} if row["class"] == "public" else {"not_allowed", "host_unknown"}
            assert verdict(row["host"]) in expected, row
        elif "port" in row:
            allowed = row["port"] in (25, 143, 465, 587, 993, 2525)
            assert verdict("imap.example.com", port=row["port"]) == ("allowed" if allowed else "not_allowed"), row


def test_private_hosts_need_the_admins_word(names):
    names["mail.corp.example"] = ["10.1.2.3"]
    assert verdict("mail.corp.example") == "not_allowed"
    assert verdict("MAIL.corp.example.", Policy(private=("10.0.0.0/8",))) == "host_unknown"  # not in the table: no DNS
    assert verdict("mail.corp.example", Policy(private=("10.0.0.0/8",))) == "allowed"
    assert verdict("mail.corp.example", Policy(private=("10.1.2.3",))) == "allowed"
    assert verdict("mail.corp.example", Policy(private=("Mail.Corp.example",))) == "allowed"
    assert verdict("mail.corp.example", Policy(private=("192.168.0.0/16",))) == "not_allowed"


def test_a_listed_name_still_may_not_point_at_loopback_or_metadata(names):
    for address in ("127.0.0.1", "169.254.169.254", "::ffff:10.0.0.1"):
        names["mail.corp.example"] = [address]
        policy = Policy(private=("mail.corp.example", "0.0.0.0/0", "::/0"))
        assert verdict("mail.corp.example", policy) == "not_allowed"


def test_one_bad_address_forbids_the_whole_host(names):
    for other in ("10.0.0.1", "127.0.0.1", "169.254.169.254"):
        names["two.example"] = ["8.8.8.8", other]
        assert verdict("two.example") == "not_allowed"


def test_loopback_is_listed_by_exact_address_and_port(names):
    names["localhost"] = ["::1", "127.0.0.1"]
    policy = Policy(loopback=frozenset({("127.0.0.1", 14993)}))
    assert verdict("localhost", policy, 14993) == verdict("127.0.0.1", policy, 14993) == "allowed"
    assert verdict("127.0.0.1", policy, 993) == verdict("127.0.0.2", policy, 14993) == "not_allowed"
    names["far.example"] = ["8.8.8.8"]
    assert verdict("far.example", policy, 14993) == "not_allowed"  # that port is open for loopback alone


@pytest.mark.parametrize(
    "host",
    [
        "",
        " ",
        "a b",
        "a..b",
        "a@b",
        "a/b",
        "a%00b",
        "a:1",
        "[zz::]",
        "a\r\nb",
        "a#b",
        "-",
        "." * 5,
        "a" * 300,
        "xn--" + "ż" * 300,
    ],
)
def test_what_is_no_host_is_unknown(host):
    assert verdict(host) == "host_unknown"


def test_hosts_are_written_as_dns_wants_them():
    assert plain_host(" Poczta.Łódź.example ") == "poczta.xn--d-uga0v7o.example".replace(
        "xn--d-uga0v7o", plain_host("łódź")
    )
    assert plain_host("łódź").startswith("xn--") and plain_host("[2001:DB8::1]") == "2001:db8::1"
    assert plain_host("①②⑦.0.0.1") == "127.0.0.1"


def test_the_tested_address_is_the_one_connected_to(names, monkeypatch):
    """A name that answers differently the second time (DNS rebinding) gains nothing."""
    asked = []
    real = socket.getaddrinfo

    def rebinding(host, port, *args, **kwargs):
        if host != "rebind.example":
            return real(host, port, *args, **kwargs)
        asked.append(host)
        address = "8.8.8.8" if len(asked) == 1 else "127.0.0.1"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    reached = []
    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    monkeypatch.setattr(
        socket,
        "create_connection",
        lambda address, timeout: reached.append(address) or (_ for _ in ()).throw(TimeoutError()),
    )
    with pytest.raises(MailError):
        open_socket(Endpoint("rebind.example", 993, "tls"), Policy())
    assert reached == [("8.8.8.8", 993)] and asked == ["rebind.example"]


def test_nothing_is_connected_to_when_the_policy_says_no(monkeypatch):
    monkeypatch.setattr(socket, "create_connection", lambda *a, **k: pytest.fail("connected"))
    with pytest.raises(MailError) as caught:
        open_socket(Endpoint("127.0.0.1", 993, "tls"), Policy())
    assert caught.value.code == "not_allowed" and caught.value.facts == {"host": "127.0.0.1", "port": 993}


def test_a_closed_port_is_refused(authority):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with pytest.raises(MailError) as caught:
        open_socket(Endpoint("127.0.0.1", port, "tls"), Policy(loopback=frozenset({("127.0.0.1", port)})))
    assert caught.value.code == "refused" and caught.value.temporary


def test_a_slow_name_server_does_not_hold_us(monkeypatch):
    import time

    monkeypatch.setattr(socket, "getaddrinfo", lambda *a, **k: time.sleep(1) or [])
    with pytest.raises(MailError) as caught:
        check_host(Endpoint("slow.example", 993, "tls"), Policy(connect_seconds=0.1))
    assert caught.value.code == "timed_out"


def test_contexts_are_shared_and_demand_tls_1_2(authority):
    context = tls_context(authority.ca_file)
    assert context is tls_context(authority.ca_file) is not tls_context(None)
    assert context.minimum_version == connect.ssl.TLSVersion.TLSv1_2
    assert context.check_hostname and context.verify_mode == connect.ssl.CERT_REQUIRED


def test_strangers_words_are_made_harmless():
    assert clean(b"a\r\nb\x1b[0m\xff") == "a b [0m\N{REPLACEMENT CHARACTER}"
    assert len(clean("x" * 1000)) == 200
