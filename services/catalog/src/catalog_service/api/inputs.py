"""Fields of requests: what a person typed, made harmless, and days of the calendar."""

import unicodedata
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import marshmallow as ma
from marshmallow import fields

CALENDAR = ZoneInfo("Asia/Kolkata")
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


class FirstMoment(fields.Field[datetime | None]):
    """An instant, or a day in India, which stands for its first moment."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            metadata={"type": "string", "description": "instant, or day (Asia/Kolkata)"}, **kwargs
        )

    def _deserialize(
        self,
        value: Any,
        attr: str | None,  # noqa: ARG002 marshmallow's signature
        data: Any,  # noqa: ARG002
        **kwargs: Any,  # noqa: ARG002
    ) -> datetime | None:
        try:
            if len(str(value)) == len("2026-08-22"):
                return self._moment_of(date.fromisoformat(value))
            moment = datetime.fromisoformat(value)
        except ValueError as error:
            raise ma.ValidationError("Not a day and not an instant.") from error
        if moment.tzinfo is None:
            raise ma.ValidationError("Give an instant with its offset, such as Z.")
        return moment

    def _moment_of(self, day: date) -> datetime | None:
        return datetime(day.year, day.month, day.day, tzinfo=CALENDAR)


class MomentAfter(FirstMoment):
    """An instant, or a day in India, which stands for the first moment after it.

    None follows the last day there is, 9999-12-31.
    """

    def _moment_of(self, day: date) -> datetime | None:
        return None if day == date.max else super()._moment_of(day + timedelta(days=1))


def stored_number(text: str) -> int:
    """Return a number from a cursor, if it fits into a column.

    Raises:
        ValueError: it does not.
    """
    if not (text.isascii() and text.isdigit() and len(text) < len(str(2**63))):
        raise ValueError("not a number of ours")
    return int(text)


def stored_instant(text: str) -> datetime:
    """Return an instant from a cursor.

    Raises:
        ValueError: it is none.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("no offset")
    return moment
