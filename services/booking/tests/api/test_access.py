"""Who may call what: the reviewed table. A route that is not in it fails the build."""

from collections.abc import Mapping
from uuid import UUID

import pytest
from flask.testing import FlaskClient

from service_kit.rate_limits import CROWD, READS, Rate
from service_kit.testing import TokenIssuer, admits, declared_rates, declared_routes

PERSON = UUID(int=7)

ADMINS = {"admin", "admin with second factor"}
EVERYBODY = {"anonymous", "audience", "organizer", "comedian"} | ADMINS
SERVICES = {"service with another scope", "catalog", "identity"}
PEOPLE = EVERYBODY - {"anonymous"}

TABLE: dict[str, set[str]] = {
    "POST /api/v1/bookings": PEOPLE,
    "GET /api/v1/bookings": PEOPLE,
    "GET /api/v1/bookings/<uuid:booking_id>": PEOPLE,
    "POST /api/v1/bookings/<uuid:booking_id>/cancel": PEOPLE,
    "POST /api/v1/bookings/<uuid:booking_id>/payment": PEOPLE,
    "POST /api/v1/webhooks/razorpay": EVERYBODY | SERVICES,
    "GET /api/v1/bookings/<uuid:booking_id>/tickets": PEOPLE,
    "GET /api/v1/bookings/<uuid:booking_id>/tickets/<int:seat>.svg": PEOPLE,
    "GET /api/v1/bookings/<uuid:booking_id>/tickets/<int:seat>.png": PEOPLE,
    "POST /api/v1/checkins": PEOPLE,  # finds tickets of the caller's shows only, but for admins
    "GET /api/v1/checkins/keys": EVERYBODY | SERVICES,
    "GET /api/v1/organizer/sales": {"organizer"},
    "GET /api/v1/organizer/dashboard": {"organizer"},
    "GET /api/v1/organizer/shows/<uuid:show_id>/attendees": PEOPLE,
    "GET /api/v1/admin/bookings": {"admin with second factor"},
    "GET /api/v1/admin/stats": {"admin with second factor"},
    "GET /api/v1/admin/collections": {"admin with second factor"},
    "POST /api/v1/admin/collections": {"admin with second factor"},
    "POST /api/v1/bookings/quote": EVERYBODY | SERVICES,
    "GET /internal/offers": {"catalog"},
    "PUT /internal/offers/<uuid:show_id>": {"catalog"},
    "DELETE /internal/offers/<uuid:show_id>": {"catalog"},
    "POST /internal/offers/<uuid:show_id>/cancellation": {"catalog"},
    "GET /internal/offers/<uuid:show_id>/cancellation": {"catalog"},
    "POST /internal/offers/<uuid:show_id>/disbursement": {"catalog"},
    "GET /internal/availability": {"catalog"},
    "GET /internal/sales": {"catalog"},
    "GET /internal/people/<uuid:person_id>/export": {"identity"},
    "PUT /internal/creators/<uuid:creator_id>/standing": {"identity"},
    "POST /internal/deletions/<uuid:saga_id>/fence": {"identity"},
    "POST /internal/deletions/<uuid:saga_id>/lift": {"identity"},
    "POST /internal/deletions/<uuid:saga_id>/purge": {"identity"},
    "POST /internal/deletions/remains": {"identity"},
    "GET /healthz": EVERYBODY | SERVICES,
    "GET /readyz": EVERYBODY | SERVICES,
    "GET /metrics": EVERYBODY | SERVICES,
    "GET /openapi.json": EVERYBODY | SERVICES,
}


# How often, where it is not as in docs/rules.md#how-often for all routes.
RATES: dict[str, Rate] = {
    "POST /api/v1/bookings/quote": READS,
    "POST /api/v1/checkins": Rate(of_person="1200/minute"),
    "POST /api/v1/webhooks/razorpay": CROWD,
}


@pytest.fixture(scope="session")
def callers(issuer: TokenIssuer) -> Mapping[str, Mapping[str, str]]:
    scopes = (
        "booking:offers:write booking:availability:read booking:sales:read"
        " booking:disbursements:write"
    )
    of_identity = "booking:standing:write booking:people:export booking:purge-user"
    return {
        "anonymous": {},
        "audience": issuer.user(PERSON),
        "organizer": issuer.user(PERSON, role="ORGANIZER", approved=True),
        "comedian": issuer.user(PERSON, role="COMEDIAN"),
        "admin": issuer.user(PERSON, role="ADMIN"),
        "admin with second factor": issuer.admin(PERSON),
        "catalog": issuer.service("catalog", audience="booking", scope=scopes),
        "identity": issuer.service("identity", audience="booking", scope=of_identity),
        "service with another scope": issuer.service("x", audience="booking", scope="booking:y"),
    }


def test_the_table_lists_every_route(client: FlaskClient) -> None:
    assert set(declared_routes(client.application)) == set(TABLE)


@pytest.mark.parametrize("route", TABLE)
def test_a_route_admits_whom_the_table_says(
    route: str, client: FlaskClient, callers: Mapping[str, Mapping[str, str]]
) -> None:
    admitted = {name for name, headers in callers.items() if admits(client, route, headers)}

    assert admitted == TABLE[route]


def test_a_token_for_another_service_opens_nothing(
    client: FlaskClient, issuer: TokenIssuer
) -> None:
    headers = issuer.service("catalog", audience="config", scope="booking:availability:read")

    assert client.get("/internal/availability", headers=headers).status_code == 401


def test_rates_are_those_of_the_table(client: FlaskClient) -> None:
    assert declared_rates(client.application) == RATES
