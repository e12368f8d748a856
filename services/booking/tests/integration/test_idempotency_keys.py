from collections.abc import Callable
from datetime import timedelta
from uuid import UUID, uuid4

from booking_service.domain.bookings import IdempotencyKey
from booking_service.usecases.reserve_tickets import reserve_tickets
from booking_service.wiring import Wiring

ShowFactory = Callable[..., UUID]


def test_old_keys_are_removed_some_at_a_time_and_young_ones_stay(
    use: Wiring, show_with: ShowFactory
) -> None:
    show_id, buyer_id = show_with(), uuid4()
    for number in range(3):
        key = IdempotencyKey(f"key-{number}", "same")
        reserve_tickets(
            use.box_office,
            use.fees,
            use.rules,
            show_id=show_id,
            buyer_id=buyer_id,
            quantity=1,
            key=key,
        )

    def forget(age: timedelta) -> int:
        with use.begin() as tx:
            return tx.idempotency_keys.forget_older_than(age, limit=2)

    assert forget(timedelta(hours=24)) == 0
    assert forget(timedelta(seconds=-1)) == 2
    assert forget(timedelta(seconds=-1)) >= 1
