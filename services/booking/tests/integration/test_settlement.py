"""What a show's creator is owed, and that it is paid out once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy.exc import ProgrammingError

from booking_service.domain.bookings import Booking
from booking_service.domain.cancellations import CancellationOrder
from booking_service.domain.creators import Standing
from booking_service.domain.errors import (
    AlreadyDisbursed,
    HasBookings,
    PayoutOnHold,
    ShowNotEnded,
    ShowNotFound,
)
from booking_service.domain.limits import BookingLimits
from booking_service.domain.settlement import Disbursement
from booking_service.usecases.cancel_booking import cancel_booking
from booking_service.usecases.cancel_bookings_of_show import cancel_bookings_of_show
from booking_service.usecases.cancel_show import cancel_show
from booking_service.usecases.confirm_booking import Captured, confirm_booking
from booking_service.usecases.delete_offer import delete_offer
from booking_service.usecases.disburse import disburse
from booking_service.usecases.put_offer import put_offer
from booking_service.usecases.reserve_tickets import reserve_tickets
from booking_service.usecases.set_standing import set_standing
from booking_service.wiring import Wiring

ShowFactory = Callable[..., UUID]
HoldFactory = Callable[..., Booking]

TWO_TICKETS, THEIR_FEE = 99_800, 7_984  # 8 %


def capture(use: Wiring, booking: Booking) -> Captured:
    with use.begin() as tx:
        return confirm_booking(tx, BookingLimits(10, 10), booking_id=booking.id)


def change(use: Wiring, show_id: UUID, **changes: Any) -> None:
    with use.read() as tx:
        show = tx.inventory.of(show_id)
    assert show is not None
    put_offer(use.begin, offer=replace(show.offer, version=show.offer.version + 1, **changes))


def end(use: Wiring, show_id: UUID, *, ago: timedelta = timedelta(seconds=1)) -> None:
    """Have a show of an hour ended so long ago."""
    change(use, show_id, starts_at=datetime.now(UTC) - timedelta(hours=1) - ago)


def balance(use: Wiring, show_id: UUID) -> int:
    with use.read() as tx:
        return tx.ledger.balance(show_id)


def ledger(use: Wiring, show_id: UUID) -> list[tuple[object, ...]]:
    with use.engine.connect() as connection:
        rows = connection.exec_driver_sql(
            "SELECT kind, ticket_paise, convenience_fee_paise, platform_fee_paise, paid_out_paise"
            " FROM booking.ledger_entry WHERE show_id = %s ORDER BY id",
            (show_id,),
        )
        return list(map(tuple, rows))


def test_captures_and_refunds_are_in_the_ledger(
    use: Wiring, show_with: ShowFactory, hold: HoldFactory
) -> None:
    show_id, buyer_id = show_with(price_paise=49_900), uuid4()
    kept, given_up = (hold(show_id, quantity=2, buyer_id=buyer_id) for _ in range(2))
    for booking in (kept, given_up):
        assert capture(use, booking) is Captured.CONFIRMED
        assert capture(use, booking) is Captured.ALREADY_CONFIRMED
    for _ in range(2):
        cancel_booking(use.begin, buyer_id=buyer_id, booking_id=given_up.id)

    assert ledger(use, show_id) == [
        ("CAPTURE", TWO_TICKETS, 8_982, THEIR_FEE, 0),
        ("CAPTURE", TWO_TICKETS, 8_982, THEIR_FEE, 0),
        ("REFUND", -TWO_TICKETS, 0, -THEIR_FEE, 0),  # the policy keeps the convenience fee
    ]
    assert balance(use, show_id) == TWO_TICKETS - THEIR_FEE


def test_what_was_not_captured_for_a_booking_is_not_owed_to_its_creator(
    use: Wiring, show_with: ShowFactory, hold: HoldFactory
) -> None:
    show_id = show_with(capacity=2)
    free_id = show_with(price_paise=0)
    buyer_id = uuid4()
    too_late = hold(show_id, ended=True)
    for each in (show_id, free_id):  # to be paid at the venue, and free
        booking = reserve_tickets(
            use.box_office, use.fees, use.rules, show_id=each, buyer_id=buyer_id, quantity=2
        )
        assert capture(use, too_late) is Captured.TO_REFUND
        cancel_booking(use.begin, buyer_id=buyer_id, booking_id=booking.id)
        reserve_tickets(
            use.box_office, use.fees, use.rules, show_id=each, buyer_id=buyer_id, quantity=2
        )

    assert (ledger(use, show_id), ledger(use, free_id)) == ([], [])


def test_the_ledger_cannot_be_changed(
    use: Wiring, show_with: ShowFactory, hold: HoldFactory
) -> None:
    capture(use, hold(show_with()))

    for statement in (
        "UPDATE booking.ledger_entry SET ticket_paise = 1",
        "DELETE FROM booking.ledger_entry",
        "TRUNCATE booking.ledger_entry",
    ):
        with (
            use.engine.connect() as connection,
            pytest.raises(ProgrammingError, match="permission denied"),
        ):
            connection.exec_driver_sql(statement)


def test_a_show_is_paid_out_once_when_it_has_ended(
    use: Wiring, show_with: ShowFactory, hold: HoldFactory
) -> None:
    show_id, admin_id = show_with(price_paise=49_900), uuid4()
    capture(use, hold(show_id, quantity=2))
    end(use, show_id, ago=timedelta(minutes=-1))
    with pytest.raises(ShowNotEnded):
        disburse(use.begin, show_id=show_id, actor_id=admin_id)
    end(use, show_id)

    def click(_: int) -> Disbursement | None:
        try:
            return disburse(use.begin, show_id=show_id, actor_id=admin_id)
        except AlreadyDisbursed:
            return None

    with ThreadPoolExecutor(4) as pool:
        paid = [each for each in pool.map(click, range(8)) if each]

    assert [each.amount_paise for each in paid] == [TWO_TICKETS - THEIR_FEE]
    assert abs(paid[0].disbursed_at - datetime.now(UTC)) < timedelta(minutes=1)
    assert balance(use, show_id) == 0
    with use.read() as tx:
        assert [sales.disbursed for sales in tx.bookings.sales([show_id])] == [True]
        assert [row["show_id"] for row in tx.people.stored_about(admin_id)["ledger_entries"]] == [
            show_id
        ]
    with pytest.raises(ShowNotFound):
        disburse(use.begin, show_id=uuid4(), actor_id=admin_id)


def test_a_show_that_is_paid_out_is_neither_sold_again_nor_deleted(
    use: Wiring, show_with: ShowFactory
) -> None:
    show_id = show_with()
    end(use, show_id)
    assert disburse(use.begin, show_id=show_id, actor_id=uuid4()).amount_paise == 0

    with pytest.raises(AlreadyDisbursed):
        change(use, show_id, starts_at=datetime.now(UTC) + timedelta(days=1))
    with pytest.raises(HasBookings):
        delete_offer(use.begin, show_id=show_id, version=9)
    end(use, show_id, ago=timedelta(days=1))  # a correction is possible


def test_nothing_is_paid_out_while_the_creator_may_not_sell(
    use: Wiring, show_with: ShowFactory, hold: HoldFactory
) -> None:
    creator_id = uuid4()
    show_id = show_with(creator_id=creator_id)
    capture(use, hold(show_id))
    end(use, show_id)
    set_standing(use.begin, creator_id=creator_id, said=Standing(False, 1))
    with pytest.raises(PayoutOnHold):
        disburse(use.begin, show_id=show_id, actor_id=uuid4())

    set_standing(use.begin, creator_id=creator_id, said=Standing(True, 2))
    assert disburse(use.begin, show_id=show_id, actor_id=uuid4()).amount_paise > 0


def test_nothing_is_paid_out_while_somebody_is_paying(
    use: Wiring, show_with: ShowFactory, hold: HoldFactory
) -> None:
    show_id = show_with()
    booking = hold(show_id)
    end(use, show_id)
    with pytest.raises(ShowNotEnded):
        disburse(use.begin, show_id=show_id, actor_id=uuid4())

    with use.engine.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE booking.booking SET expires_at = now() WHERE id = %s", (booking.id,)
        )
    assert disburse(use.begin, show_id=show_id, actor_id=uuid4()).amount_paise == 0


def test_nothing_is_paid_out_while_bookings_are_being_cancelled(
    use: Wiring, show_with: ShowFactory, hold: HoldFactory
) -> None:
    show_id = show_with(price_paise=49_900)
    capture(use, hold(show_id, quantity=2))
    end(use, show_id)
    cancel_show(use.begin, order=CancellationOrder(show_id, 9, "ill", uuid4()))
    with pytest.raises(ShowNotEnded):
        disburse(use.begin, show_id=show_id, actor_id=uuid4())

    cancel_bookings_of_show(use.begin, show_id=show_id)
    assert disburse(use.begin, show_id=show_id, actor_id=uuid4()).amount_paise == 0


def test_a_refund_after_the_payout_is_a_debt_that_can_be_seen(
    use: Wiring, show_with: ShowFactory, hold: HoldFactory
) -> None:
    show_id = show_with(price_paise=49_900)
    capture(use, hold(show_id, quantity=2))
    end(use, show_id)
    disburse(use.begin, show_id=show_id, actor_id=uuid4())

    cancel_show(use.begin, order=CancellationOrder(show_id, 9, "fake", uuid4()))
    cancel_bookings_of_show(use.begin, show_id=show_id)

    assert ledger(use, show_id) == [
        ("CAPTURE", TWO_TICKETS, 8_982, THEIR_FEE, 0),
        ("DISBURSEMENT", 0, 0, 0, TWO_TICKETS - THEIR_FEE),
        ("REFUND", -TWO_TICKETS, -8_982, -THEIR_FEE, 0),
    ]
    assert balance(use, show_id) == THEIR_FEE - TWO_TICKETS
