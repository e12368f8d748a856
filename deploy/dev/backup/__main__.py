"""`python -m backup make FOLDER` and `python -m backup restore FOLDER`.

The environment says where the data is: `<SERVICE>_MIGRATION_DATABASE_URL`, or the folder SECRETS
with the files of `make secrets`; MEDIA_DIR if uploads are in a folder; PG_BIN if Postgres' programs
are not where a shell finds them.
"""

import argparse
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from backup.dump import make_backup
from backup.errors import BackupError
from backup.load import restore_backup
from backup.manifest import Manifest
from backup.tools import Tools
from devstack.settings import SERVICES

_NOT_IN_IT = "not in it: the journal of deletions, secrets, logs"
_BUCKET = "NOT IN IT: uploads; they are in a bucket, or MEDIA_DIR is not set"


def main() -> int:
    """Do what the command line asks for; a refusal is status 1."""
    asked = _parser().parse_args()
    services = [asked.service] if asked.service else list(SERVICES)
    media = Path(os.environ["MEDIA_DIR"]) if os.environ.get("MEDIA_DIR") else None
    tools = Tools(os.environ.get("PG_BIN", ""))
    try:
        databases = _databases(services, os.environ)
        if asked.what == "make":
            _report(make_backup(asked.folder, databases, media=media, tools=tools), services)
            print(f"{_NOT_IN_IT}\nbackup made: {asked.folder}")
        else:
            _report(
                restore_backup(
                    asked.folder, databases, media=media, replace=asked.replace, tools=tools
                ),
                services,
            )
            print(f"data restored: {asked.folder}")
    except BackupError as error:
        print(f"backup: {error}", file=sys.stderr)
        return 1
    return 0


def _databases(services: list[str], environment: Mapping[str, str]) -> dict[str, str]:
    secrets = environment.get("SECRETS")
    try:
        if secrets:
            return {
                name: (Path(secrets) / f"{name}_migration_database_url").read_text().strip()
                for name in services
            }
        return {name: environment[f"{name.upper()}_MIGRATION_DATABASE_URL"] for name in services}
    except OSError as error:
        raise BackupError(f"{error.filename} cannot be read: {error.strerror}") from error
    except KeyError as error:
        raise BackupError(f"{error.args[0]} is not set, and SECRETS names no folder") from error


def _report(manifest: Manifest, services: list[str]) -> None:
    for service in services:
        part = manifest.services[service]
        print(f"{part.file.size:>12} bytes  {service:<9} {part.revision} of {part.moment}")
    if manifest.media is None:
        print(_BUCKET)
    elif "catalog" in services:
        missing = f", {manifest.media.missing} were missing" if manifest.media.missing else ""
        print(f"{manifest.media.file.size:>12} bytes  {manifest.media.uploads} uploads{missing}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="backup", description="The data of services as files")
    parser.add_argument("what", choices=("make", "restore"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--service", choices=SERVICES, help="only this one")
    parser.add_argument("--replace", action="store_true", help="restore: data there may be lost")
    return parser


if __name__ == "__main__":
    sys.exit(main())
