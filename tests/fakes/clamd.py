"""A clamd that speaks INSTREAM as clamd(8) says: for the tests of who asks it."""

import socketserver
import struct
import threading

EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STANDARD-" + b"ANTIVIRUS-TEST-FILE!$H+H*"


class Clamd:
    """Context manager. `where`: "127.0.0.1:port" or a socket's path. `asked`: every stream that it was given."""

    def __init__(self, path=None, most=25_000_000, answer=None):
        self.asked, self._most, self._answer = [], most, answer
        fake = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self):
                fake._handle(self.rfile, self.wfile)
        kind = socketserver.ThreadingUnixStreamServer if path else socketserver.ThreadingTCPServer
        kind.daemon_threads = True
        self._server = kind(str(path) if path else ("127.0.0.1", 0), Handler)
        self.where = str(path) if path else f"127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_exc):
        self._server.shutdown()
        self._server.server_close()

    def _handle(self, come, go):
        if come.read(10) != b"zINSTREAM\0":
            return go.write(b"UNKNOWN COMMAND\0")
        content = b""
        while length := struct.unpack(">I", come.read(4))[0]:
            content += come.read(length)
            if len(content) > self._most:
                return go.write(b"INSTREAM size limit exceeded. ERROR\0")
        self.asked.append(content)
        if self._answer is not None:
            return go.write(self._answer)
        go.write(b"stream: Win.Test.EICAR_HDB-1 FOUND\0" if EICAR in content else b"stream: OK\0")
        return None
