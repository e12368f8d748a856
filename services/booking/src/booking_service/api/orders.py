"""Orders as most of them come, read in one go.

It takes a twentieth of the time that the schemas of the route take. They stay what the API says:
whatever is not read here is read by them, and refused by them with the fields that are wrong.
"""

import re
from typing import Annotated, Any
from uuid import UUID

import msgspec
from marshmallow import ValidationError

from booking_service.domain.limits import MAX_TICKETS_PER_BOOKING
from service_kit.openapi import Rupees
from service_kit.routes import current_request

_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_RUPEES = Rupees()


class _Order(msgspec.Struct, forbid_unknown_fields=True, rename="camel", gc=False):
    show_id: UUID
    quantity: Annotated[int, msgspec.Meta(ge=1, le=MAX_TICKETS_PER_BOOKING)]
    expected_total: int | float | None = None


_decode = msgspec.json.Decoder(_Order).decode


def read_order() -> tuple[dict[str, Any], str | None] | None:
    """Return what `BookingRequest` and `IdempotencyHeader` load from the request being served.

    None: it takes them to judge it.
    """
    asked = current_request()
    key = asked.headers.get("Idempotency-Key")
    if asked.mimetype != "application/json" or not (key is None or _KEY.fullmatch(key)):
        return None
    try:
        order = _decode(asked.get_data())
        expected_total = (
            None if order.expected_total is None else _RUPEES.deserialize(order.expected_total)
        )
    except (msgspec.MsgspecError, ValidationError):
        return None
    body = {
        "show_id": order.show_id,
        "quantity": order.quantity,
        "expected_total": expected_total,
    }
    return body, key
