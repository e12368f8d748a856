"""What an uploaded file is, judged by its bytes before any decoder sees it (docs/rules.md#media).

Files are walked from their first byte to their last: the size of the picture is known before memory
is spent on it, and a file that is an image and something else besides is refused.
"""

import re
from collections.abc import Iterator
from enum import StrEnum
from typing import Literal

from catalog_service.domain.errors import ImageRefused, NotAnImage

MAX_PIXELS = 25_000_000
MAX_EDGE = 16_383  # the longest that WebP knows
MAX_SCANS = 50  # of a JPEG; real ones have about ten

_ByteOrder = Literal["big", "little"]

_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG = b"\xff\xd8"
_JPEG_SIZES = {0xC0, 0xC1, 0xC2}  # start of frame: baseline, extended, progressive
# rare kinds of compression, and an end where there has been no picture
_JPEG_NOT_EXPECTED = {0xC3, *range(0xC5, 0xC8), *range(0xC9, 0xCC), *range(0xCD, 0xD0), 0xD9}
_JPEG_ALONE = {0x01, 0xD8}  # markers without a length
_JPEG_SCAN, _JPEG_END = 0xDA, 0xD9
_NEXT_MARKER = re.compile(rb"\xff+[^\x00\xd0-\xd7\xff]")  # not: data, restarts
_WEBP_ANIMATED = 0x02


class ImageFormat(StrEnum):
    """The formats that are taken, under the names their decoders have."""

    JPEG = "JPEG"
    PNG = "PNG"
    WEBP = "WEBP"


def inspect_image(content: bytes) -> ImageFormat:
    """Return the format of a file that is one still image, complete and nothing else.

    Raises:
        NotAnImage: it does not begin like a JPEG, PNG or WebP file.
        ImageRefused: it is truncated, animated, too large a picture, or has more in it; says which.
    """
    try:
        if content.startswith(_PNG):
            _inspect_png(content)
            return ImageFormat.PNG
        if content.startswith(_JPEG):
            _inspect_jpeg(content)
            return ImageFormat.JPEG
        if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
            _inspect_webp(content)
            return ImageFormat.WEBP
    except IndexError as error:  # reading on where the file has ended
        raise _truncated() from error
    raise NotAnImage


def _inspect_png(content: bytes) -> None:
    position, seen_size = len(_PNG), False
    while True:
        kind = content[position + 4 : position + 8]
        start, end = position + 8, position + 8 + _number(content, position, 4)
        content[end + 3]  # the last byte of the checksum
        if kind == b"IHDR":
            _require_modest(_number(content, start, 4), _number(content, start + 4, 4))
            seen_size = True
        elif kind == b"acTL":
            raise _animated()
        position = end + 4
        if kind == b"IEND":
            break
    if not seen_size:
        raise _damaged()
    _require_end(content, position)


def _inspect_webp(content: bytes) -> None:
    size = 8 + int.from_bytes(content[4:8], "little")
    if size > len(content):
        raise _truncated()
    _require_end(content, size)
    seen_size = False
    for kind, start, end in _webp_chunks(content, size):
        if kind in {b"ANIM", b"ANMF"} or (kind == b"VP8X" and content[start] & _WEBP_ANIMATED):
            raise _animated()
        if kind in _WEBP_SIZES:
            _require_modest(*_WEBP_SIZES[kind](content[start:end]))
            seen_size = True
    if not seen_size:
        raise _damaged()


def _webp_chunks(content: bytes, size: int) -> Iterator[tuple[bytes, int, int]]:
    position = 12
    while position < size:
        start = position + 8
        end = start + _number(content, position + 4, 4, "little")
        if end > size:
            raise _truncated()
        yield content[position : position + 4], start, end
        position = end + end % 2


def _size_of_vp8x(chunk: bytes) -> tuple[int, int]:
    return _number(chunk, 4, 3, "little") + 1, _number(chunk, 7, 3, "little") + 1


def _size_of_vp8(chunk: bytes) -> tuple[int, int]:
    return _number(chunk, 6, 2, "little") & 0x3FFF, _number(chunk, 8, 2, "little") & 0x3FFF


def _size_of_vp8l(chunk: bytes) -> tuple[int, int]:
    bits = _number(chunk, 1, 4, "little")
    return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1


_WEBP_SIZES = {b"VP8X": _size_of_vp8x, b"VP8 ": _size_of_vp8, b"VP8L": _size_of_vp8l}


def _inspect_jpeg(content: bytes) -> None:
    position = 0
    while content.startswith(_JPEG, position):  # phones add a second picture, of depth or light
        position = _end_of_jpeg(content, position)
    _require_end(content.rstrip(b"\0"), len(content[:position].rstrip(b"\0")))


def _end_of_jpeg(content: bytes, position: int) -> int:
    """Walk from marker to marker, and through the data between them, to the end of a picture."""
    scans, seen_size = 0, False
    position += len(_JPEG)
    while True:
        found = _NEXT_MARKER.search(content, position)
        if found is None:
            raise _truncated()
        marker, position = content[found.end() - 1], found.end()
        if marker == _JPEG_END and scans and seen_size:
            return position
        if marker in _JPEG_ALONE:
            continue
        if marker in _JPEG_SIZES:
            _require_modest(_number(content, position + 5, 2), _number(content, position + 3, 2))
            seen_size = True
        elif marker in _JPEG_NOT_EXPECTED:
            raise _damaged()
        scans += marker == _JPEG_SCAN
        if scans > MAX_SCANS:
            raise _damaged()
        position += _number(content, position, 2)


def _number(content: bytes, position: int, length: int, order: _ByteOrder = "big") -> int:
    content[position + length - 1]  # IndexError if it is not there
    return int.from_bytes(content[position : position + length], order)


def _require_modest(width: int, height: int) -> None:
    if not (width and height):
        raise _damaged()
    if width * height > MAX_PIXELS or max(width, height) > MAX_EDGE:
        raise ImageRefused(
            f"The picture is too large: at most {MAX_PIXELS // 1_000_000} million pixels."
        )


def _require_end(content: bytes, end: int) -> None:
    if end != len(content):
        raise ImageRefused("The file has more in it than one image.")


def _truncated() -> ImageRefused:
    return ImageRefused("The file is not complete.")


def _damaged() -> ImageRefused:
    return ImageRefused("The image cannot be read.")


def _animated() -> ImageRefused:
    return ImageRefused("Moving images cannot be used.")
