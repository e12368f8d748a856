"""The SQL function as such: a batch is judged in order, and stale terms are noticed."""

import json
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

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
        **changes,
    }


def outcomes(use: Wiring, *requests: dict[str, Any]) -> list[str]:
    with use.engine.begin() as connection:
        rows = connection.exec_driver_sql(
            "SELECT outcome FROM booking.reserve_v1(%s::jsonb, 10)", (json.dumps(requests),)
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
