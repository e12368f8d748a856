"""Every call of one service to another is as the other documents it, and every answer is read."""

import pkgutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import import_module
from importlib.util import find_spec
from types import FunctionType
from typing import Any, get_type_hints
from uuid import UUID, uuid4

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from werkzeug import Request

from booking_service.clients.config import ConfigClient
from booking_service.clients.identity import IdentityClient
from booking_service.clients.people import PeopleClient
from catalog_service.clients import booking as catalog_booking
from catalog_service.clients import identity as catalog_identity
from catalog_service.domain.offers import Offer
from contracts.documents import Operation, operation_of
from contracts.provider import Answer, Provider, serving, token_for
from contracts.values import values
from devstack.settings import SERVICES
from identity_service.clients.export import ExportClient
from identity_service.clients.holders import HolderClient
from identity_service.clients.standing import StandingClient
from identity_service.domain.service_clients import GRANTS
from identity_service.domain.standing import RECEIVERS, Standing
from identity_service.settings import HOLDERS
from service_kit.peers import Peer, PeerUnavailable
from service_kit.service_tokens import ServiceTokens

PERSON, SHOW, SAGA = uuid4(), uuid4(), uuid4()
SLABS = {"slabs": [{"fromRupees": 0, "basisPoints": 700}, {"fromRupees": 200, "basisPoints": 0}]}
TIERS = [{"hoursBeforeStart": 48, "basisPoints": 10_000}, {"hoursBeforeStart": 0, "basisPoints": 0}]
LAST_PAGE = {"nextCursor": None}
POLICY = {"refundPolicy": {"tiers": TIERS, "refundsConvenienceFee": False}}
OFFER = Offer(
    show_id=SHOW,
    version=1,
    creator_id=PERSON,
    title="Open Mic",
    venue="The Comedy Cellar",
    city="Hyderabad",
    poster_image_url=None,
    starts_at=datetime(2030, 1, 4, 14, 30, tzinfo=UTC),
    duration_minutes=60,
    capacity=100,
    price_paise=49_900,
    platform_fee_basis_points=None,
    on_sale=True,
)


@dataclass(frozen=True)
class Call:
    """A method of a client, and the operation of the other service that it calls."""

    consumer: str
    provider: str
    operation: str
    method: Callable[..., Any]
    make: Callable[[Peer], Any]
    statuses: frozenset[str] = frozenset()  # read in this state of the client; none: every 2xx
    was_read: Callable[[Any], bool] = lambda _result: True
    always: Mapping[str, Any] = field(default_factory=dict)  # what no schema can say of an answer

    def __str__(self) -> str:
        return f"{self.method.__qualname__} of {self.consumer} at {self.provider}"


def call(
    consumer: str, provider: str, operation: str, method: Any, *arguments: Any, **more: Any
) -> Call:
    """Return the call of a method of a client that needs nothing but its peer."""
    own = {name: more.pop(name) for name in ("statuses", "was_read", "always") if name in more}
    client = _owner(method)
    return Call(
        consumer,
        provider,
        operation,
        method,
        lambda peer: method(client(peer), *arguments, **more),
        **own,
    )


def call_of(receiver: str, operation: str, method: Any, *arguments: Any, **own: Any) -> Call:
    """Return the call of a method of one of identity's clients, which are told whom they ask."""
    client = _owner(method)
    return Call(
        "identity",
        receiver,
        operation,
        method,
        lambda peer: method(client(receiver, peer), *arguments),
        **own,
    )


def _owner(method: Any) -> type:
    owner: type = getattr(import_module(method.__module__), method.__qualname__.split(".")[0])
    return owner


def knows(one: UUID) -> Callable[[Mapping[UUID, Any]], bool]:
    return lambda found: one in found


