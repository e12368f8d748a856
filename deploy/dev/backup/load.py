"""Restoring a backup."""

import shutil
import tarfile
import tempfile
from collections.abc import Mapping
from pathlib import Path

import psycopg
from psycopg import sql

from backup.errors import BackupError
from backup.manifest import Manifest, MediaPart, ServicePart, read_manifest, require_intact
from backup.schemas import is_known, schemas_of
from backup.tools import Tools

# Run by psql, as the owner, in the transaction that restores. The owner may not make schemas: they
# stay and are emptied. What the backup does not know goes too: migrations will make it anew.
# Tables are made anew, too, and migrations that took rights on them away are not run again: without
# the schema's default privileges they have the rights that the backup says and no others. The
# backup ends with these default privileges.
_EMPTY = """
SET client_min_messages = warning;
SET lock_timeout = '10s';
DO $$
DECLARE each record;
BEGIN
    FOR each IN
        SELECT thing.type, thing.identity
        FROM pg_namespace AS n
        JOIN pg_depend AS d ON d.refclassid = 'pg_namespace'::regclass AND d.refobjid = n.oid
        CROSS JOIN pg_identify_object(d.classid, d.objid, d.objsubid) AS thing
        WHERE n.nspname IN ({schemas}) AND d.deptype = 'n'
        ORDER BY thing.type <> 'table'  -- their sequences cannot go before them
    LOOP
        EXECUTE format('DROP %s IF EXISTS %s CASCADE',
                       replace(each.type, 'statistics object', 'statistics'), each.identity);
    END LOOP;
    FOR each IN
        SELECT DISTINCT n.nspname AS schema, kinds.name AS kind, r.rolname AS role
        FROM pg_default_acl AS d
        JOIN pg_namespace AS n ON n.oid = d.defaclnamespace
        JOIN (VALUES ('r', 'TABLES'), ('S', 'SEQUENCES'), ('f', 'FUNCTIONS'), ('T', 'TYPES'))
            AS kinds (code, name) ON kinds.code = d.defaclobjtype::text
        CROSS JOIN aclexplode(d.defaclacl) AS acl
        JOIN pg_roles AS r ON r.oid = acl.grantee
        WHERE n.nspname IN ({schemas}) AND d.defaclrole = current_user::regrole
    LOOP
        EXECUTE format('ALTER DEFAULT PRIVILEGES IN SCHEMA %I REVOKE ALL ON %s FROM %I',
                       each.schema, each.kind, each.role);
    END LOOP;
END $$;
"""


def restore_backup(
    folder: Path,
    databases: Mapping[str, str],
    *,
    media: Path | None,
    replace: bool,
    tools: Tools,
) -> Manifest:
    """Bring services back to a backup; everything is looked at before anything is changed.

    Each service's data is replaced in one transaction. Afterwards the migrations that came later
    have to be run, `roles.sql`, and what makes services agree again (docs/operations.md#restore).

    Args:
        folder: the backup.
        databases: by service that is restored, its URL as the owner of its schema.
        media: the folder of uploads, None to leave them alone. They belong to catalog.
        replace: whether data that is there may be lost.
        tools: Postgres' programs, of the version that made the backup or a later one.

    Raises:
        BackupError: see the message; the services before the one it names are restored.
    """
    manifest = read_manifest(folder)
    uploads = manifest.media if media and "catalog" in databases else None
    for service, url in databases.items():
        _check(folder, service, url, manifest.services.get(service), replace=replace)
    if uploads:
        require_intact(folder, uploads.file)
    for service, url in databases.items():
        _restore_service(folder, service, url, manifest.services[service], tools)
    if uploads and media:
        _restore_uploads(folder, uploads, media)
    return manifest


def _check(
    folder: Path, service: str, url: str, part: ServicePart | None, *, replace: bool
) -> None:
    if part is None:
        raise BackupError(f"{folder} has no data of {service}")
    if not is_known(service, part.revision):
        raise BackupError(
            f"{service}'s data is of revision {part.revision}, which this release does not know:"
            " check out the release that made the backup, or a later one"
        )
    require_intact(folder, part.file)
    try:
        with psycopg.connect(url, application_name="restore", connect_timeout=5) as connection:
            _check_target(connection, service, replace=replace)
    except psycopg.Error as error:
        raise BackupError(f"{service}'s database: {str(error).strip().splitlines()[0]}") from error


def _check_target(connection: psycopg.Connection, service: str, *, replace: bool) -> None:
    missing = connection.execute("SELECT to_regnamespace(%s) IS NULL", (service,)).fetchone()
    if missing == (True,):
        raise BackupError(f"there is no schema {service}: run deploy/postgres/roles.sql first")
    sessions = connection.execute(
        "SELECT count(*) FROM pg_stat_activity WHERE usename = %s AND datname = current_database()",
        (service,),
    ).fetchone()
    if sessions != (0,):
        raise BackupError(f"{service} is at work on its database: stop its processes first")
    holds_data = connection.execute(
        "SELECT EXISTS (SELECT FROM pg_class WHERE relnamespace = to_regnamespace(%s))", (service,)
    ).fetchone()
    if holds_data == (True,) and not replace:
        raise BackupError(f"{service} has data, which would be lost: REPLACE=1 says that it may be")


def _restore_service(folder: Path, service: str, url: str, part: ServicePart, tools: Tools) -> None:
    schemas = schemas_of(service)
    names = ", ".join(sql.Literal(schema).as_string() for schema in schemas)
    only = [f"--schema={schema}" for schema in schemas]
    try:
        tools.load(
            url, folder / part.file.name, "--no-owner", *only, before=_EMPTY.format(schemas=names)
        )
    except BackupError as error:
        raise BackupError(f"{service}: {error}") from error


def _restore_uploads(folder: Path, part: MediaPart, media: Path) -> None:
    """Replace all uploads: a file that no row names would never be deleted again."""
    try:
        media.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=f".{media.name}.", dir=media.parent))
        with tarfile.open(folder / part.file.name) as archive:
            archive.extractall(draft, filter="data")
        if media.exists():
            shutil.rmtree(media)
        draft.rename(media)
    except OSError as error:
        raise BackupError(f"the data is restored, the uploads are not: {error}") from error
