"""Conventions of the public JSON: camelCase, UTC instants with milliseconds, rupees as numbers."""

import re
from datetime import UTC, datetime
from typing import Any

import marshmallow as ma
from marshmallow import fields

PAISE_PER_RUPEE = 100
_NOT_STORABLE = re.compile("[\x00\ud800-\udfff]")
MAX_RUPEES = 10**12  # far above any amount, exact as a float


class Instant(fields.AwareDateTime):
    """An instant: ISO-8601, UTC, milliseconds, `Z`; any offset is understood in requests."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(format="iso", default_timezone=None, **kwargs)

    def _serialize(self, value: datetime | None, *_args: Any, **_kwargs: Any) -> str | None:
        return None if value is None else instant(value)


def instant(value: datetime) -> str:
    """Return an aware datetime as the API writes it: `2026-08-22T14:30:00.000Z`."""
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Flag(fields.Boolean):
    """True or false; neither a number nor a text stands for them."""

    def _deserialize(self, value: Any, *_args: Any, **_kwargs: Any) -> bool:
        if not isinstance(value, bool):
            raise self.make_error("invalid", input=value)
        return value


class OtherNumber(fields.Field[int]):
    """A whole number inside that is another number on the wire."""


class Rupees(OtherNumber):
    """An amount that is whole paise inside and a number of rupees on the wire."""

    def _serialize(
        self,
        value: int | None,
        attr: str | None,  # noqa: ARG002 marshmallow's signature
        obj: Any,  # noqa: ARG002
        **kwargs: Any,  # noqa: ARG002
    ) -> float | int | None:
        return None if value is None else rupees(value)

    def _deserialize(
        self,
        value: Any,
        attr: str | None,  # noqa: ARG002 marshmallow's signature
        data: Any,  # noqa: ARG002
        **kwargs: Any,  # noqa: ARG002
    ) -> int:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ma.ValidationError("Not a number.")
        if not abs(value) <= MAX_RUPEES:  # NaN and infinity included
            raise ma.ValidationError("Not an amount.")
        paise = round(value * PAISE_PER_RUPEE)
        if abs(value * PAISE_PER_RUPEE - paise) > 1e-6:
            raise ma.ValidationError("At most two decimals.")
        return paise


def rupees(paise: int) -> float | int:
    """Return paise as a JSON number of rupees: 49900 → 499, 3992 → 39.92."""
    whole, rest = divmod(paise, PAISE_PER_RUPEE)
    return whole if rest == 0 else paise / PAISE_PER_RUPEE


class Schema(ma.Schema):
    """A body or answer in camelCase; unknown members of a body are refused."""

    class Meta:
        unknown = ma.RAISE

    def on_bind_field(self, field_name: str, field_obj: fields.Field[Any]) -> None:
        """Give every field its camelCase name on the wire, and texts that can be stored."""
        field_obj.data_key = field_obj.data_key or camel_case(field_name)
        inner = field_obj.inner if isinstance(field_obj, fields.List) else field_obj
        if isinstance(inner, fields.String):
            # a new list: marshmallow shares the old one between all instances of the schema
            inner.validators = [_storable, *inner.validators]


class ProblemSchema(Schema):
    """RFC 9457 problem with the members every error of this API has; some have more."""

    class Meta:
        unknown = ma.INCLUDE

    type = fields.String(required=True)
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    detail = fields.String(required=True)
    instance = fields.String(required=True)
    error = fields.String(required=True, metadata={"description": "the text a person may read"})
    code = fields.String(required=True, metadata={"description": "stable, for programs"})
    request_id = fields.String(required=True, allow_none=True)
    errors = fields.Dict(
        keys=fields.String(),
        values=fields.List(fields.String()),
        metadata={"description": "messages by field"},
    )


def _storable(value: str) -> None:
    """Refuse what is no text to Postgres: NUL, and surrogates that stand alone."""
    if _NOT_STORABLE.search(value):
        raise ma.ValidationError("Not a valid text: it has characters that cannot be stored.")


def camel_case(name: str) -> str:
    """Return `ticket_price` as `ticketPrice`."""
    head, *tail = name.split("_")
    return head + "".join(part.capitalize() for part in tail)
