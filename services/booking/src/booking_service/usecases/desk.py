"""Where payments are settled."""

from dataclasses import dataclass
from datetime import timedelta

from booking_service.clients.payments import PaymentProvider
from booking_service.repositories.platform_settings import CurrentRules
from booking_service.repositories.transaction import Begin


@dataclass(frozen=True, slots=True)
class Desk:
    """The books, the provider, the rules of the sale, and how long one waits for news."""

    begin: Begin
    provider: PaymentProvider
    rules: CurrentRules
    patience: timedelta  # after so long without news the provider is asked
