"""Listens for IMAP over TLS on loopback and runs one Session for each connection."""

import asyncio
import contextlib
import ssl
from collections.abc import Mapping

from webapp.demo.imap.session import Session
from webapp.demo.imap.wire import TooLong
from webapp.demo.mailstore import MailStore

LINE_BUFFER = 65_536


class ImapServer:
    def __init__(self, store: MailStore, passwords: Mapping[str, str], tls: ssl.SSLContext):
        self._store, self._passwords, self._tls = store, passwords, tls
        self._server: asyncio.Server | None = None
        self._sessions: dict[asyncio.Task, Session] = {}

    async def start(self, host: str, port: int) -> int:
        """The port it listens on (port 0 takes a free one). Raises OSError when the port is taken."""
        self._server = await asyncio.start_server(self._connected, host, port, ssl=self._tls, limit=LINE_BUFFER,
                                                  ssl_handshake_timeout=10, ssl_shutdown_timeout=1)
        return self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Says BYE to everybody and closes. Connected clients do not hold it up."""
        self._server.close()
        for task, session in list(self._sessions.items()):
            with contextlib.suppress(OSError, RuntimeError):
                session.bye("the demo is stopping")
            task.cancel()
        await asyncio.gather(*self._sessions, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        session = Session(self._store, self._passwords, reader, writer)
        task = asyncio.current_task()
        self._sessions[task] = session
        try:
            await session.run()
        except (OSError, EOFError, TooLong, asyncio.CancelledError):
            pass  # the client is gone, or the server is stopping: both are an ordinary end
        finally:
            del self._sessions[task]
            session.close()
            writer.close()
