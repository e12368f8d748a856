"""The provider of payments, as buyers meet it and as its own books have it."""

from collections.abc import Sequence
from typing import Any

import requests

from devstack.ports import LOOPBACK
from devstack.settings import Settings
from fakes.razorpay.testing import Simulator

_SECONDS = 10


class Provider:
    """The simulator of a stack."""

    def __init__(self, settings: Settings) -> None:
        self._simulator = Simulator(f"http://{LOOPBACK}:{settings['RAZORPAY_PORT']}")
        self._keys = settings["RAZORPAY_KEY_ID"], settings["RAZORPAY_KEY_SECRET"]

    def pay(self, order_id: str) -> None:
        """Pay an order at the checkout."""
        self._simulator.pay(order_id)

    def captured(self, booking_id: str) -> Sequence[int]:
        """Return the amount of every payment taken for a booking, whatever its order."""
        return [payment["amount"] for payment in self._captures(booking_id)]

    def refunded(self, booking_id: str) -> Sequence[int]:
        """Return the amount of every refund made for a booking, however far it is."""
        return [
            refund["amount"]
            for payment in self._captures(booking_id)
            for refund in self._items(f"payments/{payment['id']}/refunds")
        ]

    def _captures(self, booking_id: str) -> Sequence[dict[str, Any]]:
        return [
            payment
            for order in self._items("orders", receipt=booking_id)
            for payment in self._items(f"orders/{order['id']}/payments")
            if payment["captured"]
        ]

    def _items(self, path: str, **query: str) -> list[dict[str, Any]]:
        url = f"{self._simulator.url}/v1/{path}"
        answer = requests.get(url, params=query, auth=self._keys, timeout=_SECONDS)
        answer.raise_for_status()
        found: list[dict[str, Any]] = answer.json()["items"]
        return found
