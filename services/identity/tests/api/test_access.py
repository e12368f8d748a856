"""Who may call what: the reviewed table. A route that is not in it fails the build."""

from collections.abc import Mapping
from typing import Any

import pytest
from flask.testing import FlaskClient
from services.identity.tests.conftest import PUBLIC_URL, PersonFactory

from identity_service.wiring import Wiring
from service_kit import deadline
from service_kit.rate_limits import CROWD, UNLIMITED, Rate
from service_kit.testing import TokenIssuer, admits, declared_rates, declared_routes

ADMINS = {"admin", "admin with second factor"}
PEOPLE = {"audience", "organizer", "comedian"} | ADMINS
SERVICES = {"catalog", "booking", "service with another scope"}
CLOSED = "account closed for a deletion"
EVERYBODY = {"anonymous", "script", CLOSED} | PEOPLE | SERVICES

TABLE: dict[str, set[str]] = {
    "GET /api/auth/session": EVERYBODY,
    "GET /api/auth/providers": EVERYBODY,
    "GET /api/auth/csrf": EVERYBODY,
    "GET /api/auth/signin": EVERYBODY,
    "GET /api/auth/callback/google": EVERYBODY,
    "GET /api/auth/signout": EVERYBODY,
    "POST /api/auth/_log": EVERYBODY,
    "GET /api/auth/me": PEOPLE | {"script"},
    "GET /api/auth/tokens": PEOPLE | {"script"},
    "POST /api/auth/tokens": PEOPLE,
    "DELETE /api/auth/tokens/<uuid:token_id>": PEOPLE | {"script"},
    "GET /api/auth/sessions": PEOPLE | {"script"},
    "DELETE /api/auth/sessions": PEOPLE | {"script"},
    "DELETE /api/auth/sessions/<uuid:session_id>": PEOPLE | {"script"},
    "POST /api/v1/onboarding": PEOPLE | {"script"},
    "GET /api/v1/user/onboarding-status": PEOPLE | {"script"},
    "GET /api/v1/comedian/profile": PEOPLE | {"script"},
    "POST /api/v1/comedian/profile": PEOPLE | {"script"},
    "PUT /api/v1/comedian/profile": PEOPLE | {"script"},
    "GET /api/v1/organizer/profile": PEOPLE | {"script"},
    "POST /api/v1/organizer/profile": PEOPLE | {"script"},
    "PUT /api/v1/organizer/profile": PEOPLE | {"script"},
    "GET /api/v1/profile/export": PEOPLE | {"script"},
    "GET /api/v1/account-deletions/<token>": EVERYBODY,
    "POST /api/v1/profile/delete": PEOPLE | {CLOSED},  # but refused to whoever is an ADMIN
    "DELETE /api/v1/profile/delete": PEOPLE | {CLOSED},
    "POST /api/v1/profile/update": PEOPLE | {"script"},
    "GET /api/v1/admin/check-session": ADMINS,
    "POST /api/v1/admin/set-password": ADMINS,
    "POST /api/v1/admin/verify-password": ADMINS,
    "POST /api/v1/admin/auth/logout": ADMINS,
    "GET /api/v1/admin/organizers": {"admin with second factor"},
    "POST /api/v1/admin/organizers": {"admin with second factor"},
    "GET /api/v1/admin/comedian-users": {"admin with second factor"},
    "POST /api/v1/admin/comedian-users": {"admin with second factor"},
    "GET /api/v1/admin/audit": {"admin with second factor"},
    "GET /api/v1/admin/account-deletions": {"admin with second factor"},
    "POST /api/v1/admin/account-deletions": {"admin with second factor"},
    "GET /internal/creators/terms": {"booking"},
    "GET /internal/contacts": {"booking"},
    "POST /internal/contacts/search": {"booking"},
    "GET /internal/figures": {"booking"},
    "GET /internal/people": {"catalog"},
    "GET /.well-known/jwks.json": EVERYBODY,
    "GET /healthz": EVERYBODY,
    "GET /readyz": EVERYBODY,
    "GET /metrics": EVERYBODY,
    "GET /openapi.json": EVERYBODY,
}