CALLS = [
    call(
        "booking",
        "config",
        "GET /internal/fee-schedule",
        ConfigClient.fee_schedule,
        always=SLABS,
    ),
    call(
        "booking",
        "config",
        "GET /internal/booking-settings",
        ConfigClient.platform_settings,
        always=POLICY,
    ),
    call(
        "booking",
        "identity",
        "GET /internal/creators/terms",
        IdentityClient.platform_fees,
        [PERSON],
    ),
    call("booking", "identity", "GET /internal/people", PeopleClient.names, [PERSON]),
    call("booking", "identity", "GET /internal/contacts", PeopleClient.contacts, [PERSON]),
    call(
        "booking",
        "identity",
        "POST /internal/contacts/search",
        PeopleClient.with_email,
        "asha@example.org",
    ),
    call("booking", "identity", "GET /internal/figures", PeopleClient.figures),
    call(
        "catalog",
        "booking",
        "PUT /internal/offers/{show_id}",
        catalog_booking.OfferClient.put,
        OFFER,
    ),
    call(
        "catalog",
        "booking",
        "PUT /internal/offers/{show_id}",
        catalog_booking.OfferClient.put_unsold,
        OFFER,
    ),
    call(
        "catalog",
        "booking",
        "DELETE /internal/offers/{show_id}",
        catalog_booking.OfferClient.withdraw,
        SHOW,
        version=2,
    ),
    call(
        "catalog",
        "booking",
        "GET /internal/offers",
        catalog_booking.OfferClient.versions,
        always=LAST_PAGE,
        was_read=lambda offers: list(offers) is not None,
    ),
    call(
        "catalog",
        "booking",
        "POST /internal/offers/{show_id}/cancellation",
        catalog_booking.OfferClient.cancel,
        SHOW,
        version=2,
        reason="rain",
        actor_id=PERSON,
    ),
    call(
        "catalog",
        "booking",
        "GET /internal/offers/{show_id}/cancellation",
        catalog_booking.CancellationClient.of_show,
        SHOW,
        statuses=frozenset({"200", "404"}),
    ),
    call(
        "catalog",
        "booking",
        "POST /internal/offers/{show_id}/disbursement",
        catalog_booking.DisbursementClient.disburse,
        SHOW,
        actor_id=PERSON,
        statuses=frozenset({"200", "404", "409"}),
    ),
    call(
        "catalog",
        "booking",
        "GET /internal/availability",
        catalog_booking.AvailabilityClient.of_shows,
        [SHOW],
        was_read=knows(SHOW),
    ),
    call(
        "catalog",
        "booking",
        "GET /internal/sales",
        catalog_booking.SalesClient.of_shows,
        [SHOW],
        was_read=knows(SHOW),
    ),
    call(
        "catalog",
        "identity",
        "GET /internal/contacts",
        catalog_identity.ContactClient.of,
        [PERSON],
        was_read=knows(PERSON),
    ),
    call(
        "catalog",
        "identity",
        "GET /internal/people",
        catalog_identity.PeopleClient.of,
        [PERSON],
        was_read=knows(PERSON),
    ),
    call(
        "catalog", "identity", "GET /internal/people", catalog_identity.PeopleClient.name_of, PERSON
    ),
    call(
        "catalog",
        "identity",
        "GET /internal/people",
        catalog_identity.PeopleClient.pictures_of,
        [PERSON],
    ),
    *(
        call_of(
            receiver,
            "PUT /internal/creators/{creator_id}/standing",
            StandingClient.put,
            Standing(PERSON, allowed=False, version=2),
        )
        for receiver in RECEIVERS
    ),
    *(
        each
        for holder in HOLDERS
        for each in (
            call_of(holder, "GET /internal/people/{person_id}/export", ExportClient.of, PERSON),
            call_of(
                holder, "POST /internal/deletions/{saga_id}/fence", HolderClient.fence, SAGA, PERSON
            ),
            call_of(
                holder,
                "POST /internal/deletions/{saga_id}/lift",
                HolderClient.lift_fence,
                SAGA,
                PERSON,
            ),
            call_of(
                holder,
                "POST /internal/deletions/{saga_id}/purge",
                HolderClient.purge,
                SAGA,
                PERSON,
                always={"state": "PURGED"},
            ),
            call_of(holder, "POST /internal/deletions/remains", HolderClient.remains, [bytes(32)]),
        )
    ),
]


READABLE = ("200", "201", "202")
FAULTS = (401, 403, 429, 500, 503)  # what `default` stands for

CASES = [
    pytest.param(each, status, id=f"{each}: {status}")
    for each in CALLS
    for status in operation_of(each.provider, each.operation).responses
]


@pytest.fixture(scope="module")
def providers() -> Iterator[dict[str, Provider]]:
    with ExitStack() as running:
        yield {service: running.enter_context(serving(service)) for service in SERVICES}


