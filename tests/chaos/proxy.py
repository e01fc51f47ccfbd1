"""A wire between the run's processes and a shared server, which can be cut.

The server itself is never touched: other people use it.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

HOST = "127.0.0.1"
CHUNK = 65536


class Proxy:
    """Carries bytes between a port of its own and `target_port`, both on this machine."""

    def __init__(self, target_port: int) -> None:
        self.port = 0
        self._target = target_port
        self._down_until = 0.0
        self._writers: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="chaos-proxy", daemon=True)

    def cut(self, seconds: float) -> None:
        """Break every connection, and take no other for so long."""
        self._down_until = time.monotonic() + seconds
        self._loop.call_soon_threadsafe(self._break_all)

    def start(self) -> None:
        """Listen; return when the port is known."""
        self._thread.start()
        self._ready.wait()

    def stop(self) -> None:
        """Break everything and listen no more."""
        self.cut(3600)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._carry, HOST, 0))
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()
        server.close()
        self._end_tasks()
        self._loop.close()

    def _end_tasks(self) -> None:
        tasks = asyncio.all_tasks(self._loop)
        for task in tasks:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))

    def _break_all(self) -> None:
        for writer in list(self._writers):
            writer.transport.abort()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if time.monotonic() < self._down_until:
            writer.transport.abort()
            return
        with suppress(OSError, asyncio.CancelledError):
            there, back = await asyncio.open_connection(HOST, self._target)
            await asyncio.gather(self._pump(reader, back), self._pump(there, writer))

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            while content := await reader.read(CHUNK):
                writer.write(content)
                await writer.drain()
        except OSError:
            pass  # one end is gone, and then the other goes as well
        finally:
            self._writers.discard(writer)
            writer.close()


@contextmanager
def proxy_to(port: int) -> Iterator[Proxy]:
    """Yield a running proxy to a port of this machine."""
    proxy = Proxy(port)
    proxy.start()
    try:
        yield proxy
    finally:
        proxy.stop()
