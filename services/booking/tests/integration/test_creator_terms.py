"""What identity agreed with creators, asked of one that answers as it is told to."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit
from uuid import UUID, uuid4

import pytest
from services.booking.tests.integration.conftest import serving

from booking_service.clients.identity import MAX_CREATORS_PER_CALL, IdentityClient
from booking_service.domain.bookings import Booking
from booking_service.domain.errors import TermsMoved
from booking_service.domain.offers import Inventory
from booking_service.usecases.learn_terms import learn_terms
from booking_service.usecases.put_offer import put_offer
from booking_service.usecases.refresh_creator_terms import refresh_creator_terms
from booking_service.usecases.reserve_tickets import reserve_tickets
from booking_service.wiring import Wiring
from service_kit.peers import Peer, PeerUnavailable

IDENTITY_DOCUMENT = Path(__file__).parents[3] / "identity" / "openapi.json"

ShowFactory = Callable[..., UUID]


class Identity(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.fees: dict[str, Any] = {}
        self.status = 200
        self.asked: list[list[str]] = []


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        identity = cast("Identity", self.server)
        ids = parse_qs(urlsplit(self.path).query)["ids"][0].split(",")
        identity.asked.append(ids)
        creators = [
            {"id": each, "platformFeeBasisPoints": identity.fees[each]}
            for each in ids
            if each in identity.fees
        ]
        raw = json.dumps({"creators": creators}).encode()
        self.send_response(identity.status)
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def identity() -> Iterator[Identity]:
    with serving(server := Identity()):
        yield server


@pytest.fixture
def client(identity: Identity) -> Iterator[IdentityClient]:
    peer = Peer("identity", f"http://127.0.0.1:{identity.server_address[1]}", None)
    yield IdentityClient(peer)
    peer.close()


@pytest.fixture
def creator_id(use: Wiring) -> Iterator[UUID]:
    """A creator; nobody else's terms are known, and none are afterwards."""

    def forget() -> None:
        with use.engine.begin() as connection:
            connection.exec_driver_sql("DELETE FROM booking.creator_terms")
            connection.exec_driver_sql(
                "UPDATE booking.ticket_inventory SET creator_fee_basis_points = NULL"
            )

    forget()
    yield uuid4()
    forget()


def book(use: Wiring, show_id: UUID) -> Booking:
    return reserve_tickets(
        use.box_office, use.fees, use.rules, show_id=show_id, buyer_id=uuid4(), quantity=1
    )


def inventory_of(use: Wiring, show_id: UUID) -> Inventory:
    with use.read() as tx:
        inventory = tx.inventory.of(show_id)
    assert inventory is not None
    return inventory


def test_what_we_read_is_what_identity_documents() -> None:
    described = json.loads(IDENTITY_DOCUMENT.read_text(encoding="utf-8"))
    terms = described["components"]["schemas"]["Terms"]
    route = described["paths"]["/internal/creators/terms"]["get"]

    assert set(terms["required"]) == {"id", "platformFeeBasisPoints"}
    assert route["x-access"] == "service with identity:creators:read"


def test_a_creator_is_asked_about_once_and_the_first_show_is_sold_at_the_agreed_fee(
    use: Wiring,
    identity: Identity,
    client: IdentityClient,
    creator_id: UUID,
    show_with: ShowFactory,
) -> None:
    identity.fees[str(creator_id)] = 500

    for _ in range(2):
        learn_terms(use.begin, client, creator_id=creator_id)
    show_id = show_with(creator_id=creator_id, price_paise=10_000)

    assert identity.asked == [[str(creator_id)]]
    assert book(use, show_id).platform_fee_paise == 500


def test_with_somebody_identity_does_not_know_nothing_was_agreed(
    use: Wiring,
    identity: Identity,
    client: IdentityClient,
    creator_id: UUID,
    show_with: ShowFactory,
) -> None:
    for _ in range(2):
        learn_terms(use.begin, client, creator_id=creator_id)
    show_id = show_with(creator_id=creator_id, price_paise=10_000)

    assert len(identity.asked) == 1
    assert book(use, show_id).platform_fee_paise == 800


@pytest.mark.parametrize("fee", [-1, 10_001, "much", {}])
def test_without_a_usable_answer_nothing_is_learnt(
    use: Wiring, identity: Identity, client: IdentityClient, creator_id: UUID, fee: Any
) -> None:
    identity.fees[str(creator_id)] = fee

    with pytest.raises(PeerUnavailable):
        learn_terms(use.begin, client, creator_id=creator_id)

    with use.read() as tx:
        assert tx.creators.platform_fees([creator_id]) == {}


