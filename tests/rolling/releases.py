"""The next release of a service: a copy whose tables have one column more."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path

from alembic.script import ScriptDirectory

from devstack.ports import LOOPBACK, free_ports
from devstack.processes import cli_command, service_environment
from devstack.settings import CHECKOUT
from devstack.stack import Stack
from devstack.supervision import Process

_MIGRATION = """\
# {remark}
from alembic import op

revision = "next"
down_revision = "{head}"


def upgrade() -> None:
    with op.get_context().autocommit_block():
        for statement in {statements}:
            op.execute(statement)
"""


def add_migration(service: Path, *statements: str, remark: str = "of a test") -> Path:
    """Write one more migration for the service in this folder."""
    head = ScriptDirectory(str(service / "migrations")).get_current_head()
    migration = service / "migrations/versions/99991231_2359_next.py"
    migration.write_text(_MIGRATION.format(head=head, statements=statements, remark=remark))
    return migration


@dataclass(frozen=True, slots=True)
class Release:
    """A release of one service that runs from a folder of its own."""

    service: str
    folder: Path

    @classmethod
    def next(cls, service: str, folder: Path) -> "Release":
        """Copy a service into this folder, with a migration that is still to be run."""
        source = CHECKOUT / "services" / service
        shutil.copytree(source, folder, ignore=shutil.ignore_patterns("tests", "__pycache__"))
        tables = import_module(f"{service}_service.models").Base.metadata.tables
        add_migration(folder, *(f"ALTER TABLE {name} ADD COLUMN more text" for name in tables))
        return cls(service, folder)

    def migrate(self, stack: Stack) -> None:
        """Bring the schema to this release."""
        subprocess.run(
            cli_command(self.service, "migrate"),
            cwd=self.folder,
            env=self._environment(service_environment(stack.settings, os.environ, self.service)),
            check=True,
        )

    def web(self, stack: Stack) -> Process:
        """Return a web process that takes the place of the one of the release before."""
        old = stack.process(self.service)
        (port,) = free_ports(["PORT"]).values()
        configuration = str(CHECKOUT / "deploy/gunicorn.conf.py")
        metrics = stack.run_dir / "metrics" / f"{self.service}-next"
        return replace(
            self._replaced(old, {"PORT": port, "PROMETHEUS_MULTIPROC_DIR": str(metrics)}, port),
            argv=[
                *(sys.executable, "-m", "gunicorn", "-c", configuration),
                f"{self.service}_service.wsgi:app",
            ],
        )

    def worker(self, stack: Stack) -> Process:
        """Return a worker that takes the place of the one of the release before."""
        old = stack.process(f"{self.service}-worker")
        (port,) = free_ports(["PORT"]).values()
        return self._replaced(old, {"WORKER_PORT": port, "WORKER_ID": f"{old.name}-2"}, port)

    def _replaced(self, old: Process, told: Mapping[str, str], port: str) -> Process:
        return replace(
            old,
            name=f"{old.name}-next",
            cwd=self.folder,
            env=self._environment({**old.env, **told, "DRAIN_SECONDS": "0"}),
            port=int(port),
            health=f"http://{LOOPBACK}:{port}/readyz",
        )

    def _environment(self, told: Mapping[str, str]) -> dict[str, str]:
        return {**told, "PYTHONPATH": str(self.folder / "src")}
