"""Messages of Postgres' protocol (version 3), as far as one reads them to see transactions."""

from collections.abc import Iterator
from typing import NamedTuple

# Kinds that a client sends …
QUERY, PARSE, BIND, EXECUTE, SYNC = b"Q", b"P", b"B", b"E", b"S"
# … and kinds that the server sends; the same letter may mean something else in each direction.
COMPLETE, EMPTY, SUSPENDED, ERROR, READY = b"C", b"I", b"s", b"E", b"Z"

FLUSH = b"H\x00\x00\x00\x04"  # asks the server to say at once what it would say later anyway

ENCRYPTION_REQUESTS = (80_877_103, 80_877_104)  # TLS, GSSAPI
NO_ENCRYPTION = b"N"

_HEAD = 5  # a letter and the length, which counts itself but not the letter


class Frame(NamedTuple):
    """One message."""

    kind: bytes
    body: bytes

    @property
    def raw(self) -> bytes:
        """The bytes that carry it."""
        return self.kind + (len(self.body) + 4).to_bytes(4, "big") + self.body

    def texts(self, count: int) -> list[str]:
        """Return the zero-terminated texts that the message begins with."""
        return [text.decode(errors="replace") for text in self.body.split(b"\0", count)[:count]]


class Frames:
    """Cuts the bytes of one direction into messages."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, chunk: bytes) -> Iterator[Frame]:
        """Yield the messages that are complete with this chunk."""
        self._buffer += chunk
        while len(self._buffer) >= _HEAD:
            end = 1 + int.from_bytes(self._buffer[1:_HEAD], "big")
            if len(self._buffer) < end:
                return
            frame = Frame(bytes(self._buffer[:1]), bytes(self._buffer[_HEAD:end]))
            del self._buffer[:end]
            yield frame
