"""The fields for a text that a person has written."""

from collections.abc import Callable
from typing import Any

from marshmallow import validate

from service_kit.texts import LongText, Text

_WRITTEN = r"\s*\S"


def plain_text(max_length: int, *checks: Callable[[str], None], **kwargs: Any) -> Text:
    """Return the field for a text of one line with something in it that passes these checks."""
    return Text(validate=[*_written(max_length), *checks], **kwargs)


def long_text(max_length: int, **kwargs: Any) -> LongText:
    """Return the field for a text of several lines with something in it."""
    return LongText(validate=_written(max_length), **kwargs)


def _written(max_length: int) -> list[validate.Validator]:
    return [
        validate.Length(max=max_length),
        validate.Regexp(_WRITTEN, error="Some plain text is needed."),
    ]
