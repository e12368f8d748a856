"""The booking service's Flask app."""

from http import HTTPStatus
from typing import Any

from flask import Flask, Response

from booking_service.api import (
    admin,
    bookings,
    checkins,
    deletions,
    internal,
    organizer,
    payments,
    people,
    quotes,
    support,
    tickets,
)
from booking_service.api.errors import STATUS
from booking_service.domain.errors import AlreadyAdmitted, BookingError, PriceChanged
from booking_service.wiring import SERVICE, Wiring
from service_kit.openapi import instant
from service_kit.problems import Problem, problem_response
from service_kit.web import ServiceDescription, service_app

DESCRIPTION = ServiceDescription(
    name=SERVICE,
    title="Comedy Connect: booking",
    version="1",
    summary="Ticket inventory, bookings and what they cost.",
)


def create_app(wiring: Wiring | None) -> Flask:
    """Build the app; without wiring it can only describe itself."""
    app = service_app(
        DESCRIPTION,
        blueprints=[
            bookings.blp,
            payments.blp,
            quotes.blp,
            tickets.blp,
            checkins.blp,
            organizer.blp,
            admin.blp,
            support.blp,
            internal.blp,
            people.blp,
            deletions.blp,
        ],
        refusals=(BookingError, STATUS),
        verifier=wiring.verifier if wiring else None,
        rates=wiring.rates if wiring else None,
        ready=wiring.ready if wiring else lambda: None,
    )
    app.register_error_handler(PriceChanged, _price_changed)
    app.register_error_handler(AlreadyAdmitted, _already_admitted)
    app.extensions["wiring"] = wiring
    return app


def openapi() -> dict[str, Any]:
    """Return the API document."""
    document: dict[str, Any] = create_app(None).extensions["openapi"]()
    return document


def _price_changed(refusal: PriceChanged) -> Response:
    lines = quotes.QuoteSchema().dump(quotes.wire_quote(refusal.quote))
    return problem_response(Problem(HTTPStatus.CONFLICT, refusal.code, str(refusal), quote=lines))


def _already_admitted(refusal: AlreadyAdmitted) -> Response:
    when = instant(refusal.admitted_at)
    return problem_response(
        Problem(HTTPStatus.CONFLICT, refusal.code, str(refusal), admittedAt=when)
    )
