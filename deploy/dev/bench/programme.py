"""What is measured, in which order, and how one slice of it is taken."""

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Protocol

import requests as http

from bench import stage as stages
from bench.audience import SIZE as BUYERS
from bench.audience import Audience, Person, exchange_headers
from bench.box_office import PAGE, BoxOffice
from bench.cpu import Meter
from bench.figures import Slice
from bench.load import Answer, Load, Requests, Wanted
from bench.names import (
    COLLECTIONS,
    DISCOVERY,
    DISCOVERY_THROUGH_GATEWAY,
    EXCHANGE,
    HELLO,
    HOT,
    OWN_DASHBOARD,
    OWN_SALES,
    PGBENCH_HOT,
    PGBENCH_SPREAD,
    SHOW,
    SOLD_OUT,
    SPREAD,
    SPREAD_THROUGH_GATEWAY,
    THROUGH_GATEWAY,
    UNCHANGED,
    with_stored,
)
from bench.orders import (
    TICKETS_PER_PERSON,
    Credentials,
    Latecomers,
    Orders,
    Page,
    Repeated,
    get,
    post_booking,
)
from bench.pgbench import Pgbench, scratch_database
from bench.stage import Stage

_MANY = 100
_WARM_UP_SECONDS = 0.15  # twice: the processes that take part are looked up in between
_MOST_PER_SECOND = 5_000  # what orders are prepared for

_PAGE_SECONDS = 2.0

_BOOKED = Wanted(b"201")
_ADMINS_PASSWORD = "a long password of the bench"  # noqa: S105 of a database that is removed
_WITH_STORED = {HELLO, HOT, SPREAD, SOLD_OUT, DISCOVERY, SHOW, EXCHANGE}


class Measurement(Protocol):
    """Something that is measured in every round."""

    @property
    def name(self) -> str:
        """The figure's name."""

    @property
    def connections(self) -> int:
        """How many clients there are at once."""

    def measure(self, seconds: float) -> Slice:
        """Take one slice of this length."""


@dataclass(frozen=True, slots=True)
class Ledger:
    """What the load was told of its bookings."""

    counts: Counter[str] = field(default_factory=Counter)

    def note(self, answers: Sequence[Answer]) -> None:
        """Count confirmed bookings, and requests whose outcome the buyer does not know."""
        for answer in answers:
            if not answer.failure:
                self.counts["confirmed"] += 1
            elif not answer.failure.startswith("4"):
                self.counts["unknown"] += 1


@dataclass(frozen=True, slots=True)
class Http:
    """Requests to one port; `services` are the processes whose processor time they cost."""

    name: str
    connections: int
    stage: Stage
    services: Sequence[str]
    requests: Requests
    wanted: Wanted
    ledger: Ledger | None = None
    at_least: float = 0.0  # seconds, for what takes long

    def measure(self, seconds: float) -> Slice:
        """Warm up, measure, and wait for the answers that are still to come."""
        seconds = max(seconds, self.at_least)
        stack, port = self.stage.stack, self.stage.port(self.services[0])
        self.requests.prepare(int((2 * _WARM_UP_SECONDS + seconds) * _MOST_PER_SECOND))
        with Load(port, self.requests, self.wanted, connections=self.connections) as load:
            load.keep_up(_WARM_UP_SECONDS)
            services = Meter(stack.pid(name) for name in self.services)
            postgres = Meter([stack.pid("postgres")])
            load.keep_up(_WARM_UP_SECONDS)
            before = services.seconds(), postgres.seconds(), time.process_time()
            began, ended = load.keep_up(seconds)
            after = services.seconds(), postgres.seconds(), time.process_time()
            load.finish()
        if self.ledger:
            self.ledger.note(load.answers)
        used = [late - early for early, late in zip(before, after, strict=True)]
        return slice_of(load.answers, began, ended, *used)


def slice_of(
    answers: Sequence[Answer],
    began: float,
    ended: float,
    service_cpu: float,
    postgres_cpu: float,
    generator_cpu: float,
) -> Slice:
    """Count what was answered within the time, and how long what was sent within it took."""
    good = [answer for answer in answers if not answer.failure]
    return Slice(
        seconds=ended - began,
        answered=sum(began <= answer.done_at < ended for answer in good),
        latencies=[
            answer.done_at - answer.sent_at for answer in good if began <= answer.sent_at < ended
        ],
        failures=Counter(answer.failure for answer in answers if answer.failure),
        service_cpu=service_cpu,
        postgres_cpu=postgres_cpu,
        generator_cpu=generator_cpu,
    )