def test_changed_terms_hold_for_new_bookings_of_all_the_creators_shows(
    use: Wiring,
    identity: Identity,
    client: IdentityClient,
    creator_id: UUID,
    show_with: ShowFactory,
) -> None:
    learn_terms(use.begin, client, creator_id=creator_id)
    known_before = show_with(creator_id=creator_id, price_paise=10_000)
    with_its_own = show_with(
        creator_id=creator_id, price_paise=10_000, platform_fee_basis_points=100
    )
    before = book(use, known_before)
    identity.fees[str(creator_id)] = 1_250

    assert refresh_creator_terms(use.begin, client) == 1
    assert refresh_creator_terms(use.begin, client) == 0

    assert book(use, known_before).platform_fee_paise == 1_250
    assert book(use, with_its_own).platform_fee_paise == 100
    with use.engine.connect() as connection:
        stored = connection.exec_driver_sql(
            "SELECT platform_fee_paise FROM booking.booking WHERE id = %s", (before.id,)
        )
        assert stored.scalar_one() == 800
    identity.fees[str(creator_id)] = None
    refresh_creator_terms(use.begin, client)
    assert book(use, known_before).platform_fee_paise == 800


def test_all_creators_are_asked_about_some_at_a_time(
    use: Wiring, identity: Identity, client: IdentityClient, creator_id: UUID
) -> None:
    every = [creator_id, *(uuid4() for _ in range(MAX_CREATORS_PER_CALL))]
    with use.engine.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO booking.creator_terms (creator_id) SELECT unnest(%s::uuid[])"
            " ON CONFLICT DO NOTHING",
            (every,),
        )
    identity.fees = {str(each): 900 for each in every}

    assert refresh_creator_terms(use.begin, client) == len(every)

    assert [len(asked) for asked in identity.asked] == [MAX_CREATORS_PER_CALL, 1]


def test_while_identity_is_away_the_last_good_terms_stay_and_grow_old(
    use: Wiring,
    identity: Identity,
    client: IdentityClient,
    creator_id: UUID,
    show_with: ShowFactory,
) -> None:
    identity.fees[str(creator_id)] = 500
    learn_terms(use.begin, client, creator_id=creator_id)
    show_id = show_with(creator_id=creator_id, price_paise=10_000)
    with use.engine.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE booking.creator_terms SET confirmed_at = now() - interval '1 hour'"
        )
    identity.status = 404

    with pytest.raises(PeerUnavailable):
        refresh_creator_terms(use.begin, client)

    assert book(use, show_id).platform_fee_paise == 500
    assert age(use) >= 3600
    identity.status = 200
    refresh_creator_terms(use.begin, client)
    assert age(use) < 60


def test_a_show_that_changes_hands_is_sold_at_its_new_creators_terms(
    use: Wiring,
    identity: Identity,
    client: IdentityClient,
    creator_id: UUID,
    show_with: ShowFactory,
) -> None:
    identity.fees[str(creator_id)] = 500
    learn_terms(use.begin, client, creator_id=creator_id)
    show_id = show_with(creator_id=creator_id, price_paise=10_000)

    offer = replace(inventory_of(use, show_id).offer, version=2, creator_id=None)
    put_offer(use.begin, offer=offer)

    assert book(use, show_id).platform_fee_paise == 800


def test_terms_that_change_while_tickets_are_sold_hold_from_one_booking_on(
    use: Wiring,
    identity: Identity,
    client: IdentityClient,
    creator_id: UUID,
    show_with: ShowFactory,
) -> None:
    learn_terms(use.begin, client, creator_id=creator_id)
    show_id = show_with(creator_id=creator_id, price_paise=10_000)

    def sell(_: int) -> None:
        for _ in range(10):
            try:
                book(use, show_id)
            except TermsMoved:
                continue

    with ThreadPoolExecutor(4) as sellers:
        selling = [sellers.submit(sell, number) for number in range(4)]
        for fee in (500, 700, 900):
            identity.fees[str(creator_id)] = fee
            refresh_creator_terms(use.begin, client)
        for each in selling:
            each.result()

    assert book(use, show_id).platform_fee_paise == 900
    with use.engine.connect() as connection:
        rates = connection.exec_driver_sql(
            "SELECT platform_fee_basis_points, platform_fee_paise FROM booking.booking"
            " WHERE show_id = %s",
            (show_id,),
        )
        assert {(rate, fee) for rate, fee in rates} <= {(n, n) for n in (500, 700, 800, 900)}


def age(use: Wiring) -> float:
    with use.read() as tx:
        found = tx.creators.age_of_platform_fees()
    assert found is not None
    return found.total_seconds()
