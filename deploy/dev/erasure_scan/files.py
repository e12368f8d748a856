"""Every file below the folders in which services leave something: uploads, logs, metrics."""

import bz2
import gzip
import lzma
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from io import BufferedIOBase
from pathlib import Path

from erasure_scan.errors import Unreadable
from erasure_scan.findings import Evidence
from erasure_scan.matcher import Matcher, Sighting

_BLOCK_BYTES = 1 << 20
_LONGEST_ESCAPE = 12  # bytes for one: a character as a pair of \uXXXX
_DAMAGED = (EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile, OSError)

_OPEN: dict[bytes, Callable[[Path], BufferedIOBase]] = {
    b"\x1f\x8b": gzip.GzipFile,
    b"BZh": bz2.BZ2File,
    b"\xfd7zXZ\x00": lzma.LZMAFile,
}
_CANNOT_OPEN = {b"\x28\xb5\x2f\xfd": "zstd", b"PK\x03\x04": "zip", b"\x04\x22\x4d\x18": "lz4"}
_MAGIC_BYTES = max(map(len, [*_OPEN, *_CANNOT_OPEN]))


def search_files(folder: Path, matcher: Matcher, evidence: Evidence) -> None:
    """Search the files below a folder, compressed ones too, and their names; or a single file.

    Raises:
        Unreadable: a file may not be read, is damaged, or is compressed in a way that is not known.
    """
    evidence.files[str(folder)] = 0
    for path in _files(folder):
        with suppress(FileNotFoundError):  # rotated or removed meanwhile
            _search_file(path, matcher, evidence)
        evidence.files[str(folder)] += 1
        for value, encoding in sorted(matcher.sightings(str(path.relative_to(folder)).encode())):
            evidence.add(str(folder), value, encoding, "in the name of a file")


def _files(folder: Path) -> Iterator[Path]:
    if folder.is_file():
        yield folder
    yield from sorted(path for path in folder.rglob("*") if path.is_file())


def _search_file(path: Path, matcher: Matcher, evidence: Evidence) -> None:
    for offset, block in _blocks(path, overlap=matcher.longest * _LONGEST_ESCAPE):
        if not matcher.matches(block):
            continue
        for sighting in sorted(matcher.sightings(block)):
            end = offset + _end_of(sighting, block, matcher)
            evidence.add(str(path), *sighting, f"before byte {end}")


def _end_of(sighting: Sighting, block: bytes, matcher: Matcher) -> int:
    """Return where in the block the first such form ends."""
    low, high = 0, len(block)
    while low < high:
        middle = (low + high) // 2
        if sighting in matcher.sightings(block[:middle]):
            high = middle
        else:
            low = middle + 1
    return low


def _blocks(path: Path, *, overlap: int) -> Iterator[tuple[int, bytes]]:
    """Yield the content in blocks with their offsets; each begins as the one before ended."""
    offset, block = 0, b""
    try:
        with _opened(path) as source:
            while piece := source.read(_BLOCK_BYTES):
                kept = block[-overlap:]
                offset += len(block) - len(kept)
                block = kept + piece
                yield offset, block
    except FileNotFoundError:
        raise
    except _DAMAGED as error:
        raise Unreadable(f"{path} cannot be read: {type(error).__name__}") from error


def _opened(path: Path) -> BufferedIOBase:
    with path.open("rb") as source:
        begin = source.read(_MAGIC_BYTES)
    for magic, how in _CANNOT_OPEN.items():
        if begin.startswith(magic):
            raise Unreadable(f"{path} is compressed with {how}: uncompress it first")
    for magic, opening in _OPEN.items():
        if begin.startswith(magic):
            return opening(path)
    return path.open("rb")
