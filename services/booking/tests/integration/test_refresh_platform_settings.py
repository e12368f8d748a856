"""Limits asked of a config service that answers as it is told to, in what its document says."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from services.booking.tests.integration.conftest import Config

from booking_service.clients.config import ConfigClient
from booking_service.domain.limits import BookingLimits
from booking_service.domain.refunds import RefundPolicy, RefundTier
from booking_service.domain.sale_rules import PlatformSettings
from booking_service.usecases.refresh_platform_settings import refresh_platform_settings
from booking_service.wiring import Wiring
from service_kit.peers import PeerUnavailable

CONFIG_DOCUMENT = Path(__file__).parents[3] / "config" / "openapi.json"
VERSION = 1_000_000  # above what other tests receive


@pytest.fixture(autouse=True)
def forget(use: Wiring) -> Iterator[None]:
    yield
    with use.engine.begin() as connection:
        connection.exec_driver_sql(
            "DELETE FROM booking.platform_settings WHERE version >= %s", (VERSION,)
        )


def document(**changes: Any) -> dict[str, Any]:
    return {
        "version": VERSION,
        "ticketsPerBooking": 6,
        "ticketsPerPersonAndShow": 8,
        "holdMinutes": 10,
        "refundPolicy": {"tiers": [], "refundsConvenienceFee": False},
        "retentionYears": 8,
        **changes,
    }


def policy(*tiers: tuple[int, int]) -> dict[str, Any]:
    return {
        "tiers": [{"hoursBeforeStart": hours, "basisPoints": share} for hours, share in tiers],
        "refundsConvenienceFee": True,
    }


def newest(use: Wiring) -> PlatformSettings | None:
    with use.read() as tx:
        return tx.platform_settings.newest()


def test_what_we_read_is_what_config_documents() -> None:
    described = json.loads(CONFIG_DOCUMENT.read_text(encoding="utf-8"))
    answer = described["components"]["schemas"]["BookingSettingsResponse"]
    route = described["paths"]["/internal/booking-settings"]["get"]

    assert set(document()) == set(answer["required"])
    assert route["x-access"] == "service with config:fees:read"


def test_settings_are_kept_as_they_came(
    use: Wiring, config: Config, config_client: ConfigClient
) -> None:
    config.body = document(somethingNew={"a": [1]})

    refresh_platform_settings(use.begin, config_client)

    assert newest(use) == PlatformSettings(VERSION, config.body)
    assert config.asked == ["/internal/booking-settings"]


def test_what_is_known_is_confirmed(
    use: Wiring, config: Config, config_client: ConfigClient
) -> None:
    config.body = document()
    refresh_platform_settings(use.begin, config_client)
    with use.engine.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE booking.platform_settings SET confirmed_at = now() - interval '1 hour'"
        )
    config.body = document(somethingNew=1)  # which this release does not read

    refresh_platform_settings(use.begin, config_client)

    with use.read() as tx:
        age = tx.platform_settings.age()
    assert age is not None
    assert age.total_seconds() < 60


@pytest.mark.parametrize("version", [VERSION, VERSION + 1])
def test_a_config_that_was_put_back_is_not_followed_before_it_is_past_what_is_known(
    use: Wiring, config: Config, config_client: ConfigClient, version: int
) -> None:
    """Its next change has a number that booking knows for something else."""
    config.body = document(version=VERSION + 1, ticketsPerBooking=7)
    refresh_platform_settings(use.begin, config_client)
    config.body = document(version=version, ticketsPerBooking=3)

    with pytest.raises(PeerUnavailable, match=f"another version {version} than was known"):
        refresh_platform_settings(use.begin, config_client)

    settings = newest(use)
    assert settings is not None
    assert settings.sale_rules.limits == BookingLimits(7, 8)
    config.body = document(version=VERSION + 2, ticketsPerBooking=3)
    refresh_platform_settings(use.begin, config_client)


def test_a_newer_version_is_used(use: Wiring, config: Config, config_client: ConfigClient) -> None:
    for version, tickets in ((VERSION, 3), (VERSION + 1, 7)):
        config.body = document(version=version, ticketsPerBooking=tickets)
        refresh_platform_settings(use.begin, config_client)

    settings = newest(use)
    assert settings is not None
    assert settings.sale_rules.limits == BookingLimits(7, 8)


def test_hold_time_and_refund_policy_are_read_too(
    use: Wiring, config: Config, config_client: ConfigClient
) -> None:
    config.body = document(holdMinutes=7, refundPolicy=policy((48, 10_000), (24, 5_000)))

    rules = refresh_platform_settings(use.begin, config_client).sale_rules

    assert rules.hold == timedelta(minutes=7)
    assert rules.refund_policy == RefundPolicy(
        (RefundTier(48, 10_000), RefundTier(24, 5_000)), refunds_convenience_fee=True
    )


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (404, {"code": "NOT_FOUND"}),  # a release of config that does not know the question
        (403, {"code": "FORBIDDEN"}),
        (503, None),
        (200, None),
        (200, []),
        (200, {}),
        (200, document(version=None)),
        (200, document(ticketsPerBooking=0)),
        (200, document(ticketsPerPersonAndShow="many")),
        (200, document(holdMinutes=0)),
        (200, document(refundPolicy={"tiers": [{"hoursBeforeStart": 1}]})),
        (200, document(refundPolicy=policy((24, 10_001)))),
        (200, document(refundPolicy=policy((24, 5_000), (48, 10_000)))),
    ],
)
def test_without_a_usable_answer_the_last_good_settings_stay(
    use: Wiring, config: Config, config_client: ConfigClient, status: int, body: Any
) -> None:
    config.body = document()
    refresh_platform_settings(use.begin, config_client)
    config.status, config.body = status, body

    with pytest.raises(PeerUnavailable):
        refresh_platform_settings(use.begin, config_client)

    assert newest(use) == PlatformSettings(VERSION, document())
