"""A TCP proxy that misbehaves: cuts after so many bytes, delays, or swallows everything."""

import contextlib
import socket
import threading
import time


class FaultProxy:
    """Context manager in front of (host, port); connect to ("127.0.0.1", proxy.port).

    Knobs, for connections made from then on unless said otherwise:
    `cut_after` bytes from the server, then both sides are reset (None: never); `delay` seconds before each piece
    from the server; `black_hole`: accept and say nothing; `cut()`: reset all open connections now.
    Counters: `connections`, `from_server`, `from_client` (bytes).
    """

    def __init__(self, port: int, host: str = "127.0.0.1"):
        self._target = (host, port)
        self.cut_after: int | None = None
        self.delay = 0.0
        self.black_hole = False
        self.connections = self.from_server = self.from_client = 0
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]

    def __enter__(self) -> "FaultProxy":
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *exc) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()

    def cut(self) -> None:
        """Reset every open connection, in the middle of whatever it does."""
        with self._lock:
            sockets, self._open = self._open, set()
        for sock in sockets:
            _reset(sock)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            with self._lock:
                self._open.add(client)
            if not self.black_hole:
                threading.Thread(target=self._join, args=(client,), daemon=True).start()

    def _join(self, client: socket.socket) -> None:
        try:
            server = socket.create_connection(self._target, 10)
            server.settimeout(None)
        except OSError:
            _reset(client)
            return
        with self._lock:
            self._open.add(server)
        threading.Thread(target=self._from_client, args=(client, server), daemon=True).start()
        self._from_server(server, client, self.cut_after)

    def _from_client(self, client: socket.socket, server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := client.recv(65536):
                self.from_client += len(data)
                server.sendall(data)
        with contextlib.suppress(OSError):
            server.shutdown(socket.SHUT_WR)

    def _from_server(self, server: socket.socket, client: socket.socket, left: int | None) -> None:
        with contextlib.suppress(OSError):
            while data := server.recv(65536):
                if self.delay:
                    time.sleep(self.delay)
                if left is not None:
                    data, left = data[:left], left - len(data)
                client.sendall(data)
                self.from_server += len(data)
                if left is not None and left <= 0:
                    time.sleep(0.05)  # let the client read what it was given before the reset throws it away
                    _reset(client)
                    _reset(server)
                    return
        with contextlib.suppress(OSError):
            client.shutdown(socket.SHUT_WR)


def _reset(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):
        # shutdown wakes a thread that sits in recv; close alone does not.
        sock.shutdown(socket.SHUT_RDWR)
    with contextlib.suppress(OSError):
        sock.close()
