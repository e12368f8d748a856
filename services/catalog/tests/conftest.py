import os
import secrets
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy import text

from catalog_service.api.kept_pages import KeptPages
from catalog_service.app import create_app
from catalog_service.domain.actors import Actor
from catalog_service.domain.media import Media, MediaKind
from catalog_service.domain.shows import Show, ShowDetails
from catalog_service.models import Base
from catalog_service.settings import LocalMedia, Settings
from catalog_service.usecases.create_show import create_show
from catalog_service.usecases.publish_show import publish_show
from catalog_service.usecases.settle_change import settle_change
from catalog_service.usecases.upload_image import upload_image
from catalog_service.wiring import Wiring, wire
from devstack.health import READY, ask
from devstack.ports import free_ports
from devstack.processes import cli_command, processes, service_environment, service_folder
from devstack.settings import PORTS, resolve
from devstack.settings import Settings as StackSettings
from devstack.supervision import Process, Supervisor
from devstack.testing import Databases, eventually
from service_kit.testing import TokenIssuer

MAP = "https://www.google.com/maps/search/?api=1&query=Lamakaan"
NOBODY = "http://127.0.0.1:9"  # what needs another service is tested with all of them, elsewhere

ShowFactory = Callable[..., Show]
PATIENCE_SECONDS = 60


class Neighbours:
    """Identity, booking and our own worker, as processes."""

    def __init__(self, databases: Databases) -> None:
        postgres = databases.postgres.settings
        ports = {**free_ports(PORTS), "PG_PORT": postgres["PG_PORT"]}
        self.settings: StackSettings = resolve(postgres.run_dir, ports)
        self.processes: dict[str, Process] = {
            process.name: process for process in processes(self.settings, os.environ)
        }
        self._supervisor = Supervisor(postgres.run_dir)
        self._identity = databases.of("identity")
        databases.of("booking")
        with psycopg.connect(databases.of("identity").owner_url) as identity:
            # those of identity's own tests are encrypted with keys that these tests do not know
            identity.execute("DELETE FROM identity.signing_key")
            identity.execute("DELETE FROM identity.erasure_key")

    def start(self, *names: str) -> None:
        for name in names:
            self._supervisor.start(self.processes[name])
        healths = [self.processes[name].health for name in names]
        eventually(
            lambda: all(ask(health) == READY for health in healths), seconds=PATIENCE_SECONDS
        )

    def stop(self, *names: str) -> None:
        self._supervisor.stop(*names)

    def stop_all(self) -> None:
        self._supervisor.kill(*self._supervisor.names)
        # Only these processes can open the keys they made; identity's own tests make others.
        with psycopg.connect(self._identity.owner_url) as connection:
            connection.execute("DELETE FROM identity.signing_key")
            connection.execute("DELETE FROM identity.erasure_key")

    def seed_identity(self) -> None:
        environment = service_environment(self.settings, os.environ, "identity")
        subprocess.run(  # noqa: S603
            cli_command("identity", "seed"),
            cwd=service_folder("identity"),
            env=environment,
            check=True,
        )


def make_details(**changes: Any) -> ShowDetails:
    details = ShowDetails(
        title="Open Mic",
        starts_at=datetime.now(UTC) + timedelta(days=7),
        venue="Lamakaan",
        google_maps_link=MAP,
        price_paise=49_900,
        capacity=100,
    )
    return replace(details, **changes)


def make_picture(
    file_format: str = "JPEG", *, size: tuple[int, int] = (64, 48), mode: str = "RGB", **saved: Any
) -> bytes:
    """Return a real image file; `saved` is what Pillow's `save` takes."""
    target = BytesIO()
    Image.linear_gradient("L").resize(size).convert(mode).save(target, file_format, **saved)
    return target.getvalue()


def make_actor(role: str = "ORGANIZER", *, approved: bool = True) -> Actor:
    return Actor(id=uuid4(), role=role, approved=approved)


@pytest.fixture(scope="session")
def picture() -> Callable[..., bytes]:
    return make_picture


@pytest.fixture
def upload(use: Wiring) -> Callable[..., Media]:
    """Images as people have uploaded them."""

    def make(*, by: Actor, kind: MediaKind = MediaKind.PROFILE) -> Media:
        content = make_picture()
        return upload_image(
            use.begin, use.images, use.storage, actor=by, kind=kind, content=content
        )

    return make


@pytest.fixture(scope="session")
def issuer() -> TokenIssuer:
    return TokenIssuer()


