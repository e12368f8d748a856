"""Ways in which a provider can fail, switched on and off by whoever tests against it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class UnknownFault(Exception):
    """No such fault, or not for this part."""


class ApiFault(StrEnum):
    """What is wrong with every answer of the API; `/control` always answers."""

    NONE = "none"
    ERROR = "error"  # 500, and nothing has happened
    LOST_REPLY = "lost_reply"  # it has happened, but the answer is 500
    SLOW = "slow"  # it happens, and the answer comes after `delaySeconds`
    GARBAGE = "garbage"  # 200 with something that is no JSON
    WRONG_AMOUNT = "wrong_amount"  # it happens, and the answer has another amount


class WebhookFault(StrEnum):
    """What is wrong with every webhook that is sent from now on."""

    NONE = "none"
    DROP = "drop"  # never sent
    DELAY = "delay"  # sent after `delaySeconds`
    DUPLICATE = "duplicate"  # sent twice, under two event ids
    HOLD = "hold"  # sent when released, in an order of the releaser's
    FORGE = "forge"  # signed with another secret, sent once


class RefundFault(StrEnum):
    """What becomes of a refund that is asked for."""

    NONE = "none"  # processed at once
    PENDING = "pending"  # until somebody settles it
    FAILED = "failed"  # accepted, then failed
    REFUSED = "refused"  # answered with an error for lack of balance


@dataclass
class Faults:
    """What is wrong at present."""

    api: ApiFault = ApiFault.NONE
    webhooks: WebhookFault = WebhookFault.NONE
    refunds: RefundFault = RefundFault.NONE
    delay_seconds: float = 1.0

    def shown(self) -> dict[str, Any]:
        """Return the present state as JSON has it."""
        document = asdict(self)
        delay_seconds = document.pop("delay_seconds")
        return {**document, "delaySeconds": delay_seconds}

    def become(self, wish: Mapping[str, Any]) -> None:
        """Have the faults of the wish; whatever it does not name works.

        Raises:
            UnknownFault: nothing has changed.
        """
        normal = Faults()
        known = {"api", "webhooks", "refunds", "delaySeconds"}
        try:
            if wish.keys() - known:
                raise ValueError(f"unknown: {sorted(wish.keys() - known)}")
            wished = Faults(
                ApiFault(wish.get("api", normal.api)),
                WebhookFault(wish.get("webhooks", normal.webhooks)),
                RefundFault(wish.get("refunds", normal.refunds)),
                float(wish.get("delaySeconds", normal.delay_seconds)),
            )
        except (TypeError, ValueError) as error:
            raise UnknownFault(str(error)) from error
        vars(self).update(vars(wished))
