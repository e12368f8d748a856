"""How often somebody may ask, shown on an app of a few routes with a clock of its own."""

from collections.abc import Mapping
from http import HTTPStatus
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine

from service_kit.access import EVERYONE, SIGNED_IN, allow, services
from service_kit.database import TableBase, connect_to, schema_metadata
from service_kit.rate_limits import READS, UNLIMITED, WRITES, Rate, RateLimits, limited, rate_of
from service_kit.routes import Blueprint
from service_kit.shared_counts import CountColumns, SharedCounts
from service_kit.testing import TokenIssuer
from service_kit.web import ServiceDescription, service_app

ISSUER = TokenIssuer()
ABOUT = ServiceDescription("things", "Things", "1", "Things.")
ANN, BEN = UUID(int=1), UUID(int=2)


class CountRow(CountColumns, TableBase):
    __tablename__ = "counts_of_nobody"
    metadata = schema_metadata("config")


def things() -> Blueprint:
    blp = Blueprint("things", __name__)

    @blp.post("/things")
    @allow(SIGNED_IN)
    @limited(Rate(of_person="3/minute"))
    @blp.response(200)
    def post_thing() -> dict[str, object]:
        """Make a thing"""
        return {}

    @blp.get("/things")
    @allow(EVERYONE)
    @limited(Rate(of_person="3/minute", of_address="2/minute"))
    @blp.response(200)
    def get_things() -> dict[str, object]:
        """List things"""
        return {}

    @blp.get("/other")
    @allow(EVERYONE)
    @limited(Rate(of_person="3/minute", of_address="2/minute"))
    @blp.response(200)
    def get_other() -> dict[str, object]:
        """List others"""
        return {}

    @blp.put("/things")
    @allow(EVERYONE)
    @limited(UNLIMITED)
    @blp.response(200)
    def put_thing() -> dict[str, object]:
        """Replace a thing"""
        return {}

    @blp.delete("/things")
    @allow(services("things:write"))
    @limited(Rate(of_person="1/minute", of_address="1/minute"))
    @blp.response(200)
    def delete_thing() -> dict[str, object]:
        """Remove a thing"""
        return {}

    return blp


class Clock:
    """Says what it is told to say."""

    def __init__(self) -> None:
        self.now = 1_800_014_400.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def client_of(engine: Engine, clock: Clock, *, times: int = 1) -> FlaskClient:
    """A service of one process; its counts are never shared, so that no table is needed."""
    counts = SharedCounts(engine, CountRow, secret="of these tests", clock=clock)
    app = service_app(
        ABOUT,
        blueprints=[things()],
        refusals=(LookupError, {}),
        verifier=ISSUER.verifier("things"),
        rates=RateLimits(counts, times=times, clock=clock),
        ready=lambda: None,
    )
    return app.test_client()


@pytest.fixture
def engine() -> Engine:
    return connect_to("postgresql://nobody@127.0.0.1:9/nowhere", application="kit-test")


@pytest.fixture
def client(engine: Engine, clock: Clock) -> FlaskClient:
    return client_of(engine, clock)


def statuses(
    client: FlaskClient, method: str, path: str, headers: Mapping[str, str], *, count: int
) -> list[int]:
    return [
        client.open(path, method=method, headers=dict(headers)).status_code for _ in range(count)
    ]


def through_gateway(address: str) -> dict[str, str]:
    return {"X-Forwarded-For": address}


def test_a_person_who_is_suspended_is_counted_as_that_person(client: FlaskClient) -> None:
    headers = {**ISSUER.suspended(ANN, audience="things"), **through_gateway("10.0.0.1")}

    assert statuses(client, "GET", "/things", headers, count=4) == [200, 200, 200, 429]


def test_a_person_who_is_suspended_is_not_signed_in(client: FlaskClient) -> None:
    headers = ISSUER.suspended(ANN, audience="things")

    assert statuses(client, "POST", "/things", headers, count=1) == [403]


def test_a_person_who_asks_too_often_is_told_when_to_ask_again(
    client: FlaskClient, clock: Clock
) -> None:
    clock.now += 47.5
    ann = ISSUER.user(ANN)
    assert statuses(client, "POST", "/things", ann, count=3) == [200, 200, 200]

    refused = client.post("/things", headers=ann)

    assert (refused.status_code, refused.mimetype) == (429, "application/problem+json")
    assert refused.json is not None
    assert refused.json["code"] == "RATE_LIMITED"
    assert refused.headers["Retry-After"] == "13"
    assert refused.json["error"].endswith("Please try again in 13 seconds.")

    clock.now += 13
    assert client.post("/things", headers=ann).status_code == 200


