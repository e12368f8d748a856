"""The release before runs on the schema of the next one: while it is rolled out, and after."""

import subprocess
from pathlib import Path

import pytest
from tests.rolling.releases import add_migration

from devstack.settings import CHECKOUT, SERVICES
from previous_release import last_release, works_on_this_schema

TESTS = "tests/api/test_public_api.py"


@pytest.mark.parametrize("service", SERVICES)
def test_the_last_release_of_a_service_works_on_the_schema_of_today(service: str) -> None:
    tag = last_release(service)
    if tag is None:
        pytest.skip(f"{service} is not released yet: there is no tag {service}/v*")

    assert works_on_this_schema(service, tag)


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository whose config service was released twice."""
    folder: Path = tmp_path_factory.mktemp("repository") / "checkout"
    subprocess.run(["git", "clone", "-q", "--shared", str(CHECKOUT), str(folder)], check=True)
    for version in ("v1.9.0", "v1.10.0"):
        subprocess.run(["git", "-C", str(folder), "tag", f"config/{version}"], check=True)
    return folder


def test_the_newest_version_of_a_service_is_its_last_release(checkout: Path) -> None:
    assert last_release("config", checkout=checkout) == "config/v1.10.0"
    assert last_release("catalog", checkout=checkout) == last_release("catalog")


@pytest.mark.parametrize(
    ("change", "works"),
    [("ADD COLUMN note text", True), ("DROP COLUMN effective_from", False)],
    ids=["one column more", "one column less"],
)
def test_a_release_lives_with_a_schema_that_grows_and_not_with_one_that_shrinks(
    checkout: Path, change: str, works: bool, capfd: pytest.CaptureFixture[str]
) -> None:
    migration = add_migration(
        checkout / "services/config", f"ALTER TABLE config.setting_version {change}"
    )
    try:
        outcome = works_on_this_schema("config", "config/v1.10.0", checkout=checkout, tests=TESTS)
    finally:
        migration.unlink()

    assert outcome == works
    missed = "UndefinedColumn" in capfd.readouterr().out
    assert missed == (not works)
