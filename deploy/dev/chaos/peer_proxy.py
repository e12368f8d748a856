"""A proxy in front of a service that can be slow, cut requests off, or lose answers."""

import asyncio
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum

from chaos.listening import Broken, listening, until_one_ends
from devstack.ports import LOOPBACK

_CHUNK = 1 << 16
_REQUEST = re.compile(rb"([A-Z]+ \S+) HTTP/1\.1\r\n")


class Mishap(Enum):
    """What happens to a request."""

    DELAY = "delay"  # it arrives late
    CUT = "cut"  # it never arrives, and the connection ends
    LOSE_REPLY = "lose reply"  # it takes effect, and the connection ends without an answer


@dataclass(frozen=True, slots=True)
class PeerFault:
    """What happens to requests that begin like this: a pattern for `POST /internal/…`."""

    requests: str
    mishap: Mishap
    times: int = 1
    seconds: float = 0.0  # of a delay


class PeerFaults:
    """Says which requests are struck. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._fault: PeerFault | None = None
        self._left = 0
        self._struck = 0

    def begin(self, fault: PeerFault | None = None) -> None:
        """Have this happen from now on, instead of what was to happen before."""
        with self._lock:
            self._fault = fault
            self._left = fault.times if fault else 0
            self._struck = 0

    @property
    def struck(self) -> int:
        """How many requests were struck since `begin`."""
        with self._lock:
            return self._struck

    def judge(self, request: str) -> PeerFault | None:
        """Return what is to happen to a request, given as method and target."""
        with self._lock:
            if not self._fault or not self._left or not re.match(self._fault.requests, request):
                return None
            self._left -= 1
            self._struck += 1
            return self._fault


@contextmanager
def peer_proxy(service_port: int, faults: PeerFaults, *, port: int = 0) -> Iterator[int]:
    """Relay connections to the service at a local port inside the block, which gets the port."""

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        upstream, to_upstream = await asyncio.open_connection(LOOPBACK, service_port)
        exchange = _Exchange(reader, writer, upstream, to_upstream, faults)
        await until_one_ends(exchange.requests(), exchange.answers(), writer, to_upstream)

    with listening(relay, port=port) as listens_at:
        yield listens_at


@dataclass(slots=True)
class _Exchange:
    """One connection of a client to the service."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    upstream: asyncio.StreamReader
    to_upstream: asyncio.StreamWriter
    faults: PeerFaults
    loses_reply: bool = False

    async def requests(self) -> None:
        """Pass requests on until the client closes or one is cut off."""
        while chunk := await self.reader.read(_CHUNK):
            head = _REQUEST.match(chunk)  # clients send a request when they have the last answer
            fault = self.faults.judge(head[1].decode(errors="replace")) if head else None
            if fault and fault.mishap is Mishap.CUT:
                raise Broken
            if fault and fault.mishap is Mishap.DELAY:
                await asyncio.sleep(fault.seconds)
            self.loses_reply |= fault is not None and fault.mishap is Mishap.LOSE_REPLY
            self.to_upstream.write(chunk)
            await self.to_upstream.drain()

    async def answers(self) -> None:
        """Pass answers on until the service closes or one is to be lost."""
        while chunk := await self.upstream.read(_CHUNK):
            if self.loses_reply:
                raise Broken
            self.writer.write(chunk)
            await self.writer.drain()
