"""What must not work through the gateway of the running system."""

from collections.abc import Callable
from typing import Any

import psutil
import psycopg
import pytest
from tests.system.conftest import ADMIN_PASSWORD

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


def test_a_script_books_with_an_api_token_until_it_is_ended(
    visitor: VisitorFactory, show_on_sale: ShowFactory
) -> None:
    person, script = visitor("audience01@comedy.example"), visitor()
    made = person.post("/api/auth/tokens", {"name": "box office"}).json()
    token = {"Authorization": f"Bearer {made['token']}", "Origin": "https://elsewhere.example"}
    wish = {"showId": show_on_sale()["id"], "quantity": 1}

    assert script.post("/api/v1/bookings", wish, headers=token).status_code == 201
    assert script.get("/api/auth/me", headers=token).json()["email"] == "audience01@comedy.example"
    assert script.post("/api/auth/tokens", {"name": "x"}, headers=token).status_code == 403

    ended = person.send("DELETE", f"/api/auth/tokens/{made['id']}")
    assert ended.json() == {"success": True, "ended": 1}
    assert script.post("/api/v1/bookings", wish, headers=token).status_code == 401


def test_the_gateway_asks_identity_again_and_again_on_the_same_connections(
    stack: Stack, visitor: VisitorFactory
) -> None:
    port, person = stack.settings.ports["IDENTITY_PORT"], visitor("audience@comedy.example")

    def ended() -> set[Any]:
        """Return the connections that the gateway was the first to end, in the last minute."""
        waiting = psutil.net_connections("tcp")
        return {each.laddr for each in waiting if each.status == "TIME_WAIT" and port in each.raddr}

    before = ended()
    for _ in range(40):
        assert person.post("/api/v1/bookings", {}).status_code == 422

    assert len(ended() - before) < 10


def test_somebody_who_asks_too_often_is_refused_by_all_processes_and_nobody_else_is(
    visitor: VisitorFactory,
) -> None:
    path, allowed = "/api/v1/profile/export", 5
    eager, other = visitor("audience02@comedy.example"), visitor("audience03@comedy.example")
    assert [eager.get(path).status_code for _ in range(allowed)] == [200] * allowed
    answers: list[Any] = []

    def refused() -> bool:
        answers[:] = [eager.get(path) for _ in range(10)]
        return all(answer.status_code == 429 for answer in answers)

    eventually(refused)

    assert answers[0].json()["code"] == "RATE_LIMITED"
    assert 1 <= int(answers[0].headers["Retry-After"]) <= 60
    assert other.get(path).status_code == 200
    assert eager.get("/api/v1/bookings").status_code == 200


def test_another_site_cannot_make_a_token_or_end_sessions(visitor: VisitorFactory) -> None:
    person = visitor("audience01@comedy.example")
    elsewhere = {"Origin": "https://evil.example"}

    made = person.post("/api/auth/tokens", {"name": "x"}, headers=elsewhere)
    ended = person.send("DELETE", "/api/auth/sessions", headers=elsewhere)

    assert (made.status_code, ended.status_code) == (403, 403)
    assert "user" in person.get("/api/auth/session").json()


def test_an_admin_decides_only_after_the_second_factor(
    visitor: VisitorFactory, stack: Stack
) -> None:
    admin = visitor("admin@comedy.example")
    refused = admin.get("/api/v1/admin/organizers")
    assert (refused.status_code, refused.json()["code"]) == (403, "SECOND_FACTOR_REQUIRED")

    admin.give_second_factor(ADMIN_PASSWORD)
    spoofed = {"X-Forwarded-For": "203.0.113.7"}
    wrong = admin.post("/api/v1/admin/verify-password", {"password": "wrong"}, headers=spoofed)
    assert wrong.status_code == 403
    with psycopg.connect(stack.db_url("auditor")) as database:
        counted = database.execute("SELECT key FROM identity.password_attempts").fetchall()
    assert "address:127.0.0.1" in {key for (key,) in counted}
    assert "address:203.0.113.7" not in {key for (key,) in counted}

    organizers = admin.get("/api/v1/admin/organizers").json()["organizers"]
    assert "newcomer@comedy.example" in {organizer["email"] for organizer in organizers}
    assert admin.post("/api/v1/admin/auth/logout", {}).status_code == 200
    assert admin.get("/api/v1/admin/organizers").status_code == 403


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
