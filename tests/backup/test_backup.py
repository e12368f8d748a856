"""Backups of services that do not run, and what a restore refuses."""

import json
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from tests.backup.grants import grants

from backup.dump import make_backup
from backup.errors import BackupError
from backup.load import restore_backup
from backup.manifest import Manifest, read_manifest
from backup.tools import Tools
from devstack.postgres import throwaway_postgres
from devstack.testing import Databases

SHA256 = "0" * 64


@dataclass(frozen=True)
class Installation:
    """Booking and catalog, migrated, with an upload."""

    databases: Databases
    media: Path

    @property
    def urls(self) -> dict[str, str]:
        return {service: self.databases.of(service).owner_url for service in ("catalog", "booking")}

    @property
    def administrator(self) -> str:
        return self.databases.postgres.settings.database_url("postgres")

    @property
    def tools(self) -> Tools:
        return Tools(str(self.databases.postgres.bin))

    def back_up(self, folder: Path) -> Manifest:
        return make_backup(folder, self.urls, media=self.media, tools=self.tools)

    def restore(
        self, folder: Path, *services: str, replace: bool = True, media: Path | None = None
    ) -> None:
        urls = {service: self.urls[service] for service in services or self.urls}
        restore_backup(folder, urls, media=media or self.media, replace=replace, tools=self.tools)
        self.databases.postgres.apply_roles()

    def execute(self, statement: str) -> None:
        with psycopg.connect(self.administrator) as connection:
            connection.execute(statement)

    def scalar(self, query: str) -> object:
        with psycopg.connect(self.administrator) as connection:
            ((value,),) = connection.execute(query).fetchall()
            return value

    def offers(self) -> object:
        return self.scalar("SELECT count(*) FROM booking.ticket_inventory")

    def add_offer(self) -> None:
        self.execute(
            "INSERT INTO booking.ticket_inventory (show_id, version, title, venue, city,"
            " starts_at, duration_minutes, capacity, available, price_paise, on_sale)"
            f" VALUES ('{uuid4()}', 1, 'Open Mic', 'Lamakaan', 'Hyderabad',"
            " now() + interval '1 day', 90, 10, 10, 49900, true)"
        )

    def add_upload(self, key: str) -> None:
        self.media.mkdir(exist_ok=True)
        (self.media / key).write_bytes(b"picture")
        self.execute(
            "INSERT INTO catalog.media (key, owner_id, kind, size, sha256, review_at, stored_at)"
            f" VALUES ('{key}', '{uuid4()}', 'SHOW', 7, '{SHA256}', now(), now())"
        )


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """A server of these tests' own: they replace what is in it."""
    folder = tmp_path_factory.mktemp("backed-up")
    with throwaway_postgres(folder) as postgres:
        yield Installation(Databases(postgres), folder / "media")


