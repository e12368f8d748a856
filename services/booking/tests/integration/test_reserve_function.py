"""The SQL function as such: a batch is judged in order, and stale terms are noticed."""

import json
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

from booking_service.domain.creators import Standing
from booking_service.usecases.set_standing import set_standing
from booking_service.wiring import Wiring

ShowFactory = Callable[..., UUID]


def request(number: int, show_id: UUID, **changes: Any) -> dict[str, Any]:
    quantity = changes.get("quantity", 1)
    return {
        "n": number,
        "booking_id": str(uuid4()),
        "show_id": str(show_id),
        "user_id": str(uuid4()),
        "quantity": quantity,
        "operation": "test",
        "key": None,
        "fingerprint": None,
        "status": "CONFIRMED_UNPAID",
        "hold_seconds": 600,
        "too_large": False,
        "person_limit": 10,
        "unit_price_paise": 10_000,
        "own_platform_fee_basis_points": None,
        "expected_total_paise": None,
        "grand_total_paise": 10_700 * quantity,
        "ticket_total_paise": 10_000 * quantity,
        "convenience_fee_basis_points": 700,
        "convenience_fee_paise": 700 * quantity,
        "platform_fee_basis_points": 800,
        "platform_fee_paise": 800 * quantity,
        "fee_schedule_version": 1,
        "settings_version": 1,
        "refund_policy": {"tiers": [], "refunds_convenience_fee": False},
        **changes,
    }


def outcomes(use: Wiring, *requests: dict[str, Any]) -> list[str]:
    with use.engine.begin() as connection:
        rows = connection.exec_driver_sql(
            "SELECT outcome FROM booking.reserve_v2(%s::jsonb)", (json.dumps(requests),)
        )
        return list(rows.scalars())


def test_a_batch_is_served_in_order_and_a_later_smaller_request_may_fit(
    use: Wiring, show_with: ShowFactory
) -> None:
    show_id = show_with(capacity=5, price_paise=10_000)

    assert outcomes(
        use,
        request(1, show_id, quantity=4),
        request(2, show_id, quantity=2),
        request(3, show_id, quantity=1),
    ) == ["RESERVED", "SOLD_OUT", "RESERVED"]


def test_the_same_key_twice_in_a_batch_shares_the_answer(
    use: Wiring, show_with: ShowFactory
) -> None:
    show_id = show_with(capacity=5, price_paise=10_000)
    same = {"user_id": str(uuid4()), "key": "k", "fingerprint": "f"}

    assert outcomes(use, request(1, show_id, **same), request(2, show_id, **same)) == [
        "RESERVED",
        "RESERVED",
    ]
    with use.read() as tx:
        inventory = tx.inventory.of(show_id)
    assert inventory is not None
    assert inventory.sold == 1


def test_a_price_that_is_no_longer_the_offers_takes_nothing(
    use: Wiring, show_with: ShowFactory
) -> None:
    show_id = show_with(price_paise=20_000)

    assert outcomes(use, request(1, show_id, unit_price_paise=10_000)) == ["TERMS_MOVED"]


def test_a_platform_fee_that_is_no_longer_the_offers_takes_nothing(
    use: Wiring, show_with: ShowFactory
) -> None:
    show_id = show_with(price_paise=10_000, platform_fee_basis_points=500)

    assert outcomes(use, request(1, show_id)) == ["TERMS_MOVED"]


def test_a_batch_may_mix_shows_and_unknown_ones(use: Wiring, show_with: ShowFactory) -> None:
    one, other = (show_with(price_paise=10_000) for _ in range(2))

    assert outcomes(use, request(1, one), request(2, uuid4()), request(3, other)) == [
        "RESERVED",
        "UNKNOWN_SHOW",
        "RESERVED",
    ]


def test_the_function_of_the_release_before_sells_and_respects_standings(
    use: Wiring, show_with: ShowFactory
) -> None:
    creator_id = uuid4()
    show_id = show_with(price_paise=10_000, creator_id=creator_id)

    def sell() -> str:
        with use.engine.begin() as connection:
            rows = connection.exec_driver_sql(
                "SELECT outcome FROM booking.reserve_v1(%s::jsonb, 10)",
                (json.dumps([request(1, show_id)]),),
            )
            return str(rows.scalar_one())

    assert sell() == "RESERVED"
    set_standing(use.begin, creator_id=creator_id, said=Standing(allowed=False, version=1))
    assert sell() == "NOT_ON_SALE"


def test_a_batch_judges_each_request_by_its_own_limits_and_status(
    use: Wiring, show_with: ShowFactory
) -> None:
    show_id = show_with(price_paise=10_000)

    assert outcomes(
        use,
        request(1, show_id, too_large=True),
        request(2, show_id, quantity=2, person_limit=1),
        request(3, show_id, quantity=2, status="PENDING"),
        request(4, show_id, quantity=3),
    ) == ["TOO_LARGE", "LIMIT_REACHED", "RESERVED", "RESERVED"]
    with use.read() as tx:
        inventory = tx.inventory.of(show_id)
    assert inventory is not None
    assert (inventory.locked, inventory.sold) == (2, 3)


def test_ended_holds_make_room_for_those_who_come_too_late_for_the_rest(
    use: Wiring, show_with: ShowFactory
) -> None:
    show_id = show_with(price_paise=10_000, capacity=4)
    held = {"status": "PENDING", "hold_seconds": 0}
    outcomes(use, request(1, show_id, quantity=2, **held))
    outcomes(use, request(1, show_id, quantity=1, status="PENDING"))

    assert outcomes(use, request(1, show_id, quantity=4), request(2, show_id, quantity=3)) == [
        "SOLD_OUT",
        "RESERVED",
    ]


def test_an_ended_hold_does_not_count_for_the_limit_of_its_buyer(
    use: Wiring, show_with: ShowFactory
) -> None:
    show_id, buyer = show_with(price_paise=10_000), {"user_id": str(uuid4()), "quantity": 6}
    outcomes(use, request(1, show_id, status="PENDING", hold_seconds=0, **buyer))

    assert outcomes(use, request(1, show_id, **buyer)) == ["RESERVED"]
    assert outcomes(use, request(1, show_id, **buyer)) == ["LIMIT_REACHED"]
