"""Servers that run beside the program that started them."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

from devstack.ports import LOOPBACK

T = TypeVar("T")
Handle = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Broken(Exception):
    """A connection is to end as if a cable had been cut: what is under way is lost."""


@contextmanager
def listening(handle: Handle, *, port: int = 0) -> Iterator[int]:
    """Serve connections in a thread of their own inside the block, which gets the port."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="proxy", daemon=True)
    thread.start()
    connections: dict[asyncio.Task[Any], asyncio.StreamWriter] = {}

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with suppress(OSError):  # one of the ends is away
                await handle(reader, writer)
        finally:
            writer.close()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = loop.create_task(serve(reader, writer))
        connections[task] = writer
        task.add_done_callback(connections.pop)

    async def stop() -> None:
        server.close()
        open_ones = dict(connections)
        for task, writer in open_ones.items():
            writer.transport.abort()
            task.cancel()
        await asyncio.gather(*open_ones, return_exceptions=True)
        await loop.shutdown_default_executor()
        await asyncio.sleep(0)  # sockets close in the loop's next round

    server = _in(loop, asyncio.start_server(accept, LOOPBACK, port))
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        _in(loop, stop())
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def until_one_ends(
    there: Coroutine[Any, Any, None],
    back: Coroutine[Any, Any, None],
    *writers: asyncio.StreamWriter,
) -> None:
    """Run both directions of a relay until one ends, then close; drop what is under way if broken.

    Raises:
        OSError: one of the ends did not close in order.
    """
    directions = [asyncio.ensure_future(there), asyncio.ensure_future(back)]
    try:
        done, _ = await asyncio.wait(directions, return_when=asyncio.FIRST_COMPLETED)
        for direction in done:
            direction.result()
    except Broken:
        for writer in writers:
            writer.transport.abort()
    finally:
        for direction in directions:
            direction.cancel()
        for writer in writers:
            writer.close()  # before anything is awaited: whoever stops the server may cancel that
        await asyncio.gather(*directions, return_exceptions=True)


def _in(loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run_coroutine_threadsafe(work, loop).result()