@pytest.fixture(scope="module")
def backup(installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One offer and one upload."""
    folder = tmp_path_factory.mktemp("backups") / "first"
    assert installation.urls
    installation.add_offer()
    installation.add_upload("kept.jpg")
    installation.execute("INSERT INTO booking.rate_count VALUES (now(), 'digest', 1)")
    (installation.media / "unknown.jpg").write_bytes(b"no row names it")
    installation.back_up(folder)
    return folder


def test_a_backup_is_read_by_its_owner_only_and_says_what_it_is(backup: Path) -> None:
    stored = json.loads((backup / "manifest.json").read_text())

    assert stat.S_IMODE(backup.stat().st_mode) == 0o700
    assert {stat.S_IMODE(each.stat().st_mode) for each in backup.iterdir()} == {0o600}
    assert {each.name for each in backup.iterdir()} == {
        *("booking.dump", "catalog.dump", "media.tar", "manifest.json")
    }
    assert stored["services"].keys() == {"booking", "catalog"}
    assert stored["media"]["uploads"] == 1


def test_what_is_restored_is_what_was_there_with_the_rights_on_it(
    installation: Installation, backup: Path
) -> None:
    before, offers = grants(installation.administrator), installation.offers()
    counted = "SELECT count(*) FROM booking.rate_count"
    assert installation.scalar(counted) == 1
    installation.add_offer()
    installation.add_upload("later.jpg")
    installation.execute(
        "CREATE TABLE booking.made_later (id int);"
        "ALTER TABLE booking.made_later OWNER TO booking_owner"
    )

    installation.restore(backup)

    assert installation.offers() == offers
    assert [each.name for each in installation.media.iterdir()] == ["kept.jpg"]
    assert installation.scalar("SELECT to_regclass('booking.made_later')") is None
    assert grants(installation.administrator) == before
    assert installation.scalar(counted) == 0  # nobody is reminded of requests of long ago


def test_one_service_is_restored_alone(installation: Installation, backup: Path) -> None:
    installation.restore(backup)
    offers = installation.offers()
    installation.add_offer()
    installation.add_upload("later.jpg")

    installation.restore(backup, "booking")

    assert installation.offers() == offers
    assert (installation.media / "later.jpg").exists()


def test_data_is_not_lost_unless_that_is_asked_for(
    installation: Installation, backup: Path
) -> None:
    with pytest.raises(BackupError, match="catalog has data, which would be lost: REPLACE=1"):
        installation.restore(backup, replace=False)


def test_a_service_at_work_is_not_replaced(installation: Installation, backup: Path) -> None:
    with (
        psycopg.connect(installation.databases.of("booking").url),
        pytest.raises(BackupError, match="booking is at work on its database"),
    ):
        installation.restore(backup)


def test_a_damaged_file_restores_nothing(
    installation: Installation, backup: Path, tmp_path: Path
) -> None:
    damaged = tmp_path / "damaged"
    damaged.mkdir()
    for each in backup.iterdir():
        (damaged / each.name).write_bytes(each.read_bytes())
    (damaged / "booking.dump").write_bytes(b"x" + (backup / "booking.dump").read_bytes()[1:])
    installation.add_upload("stays.jpg")

    with pytest.raises(BackupError, match=r"booking\.dump is damaged"):
        installation.restore(damaged)

    assert installation.scalar("SELECT count(*) FROM catalog.media WHERE key = 'stays.jpg'") == 1


def test_a_restore_that_fails_at_its_end_changes_nothing(
    installation: Installation, tmp_path: Path
) -> None:
    assert installation.urls
    installation.execute("CREATE ROLE guest; GRANT SELECT ON booking.booking TO guest")
    installation.back_up(tmp_path / "with-guest")
    installation.execute("DROP OWNED BY guest; DROP ROLE guest")
    installation.add_offer()
    offers, before = installation.offers(), grants(installation.administrator)

    with pytest.raises(BackupError, match=r"booking: psql failed: .*role \"guest\" does"):
        installation.restore(tmp_path / "with-guest", "booking")

    assert (installation.offers(), grants(installation.administrator)) == (offers, before)


def test_data_of_a_later_release_is_refused(
    installation: Installation, backup: Path, tmp_path: Path
) -> None:
    later = tmp_path / "later"
    later.mkdir()
    stored = json.loads((backup / "manifest.json").read_text())
    stored["services"]["booking"]["revision"] = "20990101_0000"
    (later / "manifest.json").write_text(json.dumps(stored))

    with pytest.raises(BackupError, match="20990101_0000, which this release does not know"):
        installation.restore(later, "booking")


def test_a_backup_is_not_written_over_another(installation: Installation, backup: Path) -> None:
    with pytest.raises(BackupError, match="is not written over anything"):
        installation.back_up(backup)


def test_a_backup_that_fails_leaves_nothing(installation: Installation, tmp_path: Path) -> None:
    urls = {"config": installation.urls["booking"]}

    with pytest.raises(BackupError, match="the database cannot be read"):
        make_backup(tmp_path / "none", urls, media=None, tools=installation.tools)

    assert list(tmp_path.iterdir()) == []


def test_a_folder_without_manifest_is_no_backup(installation: Installation, tmp_path: Path) -> None:
    with pytest.raises(BackupError, match="is no complete backup"):
        installation.restore(tmp_path)


def test_the_command_takes_the_files_of_make_secrets(
    installation: Installation, tmp_path: Path
) -> None:
    (tmp_path / "booking_migration_database_url").write_text(installation.urls["booking"])
    environment = {"SECRETS": str(tmp_path), "PG_BIN": str(installation.databases.postgres.bin)}

    def backup(what: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "backup", what, str(tmp_path / "made"), "--service", "booking"],
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            check=False,
        )

    made, refused = backup("make"), backup("restore")

    assert (made.returncode, made.stderr) == (0, "")
    assert "NOT IN IT: uploads" in made.stdout
    assert read_manifest(tmp_path / "made").services.keys() == {"booking"}
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.startswith("backup: booking has data, which would be lost")
