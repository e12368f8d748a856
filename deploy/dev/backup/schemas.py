"""Which schemas a service has, and which revisions of them this checkout knows."""

from pathlib import Path

from alembic.script import ScriptDirectory
from alembic.util import CommandError

CHECKOUT = Path(__file__).resolve().parents[3]
SERVICES = ("identity", "config", "catalog", "booking")


def schemas_of(service: str) -> tuple[str, str]:
    """Return the schema of a service and that of its durable work, which one of them lacks."""
    return service, f"{service}_workflows"


def is_known(service: str, revision: str) -> bool:
    """Tell whether the migrations of this checkout lead on from a revision."""
    migrations = ScriptDirectory(str(CHECKOUT / "services" / service / "migrations"))
    try:
        return migrations.get_revision(revision) is not None
    except CommandError:
        return False
