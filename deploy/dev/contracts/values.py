"""Values that a schema of a document allows, for tests that have to do with all of them."""

from collections.abc import Callable, Mapping
from datetime import UTC
from typing import Any

from hypothesis import strategies as st

from contracts.documents import Document, Schema, resolved

Values = st.SearchStrategy[Any]

_LONGEST_LIST = 3
_SMALLEST, _LARGEST = -(2**63), 2**63 - 1
_INSTANTS = st.datetimes(timezones=st.just(UTC)).map(lambda moment: moment.isoformat())
_FORMATS: Mapping[str, Values] = {
    "uuid": st.uuids().map(str),
    "date-time": _INSTANTS,
    "date": st.dates().map(lambda day: day.isoformat()),
    "email": st.emails(),
    "uri": st.just("https://example.org/"),
    "url": st.just("https://example.org/"),
}


def values(document: Document, schema: Schema) -> Values:
    """Return the values that a schema allows, as JSON has them; no extra members of objects."""
    schema = resolved(document, schema)
    for choice in ("anyOf", "oneOf"):
        if choice in schema:
            return st.one_of([values(document, each) for each in schema[choice]])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    types = schema.get("type", _SIMPLE)
    if isinstance(types, str):
        return _BY_TYPE[types](document, schema)
    return st.one_of([_BY_TYPE[each](document, schema) for each in types])


_SIMPLE = ("string", "integer", "boolean", "null")  # for a value of any kind


def _objects(document: Document, schema: Schema) -> Values:
    members = {name: values(document, each) for name, each in schema.get("properties", {}).items()}
    required = set(schema.get("required", ()))
    others = schema.get("additionalProperties")
    if isinstance(others, Mapping) and not members:
        return st.dictionaries(st.text(), values(document, others), max_size=_LONGEST_LIST)
    return st.fixed_dictionaries(
        {name: each for name, each in members.items() if name in required},
        optional={name: each for name, each in members.items() if name not in required},
    )


def _lists(document: Document, schema: Schema) -> Values:
    least = schema.get("minItems", 0)
    most = min(schema.get("maxItems", _LONGEST_LIST), max(_LONGEST_LIST, least))
    return st.lists(values(document, schema.get("items", {})), min_size=least, max_size=most)


def _texts(_document: Document, schema: Schema) -> Values:
    if schema.get("format") in _FORMATS:
        return _FORMATS[schema["format"]]
    if "pattern" in schema:
        return st.from_regex(schema["pattern"])
    least, most = schema.get("minLength", 0), schema.get("maxLength")
    return st.text(min_size=least, max_size=most)


def _integers(_document: Document, schema: Schema) -> Values:
    return st.integers(schema.get("minimum", _SMALLEST), schema.get("maximum", _LARGEST))


def _numbers(_document: Document, schema: Schema) -> Values:
    return st.floats(
        schema.get("minimum"), schema.get("maximum"), allow_nan=False, allow_infinity=False
    )


_BY_TYPE: Mapping[str, Callable[[Document, Schema], Values]] = {
    "object": _objects,
    "array": _lists,
    "string": _texts,
    "integer": _integers,
    "number": _numbers,
    "boolean": lambda _document, _schema: st.booleans(),
    "null": lambda _document, _schema: st.none(),
}
