"""A web server of strangers, on loopback: it answers as it is told, and keeps every byte that it was sent."""

import contextlib
import socket
import ssl
import threading
import time

ENDED = (OSError, ssl.SSLError)


class Web:
    """Context manager. `at[path]` is what is sent for a path (without its query): bytes of a whole answer, or a function
    of the socket; others get 404. `asked`: (path, the request as it came), in order. `url(path)`: where it is.

    With `pair` (servers.ca.Pair) it speaks TLS. `busiest`: most connections at one time."""

    def __init__(self, pair=None):
        self.at, self.asked, self.busiest = {}, [], 0
        self._context = None
        if pair:
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._context.load_cert_chain(pair.cert, pair.key)
        self._open, self._lock, self._over = set(), threading.Lock(), threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=200)
        self.port = self._listener.getsockname()[1]

    def __enter__(self):
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_exc):
        self._over.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            for sock in self._open:
                with contextlib.suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)

    def url(self, path="/", host="127.0.0.1"):
        return f"{'https' if self._context else 'http'}://{host}:{self.port}{path}"

    @property
    def place(self):
        """(address, port) for Reach.loopback."""
        return "127.0.0.1", self.port

    @property
    def paths(self):
        return [path for path, _request in self.asked]

    def drip(self, sock, piece, seconds):
        """One piece each `seconds`, until somebody hangs up."""
        while not self._over.wait(seconds):
            sock.sendall(piece)

    def _accept(self):
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, plain):
        sock = plain
        try:
            plain.settimeout(30)
            if self._context:
                sock = self._context.wrap_socket(plain, server_side=True)
            with self._lock:
                self._open.add(sock)
                self.busiest = max(self.busiest, len(self._open))
            request = b""
            while b"\r\n\r\n" not in request and (more := sock.recv(65536)):
                request += more
            path = request.split(b" ")[1].decode().partition("?")[0] if b" " in request else ""
            self.asked.append((path, request))
            answer = self.at.get(path, status(404))
            if callable(answer):
                answer(sock)
            else:
                sock.sendall(answer)
        except ENDED:
            pass
        finally:
            with self._lock:
                self._open.discard(sock)
            with contextlib.suppress(*ENDED):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()


def ok(body, content_type="image/png", *more):
    """200 with these bytes; `more`: further header lines."""
    return status(200, body, f"Content-Type: {content_type}", *more)


def status(number, body=b"", *lines):
    head = "".join(f"{line}\r\n" for line in (f"HTTP/1.1 {number} Whatever", f"Content-Length: {len(body)}", *lines))
    return head.encode() + b"\r\n" + body


def redirect(to, number=302):
    return status(number, b"", f"Location: {to}")


def slowly(seconds, answer):
    """This answer, after a while."""
    def give(sock):
        time.sleep(seconds)
        sock.sendall(answer)
    return give
