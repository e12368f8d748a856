"""The one table in which refusals become HTTP."""

from http import HTTPStatus

from booking_service.domain import errors

STATUS: dict[type[Exception], HTTPStatus] = {
    errors.BookingError: HTTPStatus.CONFLICT,
    errors.ShowNotFound: HTTPStatus.NOT_FOUND,
    errors.ShowNotOnSale: HTTPStatus.CONFLICT,
    errors.ShowStarted: HTTPStatus.CONFLICT,
    errors.SoldOut: HTTPStatus.CONFLICT,
    errors.TicketLimitReached: HTTPStatus.CONFLICT,
    errors.BookingTooLarge: HTTPStatus.CONFLICT,
    errors.PriceChanged: HTTPStatus.CONFLICT,
    errors.TermsMoved: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.KeyReused: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.RequestInFlight: HTTPStatus.CONFLICT,
    errors.BookingNotFound: HTTPStatus.NOT_FOUND,
    errors.AccountClosed: HTTPStatus.CONFLICT,
    errors.AnotherDeletion: HTTPStatus.CONFLICT,
    errors.TicketInvalid: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.TicketNotFound: HTTPStatus.NOT_FOUND,
    errors.TicketCancelled: HTTPStatus.CONFLICT,
    errors.AdmissionNotOpen: HTTPStatus.CONFLICT,
    errors.AlreadyAdmitted: HTTPStatus.CONFLICT,
    errors.TicketUsed: HTTPStatus.CONFLICT,
    errors.CancellationNotFound: HTTPStatus.NOT_FOUND,
    errors.NotApproved: HTTPStatus.FORBIDDEN,
    errors.ShowNotEnded: HTTPStatus.CONFLICT,
    errors.PayoutOnHold: HTTPStatus.CONFLICT,
    errors.FeesUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.PaymentsUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.NothingToPay: HTTPStatus.CONFLICT,
    errors.PaymentNotVerified: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.WebhookNotVerified: HTTPStatus.BAD_REQUEST,
    errors.OfferRefused: HTTPStatus.CONFLICT,
    errors.AlreadyDisbursed: HTTPStatus.CONFLICT,
    errors.CapacityBelowSold: HTTPStatus.CONFLICT,
    errors.HasActiveBookings: HTTPStatus.CONFLICT,
    errors.HasBookings: HTTPStatus.CONFLICT,
    errors.ShowCancelled: HTTPStatus.CONFLICT,
    errors.VersionConflict: HTTPStatus.CONFLICT,
}