@pytest.fixture(scope="module")
def authority() -> Iterator[Provider]:
    """Identity, as it gives each service tokens for what it may ask, and no others."""

    def issue(request: Request) -> Answer:
        assert request.authorization is not None
        consumer, audience = str(request.authorization.username), request.form["audience"]
        if request.form["scope"] not in GRANTS[consumer].get(audience, ()):
            return Answer(400, {"error": "invalid_scope"})
        token = token_for(audience, request.form["scope"])
        return Answer(200, {"access_token": token, "token_type": "Bearer", "expires_in": 600})

    with serving("identity") as identity:
        identity.answer = issue
        yield identity


@pytest.fixture(scope="module")
def tokens(authority: Provider) -> dict[str, ServiceTokens]:
    """What the services show each other."""
    url = f"{authority.url}/oauth/token"
    return {each: ServiceTokens(url, client_id=each, client_secret="any") for each in SERVICES}


@pytest.mark.parametrize(("called", "status"), CASES)
def test_a_call_is_as_documented_and_every_documented_answer_is_understood(
    called: Call, status: str, providers: dict[str, Provider], tokens: dict[str, ServiceTokens]
) -> None:
    provider = providers[called.provider]
    operation = operation_of(called.provider, called.operation)

    @given(answers(operation, status, called.always))
    @settings(
        max_examples=5, derandomize=True, database=None, deadline=None, phases=[Phase.generate]
    )
    def exchange(answer: Answer) -> None:
        provider.answer = lambda _request: answer
        provider.asked.clear()
        provider.complaints.clear()

        peer = Peer(called.provider, provider.url, tokens[called.consumer], timeout=20)
        was_understood = understands(called, peer)
        peer.close()

        assert provider.complaints == []
        assert set(provider.asked) == {called.operation}
        if status in (called.statuses or READABLE):
            assert was_understood, f"{called} cannot read {answer}"

    exchange()


def test_no_method_of_a_client_is_without_a_contract() -> None:
    methods = {
        method
        for service in SERVICES
        for client in clients_of(service)
        for name, method in vars(client).items()
        if isinstance(method, FunctionType) and not name.startswith("_")
    }

    assert methods == {each.method for each in CALLS}


def test_a_service_asks_for_tokens_as_identity_documents_it(
    authority: Provider, tokens: dict[str, ServiceTokens]
) -> None:
    token = tokens["booking"].token("config", "config:fees:read")

    assert token == token_for("config", "config:fees:read")
    assert authority.complaints == []
    assert authority.asked[-1] == "POST /oauth/token"


def test_a_call_that_no_document_knows_is_complained_about(providers: dict[str, Provider]) -> None:
    config = providers["config"]
    config.complaints.clear()

    Peer("config", config.url, None).get("/internal/fee-schedule", params={"on": "today"})
    Peer("config", config.url, None).get("/internal/fees")

    assert config.complaints == [
        "config: GET /internal/fee-schedule: query: on is not documented",
        "config: GET /internal/fee-schedule: the token is not for config and config:fees:read",
        "config: there is no such operation as GET /internal/fees",
    ]


def understands(called: Call, peer: Peer) -> bool:
    """Make a call; return whether the client could do something with the answer."""
    try:
        return called.was_read(called.make(peer))
    except PeerUnavailable:
        return False


def answers(
    operation: Operation, status: str, always: Mapping[str, Any]
) -> st.SearchStrategy[Answer]:
    """Return answers of a status as the operation documents them."""
    codes = st.sampled_from(FAULTS) if status == "default" else st.just(int(status))
    content = operation.responses[status].get("content", {})
    if not content:
        return st.builds(Answer, codes)
    media_type, described = next(iter(content.items()))
    bodies = values(operation.document, described["schema"])
    if always:
        bodies = bodies.map(lambda body: {**body, **always})
    return st.builds(Answer, codes, bodies, st.just(media_type))


def clients_of(service: str) -> Iterator[type]:
    """Return the classes of a service that ask another service something."""
    if find_spec(f"{service}_service.clients") is None:
        return
    package = import_module(f"{service}_service.clients")
    for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        for found in vars(import_module(module.name)).values():
            is_own = isinstance(found, type) and found.__module__ == module.name
            if is_own and Peer in get_type_hints(found.__init__).values():
                yield found
