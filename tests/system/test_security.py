"""What must not work through the gateway of the running system."""

from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from devstack.settings import SERVICES
from devstack.stack import Stack
from devstack.testing import eventually
from devstack.visitor import Visitor

VisitorFactory = Callable[..., Visitor]
ShowFactory = Callable[..., dict[str, Any]]

pytestmark = pytest.mark.system


@pytest.mark.parametrize("origin", ["https://evil.example", "null", ""])
def test_another_site_cannot_book_with_a_visitors_cookie(
    visitor: VisitorFactory, show_on_sale: ShowFactory, origin: str
) -> None:
    person = visitor("audience@comedy.example")
    wish = {"showId": show_on_sale()["id"], "quantity": 1}

    answer = person.post("/api/v1/bookings", wish, headers={"Origin": origin or None})

    assert answer.status_code == 403


def test_signing_out_ends_the_session_at_once(visitor: VisitorFactory) -> None:
    person = visitor("audience@comedy.example")
    assert person.get("/api/v1/bookings").status_code == 200

    person.sign_out()

    assert person.get("/api/v1/bookings").status_code == 401
    assert person.get("/api/auth/session").json() == {}


@pytest.mark.parametrize(
    "path", ["/internal/availability", "//internal/offers/x", "/auth/exchange", "/metrics"]
)
def test_what_is_internal_is_not_reachable(visitor: VisitorFactory, path: str) -> None:
    assert visitor("admin@comedy.example").get(path).status_code == 404


def test_a_made_up_token_is_refused(visitor: VisitorFactory) -> None:
    answer = visitor().get("/api/v1/bookings", headers={"Authorization": "Bearer cc_made-up"})

    assert answer.status_code == 401
    assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("service", SERVICES)
def test_a_services_role_reads_its_own_schema_and_no_other(stack: Stack, service: str) -> None:
    tables = {
        "identity": 'identity."user"',
        "catalog": "catalog.show",
        "booking": "booking.booking",
        "config": "config.fee_schedule_version",
    }
    with psycopg.connect(stack.db_url(service), autocommit=True) as connection:
        connection.execute(f"SELECT 1 FROM {tables.pop(service)} LIMIT 1")
        for foreign in tables.values():
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(f"SELECT 1 FROM {foreign} LIMIT 1")


def test_one_request_can_be_followed_through_the_logs(
    stack: Stack, visitor: VisitorFactory
) -> None:
    answer = visitor("audience@comedy.example").get("/api/v1/bookings")
    request_id = answer.headers["X-Request-ID"]

    def is_in_the_logs_of(*processes: str) -> bool:
        logs = [(stack.run_dir / "logs" / f"{name}.log").read_text() for name in processes]
        return all(request_id in log for log in logs)

    eventually(lambda: is_in_the_logs_of("gateway", "identity", "booking"))


def test_no_log_names_a_person(stack: Stack, visitor: VisitorFactory) -> None:
    visitor("quite.unusual.name@comedy.example").get("/api/v1/bookings")

    for log in (stack.run_dir / "logs").glob("*.log"):
        assert "quite.unusual.name" not in log.read_text(), log.name
