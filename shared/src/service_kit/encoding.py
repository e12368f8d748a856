"""Answers as bytes, by the schemas that document them, for a fraction of what marshmallow takes."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
from marshmallow import Schema, fields

from service_kit.openapi import Instant, Rupees, instant, rupees

Convert = Callable[[Any], Any]

_AS_IT_IS = (
    *(fields.String, fields.UUID, fields.Integer, fields.Float, fields.Boolean, fields.Enum),
    fields.Dict,
)


def encoder(schema: Schema) -> Callable[[Any], bytes]:
    """Return what writes documents as this schema's `dump` and JSON would: of mappings or objects.

    Ids and enumerations with texts as values need no conversion. What a mapping does not have is
    left out.

    Raises:
        TypeError: a field is of a kind that this does not write.
    """
    convert = _object(schema)
    write = msgspec.json.Encoder().encode
    return lambda document: write(convert(document))


def _object(schema: Schema) -> Convert:
    plan = [
        (str(field.data_key), field.attribute or name, _converter(field))
        for name, field in schema.dump_fields.items()
    ]

    def convert(document: Any) -> dict[str, Any]:
        if not isinstance(document, Mapping):
            return {
                key: getattr(document, name) if change is None else change(getattr(document, name))
                for key, name, change in plan
            }
        return {
            key: document[name] if change is None else change(document[name])
            for key, name, change in plan
            if name in document
        }

    return convert


def _converter(field: fields.Field[Any]) -> Convert | None:
    """Return how a field's values are written, None: as they are."""
    if isinstance(field, Instant):
        return _unless_none(instant)
    if isinstance(field, Rupees):
        return _unless_none(rupees)
    if isinstance(field, fields.List):
        each = _converter(field.inner)
        return None if each is None else _unless_none(_list_of(each))
    if isinstance(field, fields.Nested):
        one = _unless_none(_object(field.schema))
        return _unless_none(_list_of(one)) if field.many else one
    if isinstance(field, _AS_IT_IS):
        return None
    raise TypeError(f"{type(field).__name__} cannot be written")


def _list_of(each: Convert) -> Convert:
    def convert(values: Sequence[Any]) -> list[Any]:
        return [each(value) for value in values]

    return convert


def _unless_none(convert: Convert) -> Convert:
    return lambda value: None if value is None else convert(value)
