"""Calls to booking: offers, and how well they sell."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any
from uuid import UUID

from catalog_service.clients.remembered import Remembered
from catalog_service.domain.offers import OUTDATED, Offer, Refusal
from service_kit.openapi import instant
from service_kit.peers import Answer, Peer, PeerUnavailable

BOOKING = "booking"
AVAILABILITY_SECONDS = 0.5  # a page that shows it is kept for 1.5 s at most: 2 s in all
MAX_SHOWS_PER_CALL = 200


@dataclass(frozen=True, slots=True)
class Availability:
    """How many seats of a show are free, held and sold, and how many bookings take them."""

    available: int
    locked: int
    sold: int
    active_bookings: int


@dataclass(frozen=True, slots=True)
class Cancellation:
    """How far the bookings of a cancelled show have been cancelled and paid back."""

    state: str  # RUNNING or COMPLETED
    reason: str
    total: int
    cancelled: int
    refunded: int
    failed: int
    started_at: datetime
    completed_at: datetime | None


class OfferClient:
    """Tells booking what is for sale."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer

    def put(self, offer: Offer) -> Refusal | None:
        """Offer a show in this version and return why booking does not; repeating is harmless.

        Raises:
            PeerUnavailable: booking did not say whether it does.
        """
        return self._write("PUT", f"/internal/offers/{offer.show_id}", body=offer_body(offer))

    def put_unsold(self, offer: Offer) -> Refusal | None:
        """Like `put`, but only if no ticket is sold or held."""
        body = {**offer_body(offer), "unsoldOnly": True}
        return self._write("PUT", f"/internal/offers/{offer.show_id}", body=body)

    def withdraw(self, show_id: UUID, *, version: int) -> Refusal | None:
        """Take a show off for ever unless it ever had a booking; repeating is harmless.

        Raises:
            PeerUnavailable: booking did not say whether it does.
        """
        path = f"/internal/offers/{show_id}"
        return self._write("DELETE", path, params={"version": str(version)})

    def cancel(self, show_id: UUID, *, version: int, reason: str, actor_id: UUID) -> Refusal | None:
        """Stop a show's sale and have every booking cancelled and paid back; repeating is harmless.

        Raises:
            PeerUnavailable: booking did not say whether it does.
        """
        body = {"version": version, "reason": reason, "actorId": str(actor_id)}
        return self._write("POST", f"/internal/offers/{show_id}/cancellation", body=body)

    def versions(self) -> Iterator[tuple[UUID, int]]:
        """Yield the shows that booking offers, with the version of each.

        Raises:
            PeerUnavailable: booking did not say.
        """
        page: Mapping[str, str] = {}
        while True:
            answer = self._peer.get("/internal/offers", scope="booking:offers:write", params=page)
            if not answer.ok:
                raise PeerUnavailable.of(BOOKING, f"answered {answer.status} about its offers")
            offers, cursor = _versions(answer.body)
            yield from offers
            if cursor is None:
                return
            page = {"cursor": cursor}

    def _write(
        self,
        method: str,
        path: str,
        *,
        body: Mapping[str, Any] | None = None,
        params: Mapping[str, str] | None = None,
    ) -> Refusal | None:
        answer = self._peer.call(
            method, path, scope="booking:offers:write", body=body, params=params, idempotent=True
        )
        return _refusal(answer)


class CancellationClient:
    """Reads how far the cancellation of a show has come."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer

    def of_show(self, show_id: UUID) -> Cancellation | None:
        """Return how far the cancellation of a show has come, None if there is none.

        Raises:
            PeerUnavailable: booking did not say.
        """
        answer = self._peer.get(
            f"/internal/offers/{show_id}/cancellation", scope="booking:offers:write"
        )
        if answer.status == HTTPStatus.NOT_FOUND:
            return None
        if not answer.ok:
            raise PeerUnavailable.of(BOOKING, f"answered {answer.status} about a cancellation")
        return _cancellation(answer.body)


class DisbursementClient:
    """Has booking pay the creators of shows out."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer

    def disburse(self, show_id: UUID, *, actor_id: UUID) -> Refusal | None:
        """Have a show's creator paid out, once, and return why booking does not.

        Raises:
            PeerUnavailable: booking did not say whether it has; asking again tells.
        """
        answer = self._peer.call(
            "POST",
            f"/internal/offers/{show_id}/disbursement",
            scope="booking:disbursements:write",
            body={"actorId": str(actor_id)},
            idempotent=False,  # asked again, it would refuse what it has just done
        )
        body = answer.body if isinstance(answer.body, dict) else {}
        refused = {HTTPStatus.CONFLICT, HTTPStatus.NOT_FOUND}
        if answer.status in refused and "code" in body:
            return Refusal(str(body["code"]), str(body.get("error", "Booking refused to pay.")))
        if not answer.ok:
            raise PeerUnavailable.of(BOOKING, f"answered {answer.status} to a disbursement")
        return None