# What these ask for is no token: a form from our page, a session cookie, a client's secret.
# Without it they refuse whoever calls; with it they are tested beside this file.
OTHER_PROOF = {
    "POST /api/auth/signin/google": "everyone",
    "POST /api/auth/signout": "everyone",
    "GET /auth/exchange": "everyone",
    "POST /oauth/token": "service clients, by their own secret",
}


class OwnTokens(TokenIssuer):
    """Tokens signed by the service under test itself."""

    def __init__(self, use: Wiring) -> None:
        super().__init__(issuer=PUBLIC_URL)
        self._keyring = use.keyring

    def headers(self, typ: str, claims: Mapping[str, Any]) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._keyring.sign(typ, claims)}"}


# How often, where it is not as in docs/rules.md#how-often for all routes.
RATES: dict[str, Rate] = {
    "GET /auth/exchange": UNLIMITED,
    "GET /api/auth/session": CROWD,
    "GET /api/auth/providers": CROWD,
    "GET /api/auth/csrf": CROWD,
    "POST /api/auth/tokens": Rate(of_person="10/minute"),
    "GET /api/v1/profile/export": Rate(of_person="5/minute"),
    "POST /api/v1/profile/delete": Rate(of_person="10/minute"),
    "DELETE /api/v1/profile/delete": Rate(of_person="10/minute"),
}


@pytest.fixture(scope="session")
def callers(use: Wiring, person_with: PersonFactory) -> Mapping[str, Mapping[str, str]]:
    tokens = OwnTokens(use)
    person = person_with()
    callers = {
        "anonymous": {},
        "audience": tokens.user(person),
        "organizer": tokens.user(person, role="ORGANIZER", approved=True),
        "comedian": tokens.user(person, role="COMEDIAN"),
        "admin": tokens.user(person, role="ADMIN", claims={"sid": str(person)}),
        "admin with second factor": tokens.user(
            person, role="ADMIN", claims={"sid": str(person), "amr": ["oidc", "mfa"]}
        ),
        "script": tokens.user(person, claims={"amr": ["script"]}),
        CLOSED: tokens.suspended(person, audience="identity"),
        "catalog": tokens.service("catalog", audience="identity", scope="identity:people:read"),
        "booking": tokens.service(
            "booking",
            audience="identity",
            scope="identity:creators:read identity:contacts:read identity:figures:read",
        ),
        "service with another scope": tokens.service("x", audience="identity", scope="identity:x"),
    }
    in_a_hurry = {deadline.HEADER: "600"}  # nothing is waited for that takes a worker
    return {name: {**headers, **in_a_hurry} for name, headers in callers.items()}


def test_the_table_lists_every_route(client: FlaskClient) -> None:
    assert set(declared_routes(client.application)) == TABLE.keys() | OTHER_PROOF.keys()


@pytest.mark.parametrize("route", TABLE)
def test_a_route_admits_whom_the_table_says(
    route: str, client: FlaskClient, callers: Mapping[str, Mapping[str, str]]
) -> None:
    admitted = {name for name, headers in callers.items() if admits(client, route, headers)}

    assert admitted == TABLE[route]


@pytest.mark.parametrize("route", OTHER_PROOF)
def test_no_token_replaces_the_proof_that_a_route_asks_for(
    route: str, client: FlaskClient, callers: Mapping[str, Mapping[str, str]]
) -> None:
    assert declared_routes(client.application)[route] == OTHER_PROOF[route]
    method, path = route.split(" ")
    for headers in callers.values():
        assert client.open(path, method=method, headers=dict(headers)).status_code in {
            400,
            401,
            403,
        }


def test_a_service_token_for_another_service_opens_nothing_here(
    client: FlaskClient, use: Wiring
) -> None:
    foreign = OwnTokens(use).service("catalog", audience="booking", scope="identity:people:read")

    assert not admits(client, "GET /internal/people", foreign)


def test_a_token_of_somebody_elses_key_opens_nothing(
    client: FlaskClient, person_with: PersonFactory
) -> None:
    forged = TokenIssuer(issuer=PUBLIC_URL).user(person_with(), role="ADMIN")

    assert not admits(client, "GET /api/auth/me", forged)


def test_rates_are_those_of_the_table(client: FlaskClient) -> None:
    assert declared_rates(client.application) == RATES
