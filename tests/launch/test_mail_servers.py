"""The demo's mail servers: two installations on one machine, and ports that stay."""

import socket

import pytest

from webapp.config import Settings
from webapp.demo.people import DOMAIN
from webapp.launch import mail_servers


@pytest.fixture
def usual(monkeypatch):
    """The usual ports, free here and now whatever else runs on this machine."""
    with socket.socket() as one, socket.socket() as two:
        one.bind(("127.0.0.1", 0))
        two.bind(("127.0.0.1", 0))
        pair = one.getsockname()[1], two.getsockname()[1]
    monkeypatch.setattr(mail_servers, "_usual", lambda: pair)
    return pair


def taken(port):
    other = socket.socket()
    other.bind(("127.0.0.1", port))
    other.listen()
    return other


def test_the_usual_ports_need_no_word_to_the_product(tmp_path, usual):
    assert mail_servers.choose(tmp_path) == usual
    assert mail_servers.addresses(*usual) == {}


def test_a_second_installation_takes_others_and_keeps_them(tmp_path, usual):
    with taken(usual[0]):
        imap, smtp = mail_servers.choose(tmp_path)
        assert imap != usual[0]
        assert smtp == usual[1]
    assert mail_servers.choose(tmp_path) == (imap, smtp)  # though the usual one is free again


def test_the_product_is_told_where_they_are(tmp_path, usual):
    environ = mail_servers.addresses(20993, 20465)
    settings = Settings.from_env({**environ, "POSTROOM_DEMO": "1", "POSTROOM_DATA_DIR": str(tmp_path)})
    assert settings.mail_presets()[DOMAIN][0][1] == 20993
    assert settings.policy().loopback == frozenset({("127.0.0.1", 20993), ("127.0.0.1", 20465)})


def test_a_port_that_was_taken_since_gives_one_sentence(tmp_path, usual):
    mail_servers.choose(tmp_path)
    with taken(usual[1]), pytest.raises(mail_servers.NoPorts, match=f"Port {usual[1]} .* run --no-demo"):
        mail_servers.choose(tmp_path)


@pytest.mark.parametrize("text", ["", "[1]", "{}", "null"])
def test_a_damaged_note_is_made_anew(tmp_path, usual, text):
    (tmp_path / mail_servers.NOTE).write_text(text)
    assert mail_servers.choose(tmp_path) == usual
