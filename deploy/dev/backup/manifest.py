"""What a backup consists of, as it says itself (`manifest.json`)."""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from backup.errors import BackupError

FORMAT = 1
NAME = "manifest.json"


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file of the backup, as it was written."""

    name: str
    size: int
    sha256: str

    @classmethod
    def of(cls, file: Path) -> "StoredFile":
        """Describe a file as it is."""
        with file.open("rb") as content:
            digest = hashlib.file_digest(content, "sha256").hexdigest()
        return cls(file.name, file.stat().st_size, digest)


@dataclass(frozen=True, slots=True)
class ServicePart:
    """The data of one service."""

    release: str  # of the service that was checked out; what ran may have been the one before
    revision: str  # of its schema
    moment: str  # whose data it is, UTC
    file: StoredFile


@dataclass(frozen=True, slots=True)
class MediaPart:
    """The uploads that catalog knew at the moment of its data."""

    uploads: int
    missing: int  # known to catalog, but gone before they could be copied
    file: StoredFile


@dataclass(frozen=True, slots=True)
class Manifest:
    """A whole backup."""

    services: Mapping[str, ServicePart]
    media: MediaPart | None

    @property
    def moment(self) -> datetime:
        """When the first part of the data was read."""
        return min(datetime.fromisoformat(part.moment) for part in self.services.values())

    def write(self, folder: Path) -> None:
        """Complete a backup."""
        content = json.dumps({"format": FORMAT, **asdict(self)}, indent=2) + "\n"
        descriptor = os.open(folder / NAME, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "w") as file:
            file.write(content)


def read_manifest(folder: Path) -> Manifest:
    """Return what a backup says of itself.

    Raises:
        BackupError: there is no backup in this folder, or not one that can be read here.
    """
    try:
        stored = json.loads((folder / NAME).read_text())
    except (OSError, ValueError) as error:
        raise BackupError(f"{folder} is no complete backup: it has no readable {NAME}") from error
    if stored.get("format") != FORMAT:
        raise BackupError(f"{folder} has another format; restore it with the release that made it")
    media = stored["media"]
    return Manifest(
        services={name: _service_part(part) for name, part in stored["services"].items()},
        media=media and MediaPart(**{**media, "file": StoredFile(**media["file"])}),
    )


def require_intact(folder: Path, file: StoredFile) -> None:
    """Make sure that a file is what it was when the backup was made.

    Raises:
        BackupError: it is not, or it is gone.
    """
    try:
        found = StoredFile.of(folder / file.name)
    except OSError as error:
        raise BackupError(f"{folder / file.name} cannot be read: {error.strerror}") from error
    if found != file:
        raise BackupError(f"{folder / file.name} is damaged: its SHA-256 is not the manifest's")


def _service_part(stored: dict[str, str | dict[str, str]]) -> ServicePart:
    return ServicePart(**{**stored, "file": StoredFile(**stored["file"])})  # type: ignore[arg-type]