def test_others_are_not_kept_from_asking(client: FlaskClient) -> None:
    statuses(client, "POST", "/things", ISSUER.user(ANN), count=4)

    assert client.post("/things", headers=ISSUER.user(BEN)).status_code == 200


def test_a_new_token_does_not_make_a_new_person(client: FlaskClient) -> None:
    answers = [client.post("/things", headers=ISSUER.user(ANN)).status_code for _ in range(4)]

    assert answers[-1] == HTTPStatus.TOO_MANY_REQUESTS


def test_a_route_is_counted_for_itself(client: FlaskClient) -> None:
    address = through_gateway("203.0.113.7")
    assert statuses(client, "GET", "/things", address, count=3) == [200, 200, 429]

    assert client.get("/other", headers=address).status_code == 200


def test_who_is_not_signed_in_is_counted_by_address(client: FlaskClient) -> None:
    statuses(client, "GET", "/things", through_gateway("203.0.113.7"), count=3)

    assert client.get("/things", headers=through_gateway("203.0.113.8")).status_code == 200


@pytest.mark.parametrize(
    "addresses",
    [
        ("2001:db8::1", "2001:db8::2", "2001:db8:0:0:ffff::3"),
        ("203.0.113.7", "::ffff:203.0.113.7", "10.0.0.1, 203.0.113.7"),
        ("nonsense", "other nonsense", "unix:"),
    ],
)
def test_addresses_that_are_one_client_count_as_one(
    client: FlaskClient, addresses: tuple[str, ...]
) -> None:
    answers = [client.get("/things", headers=through_gateway(each)) for each in addresses]

    assert [answer.status_code for answer in answers] == [200, 200, 429]


def test_asking_for_the_head_only_counts_as_well(client: FlaskClient) -> None:
    here = through_gateway("203.0.113.7")
    statuses(client, "HEAD", "/things", here, count=2)

    assert client.get("/things", headers=here).status_code == 429


def test_people_at_one_address_are_counted_one_by_one(client: FlaskClient) -> None:
    here = through_gateway("203.0.113.7")
    statuses(client, "GET", "/things", here, count=3)

    assert statuses(client, "GET", "/things", here | ISSUER.user(ANN), count=3) == [200] * 3
    assert client.get("/things", headers=here | ISSUER.user(BEN)).status_code == 200


def test_whoever_asks_from_inside_is_not_counted(client: FlaskClient) -> None:
    assert statuses(client, "GET", "/things", {}, count=5) == [200] * 5


def test_services_are_not_counted(client: FlaskClient) -> None:
    service = ISSUER.service("catalog", audience="things", scope="things:write")

    assert statuses(client, "DELETE", "/things", service, count=5) == [200] * 5


def test_who_may_not_ask_is_refused_for_that_reason(client: FlaskClient) -> None:
    here = through_gateway("203.0.113.7")

    assert statuses(client, "POST", "/things", here, count=5) == [401] * 5
    assert statuses(client, "DELETE", "/things", here | ISSUER.user(ANN), count=5) == [403] * 5


def test_a_route_can_be_without_limits(client: FlaskClient) -> None:
    here = through_gateway("203.0.113.7")

    assert statuses(client, "PUT", "/things", here, count=100) == [200] * 100


def test_limits_can_be_many_times_as_high(engine: Engine, clock: Clock) -> None:
    generous = client_of(engine, clock, times=10)

    assert statuses(generous, "POST", "/things", ISSUER.user(uuid4()), count=31) == [
        *[200] * 30,
        429,
    ]


def test_a_route_that_says_nothing_has_limits() -> None:
    def route() -> None: ...

    assert {rate_of(route, method) for method in ("GET", "HEAD", "OPTIONS")} == {READS}
    assert {rate_of(route, method) for method in ("POST", "PUT", "PATCH", "DELETE")} == {WRITES}


@pytest.mark.parametrize("limit", ["60/minut", "60/minute; 5/second", "0/minute", "sixty", ""])
def test_a_limit_that_is_none_is_refused_where_it_is_declared(limit: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        Rate(of_person=limit)
