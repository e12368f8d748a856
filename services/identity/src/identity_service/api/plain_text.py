"""The field for a text that a person has written."""

import re
from typing import Any

from marshmallow import fields, validate

_WRITTEN = re.compile(r"(?=.*\S)[^\x00\ud800-\udfff]+\Z", re.DOTALL)


def plain_text(max_length: int, **kwargs: Any) -> fields.String:
    """Return the field for a text with something in it and nothing that Postgres cannot hold."""
    return fields.String(
        validate=[
            validate.Length(max=max_length),
            validate.Regexp(_WRITTEN, error="Some plain text is needed."),
        ],
        **kwargs,
    )
