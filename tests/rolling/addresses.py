"""What other services call in production: one address for all processes of a service."""

import asyncio
import itertools
from collections.abc import Iterator
from contextlib import contextmanager

from chaos.listening import listening, until_one_ends
from devstack.ports import LOOPBACK

_CHUNK = 1 << 16


class Address:
    """Passes each new connection on to one of the processes, as a Service of Kubernetes does.

    Connections that are open stay where they are, whoever is listed meanwhile.
    """

    def __init__(self, port: int) -> None:
        self._ports: tuple[int, ...] = (port,)
        self._turns = itertools.count()
        self.url = ""

    def stand_for(self, *ports: int) -> None:
        """Pass connections on to these from now on."""
        self._ports = ports

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Be reached at `url` inside the block."""
        with listening(self._relay) as port:
            self.url = f"http://{LOOPBACK}:{port}"
            yield

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ports = self._ports
        port = ports[next(self._turns) % len(ports)]
        upstream, to_upstream = await asyncio.open_connection(LOOPBACK, port)
        await until_one_ends(
            _pass_on(reader, to_upstream), _pass_on(upstream, writer), writer, to_upstream
        )


async def _pass_on(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    while chunk := await source.read(_CHUNK):
        target.write(chunk)
        await target.drain()
