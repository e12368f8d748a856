"""Routes: GET /api/v1/bookings/{id}/tickets · …/tickets/{seat}.svg · …/tickets/{seat}.png."""

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from io import BytesIO
from typing import Any
from uuid import UUID

import segno
from flask import Response
from marshmallow import fields

from booking_service.api.wired import wired
from booking_service.domain.bookings import Booking
from booking_service.domain.errors import BookingNotFound, TicketNotFound
from booking_service.domain.tickets import Ticket, TicketStatus, tickets_of
from service_kit.access import SIGNED_IN, allow, current_caller
from service_kit.openapi import Instant, Schema
from service_kit.routes import Blueprint

blp = Blueprint("tickets", __name__, description="What a buyer shows at the door")

DOTS_PER_MODULE = 8
_PICTURE = {"type": "string", "format": "binary"}


class TicketSchema(Schema):
    id = fields.String(required=True)
    seat = fields.Integer(required=True, attribute="seat.number")
    status = fields.Enum(TicketStatus, by_value=True, required=True)
    paid = fields.Boolean(
        required=True,
        attribute="seat.paid",
        metadata={"description": "false: it is to be paid at the venue"},
    )
    code = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "what the QR code says; null: it opens no door any more"},
    )
    admitted_at = Instant(required=True, allow_none=True)


class TicketsResponse(Schema):
    tickets = fields.List(fields.Nested(TicketSchema), required=True)


@blp.get("/api/v1/bookings/<uuid:booking_id>/tickets")
@allow(SIGNED_IN)
@blp.response(200, TicketsResponse)
@blp.alt_response(404, description="`BOOKING_NOT_FOUND`: unknown, or someone else's")
def get_tickets(booking_id: UUID) -> dict[str, Any]:
    """List the tickets of one of the caller's bookings; one that was never confirmed has none"""
    return {"tickets": _tickets(booking_id)}


@blp.get("/api/v1/bookings/<uuid:booking_id>/tickets/<int:seat>.svg")
@allow(SIGNED_IN)
@blp.response(200, _PICTURE, content_type="image/svg+xml")
@blp.alt_response(404, description="`TICKET_NOT_FOUND`, `BOOKING_NOT_FOUND`")
def get_ticket_svg(booking_id: UUID, seat: int) -> Response:
    """Draw the QR code of a ticket, in any size"""
    picture = BytesIO()
    _qr_code(booking_id, seat).save(
        picture, kind="svg", light="#fff", omitsize=True, svgclass=None, lineclass=None
    )
    return Response(picture.getvalue(), mimetype="image/svg+xml")


@blp.get("/api/v1/bookings/<uuid:booking_id>/tickets/<int:seat>.png")
@allow(SIGNED_IN)
@blp.response(200, _PICTURE, content_type="image/png")
@blp.alt_response(404, description="`TICKET_NOT_FOUND`, `BOOKING_NOT_FOUND`")
def get_ticket_png(booking_id: UUID, seat: int) -> Response:
    """Draw the QR code of a ticket"""
    picture = BytesIO()
    _qr_code(booking_id, seat).save(picture, kind="png", scale=DOTS_PER_MODULE)
    return Response(picture.getvalue(), mimetype="image/png")


def with_codes(booking: Booking, admitted: Mapping[int, datetime]) -> tuple[Ticket, ...]:
    """Return the tickets of a booking, given when which of its seats were let in."""
    code = partial(wired().ticket_keys.code, booked_at=booking.created_at)
    return tickets_of(booking, admitted, code)


def _tickets(booking_id: UUID) -> tuple[Ticket, ...]:
    with wired().read() as tx:
        booking = tx.bookings.one_of_buyer(current_caller().id, booking_id)
        admitted = tx.admissions.of_booking(booking_id)
    if booking is None:
        raise BookingNotFound("You have no booking with this id.")
    return with_codes(booking, admitted)


def _qr_code(booking_id: UUID, seat: int) -> segno.QRCode:
    codes = {ticket.seat.number: ticket.code for ticket in _tickets(booking_id)}
    code = codes.get(seat)
    if code is None:
        raise TicketNotFound("This booking has no valid ticket with this number.")
    return segno.make_qr(code, error="m")
