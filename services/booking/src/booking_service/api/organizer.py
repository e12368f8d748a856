"""Routes: GET /api/v1/organizer/sales · /dashboard · /shows/{id}/attendees."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any
from uuid import UUID

from flask import Response
from marshmallow import fields, validate

from booking_service.api.peers import if_it_answers
from booking_service.api.rules import ADMIN_ROLE, CREATORS
from booking_service.api.tables import csv_answer
from booking_service.api.wired import wired
from booking_service.domain.bookings import BookingStatus
from booking_service.domain.errors import NotApproved, ShowNotFound
from booking_service.domain.money_views import Attendee, Dashboard, SoldShow
from booking_service.domain.offers import Inventory
from service_kit.access import SIGNED_IN, allow, current_caller
from service_kit.openapi import Instant, Rupees, Schema
from service_kit.pagination import PageArguments, decode_cursor, page_of
from service_kit.problems import Problem
from service_kit.routes import Blueprint
from service_kit.tokens import SECOND_FACTOR

blp = Blueprint("organizer", __name__, description="What creators see of their sales")

JSON_OR_CSV = fields.String(
    load_default="json",
    validate=validate.OneOf(["json", "csv"]),
    metadata={"description": "`csv` answers `text/csv`"},
)


AS_CSV: dict[str, Any] = {
    "schema": {"type": "string"},
    "content_type": "text/csv",
    "success": True,
}


class FormatArguments(Schema):
    format = JSON_OR_CSV


class SoldShowSchema(Schema):
    show_id = fields.UUID(required=True, attribute="id")
    title = fields.String(required=True)
    date = Instant(required=True, attribute="starts_at")
    venue = fields.String(required=True)
    is_published = fields.Boolean(
        required=True, metadata={"description": "false for a draft and for a cancelled show"}
    )
    total_tickets = fields.Integer(required=True, attribute="capacity")
    tickets_sold = fields.Integer(required=True, attribute="sums.tickets_sold")
    tickets_remaining = fields.Function(
        lambda show: show.capacity - show.sums.tickets_sold,
        required=True,
        metadata={"type": "integer", "description": "not sold; some may be held"},
    )
    ticket_price = Rupees(required=True, attribute="price_paise")
    total_revenue = Rupees(required=True, attribute="sums.show_revenue")
    booking_count = fields.Integer(required=True, attribute="sums.bookings")


class OwnSalesResponse(Schema):
    shows = fields.List(fields.Nested(SoldShowSchema), required=True)


class DashboardFiguresSchema(Schema):
    total_shows = fields.Integer(required=True, attribute="shows")
    upcoming_shows = fields.Integer(required=True, attribute="upcoming")
    tickets_sold = fields.Integer(required=True)
    total_revenue = Rupees(required=True, attribute="revenue_paise")


class DashboardSchema(DashboardFiguresSchema):
    upcoming_shows_list = fields.List(
        fields.Nested(SoldShowSchema), required=True, attribute="next_shows"
    )


class AttendeesArguments(PageArguments):
    format = JSON_OR_CSV


class AttendeeSchema(Schema):
    booking_id = fields.UUID(required=True)
    name = fields.String(
        required=True, allow_none=True, metadata={"description": "null while it cannot be had"}
    )
    quantity = fields.Integer(required=True)
    admitted = fields.Integer(
        required=True, metadata={"description": "how many of them have been let in"}
    )
    total_amount = Rupees(required=True, attribute="ticket_total_paise")
    status = fields.Enum(BookingStatus, by_value=True, required=True)
    created_at = Instant(required=True)


class AttendeesResponse(Schema):
    attendees = fields.List(fields.Nested(AttendeeSchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


@blp.get("/api/v1/organizer/sales")
@allow(CREATORS)
@blp.arguments(FormatArguments, location="query", as_kwargs=True)
@blp.response(200, OwnSalesResponse)
@blp.alt_response(200, **AS_CSV)
@blp.alt_response(403, description="`NOT_APPROVED`")
def get_sales(format: str) -> dict[str, list[SoldShow]] | Response:
    """List what was sold of the caller's shows, by date; once revoked, of those with sales"""
    with wired().read() as tx:
        shows = tx.money_views.shows_of(current_caller().id)
    if not current_caller().approved:
        shows = [show for show in shows if show.sums.bookings]
        _require(bool(shows))
    if format == "csv":
        return csv_answer("sales", SoldShowSchema(), shows)
    return {"shows": shows}


@blp.get("/api/v1/organizer/dashboard")
@allow(CREATORS)
@blp.arguments(FormatArguments, location="query", as_kwargs=True)
@blp.response(200, DashboardSchema)
@blp.alt_response(200, **AS_CSV)
@blp.alt_response(403, description="`NOT_APPROVED`")
def get_dashboard(format: str) -> Dashboard | Response:
    """Show all of the caller's shows at a glance; as CSV, the figures without a list of shows"""
    with wired().read() as tx:
        dashboard = tx.money_views.dashboard_of(current_caller().id)
    _require(current_caller().approved or dashboard.tickets_sold > 0)
    if format == "csv":
        return csv_answer("dashboard", DashboardFiguresSchema(), [dashboard])
    return dashboard


@blp.get("/api/v1/organizer/shows/<uuid:show_id>/attendees")
@allow(SIGNED_IN)
@blp.arguments(AttendeesArguments, location="query", as_kwargs=True)
@blp.response(200, AttendeesResponse)
@blp.alt_response(200, **AS_CSV)
@blp.alt_response(403, description="`SECOND_FACTOR_REQUIRED`: admins, for others' shows")
@blp.alt_response(404, description="`SHOW_NOT_FOUND`: unknown, or someone else's")
def get_attendees(
    show_id: UUID,
    format: str,
    limit: int,
    cursor: str | None,
) -> dict[str, Any] | Response:
    """List who will come to a show: of the caller, or any for admins; as CSV, all of them"""
    after = None if cursor is None else decode_cursor(cursor, UUID)[0]
    use = wired()
    with use.read() as tx:
        show = tx.inventory.of(show_id)
        _require_access(show)
        wanted = None if format == "csv" else limit + 1
        found = tx.money_views.attendees(show_id, after=after, limit=wanted)
    if format == "csv":
        return csv_answer("attendees", AttendeeSchema(), _with_names(found))
    page = page_of(found, limit=limit, key=lambda attendee: [str(attendee.booking_id)])
    return {"attendees": _with_names(page.items), "next_cursor": page.next_cursor}


def _require(approved: bool) -> None:
    if not approved:
        raise NotApproved("This is only for approved organizers and comedians.")


def _require_access(show: Inventory | None) -> None:
    caller = current_caller()
    if show is not None and show.offer.creator_id == caller.id:
        return
    if show is None or caller.role != ADMIN_ROLE:
        raise ShowNotFound("You have no show with this id.")
    if SECOND_FACTOR not in caller.amr:
        raise Problem(
            HTTPStatus.FORBIDDEN,
            "SECOND_FACTOR_REQUIRED",
            "Please confirm with your password first.",
        )


def _with_names(attendees: Sequence[Attendee]) -> list[dict[str, Any]]:
    buyers = [each.buyer_id for each in attendees]
    names = if_it_answers(lambda: wired().people.names(buyers)) or {}
    return [
        {
            "booking_id": each.booking_id,
            "name": names.get(each.buyer_id),
            "quantity": each.quantity,
            "admitted": each.admitted,
            "ticket_total_paise": each.ticket_total_paise,
            "status": each.status,
            "created_at": each.created_at,
        }
        for each in attendees
    ]
