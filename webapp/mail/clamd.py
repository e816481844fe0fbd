"""A virus scanner asked over its socket: clamd's INSTREAM command (clamd(8)), bytes in, a verdict out.

Nothing is written to a disk, and clamd never learns a file's name.
"""

import re
import socket
import struct
from collections.abc import Iterable
from typing import NamedTuple

CONNECT_SECONDS, SECONDS = 5.0, 60.0     # the second: for each word of the conversation, a large file is looked at long
MAX_ANSWER = 4_096
MAX_NAME = 200
_FOUND = re.compile(r"stream: (.{1,2000}) FOUND")


class Away(Exception):
    """The scanner does not answer, or not in its language."""


class Verdict(NamedTuple):
    state: str          # clean | infected | too_large (for clamd's own StreamMaxLength)
    name: str = ""      # what it is infected with, in the scanner's words


def place(text: str):
    """Where clamd listens: a path ("/run/clamav/clamd.ctl") or (host, port) of "host:port". ValueError for others."""
    if text.startswith("/"):
        return text
    host, colon, port = text.rpartition(":")
    if not colon or not host or not (port.isascii() and port.isdigit()) or not 0 < int(port) < 65536:
        raise ValueError(text)
    return host.strip("[]"), int(port)


def scan(where, pieces: Iterable[bytes]) -> Verdict:
    """What clamd says of these bytes. Raises Away."""
    try:
        with _connected(where) as sock:
            return _verdict(_ask(sock, pieces))
    except OSError as error:
        raise Away(str(error)) from error


def _connected(where):
    if isinstance(where, str):
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            sock.settimeout(CONNECT_SECONDS)
            sock.connect(where)
        except BaseException:
            sock.close()
            raise
    else:
        sock = socket.create_connection(where, CONNECT_SECONDS)
    sock.settimeout(SECONDS)
    return sock


def _ask(sock, pieces):
    """clamd closes in the middle when a stream is too long for it: its answer is there to be read all the same."""
    try:
        sock.sendall(b"zINSTREAM\0")
        for piece in pieces:
            if piece:
                sock.sendall(struct.pack(">I", len(piece)) + piece)
        sock.sendall(struct.pack(">I", 0))
    except (BrokenPipeError, ConnectionResetError):
        pass
    answer = b""
    while b"\0" not in answer and len(answer) < MAX_ANSWER:
        more = sock.recv(MAX_ANSWER)
        if not more:
            break
        answer += more
    return answer.partition(b"\0")[0].decode("utf-8", "replace").strip()


def _verdict(answer):
    if answer == "stream: OK":
        return Verdict("clean")
    if match := _FOUND.fullmatch(answer):
        return Verdict("infected", "".join(c for c in match[1] if c.isprintable())[:MAX_NAME])
    if answer.startswith("INSTREAM size limit exceeded"):
        return Verdict("too_large")
    raise Away(f"answered {answer[:100]!r}")
