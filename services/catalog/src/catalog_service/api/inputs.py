"""Fields of requests for days of the calendar, and what cursors hold."""

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import marshmallow as ma
from marshmallow import fields

CALENDAR = ZoneInfo("Asia/Kolkata")


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
