"""Postgres' own programs. Passwords reach them by the environment, where others cannot look."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from backup.errors import BackupError
from service_kit.database import SILENCE


class Tools:
    """The programs of one installation of Postgres."""

    def __init__(self, pg_bin: str) -> None:
        """Choose the installation.

        Args:
            pg_bin: its folder of programs; if empty, they are looked for as a shell does.
        """
        self._folder = pg_bin

    def dump(self, url: str, *words: str) -> None:
        """Run pg_dump.

        Raises:
            BackupError: it failed; with what it said.
        """
        self._run("pg_dump", *words, f"--dbname={_without_password(url)}", url=url)

    def load(self, url: str, archive: Path, *words: str, before: str) -> None:
        """Run SQL, then what pg_restore makes of an archive, as one transaction.

        It is written down as SQL first, in the folder for temporary files (TMPDIR): psql would
        commit what it had got if pg_restore broke off in the middle.

        Raises:
            BackupError: one of them failed; with what it said. Nothing has changed then.
        """
        with tempfile.TemporaryDirectory() as folder:
            script = Path(folder) / "restore.sql"
            self._run("pg_restore", *words, f"--file={script}", str(archive), url=url)
            self._run(
                *("psql", "--no-psqlrc", "--quiet", "--output=/dev/null", "--single-transaction"),
                *("--set=ON_ERROR_STOP=1", f"--command={before}", f"--file={script}"),
                _without_password(url),
                url=url,
            )

    def _run(self, name: str, *words: str, url: str) -> None:
        """Run a program; what it writes is readable by its owner only."""
        done = subprocess.run(
            [self._program(name), *words],
            env=_environment(url),
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            umask=0o077,
            check=False,
        )
        if done.returncode:
            raise BackupError(f"{name} failed: {done.stderr.strip()}")

    def _program(self, name: str) -> str:
        found = shutil.which(name, path=self._folder or None)
        if found is None:
            raise BackupError(f"there is no {name}: name the folder of Postgres' programs, PG_BIN=")
        return found


def _without_password(url: str) -> str:
    """Return how to connect, without the password; a host that falls silent is given up."""
    parts = {name: value for name, value in conninfo_to_dict(url).items() if name != "password"}
    # Not a limit for what was sent: a server that is busy takes none of a copy for a while.
    heard = {name: value for name, value in SILENCE.items() if name.startswith("keepalives")}
    return make_conninfo("", **{**heard, **parts})


def _environment(url: str) -> dict[str, str]:
    password = conninfo_to_dict(url).get("password")
    return {**os.environ, **({"PGPASSWORD": str(password)} if password else {})}
