"""Passwords of mail servers at rest: AES-256-GCM, bound to table, row and column, key outside the database.

Layout: 1 byte version, 4 bytes key id, 12 bytes nonce, ciphertext with tag. A ciphertext copied to another row or
column does not open. The key file lies in the data folder, mode 600: one `id hex` a line, the last one encrypts.
"""

import contextlib
import os
import secrets
import tempfile
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from flask import current_app

VERSION = b"\x01"
SETUP = "secret.setup"


class SecretLost(Exception):
    """The key that this secret was written with is not in the key file, or the bytes were tampered with."""


def seal(plain: str, table: str, row: int, column: str) -> bytes:
    keys = _keys()
    key_id, key = list(keys.items())[-1]
    nonce = os.urandom(12)
    return VERSION + key_id + nonce + AESGCM(key).encrypt(nonce, plain.encode(), _bound_to(table, row, column))


def unseal(sealed: bytes, table: str, row: int, column: str) -> str:
    key = _keys().get(sealed[1:5])
    if sealed[:1] != VERSION or key is None or len(sealed) < 33:
        raise SecretLost(f"{table} {row}: unknown key")
    try:
        return AESGCM(key).decrypt(sealed[5:17], sealed[17:], _bound_to(table, row, column)).decode()
    except InvalidTag:
        raise SecretLost(f"{table} {row}: does not open") from None


def ensure_keys(folder: Path):
    """Make the key file at first run. Never replaces one."""
    make_once(folder / "secret.keys", f"{secrets.token_hex(4)} {secrets.token_hex(32)}\n")


def ensure_setup_code(folder: Path) -> str:
    """While nobody is in: who types this code looks after the server, and may become the first admin."""
    make_once(folder / SETUP, secrets.token_hex(10) + "\n")
    return (folder / SETUP).read_text().strip()


def forget_setup_code(folder: Path):
    (folder / SETUP).unlink(missing_ok=True)


def make_once(path: Path, content: str):
    """Write a key file, mode 600, unless it is there. Whole or not at all, whoever else starts and whenever the power
    goes; one that was left empty by an older start never held a key."""
    if path.exists() and path.stat().st_size:
        return
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    with os.fdopen(handle, "w") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    if path.exists() and not path.stat().st_size:
        path.unlink(missing_ok=True)
    with contextlib.suppress(FileExistsError):      # another process was faster: its key counts
        os.link(name, path)
    os.unlink(name)
    folder = os.open(path.parent, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)


def _keys():
    if "postroom_keys" not in current_app.extensions:
        path = current_app.config["SETTINGS"].folder / "secret.keys"
        pairs = [line.split() for line in path.read_text().splitlines() if line.strip()]
        current_app.extensions["postroom_keys"] = {bytes.fromhex(i): bytes.fromhex(k) for i, k in pairs}
    return current_app.extensions["postroom_keys"]


def _bound_to(table, row, column):
    return f"{table}|{row}|{column}|1".encode()
