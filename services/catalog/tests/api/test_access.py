"""Who may call what: the reviewed table. A route that is not in it fails the build."""

from collections.abc import Mapping
from uuid import UUID

import pytest
from flask.testing import FlaskClient

from service_kit.rate_limits import CROWD, Rate
from service_kit.testing import TokenIssuer, admits, declared_rates, declared_routes

PERSON = UUID(int=7)

CREATORS = {"organizer", "comedian", "admin", "confirmed admin"}
PEOPLE = CREATORS | {"audience", "unapproved organizer", "unapproved comedian"}
EVERYBODY = PEOPLE | {"anonymous", "service", "service with standing", "exporter", "saga"}

TABLE: dict[str, set[str]] = {
    "GET /api/v1/shows": EVERYBODY,
    "POST /api/v1/shows": CREATORS,
    "GET /api/v1/shows/<uuid:show_id>": EVERYBODY,
    "PUT /api/v1/shows/<uuid:show_id>": PEOPLE,
    "DELETE /api/v1/shows/<uuid:show_id>": PEOPLE,
    "POST /api/v1/shows/<uuid:show_id>/publish": CREATORS,
    "POST /api/v1/shows/<uuid:show_id>/unpublish": {"confirmed admin"},
    "POST /api/v1/shows/<uuid:show_id>/cancel": PEOPLE,
    "GET /api/v1/shows/<uuid:show_id>/cancellation": PEOPLE,
    "GET /api/v1/shows/<uuid:show_id>/changes": PEOPLE,
    "GET /api/v1/comedians": EVERYBODY,
    "POST /api/v1/comedians": CREATORS,
    "GET /api/v1/comedians/<uuid:comedian_id>": EVERYBODY,
    "PUT /internal/creators/<uuid:creator_id>/standing": {"service with standing"},
    "PUT /api/v1/comedians/<uuid:comedian_id>": CREATORS,
    "DELETE /api/v1/comedians/<uuid:comedian_id>": CREATORS,
    "GET /api/v1/admin/comedians": {"confirmed admin"},
    "POST /api/v1/upload": PEOPLE,
    "GET /api/v1/media/<string:key>": EVERYBODY,
    "GET /api/v1/admin/shows": {"confirmed admin"},
    "POST /api/v1/admin/shows": {"confirmed admin"},
    "POST /internal/deletions/<uuid:saga_id>/fence": {"saga"},
    "POST /internal/deletions/<uuid:saga_id>/lift": {"saga"},
    "POST /internal/deletions/<uuid:saga_id>/purge": {"saga"},
    "POST /internal/deletions/remains": {"saga"},
    "GET /internal/people/<uuid:person_id>/export": {"exporter"},
    "GET /healthz": EVERYBODY,
    "GET /readyz": EVERYBODY,
    "GET /metrics": EVERYBODY,
    "GET /openapi.json": EVERYBODY,
}


# How often, where it is not as in docs/rules.md#how-often for all routes.
RATES: dict[str, Rate] = {
    "GET /api/v1/media/<string:key>": CROWD,
}


@pytest.fixture(scope="session")
def callers(issuer: TokenIssuer) -> Mapping[str, Mapping[str, str]]:
    return {
        "anonymous": {},
        "audience": issuer.user(PERSON),
        "organizer": issuer.user(PERSON, role="ORGANIZER", approved=True),
        "unapproved organizer": issuer.user(PERSON, role="ORGANIZER"),
        "comedian": issuer.user(PERSON, role="COMEDIAN", approved=True),
        "unapproved comedian": issuer.user(PERSON, role="COMEDIAN"),
        "admin": issuer.user(PERSON, role="ADMIN"),
        "confirmed admin": issuer.admin(PERSON),
        "service": issuer.service("booking", audience="catalog", scope="catalog:everything"),
        "exporter": issuer.service("identity", audience="catalog", scope="catalog:people:export"),
        "saga": issuer.service("identity", audience="catalog", scope="catalog:purge-user"),
        "service with standing": issuer.service(
            "identity", audience="catalog", scope="catalog:standing:write"
        ),
    }


def test_the_table_lists_every_route(client: FlaskClient) -> None:
    assert set(declared_routes(client.application)) == set(TABLE)


@pytest.mark.parametrize("route", TABLE)
def test_a_route_admits_whom_the_table_says(
    route: str, client: FlaskClient, callers: Mapping[str, Mapping[str, str]]
) -> None:
    admitted = {name for name, headers in callers.items() if admits(client, route, headers)}

    assert admitted == TABLE[route]


def test_ones_own_shows_are_for_signed_in_people(
    client: FlaskClient, callers: Mapping[str, Mapping[str, str]]
) -> None:
    admitted = {
        name
        for name, headers in callers.items()
        if client.get("/api/v1/shows?mode=manage", headers=dict(headers)).status_code != 401
    }

    assert admitted == PEOPLE


def test_rates_are_those_of_the_table(client: FlaskClient) -> None:
    assert declared_rates(client.application) == RATES