@pytest.fixture(scope="session")
def use(
    databases: Databases, issuer: TokenIssuer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Wiring]:
    settings = Settings(
        env="development",
        log_level="INFO",
        database_url=databases.of("catalog").url,
        identity_url=NOBODY,
        booking_url=NOBODY,
        jwt_issuer=issuer.issuer,
        client_id="catalog",
        client_secret="unused",
        erasure_key=secrets.token_urlsafe(),
        rate_limit_times=1000,  # tests ask often
        media=LocalMedia(tmp_path_factory.mktemp("media")),
    )
    wiring = replace(wire(settings), verifier=issuer.verifier("catalog"))
    yield wiring
    wiring.engine.dispose()


@pytest.fixture(scope="session")
def client(use: Wiring) -> FlaskClient:
    """The app, without memory of public pages: a test sees at once what it did."""
    return create_app(use, pages=KeptPages(seconds=0, grace_seconds=0)).test_client()


@pytest.fixture
def draft(use: Wiring) -> ShowFactory:
    def make(*, by: Actor | None = None, comedian_ids: Any = (), **changes: Any) -> Show:
        return create_show(
            use.begin,
            use.people,
            actor=by or make_actor(),
            details=make_details(**changes),
            comedian_ids=comedian_ids,
            now=use.now(),
        )

    return make


@pytest.fixture
def published(use: Wiring, draft: ShowFactory) -> ShowFactory:
    """Shows as they are once booking has opened their offers."""

    def make(*, by: Actor | None = None, **changes: Any) -> Show:
        owner = by or make_actor()
        show = draft(by=owner, **changes)
        change = publish_show(use.begin, actor=owner, show_id=show.id, now=use.now())
        settle_change(use.begin, change_id=change.id, refusal=None)
        with use.read() as tx:
            return tx.shows.editable_by(owner, show.id)

    return make


@pytest.fixture
def tell(client: FlaskClient, issuer: TokenIssuer) -> Callable[[str, UUID, UUID], Any]:
    """What identity commands when an account is deleted: fence, lift, purge."""
    headers = issuer.service("identity", audience="catalog", scope="catalog:purge-user")

    def post(command: str, saga_id: UUID, person_id: UUID) -> Any:
        path = f"/internal/deletions/{saga_id}/{command}"
        answer = client.post(path, json={"personId": str(person_id)}, headers=headers)
        assert answer.status_code in {200, 409}, answer.get_json()
        return answer.get_json()

    return post


@pytest.fixture
def everything(use: Wiring) -> Callable[[], dict[str, list[str]]]:
    """All that the catalog stores, but for what it knows about deletions."""

    def dump() -> dict[str, list[str]]:
        tables = [each.fullname for each in Base.metadata.sorted_tables]
        tables.remove("catalog.account_deletion")
        with use.engine.connect() as connection:
            return {
                table: sorted(
                    connection.scalars(text(f"SELECT to_json(t)::text FROM {table} AS t"))  # noqa: S608
                )
                for table in tables
            }

    return dump


@pytest.fixture(scope="module")
def neighbours(databases: Databases) -> Iterator[Neighbours]:
    neighbours = Neighbours(databases)
    try:
        neighbours.start("identity", "booking")
        neighbours.seed_identity()
        yield neighbours
    finally:
        neighbours.stop_all()


@pytest.fixture(scope="module")
def connected(
    neighbours: Neighbours, databases: Databases, issuer: TokenIssuer
) -> Iterator[Wiring]:
    """Wiring to the real booking and identity."""
    environment = service_environment(neighbours.settings, os.environ, "catalog")
    environment["DATABASE_URL"] = databases.of("catalog").url
    wiring = wire(Settings.from_env(environment))
    yield replace(wiring, verifier=issuer.verifier("catalog"))
    wiring.engine.dispose()


@pytest.fixture(scope="module")
def worker(neighbours: Neighbours, connected: Wiring) -> Iterator[None]:
    """Our own worker, once it has done what earlier tests had left to it."""
    neighbours.start("catalog-worker")
    undone = text(
        "SELECT count(*) FROM catalog_workflows.workflow_status "
        "WHERE status IN ('ENQUEUED', 'PENDING')"
    )

    def is_idle() -> bool:
        with connected.engine.connect() as connection:
            return bool(connection.scalar(undone) == 0)

    eventually(is_idle, seconds=PATIENCE_SECONDS)
    yield
    neighbours.stop("catalog-worker")
