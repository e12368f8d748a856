from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any, TypeVar
from uuid import UUID, uuid4

import pytest
from cryptography.fernet import Fernet
from flask.testing import FlaskClient
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from booking_service.app import create_app
from booking_service.clients.razorpay import Razorpay, RazorpayKeys
from booking_service.domain.bookings import Booking, Payments
from booking_service.domain.offers import Offer
from booking_service.domain.pricing import FeeSchedule, FeeSlab
from booking_service.repositories.box_office import BATCHES_AT_ONCE, IN_FLIGHT_SQLSTATE, BoxOffice
from booking_service.repositories.idempotency_keys import LOCK_NOT_AVAILABLE
from booking_service.settings import Settings
from booking_service.usecases.desk import Desk
from booking_service.usecases.put_offer import put_offer
from booking_service.usecases.reserve_tickets import reserve_tickets
from booking_service.wiring import Wiring, wire
from devstack.testing import Databases
from fakes.razorpay.testing import Simulator, any_merchant, running_simulator
from service_kit.database import connect_for_single_statements
from service_kit.testing import TokenIssuer

FEES = FeeSchedule(1, 800, (FeeSlab(0, 700), FeeSlab(200, 800), FeeSlab(401, 900)))

ERASURE_KEY = "the key of tombstones in these tests"
MERCHANT = any_merchant()

T = TypeVar("T")

ShowFactory = Callable[..., UUID]
HoldFactory = Callable[..., Booking]


def patiently(do: Callable[[], T]) -> T:
    """Do something again that could not have a lock in time, as on a crowded machine.

    A deadlock is something else and is raised; so is what cannot be had within a minute.
    """
    deadline = monotonic() + 60
    while True:
        try:
            return do()
        except (PoolTimeout, DBAPIError) as error:
            sqlstate = getattr(getattr(error, "orig", None), "sqlstate", None)
            held = sqlstate in (LOCK_NOT_AVAILABLE, IN_FLIGHT_SQLSTATE)
            if monotonic() > deadline or not (held or isinstance(error, PoolTimeout)):
                raise


def make_offer(**changes: Any) -> Offer:
    offer = Offer(
        show_id=uuid4(),
        version=1,
        creator_id=uuid4(),
        title="Open Mic",
        venue="The Comedy Cellar",
        city="Hyderabad",
        poster_image_url=None,
        starts_at=datetime.now(UTC) + timedelta(days=7),
        duration_minutes=60,
        capacity=100,
        price_paise=49_900,
        platform_fee_basis_points=None,
        on_sale=True,
    )
    return replace(offer, **changes)


@pytest.fixture(scope="session")
def issuer() -> TokenIssuer:
    return TokenIssuer()


@pytest.fixture(scope="session")
def use(databases: Databases, issuer: TokenIssuer) -> Iterator[Wiring]:
    settings = Settings(
        env="development",
        log_level="INFO",
        database_url=databases.of("booking").url,
        identity_url="http://127.0.0.1:9",  # nobody there: these tests need no other service
        config_url="http://127.0.0.1:9",
        jwt_issuer=issuer.issuer,
        client_id="booking",
        client_secret="unused",
        ticket_key_encryption_keys=(Fernet.generate_key().decode(),),
        erasure_key=ERASURE_KEY,
        rate_limit_times=1000,  # tests ask often
    )
    wiring = replace(wire(settings), verifier=issuer.verifier("booking"))
    with wiring.begin() as tx:
        tx.fee_schedules.confirm(FEES)
    yield wiring
    wiring.engine.dispose()
    wiring.sales_engine.dispose()


@pytest.fixture(scope="session")
def processes(use: Wiring, databases: Databases) -> Iterator[Sequence[Wiring]]:
    """Web processes: sales of one share calls, those of several meet in the database only."""
    engine = connect_for_single_statements(
        databases.of("booking").url, application="booking sales", pool_size=BATCHES_AT_ONCE
    )
    yield use, replace(use, box_office=BoxOffice(engine, use.read, use.person_hashes))
    engine.dispose()


@pytest.fixture
def show_with(use: Wiring) -> ShowFactory:
    def make(**changes: Any) -> UUID:
        offer = make_offer(**changes)
        put_offer(use.begin, offer=offer)
        return offer.show_id

    return make


@pytest.fixture
def hold(use: Wiring) -> HoldFactory:
    """Have seats held for a buyer who is to pay, or, `ended`, who did not in time."""

    def make(
        show_id: UUID, *, quantity: int = 1, buyer_id: UUID | None = None, ended: bool = False
    ) -> Booking:
        booking = reserve_tickets(
            use.box_office,
            use.fees,
            use.rules,
            show_id=show_id,
            buyer_id=buyer_id or uuid4(),
            quantity=quantity,
            payments=Payments.ONLINE,
        )
        if ended:
            with use.engine.begin() as connection:
                connection.exec_driver_sql(
                    "UPDATE booking.booking SET expires_at = now() WHERE id = %s", (booking.id,)
                )
        return booking

    return make


@pytest.fixture(scope="session")
def provider() -> Iterator[Simulator]:
    """The payment provider for development; it sends no webhook but those a test hands over."""
    with running_simulator(MERCHANT) as simulator:
        simulator.fail(webhooks="hold")
        yield simulator


@pytest.fixture(scope="session")
def online(use: Wiring, provider: Simulator) -> Wiring:
    """The service as it is when its bookings are paid online."""
    keys = RazorpayKeys(MERCHANT.key_id, MERCHANT.key_secret, (MERCHANT.webhook_secret,))
    razorpay = Razorpay(keys, base_url=provider.url)
    desk = Desk(use.begin, razorpay, use.rules, timedelta(minutes=15))
    return replace(use, payments=Payments.ONLINE, desk=desk)


@pytest.fixture(scope="session")
def client(use: Wiring) -> FlaskClient:
    return create_app(use).test_client()
