"""Making a backup."""

import io
import os
import shutil
import tarfile
import tempfile
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psycopg
from psycopg import sql

from backup.errors import BackupError
from backup.manifest import Manifest, MediaPart, ServicePart, StoredFile
from backup.schemas import schemas_of
from backup.tools import Tools
from devstack.processes import service_folder

# Where each is a server of its own, their moments are milliseconds apart: whoever refers to others
# is read before them, so that whom a booking names is in identity's data.
ORDER = ("booking", "catalog", "config", "identity")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A moment of one service's data, there as long as the transaction that it is of."""

    name: str
    moment: datetime
    revision: str
    uploads: list[str]


def make_backup(
    folder: Path, databases: Mapping[str, str], *, media: Path | None, tools: Tools
) -> Manifest:
    """Write the data of services into a new folder; it is there as a whole or not at all.

    Services may go on meanwhile. Of each service the schema and that of its durable work are of
    one moment; all moments follow each other at once.

    Args:
        folder: made, readable by its owner only.
        databases: by service, its URL as the owner of its schema.
        media: the folder of uploads, None if they are kept elsewhere.
        tools: Postgres' programs, of the server's version or a later one.

    Raises:
        BackupError: see the message. There is no backup then.
    """
    if folder.exists():
        raise BackupError(f"{folder} exists: a backup is not written over anything")
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        manifest = _write(draft, databases, media, tools)
        _sync(*draft.iterdir(), draft)
        draft.rename(folder)
        _sync(folder.parent)
    except psycopg.Error as error:
        raise BackupError(f"the database cannot be read: {_first_line(error)}") from error
    except OSError as error:
        raise BackupError(f"the backup cannot be written: {error}") from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return manifest


def _write(
    folder: Path, databases: Mapping[str, str], media: Path | None, tools: Tools
) -> Manifest:
    with ExitStack() as reading:
        snapshots = {
            service: reading.enter_context(_snapshot(service, databases[service]))
            for service in ORDER
            if service in databases
        }
        services = {
            service: _dump(folder, service, databases[service], snapshot, tools)
            for service, snapshot in snapshots.items()
        }
    uploads = snapshots["catalog"].uploads if "catalog" in snapshots else []
    manifest = Manifest(services, _copy_uploads(folder, uploads, media) if media else None)
    manifest.write(folder)
    return manifest


@contextmanager
def _snapshot(service: str, url: str) -> Iterator[Snapshot]:
    revision = sql.SQL("SELECT version_num FROM {}").format(
        sql.Identifier(service, "alembic_version")
    )
    with psycopg.connect(url, application_name="backup", connect_timeout=5) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        name, moment = connection.execute("SELECT pg_export_snapshot(), now()").fetchall()[0]
        ((at,),) = connection.execute(revision).fetchall()
        uploads = connection.execute(_UPLOADS).fetchall() if service == "catalog" else []
        yield Snapshot(name, moment.astimezone(UTC), at, [key for (key,) in uploads])


_UPLOADS = "SELECT key FROM catalog.media WHERE stored_at IS NOT NULL AND condemned_at IS NULL"


def _dump(folder: Path, service: str, url: str, snapshot: Snapshot, tools: Tools) -> ServicePart:
    file = folder / f"{service}.dump"
    schemas = [f"--schema={schema}" for schema in schemas_of(service)]
    tools.dump(
        url,
        *("--format=custom", f"--snapshot={snapshot.name}", f"--file={file}", *schemas),
        "--no-unlogged-table-data",  # it would not survive a crash either
    )
    return ServicePart(
        release=_release_of(service),
        revision=snapshot.revision,
        moment=snapshot.moment.isoformat(timespec="milliseconds"),
        file=StoredFile.of(file),
    )


def _copy_uploads(folder: Path, uploads: list[str], media: Path) -> MediaPart:
    """Copy what catalog's rows name; a file that no row names would never be deleted again."""
    file, missing = folder / "media.tar", 0
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "wb") as target, tarfile.open(fileobj=target, mode="w") as archive:
        for key in sorted(uploads):
            try:
                content = (media / key).read_bytes()
            except FileNotFoundError:
                missing += 1
                continue
            entry = tarfile.TarInfo(key)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return MediaPart(len(uploads) - missing, missing, StoredFile.of(file))


def _release_of(service: str) -> str:
    project = service_folder(service) / "pyproject.toml"
    return str(tomllib.loads(project.read_text())["project"]["version"])


def _sync(*paths: Path) -> None:
    for path in paths:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _first_line(error: psycopg.Error) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
