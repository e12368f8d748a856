"""Orders, payments and refunds, in the shape in which the API and the webhooks show them."""

import secrets
import string
import time
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar

CURRENCY = "INR"
_LETTERS = string.ascii_letters + string.digits


def new_id(kind: str) -> str:
    """Return an id such as `order_` and 14 letters and digits."""
    return kind + "_" + "".join(secrets.choice(_LETTERS) for _ in range(14))


@dataclass
class Entity:
    """Something with an id and a time; amounts are paise, times Unix seconds."""

    kind: ClassVar[str]

    id: str
    amount: int
    notes: dict[str, str]
    currency: str = CURRENCY
    created_at: int = field(default_factory=lambda: int(time.time()), kw_only=True)

    def shown(self) -> dict[str, Any]:
        """Return the entity as JSON has it; without notes there is an empty list, as in reality."""
        return {**asdict(self), "entity": self.kind, "notes": self.notes or []}


@dataclass
class Order(Entity):
    """An amount that the merchant wants to be paid."""

    kind: ClassVar[str] = "order"

    receipt: str | None = None
    captures_itself: bool = False
    status: str = "created"  # then attempted, paid
    attempts: int = 0
    amount_paid: int = 0
    offer_id: None = None

    def shown(self) -> dict[str, Any]:
        """Return the order as JSON has it."""
        document = super().shown()
        del document["captures_itself"]
        return {**document, "amount_due": self.amount - self.amount_paid}


@dataclass
class Payment(Entity):
    """One attempt of a buyer to pay an order."""

    kind: ClassVar[str] = "payment"

    order_id: str = ""
    status: str = "created"  # then authorized, captured, refunded; or failed
    captured: bool = False
    amount_refunded: int = 0
    refund_status: str | None = None  # partial, full
    method: str = "upi"
    vpa: str | None = "buyer@upi"
    email: str = "buyer@comedy.example"
    contact: str = "+919999999999"
    description: str | None = None
    international: bool = False
    invoice_id: str | None = None
    card_id: str | None = None
    bank: str | None = None
    wallet: str | None = None
    fee: int | None = None
    tax: int | None = None
    error_code: str | None = None
    error_description: str | None = None
    error_source: str | None = None
    error_step: str | None = None
    error_reason: str | None = None
    acquirer_data: dict[str, str] = field(default_factory=dict)


@dataclass
class Refund(Entity):
    """Money on its way back to the buyer."""

    kind: ClassVar[str] = "refund"

    payment_id: str = ""
    status: str = "pending"  # then processed or failed
    receipt: str | None = None
    batch_id: str | None = None
    speed_requested: str = "normal"
    speed_processed: str = "normal"
    acquirer_data: dict[str, str | None] = field(default_factory=lambda: {"arn": None})
