import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from marshmallow import Schema, fields

from catalog_service.api.schemas import ChangedShowResponse, ShowResponse, ShowsResponse
from catalog_service.domain.changes import ChangeKind, ChangeStatus
from catalog_service.domain.shows import ShowStatus
from service_kit.encoding import encoder

ONE = UUID("01900000-0000-7000-8000-000000000001")
MOMENT = datetime(2031, 5, 1, 14, 30, 0, 123456, tzinfo=UTC)


def document(**changes: Any) -> dict[str, Any]:
    comedian = {
        "id": ONE,
        "name": "Zoë “Z” \\ </script>",
        "bio": None,
        "profile_image_url": "/api/v1/media/x.webp",
        "youtube_urls": ("https://youtu.be/x",),
        "instagram_urls": (),
        "created_by": ONE,  # not public on a bill
    }
    return {
        "id": ONE,
        "title": "हँसी का फव्वारा 😂",
        "description": "Two acts.\nOne break.\u2028",
        "date": MOMENT,
        "venue": "Lamakaan",
        "city": "Hyderabad",
        "google_maps_link": "https://maps.app.goo.gl/x",
        "ticket_price": 49_950,
        "total_tickets": 80,
        "poster_image_url": None,
        "duration_minutes": 60,
        "is_published": True,
        "status": ShowStatus.PUBLISHED,
        "is_disbursed": False,
        "custom_platform_fee": 8.5,
        "youtube_urls": (),
        "instagram_urls": ("https://www.instagram.com/p/x/",),
        "created_at": MOMENT,
        "created_by": ONE,
        "creator": {"id": ONE, "name": None, "role": "ADMIN"},
        "show_comedians": [{"order": 0, "comedian": comedian}],
        "ticket_inventory": {"available": 3},
        "count": {"bookings": 1},
        **changes,
    }


@pytest.mark.parametrize(
    ("schema", "answer"),
    [
        (ShowsResponse(), {"shows": [], "next_cursor": None}),
        (ShowsResponse(), {"shows": [document(), document(count=None)], "next_cursor": "x"}),
        (ShowResponse(), {"show": document(ticket_inventory=None, ticket_price=0)}),
        (
            ShowResponse(),
            {"show": document(stats={"tickets_sold": 2, "revenue": 99_900}, custom_platform_fee=0)},
        ),
        (ShowResponse(), {"show": document(stats=None)}),
        (
            ChangedShowResponse(),
            {
                "show": document(),
                "pending_change": {
                    "id": ONE,
                    "kind": ChangeKind.PUBLISH,
                    "wish": {"status": ShowStatus.PUBLISHED, "starts_at": MOMENT},
                    "status": ChangeStatus.OPEN,
                    "refusal_code": None,
                    "refusal_text": None,
                    "actor_id": ONE,
                    "requested_at": MOMENT,
                    "decided_at": None,
                },
            },
        ),
    ],
)
def test_an_answer_is_what_its_schema_says(schema: Schema, answer: dict[str, Any]) -> None:
    assert json.loads(encoder(schema)(answer)) == schema.dump(answer)


def test_a_field_that_would_be_written_otherwise_is_noticed_at_once() -> None:
    schema = Schema.from_dict({"amount": fields.Decimal()})

    with pytest.raises(TypeError, match="Decimal cannot be written"):
        encoder(schema())
