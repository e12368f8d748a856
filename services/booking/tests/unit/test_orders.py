"""What is read in one go is what the schemas of the route would have read."""

import json
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import ValidationError

from booking_service.api.bookings import BookingRequest
from booking_service.api.idempotency import IdempotencyHeader
from booking_service.api.orders import read_order

app = Flask("orders")
SHOW = str(uuid4())


def read(content: str | bytes, key: str | None = None) -> tuple[dict[str, Any], str | None] | None:
    headers = {} if key is None else {"Idempotency-Key": key}
    with app.test_request_context(
        "/", method="POST", data=content, headers=headers, content_type="application/json"
    ):
        return read_order()


def loaded(body: object, key: str | None) -> tuple[dict[str, Any], str | None] | None:
    headers = {} if key is None else {"Idempotency-Key": key}
    try:
        heading = IdempotencyHeader().load(headers)
        return BookingRequest().load(body), heading["idempotency_key"]  # type: ignore[arg-type]
    except ValidationError:
        return None


anything = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
bodies = st.fixed_dictionaries(
    {
        "showId": st.just(SHOW) | st.uuids().map(str) | st.uuids().map(lambda u: u.hex) | anything,
        "quantity": st.integers(0, 12) | st.floats(0, 12) | st.just(2.0) | anything,
    },
    optional={
        "expectedTotal": st.integers(-1, 999).map(lambda paise: paise / 100) | anything,
        "price": anything,
    },
)
keys = st.none() | st.sampled_from(["3b0f", "", "two words", "x" * 255, "x" * 256, "k~"])


@given(body=bodies | anything | st.lists(bodies, max_size=1), key=keys)
def test_what_is_read_in_one_go_is_what_the_schemas_load(body: object, key: str | None) -> None:
    found = read(json.dumps(body), key)

    assert found is None or found == loaded(body, key)


@pytest.mark.parametrize("more", [{}, {"expectedTotal": None}, {"expectedTotal": 532.91}])
@pytest.mark.parametrize("key", [None, "3b0f-k"])
def test_what_front_ends_send_is_read_in_one_go(more: dict[str, Any], key: str | None) -> None:
    body = {"showId": SHOW, "quantity": 2, **more}

    found = read(json.dumps(body), key)

    assert found is not None
    assert found == loaded(body, key)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[" * 100_000, b"1" * 5_000])
def test_what_cannot_be_read_is_left_to_the_schemas(content: bytes) -> None:
    assert read(content) is None
