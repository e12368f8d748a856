"""Which schemas a service has, and which revisions of them this checkout knows."""

from alembic.script import ScriptDirectory
from alembic.util import CommandError

from devstack.processes import service_folder
from service_kit.durable import workflow_schema


def schemas_of(service: str) -> tuple[str, str]:
    """Return the schema of a service and that of its durable work, which one of them lacks."""
    return service, workflow_schema(service)


def is_known(service: str, revision: str) -> bool:
    """Tell whether the migrations of this checkout lead on from a revision."""
    migrations = ScriptDirectory(str(service_folder(service) / "migrations"))
    try:
        return migrations.get_revision(revision) is not None
    except CommandError:
        return False