def _versions(body: Any) -> tuple[list[tuple[UUID, int]], str | None]:
    try:
        offers = [(UUID(each["showId"]), int(each["version"])) for each in body["offers"]]
        return offers, body["nextCursor"]
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise PeerUnavailable.of(BOOKING, "answered with something else than offers") from error


def _refusal(answer: Answer) -> Refusal | None:
    """Return why booking did not do what it was asked to."""
    body = answer.body if isinstance(answer.body, dict) else {}
    if answer.status == HTTPStatus.CONFLICT and "code" in body:
        return Refusal(str(body["code"]), str(body.get("error", "Booking refused the change.")))
    if not answer.ok or "version" not in body:
        raise PeerUnavailable.of(BOOKING, f"answered {answer.status} to an offer")
    if not body.get("applied"):
        return Refusal(
            OUTDATED, "Booking knows a later version of this show.", int(body["version"])
        )
    return None


class AvailabilityClient:
    """Reads how well shows sell; for display only, up to half a second old."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        self._remembered = Remembered(self._ask, seconds=AVAILABILITY_SECONDS)

    def of_shows(self, show_ids: Iterable[UUID]) -> dict[UUID, Availability | None]:
        """Return each show's figures; None if booking has no offer, absent if it is down."""
        return self._remembered.about(show_ids)

    def _ask(self, show_ids: Sequence[UUID]) -> dict[UUID, Availability]:
        found: dict[UUID, Availability] = {}
        for start in range(0, len(show_ids), MAX_SHOWS_PER_CALL):
            batch = show_ids[start : start + MAX_SHOWS_PER_CALL]
            answer = self._peer.get(
                "/internal/availability",
                scope="booking:availability:read",
                params={"showIds": ",".join(map(str, batch))},
            )
            if not answer.ok:
                raise PeerUnavailable.of(BOOKING, f"answered {answer.status} about availability")
            found.update(_figures(answer.body))
        return found


@dataclass(frozen=True, slots=True)
class Sales:
    """What a show has sold, and whether its creator has been paid."""

    tickets_sold: int
    revenue_paise: int  # tickets only
    disbursed: bool


class SalesClient:
    """Reads what shows have sold; for display only, up to a second old."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        self._remembered = Remembered(self._ask, seconds=AVAILABILITY_SECONDS)

    def of_shows(self, show_ids: Iterable[UUID]) -> dict[UUID, Sales | None]:
        """Return each show's sales; None if there were none, absent if booking is down."""
        return self._remembered.about(show_ids)

    def _ask(self, show_ids: Sequence[UUID]) -> dict[UUID, Sales]:
        found: dict[UUID, Sales] = {}
        for start in range(0, len(show_ids), MAX_SHOWS_PER_CALL):
            batch = show_ids[start : start + MAX_SHOWS_PER_CALL]
            answer = self._peer.get(
                "/internal/sales",
                scope="booking:sales:read",
                params={"showIds": ",".join(map(str, batch))},
            )
            if not answer.ok:
                raise PeerUnavailable.of(BOOKING, f"answered {answer.status} about sales")
            found.update(_sales(answer.body))
        return found


def offer_body(offer: Offer) -> dict[str, Any]:
    """Return an offer as booking documents it."""
    return {
        "version": offer.version,
        "creatorId": str(offer.creator_id),
        "title": offer.title,
        "venue": offer.venue,
        "city": offer.city,
        "posterImageUrl": offer.poster_image_url,
        "startsAt": instant(offer.starts_at),
        "durationMinutes": offer.duration_minutes,
        "capacity": offer.capacity,
        "pricePaise": offer.price_paise,
        "platformFeeBasisPoints": offer.platform_fee_basis_points,
        "onSale": offer.on_sale,
    }


def _cancellation(body: Any) -> Cancellation:
    try:
        completed_at = body["completedAt"]
        return Cancellation(
            state=str(body["state"]),
            reason=str(body["reason"]),
            total=int(body["total"]),
            cancelled=int(body["cancelled"]),
            refunded=int(body["refunded"]),
            failed=int(body["failed"]),
            started_at=datetime.fromisoformat(body["startedAt"]),
            completed_at=None if completed_at is None else datetime.fromisoformat(completed_at),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise PeerUnavailable.of(BOOKING, "answered with something else than figures") from error


def _sales(body: Any) -> dict[UUID, Sales]:
    try:
        return {
            UUID(show["showId"]): Sales(
                tickets_sold=int(show["ticketsSold"]),
                revenue_paise=int(show["revenuePaise"]),
                disbursed=show["disbursed"] is True,
            )
            for show in body["shows"]
        }
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise PeerUnavailable.of(BOOKING, "answered with something else than sales") from error


def _figures(body: Any) -> dict[UUID, Availability]:
    try:
        return {
            UUID(show["showId"]): Availability(
                available=int(show["available"]),
                locked=int(show["locked"]),
                sold=int(show["sold"]),
                active_bookings=int(show["activeBookings"]),
            )
            for show in body["shows"]
        }
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise PeerUnavailable.of(BOOKING, "answered with something else than figures") from error
