"""Fields for what a person typed, made harmless: it is shown to others, in pages and mails."""

import unicodedata
from typing import Any

import marshmallow as ma
from marshmallow import fields

_UNSPEAKABLE = {"Cc", "Cs"}  # control characters and halves of characters
_INVISIBLE = {"Cf", "Zs"}
_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")  # turn text around
_LINE_ENDS = {"\n", "\t"}


class Text(fields.String):
    """Text without control characters and without white space around it."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, *args, **kwargs)
        text = str(text).replace("\r\n", "\n").strip()
        if any(self._refuses(character) for character in text):
            raise ma.ValidationError("Control characters are not allowed.")
        if text and all(unicodedata.category(character) in _INVISIBLE for character in text):
            raise ma.ValidationError("There is nothing to see in this text.")
        return text

    def _refuses(self, character: str) -> bool:
        return unicodedata.category(character) in _UNSPEAKABLE or character in _TURNING


class LongText(Text):
    """Text of several lines."""

    def _refuses(self, character: str) -> bool:
        return character not in _LINE_ENDS and super()._refuses(character)
