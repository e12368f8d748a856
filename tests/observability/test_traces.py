"""What a collector gets to see of the whole system at work, by OpenTelemetry's own protocol."""

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from tests.observability.collector import Collector, Span

from devstack.stack import Stack
from devstack.testing import eventually
from devstack.visitor import Visitor

UNTRACED = """
import sys
from sqlalchemy import text
from booking_service import app as booking, worker
from catalog_service import app as catalog, worker
from config_service import app as config
from identity_service import app as identity, worker
from service_kit import tracing
from service_kit.database import connect_to
tracing.configure(service="nobody's")
for each in (booking, catalog, config, identity):
    each.create_app(None).test_client().get("/healthz")
connect_to("postgresql://nobody@127.0.0.1:9/nothing", application="x")
with tracing.span("nothing"), tracing.work("nothing", "id"):
    assert tracing.headers() == {}
print([name for name in sys.modules if name.startswith("opentelemetry")])
"""


@pytest.fixture
def visitor(traced: Stack) -> Iterator[Visitor]:
    visitor = Visitor(traced.url)
    yield visitor
    visitor.close()


def put_on_sale(traced: Stack) -> str:
    organizer = Visitor(traced.url)
    organizer.sign_in("organizer@comedy.example")
    wish = {
        "title": "Traces",
        "date": (datetime.now(UTC) + timedelta(days=10)).isoformat(),
        "venue": "Heart Cup Coffee, Jubilee Hills",
        "googleMapsLink": "https://maps.google.com/?q=Jubilee+Hills",
        "ticketPrice": 499,
        "totalTickets": 10,
    }
    show_id: str = organizer.post("/api/v1/shows", wish).json()["show"]["id"]
    assert organizer.post(f"/api/v1/shows/{show_id}/publish").status_code == 200
    organizer.close()
    return show_id


def is_connected(spans: list[Span]) -> bool:
    """Return whether every span of a trace has its parent in it, and all but one have one."""
    known = {span.span_id for span in spans}
    roots = [span for span in spans if not span.parent_id]
    return len(roots) == 1 and all(span.parent_id in known for span in spans if span.parent_id)


def test_without_an_exporter_nothing_of_opentelemetry_is_imported() -> None:
    environment = {name: value for name, value in os.environ.items() if "OTEL" not in name}

    said = subprocess.run(
        [sys.executable, "-c", UNTRACED],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )

    assert said.stdout.splitlines()[-1] == "[]"


@pytest.mark.system
def test_a_booking_is_one_trace_from_the_gateway_to_postgres(
    traced: Stack, collector: Collector, visitor: Visitor
) -> None:
    show_id = put_on_sale(traced)
    email = f"{uuid4().hex}@people.example"
    person = visitor.sign_in(email)
    foreign = "0af7651916cd43dd8448eb211c80319c"

    answer = visitor.post(
        "/api/v1/bookings",
        {"showId": show_id, "quantity": 1},
        headers={"traceparent": f"00-{foreign}-b7ad6b7169203331-01"},
    )

    assert answer.status_code == 201, answer.text
    request_id = answer.headers["X-Request-ID"]

    def trace() -> list[Span]:
        of_request = [x for x in collector.spans if x.attributes.get("request.id") == request_id]
        return collector.trace(of_request[0].trace_id) if of_request else []

    eventually(lambda: is_connected(trace()) and len({x.service for x in trace()}) == 3)
    names = {(span.service, span.name) for span in trace()}
    assert {
        ("gateway", "gateway"),
        ("identity", "GET /auth/exchange"),
        ("booking", "POST /api/v1/bookings"),
        ("booking", "postgres SELECT"),
    } <= names
    assert collector.trace(foreign) == []  # a visitor does not choose
    assert_nothing_of(collector, email, person["id"], show_id, answer.json()["booking"]["id"])


@pytest.mark.system
def test_a_deletion_is_one_trace_whoever_does_a_part_of_it(
    collector: Collector, visitor: Visitor
) -> None:
    email = f"{uuid4().hex}@people.example"
    person = visitor.sign_in(email)

    answer = visitor.post("/api/v1/profile/delete")

    assert answer.status_code in (200, 202), answer.text
    request_id = answer.headers["X-Request-ID"]

    def trace() -> list[Span]:
        asked = {
            span.trace_id
            for span in collector.spans
            if span.attributes.get("request.id") == request_id
        }
        pointed = {
            link for span in collector.spans if span.trace_id in asked for link in span.links
        }
        return [span for span in collector.spans if span.trace_id in pointed]

    parts = {"identity-worker", "identity", "booking", "catalog", "config"}
    eventually(lambda: parts <= {x.service for x in trace()} and is_connected(trace()), seconds=60)
    steps = {span.name for span in trace() if span.service == "identity-worker"}
    assert {"delete_account", "step fence_booking", "step decide", "step purge_config"} <= steps
    assert_nothing_of(collector, email, person["id"])


@pytest.mark.system
def test_timers_are_traced_with_their_statements(traced: Stack, collector: Collector) -> None:
    assert traced.url
    eventually(lambda: any(x.name == "timer release-holds" for x in collector.spans))
    first = next(x for x in collector.spans if x.name == "timer release-holds")
    assert (first.service, first.parent_id) == ("booking-worker", "")
    eventually(lambda: any("postgres" in x.name for x in collector.trace(first.trace_id)))


def assert_nothing_of(collector: Collector, *values: str) -> None:
    """No person, and no show or booking by which one could be found, is in any span."""
    sent = b"".join(collector.received)
    for value in values:
        assert value.encode() not in sent
    for value in values:
        if "@" not in value:
            assert UUID(value).hex.encode() not in sent
            assert UUID(value).bytes not in sent
