"""Whatever is sent to the service, it answers as its document says."""

from collections.abc import Iterator
from uuid import UUID, uuid4

import pytest
from services.booking.tests.conftest import make_offer

from booking_service.app import create_app
from booking_service.domain.bookings import Payments
from booking_service.usecases.put_offer import put_offer
from booking_service.usecases.reserve_tickets import reserve_tickets
from booking_service.wiring import Wiring
from contracts.trying import Callers, Case, described
from devstack.listening import listening
from service_kit.testing import TokenIssuer

api = described("booking")


@pytest.fixture(scope="module")
def callers(use: Wiring, issuer: TokenIssuer) -> Iterator[Callers]:
    creator_id, buyer_id = uuid4(), uuid4()
    show_id, booking_id = a_booked_show(use, creator_id=creator_id, buyer_id=buyer_id)
    known = {"show_id": str(show_id), "booking_id": str(booking_id)}
    with listening(create_app(use)) as url:
        yield Callers("booking", url, issuer, creator_id=creator_id, buyer_id=buyer_id, known=known)


def a_booked_show(use: Wiring, *, creator_id: UUID, buyer_id: UUID) -> tuple[UUID, UUID]:
    show = make_offer(creator_id=creator_id)
    put_offer(use.begin, offer=show)
    booking = reserve_tickets(
        use.box_office,
        use.fees,
        use.rules,
        show_id=show.show_id,
        buyer_id=buyer_id,
        quantity=2,
        payments=Payments.AT_VENUE,
    )
    return show.show_id, booking.id


@api.parametrize()
def test_every_answer_is_as_documented(case: Case, callers: Callers) -> None:
    callers.call(case)
