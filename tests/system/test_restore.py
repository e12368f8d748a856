"""A backup, days later a restore: what was promised since the backup is kept, deletions first."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.backup.grants import grants
from tests.system.conftest import ShowFactory, VisitorFactory
from tests.system.test_account_deletion import Person, book

from devstack.restoring import restore
from devstack.stack import Stack
from devstack.testing import eventually
from devstack.visitor import Visitor
from erasure_scan.scan import scan

pytestmark = pytest.mark.system


def devstack(stack: Stack, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "devstack", *words],
        env={**os.environ, "RUN_DIR": str(stack.run_dir)},
        capture_output=True,
        text=True,
        check=False,
    )


def back_up(stack: Stack, folder: Path) -> Path:
    done = devstack(stack, "backup", str(folder))
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def bring_back(stack: Stack, backup: Path, *, service: str | None = None) -> None:
    stack.stop_processes()
    restore(stack, backup, service=service, replace=True)
    stack.start_process("gateway")


def ids_of_bookings(buyer: Visitor) -> list[str]:
    return [each["id"] for each in buyer.get("/api/v1/bookings").json()["bookings"]]


def delete(person: Person) -> None:
    answer = person.deletes()
    assert answer.status_code in {200, 202}, answer.text
    link = answer.json()["statusUrl"].removeprefix(person.browser.url)
    eventually(lambda: person.browser.get(link).json()["state"] == "COMPLETED", seconds=60)


def require_gone(stack: Stack, person: Person) -> None:
    known = {"id": person.id, "email": person.email, "name": person.name, "phone": person.phone}
    folders = [stack.run_dir / "logs", Path(stack.settings["MEDIA_DIR"])]
    assert [str(each) for each in scan(stack.db_url("auditor"), folders, known)] == []


def test_deletions_since_the_backup_are_repeated_and_sales_go_on(
    stack: Stack,
    visitor: VisitorFactory,
    show_on_sale: ShowFactory,
    admin: Visitor,
    tmp_path: Path,
) -> None:
    show, buyer, person = show_on_sale(), visitor("audience@comedy.example"), Person(visitor())
    person.becomes_organizer(admin)
    poster = person.uploads()
    person.drafts(posterImageUrl=poster)
    person.books(show)
    book(buyer, show, 2)
    kept = ids_of_bookings(buyer)
    backup = back_up(stack, tmp_path / "backup")
    before = grants(stack.db_url())
    delete(person)
    book(buyer, show, 3)
    made_later = show_on_sale()

    bring_back(stack, backup)

    require_gone(stack, person)
    assert buyer.get(poster).status_code == 404
    assert grants(stack.db_url()) == before
    assert ids_of_bookings(buyer) == kept
    assert buyer.get(f"/api/v1/shows/{made_later['id']}").status_code == 404
    book(buyer, show)
    available = buyer.get(f"/api/v1/shows/{show['id']}").json()["show"]["ticketInventory"]
    assert available["available"] == show["totalTickets"] - 3
