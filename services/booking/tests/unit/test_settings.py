from typing import Any

import pytest
from cryptography.fernet import Fernet

from booking_service.settings import Settings
from service_kit.settings import SettingsError

STRONG = "k3J9xQ2mV7pL0sT5wB8nR4yH6dF1gZcA"
ENVIRONMENT = {
    "DATABASE_URL": "postgresql://booking@db/comedy_connect",
    "IDENTITY_URL": "http://identity",
    "CONFIG_URL": "http://config",
    "TICKET_KEY_ENCRYPTION_KEY": Fernet.generate_key().decode(),
    "ERASURE_KEY": STRONG,
    "JWT_ISSUER": "https://comedy.example",
    "SERVICE_CLIENT_SECRET": STRONG,
}
ONLINE = {
    "PAYMENTS": "razorpay",
    "RAZORPAY_KEY_ID": "rzp_live_x",
    "RAZORPAY_KEY_SECRET": STRONG[:24],
    "RAZORPAY_WEBHOOK_SECRETS": f"{STRONG},{STRONG[::-1]}",
}


def settings(**changes: str) -> Any:
    return Settings.from_env({**ENVIRONMENT, **changes})


def test_bookings_are_paid_at_the_venue_unless_somebody_collects() -> None:
    assert settings().payments is None
    payments = settings(**ONLINE).payments

    assert payments.base_url == "https://api.razorpay.com"
    assert payments.reconcile_after_seconds == 780
    assert payments.keys.webhook_secrets == (STRONG, STRONG[::-1])


def test_nobody_starts_without_the_key_of_tombstones() -> None:
    assert settings().erasure_key == STRONG
    with pytest.raises(SettingsError, match="ERASURE_KEY is not set"):
        settings(ERASURE_KEY="")
    with pytest.raises(SettingsError, match="ERASURE_KEY is too weak"):
        settings(ERASURE_KEY="hunter2")


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"PAYMENTS": "cash"}, "PAYMENTS must be one of"),
        ({"RAZORPAY_KEY_ID": ""}, "RAZORPAY_KEY_ID is not set"),
        ({"RAZORPAY_KEY_SECRET": "hunter2"}, "RAZORPAY_KEY_SECRET is too weak"),
        ({"RAZORPAY_WEBHOOK_SECRETS": ""}, "RAZORPAY_WEBHOOK_SECRETS is not set"),
        ({"RAZORPAY_WEBHOOK_SECRETS": "secret"}, "RAZORPAY_WEBHOOK_SECRETS is too weak"),
        ({"RAZORPAY_BASE_URL": "http://127.0.0.1:8111"}, "RAZORPAY_BASE_URL must be https"),
        ({"RECONCILE_AFTER_SECONDS": "0"}, "RECONCILE_AFTER_SECONDS must be"),
    ],
)
def test_payments_do_not_start_without_what_keeps_them_safe(
    changes: dict[str, str], complaint: str
) -> None:
    with pytest.raises(SettingsError, match=complaint):
        settings(**{**ONLINE, **changes})


def test_development_may_use_a_provider_without_https() -> None:
    local = {**ONLINE, "ENV": "development", "RAZORPAY_BASE_URL": "http://127.0.0.1:8111"}

    assert settings(**local).payments.base_url == "http://127.0.0.1:8111"
