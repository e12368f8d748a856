from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient

from config_service.domain.fees import DEFAULT_FEE_SCHEDULE
from config_service.domain.settings import (
    BOOKING_LIMITS,
    FEES,
    HOLD_TIME,
    REFUND_POLICY,
    RETENTION,
    Edit,
    Key,
)
from config_service.domain.values import (
    BookingLimits,
    HoldTime,
    RefundPolicy,
    RefundTier,
    Retention,
)
from config_service.usecases.change_setting import change_setting
from config_service.wiring import Wiring
from service_kit.testing import TokenIssuer

PUBLIC = "/api/v1/config/public"
INTERNAL = "/internal/booking-settings"


def put(use: Wiring, key: Key[Any], value: object) -> None:
    with use.read() as tx:
        tag = tx.settings.standing(key).tag
    change_setting(
        use.begin,
        key=key,
        change=lambda _: value,
        edit=Edit(author=None, reason="a test"),
        expected={tag},
    )


@pytest.fixture(autouse=True)
def settings(use: Wiring) -> Iterator[None]:
    def reset() -> None:
        put(use, FEES, DEFAULT_FEE_SCHEDULE)
        put(use, BOOKING_LIMITS, BookingLimits(10, 10))
        put(use, HOLD_TIME, HoldTime(10))
        put(use, REFUND_POLICY, RefundPolicy((RefundTier(24, 10_000),), False))
        put(use, RETENTION, Retention(8))

    reset()
    yield
    reset()


@pytest.fixture
def booking(issuer: TokenIssuer) -> dict[str, str]:
    return issuer.service("booking", audience="config", scope="config:fees:read")


def test_anybody_may_see_what_concerns_buyers(client: FlaskClient, use: Wiring) -> None:
    with use.read() as tx:
        fees_version = tx.settings.standing(FEES).current().number

    assert client.get(PUBLIC).json == {
        "feeSlabs": [
            {"minPrice": 0, "maxPrice": 199, "fee": 0.07},
            {"minPrice": 200, "maxPrice": 400, "fee": 0.08},
            {"minPrice": 401, "maxPrice": 1_000_000, "fee": 0.09},
        ],
        "version": fees_version,
        "bookingLimits": {"ticketsPerBooking": 10, "ticketsPerPersonAndShow": 10},
        "holdMinutes": 10,
        "refundPolicy": {
            "tiers": [{"hoursBeforeStart": 24, "refundPercent": 100.0}],
            "refundsConvenienceFee": False,
        },
    }


def test_booking_is_told_what_it_sells_by(client: FlaskClient, booking: dict[str, str]) -> None:
    answer = client.get(INTERNAL, headers=booking).json

    assert answer == {
        "version": answer["version"],
        "ticketsPerBooking": 10,
        "ticketsPerPersonAndShow": 10,
        "holdMinutes": 10,
        "refundPolicy": {
            "tiers": [{"hoursBeforeStart": 24, "basisPoints": 10_000}],
            "refundsConvenienceFee": False,
        },
        "retentionYears": 8,
    }


def test_every_change_of_what_booking_sells_by_makes_its_version_grow(
    client: FlaskClient, use: Wiring, booking: dict[str, str]
) -> None:
    def version() -> int:
        answer = client.get(INTERNAL, headers=booking)
        assert answer.headers["ETag"] == f'"settings-{answer.json["version"]}"'
        return int(answer.json["version"])

    versions = [version()]
    changes: list[tuple[Key[Any], object]] = [
        (BOOKING_LIMITS, BookingLimits(5, 9)),
        (HOLD_TIME, HoldTime(9)),
        (REFUND_POLICY, RefundPolicy((), True)),
        (RETENTION, Retention(10)),
        (BOOKING_LIMITS, BookingLimits(10, 10)),
    ]
    for key, value in changes:
        put(use, key, value)
        versions.append(version())

    assert versions == list(range(versions[0], versions[0] + 6))


@pytest.mark.parametrize("path", [PUBLIC, INTERNAL])
def test_what_is_known_already_is_not_sent_again_until_it_changes(
    client: FlaskClient, use: Wiring, booking: dict[str, str], path: str
) -> None:
    headers = booking if path == INTERNAL else {}
    first = client.get(path, headers=headers)
    known = {**headers, "If-None-Match": f"W/{first.headers['ETag']}"}

    again = client.get(path, headers=known)
    put(use, REFUND_POLICY, RefundPolicy((), True))
    changed = client.get(path, headers=known)

    assert (again.status_code, again.data) == (304, b"")
    assert again.headers["ETag"] == first.headers["ETag"]
    assert changed.status_code == 200


def test_browsers_may_keep_the_public_configuration_but_ask_each_time(client: FlaskClient) -> None:
    assert client.get(PUBLIC).headers["Cache-Control"] == "no-cache"


def test_the_public_configuration_is_documented_as_open_to_everyone(client: FlaskClient) -> None:
    paths = client.get("/openapi.json").json["paths"]

    assert paths[PUBLIC]["get"]["x-access"] == "everyone"
