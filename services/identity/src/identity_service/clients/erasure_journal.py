"""Who was deleted, written down outside of the database: a restored backup knows nothing of it."""

import os
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

_ENTRY = re.compile("[0-9a-f]{64}")


class ErasureJournal:
    """A folder with a file for every person deleted, named by the keyed hash. Safe to share.

    Keep it off the backups of the database: it must not go back with them.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def add(self, person_hash: bytes) -> None:
        """Write a deletion down; on disk when this returns. Repeating changes nothing.

        Raises:
            OSError: the folder cannot be written to.
        """
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (self._folder / person_hash.hex()).open("a") as entry:
            if entry.tell() == 0:
                entry.write(f"{datetime.now(UTC).isoformat(timespec='seconds')}\n")
            entry.flush()
            os.fsync(entry.fileno())
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def hashes(self) -> Sequence[bytes]:
        """Return everybody who is written down."""
        if not self._folder.exists():
            return []
        names = sorted(each.name for each in self._folder.iterdir())
        return [bytes.fromhex(name) for name in names if _ENTRY.fullmatch(name)]
