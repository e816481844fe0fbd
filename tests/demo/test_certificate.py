"""The demo's own authority: kept, renewed in time, trusted as long as it stays."""

import datetime as dt
import ssl
import stat

from cryptography import x509

from webapp.demo.certificate import tls_context

NOW = dt.datetime(2026, 6, 1, tzinfo=dt.UTC)


def serials(folder):
    return [x509.load_pem_x509_certificate((folder / name).read_bytes()).serial_number
            for name in ("ca.pem", "server.pem")]


def test_a_second_start_keeps_both_certificates(tmp_path):
    tls_context(tmp_path, NOW)
    before = serials(tmp_path)
    tls_context(tmp_path, NOW + dt.timedelta(days=300))
    assert serials(tmp_path) == before


def test_the_server_certificate_is_renewed_before_it_ends_by_the_same_authority(tmp_path):
    tls_context(tmp_path, NOW)
    authority, server = serials(tmp_path)
    tls_context(tmp_path, NOW + dt.timedelta(days=340))
    assert serials(tmp_path)[0] == authority
    assert serials(tmp_path)[1] != server


def test_a_damaged_file_is_made_anew(tmp_path):
    tls_context(tmp_path)
    before = serials(tmp_path)
    (tmp_path / "ca-key.pem").write_text("half a k")
    tls_context(tmp_path)
    assert serials(tmp_path)[0] != before[0]
    ssl.create_default_context(cafile=tmp_path / "ca.pem")


def test_keys_are_for_their_owner_only(tmp_path):
    tls_context(tmp_path)
    for name in ("ca-key.pem", "server-key.pem"):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