@contextmanager
def programme(
    stage: Stage, audience: Audience, box_office: BoxOffice, ledger: Ledger
) -> Iterator[list[Measurement]]:
    """Prepare what is measured; its scratch tables exist while it may be used."""
    hello = Repeated([get("hello", "/")])
    with scratch_database(stage) as scratch:
        yield [
            Http(HELLO, 64, stage, [stages.HELLO], hello, Wanted(b"200")),
            *(Pgbench(PGBENCH_HOT, clients, 1, stage, scratch) for clients in (4, 8)),
            *(Pgbench(PGBENCH_SPREAD, clients, _MANY, stage, scratch) for clients in (4, 8)),
            *_bookings(stage, audience, box_office, ledger),
            _refusals(stage, audience, box_office, ledger),
            *_reads(stage),
            _exchanges(stage, audience),
        ]


def _bookings(
    stage: Stage, audience: Audience, box_office: BoxOffice, ledger: Ledger
) -> Iterator[Measurement]:
    def orders(host: str, credentials: Credentials, shows_at_once: int) -> Orders:
        return Orders(
            host,
            credentials,
            lambda count: box_office.open(count, capacity=BUYERS * TICKETS_PER_PERSON),
            buyers=BUYERS,
            shows_at_once=shows_at_once,
        )

    straight = ["booking"], "booking", audience.tokens
    public = ["gateway", "identity", "booking"], stage.public_host, audience.browsers
    for name, shows_at_once, (services, host, credentials) in (
        (HOT, 1, straight),
        (SPREAD, _MANY, straight),
        (THROUGH_GATEWAY, 1, public),
        (SPREAD_THROUGH_GATEWAY, _MANY, public),
    ):
        wished = orders(host, credentials, shows_at_once)
        for connections in (1, 16, 64, 256):
            yield Http(name, connections, stage, services, wished, _BOOKED, ledger)


def _refusals(
    stage: Stage, audience: Audience, box_office: BoxOffice, ledger: Ledger
) -> Measurement:
    """Sell the only ticket of a show, and ask for more."""
    (show_id,) = box_office.open(1, capacity=1)
    first = post_booking("booking", show_id, audience.tokens()[0], key="the-only-ticket")
    with Load(stage.port("booking"), Repeated([first]), _BOOKED, connections=1) as load:
        load.finish()
    ledger.note(load.answers)
    late = Latecomers("booking", audience.tokens, show_id)
    return Http(SOLD_OUT, 64, stage, ["booking"], late, Wanted(b"409", b'"SOLD_OUT"'))


def _reads(stage: Stage) -> Iterator[Measurement]:
    page = Repeated([get("catalog", PAGE)])
    for connections in (64, 256):
        yield Http(DISCOVERY, connections, stage, ["catalog"], page, Wanted(b"200"))
    answer = http.get(f"{stage.stack.settings['CATALOG_URL']}{PAGE}", timeout=15)
    known = Repeated([get("catalog", PAGE, {"If-None-Match": answer.headers["ETag"]})])
    yield Http(UNCHANGED, 64, stage, ["catalog"], known, Wanted(b"304"))
    show = Repeated([get("catalog", f"/api/v1/shows/{answer.json()['shows'][0]['id']}")])
    yield Http(SHOW, 64, stage, ["catalog"], show, Wanted(b"200"))
    public = Repeated([get(stage.public_host, PAGE)])
    services = ["gateway", "catalog"]
    yield Http(DISCOVERY_THROUGH_GATEWAY, 64, stage, services, public, Wanted(b"200"))


def _exchanges(stage: Stage, audience: Audience) -> Measurement:
    """Have the same people ask again and again, as they do: what identity remembers counts."""
    asked = [get("identity", "/auth/exchange", exchange_headers(each)) for each in audience.cookies]
    wanted = Wanted(b"200", b"\r\nAuthorization: Bearer ")
    return Http(EXCHANGE, 64, stage, ["identity"], Repeated(asked), wanted)


def again_with_stored(measurements: Sequence[Measurement], stage: Stage) -> list[Measurement]:
    """Return what is measured once more when a million bookings are stored, and the money pages.

    The yardstick is among it: what it loses, the machine has lost in the meantime.
    """
    organizer = Person(stage, "organizer@comedy.example")
    admin = Person(stage, "admin@comedy.example", password=_ADMINS_PASSWORD)
    pages = (
        (OWN_SALES, "/api/v1/organizer/sales", organizer),
        (OWN_DASHBOARD, "/api/v1/organizer/dashboard", organizer),
        (COLLECTIONS, "/api/v1/admin/collections", admin),
    )
    return [
        *(
            replace(each, name=with_stored(each.name))
            for each in measurements
            if isinstance(each, Http) and each.connections == 64 and each.name in _WITH_STORED
        ),
        *(
            Http(
                with_stored(name),
                1,
                stage,
                ["booking"],
                Page("booking", path, reader.tokens),
                Wanted(b"200"),
                at_least=_PAGE_SECONDS,
            )
            for name, path, reader in pages
        ),
    ]
