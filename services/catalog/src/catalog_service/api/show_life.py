"""Routes of a show's life, below /api/v1/shows/{id}: PUT, DELETE · unpublish · cancel · ….

The whole list: PUT /{id}, DELETE /{id}, POST /{id}/unpublish, POST /{id}/cancel,
GET /{id}/cancellation. What needs a decision waits for it, see `outcomes`.
"""

from typing import Any
from uuid import UUID

from catalog_service.api.life_schemas import (
    CancellationResponse,
    CancelRequest,
    DeletedShowResponse,
    ShowEditRequest,
)
from catalog_service.api.outcomes import changed, deleted
from catalog_service.api.rules import ADMIN, actor_for, current_actor
from catalog_service.api.schemas import ChangedShowResponse
from catalog_service.api.wired import wired
from catalog_service.domain.edits import Edit
from catalog_service.domain.errors import NoCancellation
from catalog_service.usecases.cancel_show import cancel_show
from catalog_service.usecases.delete_show import delete_show
from catalog_service.usecases.edit_show import edit_show
from catalog_service.usecases.unpublish_show import unpublish_show
from service_kit.access import SIGNED_IN, allow
from service_kit.openapi import PAISE_PER_RUPEE
from service_kit.routes import Blueprint

blp = Blueprint("show life", __name__, url_prefix="/api/v1/shows", description="Shows")


@blp.put("/<uuid:show_id>")
@allow(SIGNED_IN)
@blp.arguments(ShowEditRequest)
@blp.response(200, ChangedShowResponse)
@blp.alt_response(202, schema=ChangedShowResponse, description="not decided yet: `pendingChange`")
@blp.alt_response(404, description="unknown, or not one's own")
@blp.alt_response(
    409,
    description="`FIXED_ONCE_PUBLISHED`, `SHOW_ENDED`, `SHOW_CANCELLED`, `SHOW_CHANGED`, "
    "`CHANGE_IN_PROGRESS`, `ACCOUNT_CLOSED`; of booking's: `HAS_ACTIVE_BOOKINGS`, "
    "`CAPACITY_BELOW_SOLD`",
)
@blp.alt_response(422, description="`INVALID_FIELDS`")
def put_show(body: dict[str, Any], show_id: UUID) -> tuple[dict[str, Any], int]:
    """Edit a show; what is absent stays. What could concern buyers is decided by booking"""
    use, actor = wired(), actor_for(show_id)
    change = edit_show(
        use.begin,
        actor=actor,
        show_id=show_id,
        edit=_edit(body),
        seen_version=body.get("version"),
        now=use.now(),
    )
    return changed(show_id, change, actor)


@blp.delete("/<uuid:show_id>")
@allow(SIGNED_IN)
@blp.response(200, DeletedShowResponse)
@blp.alt_response(202, schema=DeletedShowResponse, description="not decided yet: `pendingChange`")
@blp.alt_response(404, description="unknown, or not one's own")
@blp.alt_response(
    409,
    description="`HAS_BOOKINGS`: it ever had a booking, cancel it; `CHANGE_IN_PROGRESS`, "
    "`ACCOUNT_CLOSED`",
)
def delete_one_show(show_id: UUID) -> tuple[dict[str, Any], int]:
    """Delete a show that never had a booking"""
    use, actor = wired(), actor_for(show_id)
    return deleted(delete_show(use.begin, actor=actor, show_id=show_id), actor)


@blp.post("/<uuid:show_id>/unpublish")
@allow(ADMIN)
@blp.response(200, ChangedShowResponse)
@blp.alt_response(202, schema=ChangedShowResponse, description="not decided yet: `pendingChange`")
@blp.alt_response(404, description="unknown")
@blp.alt_response(
    409,
    description="`NOT_PUBLISHED`, `SHOW_CANCELLED`, `CHANGE_IN_PROGRESS`, `HAS_ACTIVE_BOOKINGS`, "
    "`ACCOUNT_CLOSED`",
)
def post_unpublish(show_id: UUID) -> tuple[dict[str, Any], int]:
    """Make a published show without active bookings a draft again"""
    use, actor = wired(), current_actor()
    return changed(show_id, unpublish_show(use.begin, actor=actor, show_id=show_id), actor)


@blp.post("/<uuid:show_id>/cancel")
@allow(SIGNED_IN)
@blp.arguments(CancelRequest, as_kwargs=True)
@blp.response(200, ChangedShowResponse)
@blp.alt_response(202, schema=ChangedShowResponse, description="not decided yet: `pendingChange`")
@blp.alt_response(404, description="unknown, or not one's own")
@blp.alt_response(
    409,
    description="`NOT_PUBLISHED`, `SHOW_CANCELLED`, `SHOW_ENDED`, `CHANGE_IN_PROGRESS`, "
    "`ACCOUNT_CLOSED`",
)
def post_cancel(reason: str, show_id: UUID) -> tuple[dict[str, Any], int]:
    """Cancel a show; on return no more tickets are sold, and every buyer is being refunded"""
    use, actor = wired(), actor_for(show_id)
    change = cancel_show(use.begin, actor=actor, show_id=show_id, reason=reason, now=use.now())
    return changed(show_id, change, actor)


@blp.get("/<uuid:show_id>/cancellation")
@allow(SIGNED_IN)
@blp.response(200, CancellationResponse)
@blp.alt_response(404, description="unknown, not one's own, or not cancelled")
def get_cancellation(show_id: UUID) -> dict[str, Any]:
    """Show how far the cancellation of one's own show has come"""
    use = wired()
    with use.read() as tx:
        show = tx.shows.editable_by(current_actor(), show_id)
    cancellation = use.cancellations.of_show(show.id)
    if cancellation is None:
        raise NoCancellation
    return {"cancellation": cancellation}


def _edit(body: dict[str, Any]) -> Edit:
    named = {"date": "starts_at", "ticket_price": "price_paise", "total_tickets": "capacity"}
    details = {named.get(name, name): value for name, value in body.items()}
    bill = details.pop("comedian_ids", None)
    details.pop("version", None)
    if "price_paise" in details:
        details["price_paise"] *= PAISE_PER_RUPEE
    if "description" in details:
        details["description"] = details["description"] or None
    for links in {"youtube_urls", "instagram_urls"} & details.keys():
        details[links] = tuple(details[links])
    return Edit(details, None if bill is None else tuple(bill))
