"""Where uploaded images are kept: the port, and the local directory behind it."""

import errno
import os
from pathlib import Path
from typing import Protocol

from catalog_service.domain.errors import StorageFull, StorageUnavailable

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class Storage(Protocol):
    """Keeps contents under names; what is stored under a name never changes. Thread-safe."""

    def put(self, key: str, content: bytes) -> None:
        """Store a content under a new name, durably and whole.

        Raises:
            StorageUnavailable: whether it was stored is unknown.
            StorageFull: it was not stored.
        """
        ...

    def get(self, key: str) -> bytes | None:
        """Return what is stored under a name, None if nothing is.

        Raises:
            StorageUnavailable: it cannot be read at the moment.
        """
        ...

    def delete(self, key: str) -> None:
        """Have nothing stored under a name any more; repeating is harmless.

        Raises:
            StorageUnavailable: whether it was deleted is unknown.
        """
        ...


class LocalDirectory:
    """A directory that all processes of this service share."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, key: str, content: bytes) -> None:
        """Write beside, then rename: a reader sees all of it or nothing, after a crash too."""
        draft = self._draft(key)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with draft.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(self._folder / key)
            self._sync_folder()
        except OSError as error:
            self._discard(draft)
            raise (StorageFull if error.errno in _NO_ROOM else StorageUnavailable) from error

    def get(self, key: str) -> bytes | None:
        """Read the file."""
        try:
            return (self._folder / key).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StorageUnavailable from error

    def delete(self, key: str) -> None:
        """Remove the file, and what a process that was killed had written of it."""
        try:
            for file in (self._draft(key), self._folder / key):
                file.unlink(missing_ok=True)
        except OSError as error:
            raise StorageUnavailable from error

    def _draft(self, key: str) -> Path:
        return self._folder / f"{key}.part"

    def _discard(self, draft: Path) -> None:
        try:
            draft.unlink(missing_ok=True)
        except OSError:
            return  # the caller hears of the first error; the file goes when the upload is removed

    def _sync_folder(self) -> None:
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
