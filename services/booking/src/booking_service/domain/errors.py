"""What the booking service refuses, by name."""

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from booking_service.domain.pricing import Quote

INDIA = timezone(timedelta(hours=5, minutes=30))


class BookingError(Exception):
    """Base of the booking service's refusals."""

    code = "BOOKING_REFUSED"


class ShowNotFound(BookingError):
    """There is no such show."""

    code = "SHOW_NOT_FOUND"


class ShowNotOnSale(BookingError):
    """Tickets for this show are not on sale."""

    code = "SHOW_NOT_ON_SALE"


class ShowStarted(BookingError):
    """This show has started, its sale is over."""

    code = "SHOW_STARTED"


class SoldOut(BookingError):
    """Fewer tickets are left than were asked for; nothing was taken."""

    code = "SOLD_OUT"


class TicketLimitReached(BookingError):
    """With these tickets the person would hold more of the show than one person may."""

    code = "TICKET_LIMIT_REACHED"


class TooManyHeld(BookingError):
    """With these tickets the person would hold more unpaid ones, of all shows, than one may."""

    code = "TOO_MANY_HELD"

    @classmethod
    def than(cls, most: int) -> "TooManyHeld":
        """Return the refusal of more than `most` unpaid tickets."""
        return cls(
            f"At most {most} unpaid tickets can be held at once. Please pay for those you hold or"
            " cancel them, or try again once your payment has arrived or their time is over."
        )


class BookingTooLarge(BookingError):
    """One booking may not have so many tickets."""

    code = "BOOKING_TOO_LARGE"

    @classmethod
    def than(cls, most: int) -> "BookingTooLarge":
        """Return the refusal of more than `most` tickets."""
        return cls(f"At most {most} tickets can be booked at once.")


class PriceChanged(BookingError):
    """The total is no longer the one the buyer expects; `quote` has the new one."""

    code = "PRICE_CHANGED"

    def __init__(self, quote: "Quote") -> None:
        super().__init__("The price has changed. Please look at the new total.")
        self.quote = quote


class TermsMoved(BookingError):
    """The offer changed between reading its price and taking its tickets, again and again."""

    code = "BUSY"
    retry_after_seconds = 1


class KeyReused(BookingError):
    """The idempotency key was used for a different request."""

    code = "IDEMPOTENCY_KEY_REUSED"


class RequestInFlight(BookingError):
    """A request with the same idempotency key is still being worked on."""

    code = "IN_FLIGHT"


class BookingNotFound(BookingError):
    """The caller has no such booking."""

    code = "BOOKING_NOT_FOUND"


class AccountClosed(BookingError):
    """This account is being deleted."""

    code = "ACCOUNT_CLOSED"


class AnotherDeletion(BookingError):
    """Another deletion has this person, or this deletion is another person's."""

    code = "ANOTHER_DELETION"


class TicketInvalid(BookingError):
    """This is no ticket of ours, or its code has been replaced: please open the ticket again."""

    code = "TICKET_INVALID"


class TicketNotFound(BookingError):
    """There is no such ticket."""

    code = "TICKET_NOT_FOUND"


class TicketCancelled(BookingError):
    """This ticket is cancelled."""

    code = "TICKET_CANCELLED"


class AdmissionNotOpen(BookingError):
    """It is too early: tickets are checked in from 12 hours before the show."""

    code = "ADMISSION_NOT_OPEN"


class AlreadyAdmitted(BookingError):
    """This ticket was let in before; `admitted_at` says when."""

    code = "ALREADY_ADMITTED"

    def __init__(self, admitted_at: datetime) -> None:
        super().__init__(
            f"This ticket was let in before, at {admitted_at.astimezone(INDIA):%H:%M on %d %B %Y}."
        )
        self.admitted_at = admitted_at


class TicketUsed(BookingError):
    """Somebody was let in with a ticket of this booking: it cannot be cancelled any more."""

    code = "TICKET_USED"


class CancellationNotFound(BookingError):
    """The show was not cancelled."""

    code = "CANCELLATION_NOT_FOUND"


class NotApproved(BookingError):
    """The caller is no approved creator, and no show of the caller was sold."""

    code = "NOT_APPROVED"


class ShowNotEnded(BookingError):
    """The show has not ended, or money of its bookings still moves."""

    code = "SHOW_NOT_ENDED"


class PayoutOnHold(BookingError):
    """The show's creator may not sell, so nothing is paid out."""

    code = "PAYOUT_ON_HOLD"


class FeesUnavailable(BookingError):
    """The fees have never been received, so no price can be named."""

    code = "FEES_UNAVAILABLE"
    retry_after_seconds = 5


class PaymentsUnavailable(BookingError):
    """Payments cannot be taken at the moment. Nothing was booked; please try again."""

    code = "PAYMENTS_UNAVAILABLE"
    retry_after_seconds = 5


class NothingToPay(BookingError):
    """This booking is not paid online."""

    code = "NOTHING_TO_PAY"


class PaymentNotVerified(BookingError):
    """The payment does not belong to this booking: its signature is wrong."""

    code = "PAYMENT_NOT_VERIFIED"


class WebhookNotVerified(BookingError):
    """The provider has not signed this webhook."""

    code = "WEBHOOK_NOT_VERIFIED"


class OfferRefused(BookingError):
    """The change of an offer would break a promise made to buyers."""

    code = "OFFER_REFUSED"


class AlreadyDisbursed(OfferRefused):
    """The show's creator was paid out: it is not paid out again, nor sold again."""

    code = "ALREADY_DISBURSED"


class CapacityBelowSold(OfferRefused):
    """The capacity would be below the tickets sold or held."""

    code = "CAPACITY_BELOW_SOLD"


class HasActiveBookings(OfferRefused):
    """The show has active bookings, so neither its sale nor its price may change."""

    code = "HAS_ACTIVE_BOOKINGS"


class HasBookings(OfferRefused):
    """The show has or had bookings, so it cannot be deleted."""

    code = "HAS_BOOKINGS"


class ShowCancelled(OfferRefused):
    """The show is cancelled and stays so."""

    code = "SHOW_CANCELLED"


class VersionConflict(OfferRefused):
    """Another offer is already stored under this version."""

    code = "VERSION_CONFLICT"
