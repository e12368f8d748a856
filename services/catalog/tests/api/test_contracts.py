"""What others rely on: our document, and what their documents say about our calls."""

import json
from pathlib import Path
from typing import Any

from flask.testing import FlaskClient

from catalog_service.clients import booking
from catalog_service.domain.offers import offer_of

SERVICES = Path(__file__).parents[3]


def document(service: str) -> dict[str, Any]:
    text = (SERVICES / service / "openapi.json").read_text(encoding="utf-8")
    parsed: dict[str, Any] = json.loads(text)
    return parsed


def test_the_committed_document_is_what_the_code_says(client: FlaskClient) -> None:
    assert client.get("/openapi.json").get_json() == document("catalog")


def test_booking_documents_the_offer_we_send(draft: Any) -> None:
    sent = booking.offer_body(offer_of(draft()))
    request = document("booking")["components"]["schemas"]["OfferRequest"]

    assert set(request["required"]) <= sent.keys() <= request["properties"].keys()


def test_booking_and_identity_document_what_we_read() -> None:
    availability = document("booking")["components"]["schemas"]["Availability"]
    people = document("identity")["paths"]["/internal/people"]
    sales = document("booking")["components"]["schemas"]["Sales"]
    contact = document("identity")["components"]["schemas"]["Contact"]
    cancellation = document("booking")["components"]["schemas"]["Cancellation"]

    assert {"showId", "available", "locked", "sold", "activeBookings"} <= set(
        availability["properties"]
    )
    assert {"showId", "ticketsSold", "revenuePaise", "disbursed"} <= set(sales["properties"])
    assert {"id", "email", "organizerName"} <= set(contact["properties"])
    assert {
        *("state", "reason", "total", "cancelled", "refunded", "failed"),
        *("startedAt", "completedAt"),
    } <= set(cancellation["properties"])
    assert people["get"]["x-access"] == "service with identity:people:read"
    person = document("identity")["components"]["schemas"]["PublicPerson"]
    assert {"id", "name", "role", "approved", "image"} <= set(person["properties"])
