from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from marshmallow import ValidationError, fields, validate

from service_kit.openapi import Flag, Instant, Rupees, Schema, camel_case, rupees


class Sample(Schema):
    full_name = fields.String(validate=validate.Length(1, 5))
    nick_names = fields.List(fields.String(validate=validate.Length(1, 5)))
    starts_at = Instant()
    amount = Rupees()
    is_own = Flag()


def test_names_are_camel_case_on_the_wire() -> None:
    assert camel_case("platform_fee_basis_points") == "platformFeeBasisPoints"
    assert Sample().load({"fullName": "a"}) == {"full_name": "a"}


@pytest.mark.parametrize(
    "body", [{"fullName": "a\x00"}, {"fullName": "\ud800"}, {"nickNames": ["a", "\x00"]}]
)
def test_a_text_that_cannot_be_stored_is_refused(body: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="cannot be stored"):
        Sample().load(body)


def test_making_a_schema_again_does_not_make_its_checks_more() -> None:
    again = [Sample() for _ in range(3)][-1]

    assert len(again.fields["full_name"].validators) == 2
    listed = again.fields["nick_names"]
    assert isinstance(listed, fields.List)
    assert len(listed.inner.validators) == 2


def test_instants_are_sent_in_utc_with_milliseconds() -> None:
    india = timezone(timedelta(hours=5, minutes=30))

    sent = Sample().dump({"starts_at": datetime(2026, 8, 22, 20, 0, tzinfo=india)})

    assert sent == {"startsAt": "2026-08-22T14:30:00.000Z"}


def test_an_instant_of_any_offset_is_understood_and_one_without_is_not() -> None:
    read = Sample().load({"startsAt": "2026-08-22T20:00:00+05:30"})

    assert read["starts_at"] == datetime(2026, 8, 22, 14, 30, tzinfo=UTC)
    with pytest.raises(ValidationError):
        Sample().load({"startsAt": "2026-08-22T20:00:00"})


@pytest.mark.parametrize("value", [0, 1, "true", "no", None])
def test_nothing_else_stands_for_true_or_false(value: Any) -> None:
    assert Sample().load({"isOwn": True}) == {"is_own": True}
    with pytest.raises(ValidationError):
        Sample().load({"isOwn": value})


@pytest.mark.parametrize(("paise", "sent"), [(49_900, 499), (3_992, 39.92), (1, 0.01), (0, 0)])
def test_amounts_are_rupees_on_the_wire(paise: int, sent: float) -> None:
    assert rupees(paise) == sent
    assert Sample().load({"amount": sent}) == {"amount": paise}


@pytest.mark.parametrize(
    "amount", ["1", True, None, 0.001, 1e308, float("inf"), float("nan"), 10**30]
)
def test_what_is_no_amount_is_refused(amount: Any) -> None:
    with pytest.raises(ValidationError):
        Sample().load({"amount": amount})
