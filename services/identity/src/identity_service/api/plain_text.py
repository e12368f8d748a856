"""The field for a text that a person has written."""

from typing import Any

from marshmallow import fields, validate

_WRITTEN = r"\s*\S"


def plain_text(max_length: int, **kwargs: Any) -> fields.String:
    """Return the field for a text with something in it."""
    return fields.String(
        validate=[
            validate.Length(max=max_length),
            validate.Regexp(_WRITTEN, error="Some plain text is needed."),
        ],
        **kwargs,
    )
