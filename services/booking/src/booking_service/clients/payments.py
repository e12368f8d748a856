"""The port to whoever collects the money."""

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from booking_service.domain.payments import Payment, PaymentOrder, ProviderRefund
from service_kit.peers import PeerUnavailable


class ProviderRefused(Exception):
    """The provider will not do what was asked, however often it is asked; the message says why."""


class PaymentProvider(Protocol):
    """Collects payments and sends them back. No call of it belongs into a transaction.

    Every method that asks the provider raises PeerUnavailable if there was no usable answer: then
    whether the call had an effect is unknown.
    """

    def open_order(self, booking_id: UUID, *, amount_paise: int) -> PaymentOrder:
        """Have an amount collected for a booking; two calls make two orders."""

    def payments_of(self, order_id: str) -> Sequence[Payment]:
        """Return every attempt to pay an order.

        Raises:
            ProviderRefused: there is no such order.
        """

    def capture(self, payment: Payment) -> None:
        """Take the money of an authorized payment; a captured one stays as it is.

        Raises:
            ProviderRefused: it cannot be captured (any more).
        """

    def refund(self, payment_id: str, *, amount_paise: int, reference: str) -> ProviderRefund:
        """Send money of a captured payment back; the same reference again makes no second refund.

        Raises:
            ProviderRefused: nothing was sent back.
        """

    def refunds_of(self, payment_id: str) -> Sequence[ProviderRefund]:
        """Return every refund of a payment.

        Raises:
            ProviderRefused: there is no such payment.
        """

    def is_from_checkout(self, *, order_id: str, payment_id: str, signature: str) -> bool:
        """Return whether the provider's checkout signed that this payment is one of this order."""

    def is_from_provider(self, body: bytes, *, signature: str) -> bool:
        """Return whether the provider signed a webhook with these very bytes."""


class NoProvider:
    """Nobody collects money: what was paid online in earlier days waits for its provider."""

    def open_order(self, booking_id: UUID, *, amount_paise: int) -> PaymentOrder:
        """Raise."""
        raise self._away(f"cannot collect {amount_paise} paise for {booking_id}")

    def payments_of(self, order_id: str) -> Sequence[Payment]:
        """Raise."""
        raise self._away(f"cannot look up {order_id}")

    def capture(self, payment: Payment) -> None:
        """Raise."""
        raise self._away(f"cannot capture {payment.id}")

    def refund(self, payment_id: str, *, amount_paise: int, reference: str) -> ProviderRefund:
        """Raise."""
        raise self._away(f"cannot send {amount_paise} of {payment_id} back ({reference})")

    def refunds_of(self, payment_id: str) -> Sequence[ProviderRefund]:
        """Raise."""
        raise self._away(f"cannot look up refunds of {payment_id}")

    def is_from_checkout(self, *, order_id: str, payment_id: str, signature: str) -> bool:  # noqa: ARG002 the port's
        """Return that nobody can have signed it."""
        return False

    def is_from_provider(self, body: bytes, *, signature: str) -> bool:  # noqa: ARG002 the port's
        """Return that nobody can have signed it."""
        return False

    def _away(self, reason: str) -> PeerUnavailable:
        return PeerUnavailable.of("payments", f"PAYMENTS=none, {reason}")
