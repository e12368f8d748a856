"""A proxy in front of Postgres that sees every commit and can have things go wrong at each."""

import asyncio
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from chaos.conversation import Conversation
from chaos.faults import Deed, Fault, Faults, Owner, Side
from chaos.listening import Broken, listening, until_one_ends
from chaos.statements import Grammar
from chaos.wire import (
    COMPLETE,
    ENCRYPTION_REQUESTS,
    ERROR,
    FLUSH,
    NO_ENCRYPTION,
    READY,
    Frame,
    Frames,
)
from devstack.ports import LOOPBACK

_CHUNK = 1 << 16
_THAW_POLL_SECONDS = 0.05

OwnerOf = Callable[[int, int], Owner | None]


@contextmanager
def postgres_proxy(
    server_port: int,
    faults: Faults,
    grammar: Grammar,
    owner_of: OwnerOf,
    *,
    port: int = 0,
) -> Iterator[int]:
    """Relay connections to the server at a local port inside the block, which gets the port.

    Args:
        server_port: where Postgres listens; it may be away now and then.
        faults: counts the commits that wrote something, and says what happens to them.
        grammar: tells which statements write.
        owner_of: finds the process that connects from one local port to another. Commits of
            connections without an owner are not counted.
        port: where to listen, if it matters.
    """

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError):
            startup = await _startup(reader, writer)
            server = await asyncio.open_connection(LOOPBACK, server_port)
            server[1].write(startup)
            await _Connection((reader, writer), server, faults, grammar, owner_of).relay()

    with listening(relay, port=port) as listens_at:
        yield listens_at


async def _startup(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    """Return the message that opens the connection; refuse encryption, which would blind us."""
    while True:
        head = await reader.readexactly(8)
        length, code = struct.unpack("!ii", head)
        message = head + await reader.readexactly(length - 8)
        if code not in ENCRYPTION_REQUESTS:
            return message
        writer.write(NO_ENCRYPTION)


Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class _Connection:
    """One client, its connection to the server, and the fault that waits for an answer."""

    def __init__(
        self,
        client: Stream,
        server: Stream,
        faults: Faults,
        grammar: Grammar,
        owner_of: OwnerOf,
    ) -> None:
        self._client_reader, self._client_writer = client
        self._server_reader, self._server_writer = server
        self._faults = faults
        self._talk = Conversation(grammar)
        self._owner_of = owner_of
        self._found_owner: list[Owner | None] = []
        self._answered = asyncio.Event()
        self._awaiting: Fault | None = None  # strikes when the server has answered the commit
        self._withheld: list[Frame] = []

    async def relay(self) -> None:
        """Relay both directions until one of the ends closes, or a fault has it end."""
        await until_one_ends(
            self._from_client(), self._from_server(), self._client_writer, self._server_writer
        )

    async def _from_client(self) -> None:
        frames = Frames()
        while chunk := await self._client_reader.read(_CHUNK):
            for frame in frames.feed(chunk):
                if self._talk.may_commit(frame):
                    await self._before_commit(frame)
                self._talk.sent(frame)
                self._server_writer.write(frame.raw)
            await self._server_writer.drain()

    async def _from_server(self) -> None:
        frames = Frames()
        while chunk := await self._server_reader.read(_CHUNK):
            for frame in frames.feed(chunk):
                self._talk.received(frame)
                if self._awaiting is None:
                    self._client_writer.write(frame.raw)
                else:
                    self._withheld.append(frame)
                    await self._strike_if_committed(frame, self._awaiting)
            self._answered.set()
            await self._client_writer.drain()

    async def _before_commit(self, frame: Frame) -> None:
        await self._until_settled()
        label = self._talk.label(frame)
        owner = await self._owner() if label else None
        if owner is None:
            return
        fault = self._faults.judge(owner.name, label)
        if fault is None:
            return
        if fault.side is Side.AFTER:
            self._awaiting = fault
        else:
            await self._strike(fault, owner)

    async def _owner(self) -> Owner | None:
        """Return who connects; looked for when it matters, for many connect and write nothing."""
        if not self._found_owner:
            ends = [self._client_writer.get_extra_info(end)[1] for end in ("peername", "sockname")]
            self._found_owner.append(await asyncio.to_thread(self._owner_of, *ends))
        return self._found_owner[0]

    async def _until_settled(self) -> None:
        """Wait until the server has answered every statement: a pipeline sends without waiting."""
        if self._talk.settled:
            return
        self._server_writer.write(FLUSH)
        await self._server_writer.drain()
        while not self._talk.settled:
            self._answered.clear()
            await self._answered.wait()

    async def _strike_if_committed(self, frame: Frame, fault: Fault) -> None:
        committed = frame.kind == READY or (
            frame.kind == COMPLETE and frame.texts(1)[0] == "COMMIT"
        )
        if not committed and frame.kind != ERROR:
            return
        owner = await self._owner()
        if committed and owner is not None:
            await self._strike(fault, owner)
        self._awaiting = None
        for withheld in self._withheld:
            self._client_writer.write(withheld.raw)
        self._withheld.clear()

    async def _strike(self, fault: Fault, owner: Owner) -> None:
        """Do what is to happen; returns if the connection goes on afterwards."""
        if fault.deed is Deed.KILL:
            owner.kill()
        elif fault.deed is Deed.FREEZE:
            self._faults.freeze(owner)
        self._faults.strike()
        if fault.deed is Deed.DELAY:
            await asyncio.sleep(fault.seconds)
        elif fault.deed is Deed.FREEZE:
            while not self._faults.thawed.is_set():
                await asyncio.sleep(_THAW_POLL_SECONDS)
        else:
            raise Broken
