"""Settings: read from the environment, and one sentence for whoever sets one wrong."""

import pytest

from webapp.config import BadSetting, Settings

GOOD = {
    "POSTROOM_UNDO_SECONDS": ("5", "undo_seconds", 5), "POSTROOM_DEMO": ("on", "demo", True),
    "POSTROOM_HTMX_CDN": ("off", "htmx_cdn", False), "POSTROOM_PLAN": ("free", "plan", "free"),
    "DATABASE_URL": (" postgres://u@h/d ", "database", "postgresql+psycopg://u@h/d"),
    "REDIS_URL": ("redis://h", "redis_url", "redis://h"),
}
BAD = {
    "POSTROOM_UNDO_SECONDS": ["soon", "-1", "²", ""], "POSTROOM_DEMO": ["maybe"], "POSTROOM_PLAN": ["gold"],
    "POSTROOM_DEFAULT_LANGUAGE": ["de"], "POSTROOM_DEFAULT_TIME_ZONE": ["Mars/Base"], "POSTROOM_LOG_LEVEL": ["LOUD"],
    "POSTROOM_MAIL_EXTRA_PORTS": ["0", "70000", "imap"], "POSTROOM_MAIL_LOOPBACK": ["127.0.0.1", "localhost:993", ":1"],
    "POSTROOM_MAIL_CA_FILE": ["/nowhere/ca.pem"], "POSTROOM_CLAMD": ["clamd", "host:", ":3310", "host:99999"],
    "POSTROOM_CLAMD_AWAY": ["maybe"],
    "POSTROOM_MAIL_SERVERS": ["corp.example", "corp.example=imap:993:tls", "corp.example=imap:993:plain,smtp:465:tls",
                              "corp.example=imap:x:tls,smtp:465:tls"],
}


@pytest.mark.parametrize("name", GOOD)
def test_a_setting_is_read_with_its_type(name):
    text, field, value = GOOD[name]
    assert getattr(Settings.from_env({name: text}), field) == value


@pytest.mark.parametrize(("name", "text"), [(n, t) for n, texts in BAD.items() for t in texts])
def test_a_bad_value_gets_one_sentence_that_names_the_variable_and_the_way_out(name, text):
    with pytest.raises(BadSetting) as bad:
        Settings.from_env({name: text})
    assert name in str(bad.value)
    assert "\n" not in str(bad.value)


def test_nothing_set_is_fine_and_secrets_are_no_settings():
    settings = Settings.from_env({})
    assert settings.database.startswith("sqlite:///")
    assert (settings.inbox_limit, settings.policy().loopback) == (None, frozenset())


def test_servers_of_own_domains_and_policy_are_what_was_written():
    settings = Settings(mail_servers="Corp.Example=imap.corp.example:993:tls,smtp.corp.example:587:starttls; ",
                        mail_loopback="127.0.0.1:1993, 127.0.0.1:2465", mail_private_hosts="10.0.0.0/8 mail.corp.example")
    assert settings.mail_presets() == {"corp.example": (("imap.corp.example", 993, "tls"),
                                                        ("smtp.corp.example", 587, "starttls"))}
    assert settings.policy().loopback == {("127.0.0.1", 1993), ("127.0.0.1", 2465)}
    assert settings.policy().private == ("10.0.0.0/8", "mail.corp.example")


def test_keys_are_made_once_for_the_owner_alone_and_never_replaced(app, tmp_path):
    from webapp import create_app
    folder = tmp_path / "a b"
    create_app(Settings(data_dir=str(folder)))
    before = {p.name: (p.read_bytes(), p.stat().st_mode & 0o777) for p in folder.glob("secret.*")}
    assert {mode for _bytes, mode in before.values()} == {0o600}
    create_app(Settings(data_dir=str(folder)))
    assert {p.name: (p.read_bytes(), p.stat().st_mode & 0o777) for p in folder.glob("secret.*")} == before


def test_a_slash_at_the_end_of_the_address_is_no_part_of_links_and_origins():
    assert Settings(base_url="https://mail.corp.example/").base_url == "https://mail.corp.example"
