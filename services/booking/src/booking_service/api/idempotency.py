"""The header `Idempotency-Key`, of every request that takes seats or money."""

import hashlib
import json
from typing import Any

from marshmallow import fields, validate

from booking_service.domain.bookings import IdempotencyKey
from service_kit.openapi import Schema

MAX_KEY_LENGTH = 255


class IdempotencyHeader(Schema):
    idempotency_key = fields.String(
        data_key="Idempotency-Key",
        load_default=None,
        validate=[validate.Length(1, MAX_KEY_LENGTH), validate.Regexp(r"^[\x21-\x7e]+$")],
    )


_encode_content = json.JSONEncoder(sort_keys=True, default=str).encode


def key_of(value: str | None, asked_for: dict[str, Any]) -> IdempotencyKey | None:
    """Return the key of a request, with a fingerprint of what is asked for; None without one."""
    if value is None:
        return None
    # what was not said does not count, so that a new optional field changes no old fingerprint
    said = {name: value for name, value in asked_for.items() if value is not None}
    content = _encode_content(said)
    return IdempotencyKey(value, hashlib.sha256(content.encode()).hexdigest())
