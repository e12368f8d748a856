"""Who may call what: the reviewed table. A route that is not in it fails the build."""

from collections.abc import Mapping
from uuid import UUID

import pytest
from flask.testing import FlaskClient

from service_kit.rate_limits import CROWD, Rate
from service_kit.testing import TokenIssuer, admits, declared_rates, declared_routes

PERSON = UUID(int=7)

SERVICES = {"booking", "identity", "saga", "service with another scope"}
PEOPLE = {"audience", "organizer", "comedian", "admin", "admin without second factor"}
EVERYBODY = {"anonymous"} | PEOPLE | SERVICES

TABLE: dict[str, set[str]] = {
    "GET /api/v1/admin/fees": {"admin"},
    "POST /api/v1/admin/fees": {"admin"},
    "PUT /api/v1/admin/fees": {"admin"},
    "GET /api/v1/admin/config": {"admin"},
    "GET /api/v1/admin/config/fees": {"admin"},
    "PUT /api/v1/admin/config/fees": {"admin"},
    "GET /api/v1/admin/config/fees/history": {"admin"},
    "GET /api/v1/admin/config/booking-limits": {"admin"},
    "PUT /api/v1/admin/config/booking-limits": {"admin"},
    "GET /api/v1/admin/config/booking-limits/history": {"admin"},
    "GET /api/v1/admin/config/hold-time": {"admin"},
    "PUT /api/v1/admin/config/hold-time": {"admin"},
    "GET /api/v1/admin/config/hold-time/history": {"admin"},
    "GET /api/v1/admin/config/refund-policy": {"admin"},
    "PUT /api/v1/admin/config/refund-policy": {"admin"},
    "GET /api/v1/admin/config/refund-policy/history": {"admin"},
    "GET /api/v1/admin/config/retention": {"admin"},
    "PUT /api/v1/admin/config/retention": {"admin"},
    "GET /api/v1/admin/config/retention/history": {"admin"},
    "GET /api/v1/config/public": EVERYBODY,
    "GET /internal/booking-settings": {"booking"},
    "GET /internal/fee-schedule": {"booking"},
    "POST /internal/deletions/<uuid:saga_id>/fence": {"saga"},
    "POST /internal/deletions/<uuid:saga_id>/lift": {"saga"},
    "POST /internal/deletions/<uuid:saga_id>/purge": {"saga"},
    "POST /internal/deletions/remains": {"saga"},
    "GET /internal/people/<uuid:person_id>/export": {"identity"},
    "GET /healthz": EVERYBODY,
    "GET /readyz": EVERYBODY,
    "GET /metrics": EVERYBODY,
    "GET /openapi.json": EVERYBODY,
}


# How often, where it is not as in docs/rules.md#how-often for all routes.
RATES: dict[str, Rate] = {"GET /api/v1/config/public": CROWD}


@pytest.fixture(scope="session")
def callers(issuer: TokenIssuer) -> Mapping[str, Mapping[str, str]]:
    return {
        "anonymous": {},
        "audience": issuer.user(PERSON),
        "organizer": issuer.user(PERSON, role="ORGANIZER", approved=True),
        "comedian": issuer.user(PERSON, role="COMEDIAN"),
        "admin": issuer.admin(PERSON),
        "admin without second factor": issuer.user(PERSON, role="ADMIN"),
        "booking": issuer.service("booking", audience="config", scope="config:fees:read"),
        "identity": issuer.service("identity", audience="config", scope="config:people:export"),
        "saga": issuer.service("identity", audience="config", scope="config:purge-user"),
        "service with another scope": issuer.service("x", audience="config", scope="config:x"),
    }


def test_the_table_lists_every_route(client: FlaskClient) -> None:
    assert set(declared_routes(client.application)) == set(TABLE)


@pytest.mark.parametrize("route", TABLE)
def test_a_route_admits_whom_the_table_says(
    route: str, client: FlaskClient, callers: Mapping[str, Mapping[str, str]]
) -> None:
    admitted = {name for name, headers in callers.items() if admits(client, route, headers)}

    assert admitted == TABLE[route]


def test_rates_are_those_of_the_table(client: FlaskClient) -> None:
    assert declared_rates(client.application) == RATES
