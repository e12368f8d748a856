"""Each service is replaced by its next release, alone, while people use the platform."""

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg
import pytest
from tests.rolling.addresses import Address
from tests.rolling.load import (
    Buyer,
    Load,
    a_show,
    admin,
    expect,
    newcomer,
    organizer,
    passer_by,
)
from tests.rolling.releases import Release

from devstack.health import READY, ask
from devstack.ports import LOOPBACK, free_ports
from devstack.settings import PORTS, SERVICES, SERVICES_WITH_WORKER
from devstack.stack import Stack
from devstack.supervision import Process
from devstack.testing import eventually
from devstack.visitor import Visitor

pytestmark = pytest.mark.system

DRAIN_SECONDS = "5"  # as in production
STEPS = 15  # different things that people ask for


@dataclass(frozen=True)
class Platform:
    """Everything that runs, and how the services reach one another."""

    stack: Stack
    addresses: dict[str, Address]
    next_web: dict[str, Process]
    releases: dict[str, Release]

    def roll(self, service: str) -> None:
        """Replace a service as `make release` does: migration, new processes, old ones."""
        release = self.releases[service]
        release.migrate(self.stack)
        self._start(self.next_web[service])
        self.addresses[service].stand_for(self.next_web[service].port)
        with ThreadPoolExecutor() as beside:
            draining = beside.submit(self.stack.stop_process, service)
            if service in SERVICES_WITH_WORKER:
                self._start(release.worker(self.stack))
                self.stack.stop_process(f"{service}-worker")
            draining.result()

    def _start(self, process: Process) -> None:
        if folder := process.env.get("PROMETHEUS_MULTIPROC_DIR"):
            Path(folder).mkdir()
        self.stack.supervisor.start(process)
        eventually(lambda: ask(process.health) == READY, seconds=120)


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory, installed: Path) -> Iterator[Platform]:
    """A stack whose services call one another by an address, and whose gateway knows replicas."""
    ports = free_ports(PORTS)
    addresses = {x: Address(int(ports[f"{x.upper()}_PORT"])) for x in SERVICES}
    folder = tmp_path_factory.mktemp("releases")
    releases = {x: Release.next(x, folder / x) for x in SERVICES}
    with ExitStack() as running:
        for address in addresses.values():
            running.enter_context(address.listening())
        urls = {f"{x.upper()}_URL": address.url for x, address in addresses.items()}
        load = {"RATE_LIMIT_TIMES": "1000"}  # from one address
        environment = {**ports, **urls, **load, "DRAIN_SECONDS": DRAIN_SECONDS}
        stack = running.enter_context(Stack(folder / "stack", environment, copy_of=installed))
        next_web = {x: release.web(stack) for x, release in releases.items()}
        known = {
            x.upper(): f"{LOOPBACK}:{stack.process(x).port} {LOOPBACK}:{next_web[x].port}"
            for x in SERVICES
        }
        gateway = stack.process("gateway")
        stack.stop_process("gateway")
        stack.supervisor.start(replace(gateway, env={**gateway.env, **known}))
        stack.wait_until_ready("gateway")
        yield Platform(stack, addresses, next_web, releases)


def show_on_sale(platform: Platform) -> str:
    with closing(Visitor(platform.stack.url)) as creator:
        creator.sign_in("organizer@comedy.example")
        show_id: str = expect(creator.post("/api/v1/shows", a_show()), 201)["show"]["id"]
        expect(creator.post(f"/api/v1/shows/{show_id}/publish"), 200, 202)
        eventually(lambda: creator.get(f"/api/v1/shows/{show_id}").json()["show"]["isPublished"])
    return show_id


def test_services_are_released_one_by_one_and_no_request_fails(platform: Platform) -> None:
    load = Load(platform.stack.url)
    buyers = [
        Buyer(email, show_on_sale(platform))  # of shows of their own: nobody waits for the other
        for email in ("audience01@comedy.example", "audience02@comedy.example")
    ]

    with load.running(passer_by(buyers[0].show_id), *buyers, organizer, admin, newcomer):
        eventually(lambda: len(load.answered) == STEPS, seconds=60)
        for service in SERVICES:
            platform.roll(service)
            load.forget_answers()
            eventually(lambda: len(load.answered) == STEPS, seconds=60)

    assert load.failures == []
    for buyer in buyers:
        assert sold(platform, buyer.show_id) == len(buyer.bookings) > 0
    eventually(lambda: unpublished(platform, load.published) == 0, seconds=60)
    assert_invariants_hold(platform)


def sold(platform: Platform, show_id: str) -> int:
    query = "SELECT sold FROM booking.ticket_inventory WHERE show_id = %s"
    return count(platform, query, show_id)


def unpublished(platform: Platform, show_ids: list[str]) -> int:
    query = "SELECT count(*) FROM catalog.show WHERE id = ANY(%s) AND status <> 'PUBLISHED'"
    return count(platform, query, show_ids)


def count(platform: Platform, query: str, *values: object) -> int:
    with psycopg.connect(platform.stack.db_url("auditor")) as connection:
        (found,) = connection.execute(query.encode(), values).fetchone() or (0,)
    return int(found)


def assert_invariants_hold(platform: Platform) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "check_invariants"],
        env={"DATABASE_URL": platform.stack.db_url("auditor")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
