"""What `make lint` says about migrations."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.rolling.releases import add_migration

from devstack.settings import CHECKOUT

DROP = "ALTER TABLE config.setting_version DROP COLUMN reason"


@pytest.fixture
def service(tmp_path: Path) -> Path:
    """The config service's migrations, in a copy."""
    migrations = CHECKOUT / "services/config/migrations"
    shutil.copytree(migrations, tmp_path / "config/migrations")
    return tmp_path / "config"


def lint(service: Path) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "lint_migrations", service],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_what_the_release_before_cannot_live_with_is_refused(service: Path) -> None:
    refused = {
        DROP: "ban-drop-column",
        "ALTER TABLE config.author RENAME COLUMN reference TO name": "renaming-column",
        "ALTER TABLE config.author ADD COLUMN city text NOT NULL": "adding-required-field",
        "ALTER TABLE config.author ALTER COLUMN city TYPE bigint": "changing-column-type",
        "DROP TABLE config.account_deletion": "ban-drop-table",
        "CREATE INDEX ix_author ON config.author (user_id)": "require-concurrent-index-creation",
    }
    add_migration(service, *refused)

    status, said = lint(service)

    assert status == 1
    assert {rule for rule in refused.values() if rule not in said} == set()
    assert "config/99991231_2359_next.sql" in said


def test_a_rule_may_be_broken_for_a_reason(service: Path) -> None:
    add_migration(service, DROP, remark="squawk-ignore ban-drop-column: unused since config/v1.4.0")

    assert lint(service)[0] == 0


def test_and_not_without_one(service: Path) -> None:
    add_migration(service, DROP, remark="squawk-ignore ban-drop-column")

    status, said = lint(service)

    assert status == 1
    assert "write `# squawk-ignore rule: reason`" in said
