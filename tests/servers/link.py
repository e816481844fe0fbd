"""A long thin wire in front of a server: a round-trip time and a bandwidth for each connection."""

import asyncio
import contextlib
import threading


class Link:
    """Context manager in front of (127.0.0.1, port); connect to ("127.0.0.1", link.port).

    Half of `rtt` seconds is added each way; `rate` bytes a second hold for each direction of each connection. TCP's own
    slow start is not modelled. `turns`: how many times a client spoke after it had heard something, or first: each
    costs a round trip, those of TCP and TLS included in so far as they carry bytes. `from_server`: bytes.
    """

    def __init__(self, port: int, rtt: float = 0.04, rate: float = 12_500_000):
        self._target, self._delay, self._rate = port, rtt / 2, rate
        self.rtt, self.rate = rtt, rate
        self.turns = self.from_server = 0
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "Link":
        self._thread.start()
        self._ready.wait(5)
        return self

    def __exit__(self, *exc) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._join, "127.0.0.1", 0))
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()
        server.close()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0))

    async def _join(self, reader, writer) -> None:
        await asyncio.sleep(self._delay * 2)      # TCP's own greeting
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
        heard = [True]
        await asyncio.gather(self._relay(reader, far_writer, heard, True), self._relay(far_reader, writer, heard, False))

    async def _relay(self, reader, writer, heard, is_client) -> None:
        """Each piece is given on half an rtt after it came, and no faster than the rate."""
        queue = asyncio.Queue(maxsize=256)
        pump = asyncio.create_task(self._pump(reader, queue, heard, is_client))
        try:
            while True:
                due, piece = await queue.get()
                if (wait := due - self._loop.time()) > 0:
                    await asyncio.sleep(wait)
                if not piece:
                    return
                writer.write(piece)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            pump.cancel()
            writer.close()

    async def _pump(self, reader, queue, heard, is_client) -> None:
        free = 0.0
        with contextlib.suppress(ConnectionError):
            while piece := await reader.read(16_384):
                if is_client:
                    self.turns += heard[0]
                else:
                    self.from_server += len(piece)
                heard[0] = not is_client
                free = max(free, self._loop.time()) + len(piece) / self._rate
                await queue.put((free + self._delay, piece))
        await queue.put((self._loop.time() + self._delay, b""))
