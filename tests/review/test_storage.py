"""What a mail brings along must never stand in for another mail, and keys survive a power cut."""

import base64
import hashlib

import pytest
from mailroom import arrive, connected, letter, stored

from webapp.models import Message
from webapp.models.secret import ensure_keys


@pytest.mark.parametrize("attached_first", [False, True], ids=["the mail first", "the attachment first"])
def test_a_mail_and_the_same_mail_attached_to_another_are_both_kept(app, team, attached_first):
    """Somebody downloads the original and sends it along: its bytes are a mail here and an attachment there."""
    original = letter(text="\r\n".join(f"line {n} of a longer letter" for n in range(400)))
    encoded = base64.encodebytes(original).replace(b"\n", b"\r\n")
    around = (b"From: Anna Nowak <anna@customer.example>\r\nTo: support@corp.example\r\nSubject: see attached\r\n"
              b"Content-Type: application/octet-stream; name=original.eml\r\n"
              b"Content-Transfer-Encoding: base64\r\n\r\n" + encoded)
    box = connected()
    arrive(box, *((around, original) if attached_first else (original, around)))
    for message in stored(Message):
        raw = app.extensions["blobs"].get_raw(message.raw_sha256)
        assert hashlib.sha256(raw).hexdigest() == message.raw_sha256


def test_a_key_file_that_a_power_cut_left_empty_is_made_anew(tmp_path):
    """Nothing can have been sealed with a key that was never written."""
    (tmp_path / "secret.keys").touch(0o600)
    ensure_keys(tmp_path)
    assert len((tmp_path / "secret.keys").read_text().split()) == 2


def test_the_cookie_key_is_never_empty(tmp_path):
    from webapp import _app_secret
    path = tmp_path / "secret.app"
    path.touch(0o600)
    assert len(_app_secret(path)) == 64
    assert _app_secret(path) == _app_secret(path)
    assert path.stat().st_mode & 0o077 == 0
