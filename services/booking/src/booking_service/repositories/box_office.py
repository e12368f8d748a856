"""The sale: one call of one SQL function for all who ask at the same moment, as a rule.

The function takes its locks in the same order as everybody: keys, people, shows by id, then what
belongs to a show. So batches may wait for each other, but never for ever.
"""

import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from time import monotonic
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from prometheus_client import Histogram
from sqlalchemy import Engine, bindparam, func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from booking_service.domain import errors
from booking_service.domain.bookings import Booking, BookingStatus, IdempotencyKey
from booking_service.domain.pricing import Quote
from booking_service.domain.sale_rules import SaleRules
from booking_service.models import TicketInventoryRow
from booking_service.repositories.facts import from_facts
from booking_service.repositories.idempotency_keys import IN_FLIGHT, LOCK_NOT_AVAILABLE, REUSED
from booking_service.repositories.transaction import Begin
from service_kit.batcher import Batcher, TooManyWaiting
from service_kit.database import POOL_WAIT_SECONDS, SingleStatement
from service_kit.person_hashes import PersonHashes

OPERATION = "POST /api/v1/bookings"  # a key names a request of one person to one operation
IN_FLIGHT_SQLSTATE = "BK001"
BATCHES_AT_ONCE = 1  # per process; with two, batches are half as large, and less is sold
MOST_IN_A_BATCH = 50
# With a lock that somebody holds; twice that with a row which others wait for as well, once for
# one's turn. Whoever comes meanwhile waits in the queue, for `POOL_WAIT_SECONDS` at most.
PATIENCE_ALONE = timedelta(milliseconds=400)
PATIENCE_TOGETHER = timedelta(milliseconds=150)
PATIENCE_OF_A_SHOW = timedelta(milliseconds=250)
SHOWS_IN_MEMORY = 10_000

BATCH_SIZE = Histogram(
    "sale_batch_size",
    "Reservations made in one call.",
    buckets=(1, 2, 4, 8, 16, 32, MOST_IN_A_BATCH),
)

# How long it waits for each lock is an argument: it is set first, as the call refers to it.
_RESERVE = text(
    "SELECT n, outcome, CAST(facts AS text)"
    " FROM (SELECT set_config('lock_timeout', :patience, true)) AS limited (patience), LATERAL"
    " booking.reserve_v4(CASE WHEN limited.patience <> '' THEN CAST(:requests AS jsonb) END)"
)
_RESERVE_FREE = text(
    "SELECT n, outcome, CAST(facts AS text) FROM booking.reserve_unhindered_v2(:requests)"
)
_TERMS = select(
    TicketInventoryRow.price_paise,
    func.coalesce(
        TicketInventoryRow.platform_fee_basis_points, TicketInventoryRow.creator_fee_basis_points
    ),
).where(TicketInventoryRow.show_id == bindparam("show_id"))

_REFUSALS: dict[str, tuple[type[errors.BookingError], str]] = {
    "UNKNOWN_SHOW": (errors.ShowNotFound, "This show does not exist."),
    "NOT_ON_SALE": (errors.ShowNotOnSale, "Tickets for this show are not on sale."),
    "STARTED": (errors.ShowStarted, "This show has started, its sale is over."),
    "SOLD_OUT": (errors.SoldOut, "Not enough tickets are left for this show."),
    "IN_FLIGHT": (errors.RequestInFlight, IN_FLIGHT),
    "KEY_REUSED": (errors.KeyReused, REUSED),
    "ACCOUNT_CLOSED": (errors.AccountClosed, "This account is being deleted."),
    "TERMS_MOVED": (errors.TermsMoved, "The offer is changing right now. Please try again."),
}


@dataclass(frozen=True, slots=True)
class Order:
    """What a buyer asks for, at the terms that were read; the sale holds only if they still are."""

    booking_id: UUID
    show_id: UUID
    buyer_id: UUID
    quote: Quote
    own_platform_fee_basis_points: int | None
    rules: SaleRules
    status: BookingStatus  # PENDING: the seats are held for `rules.hold`, by the database's clock
    expected_total_paise: int | None
    key: IdempotencyKey | None

    @property
    def too_large(self) -> bool:
        """Whether one booking may not have so many tickets."""
        return self.quote.quantity > self.rules.limits.per_booking


class Terms(NamedTuple):
    """What the fees of a show are reckoned from."""

    price_paise: int
    own_platform_fee_basis_points: int | None


class BoxOffice:
    """Takes seats and writes bookings; nothing else makes any. Thread-safe.

    The terms of shows are remembered. That a sale goes by outdated ones is impossible: the function
    compares them with the show's row, which nobody changes before the sale is committed.
    """

    def __init__(self, engine: Engine, read: Begin, people: PersonHashes) -> None:
        """`engine` is one of `connect_for_single_statements`, for this alone."""
        self._read = read
        self._people = people
        self._reserve = SingleStatement(engine, _RESERVE)
        self._reserve_free = SingleStatement(engine, _RESERVE_FREE)
        self._read_terms = SingleStatement(engine, _TERMS)
        self._batcher: Batcher[Order, Booking] = Batcher(
            self._serve, slots=BATCHES_AT_ONCE, most=MOST_IN_A_BATCH, patience=POOL_WAIT_SECONDS
        )
        self._lock = threading.Lock()
        self._terms: dict[UUID, Terms] = {}

    def terms(self, show_id: UUID) -> Terms | None:
        """Return the terms of a show as they were last seen, None if the show is unknown here."""
        known = self._terms.get(show_id)
        if known is not None:
            return known
        row = self._read_terms.row(show_id=show_id)
        if row is None:
            return None
        terms = Terms(*row)
        with self._lock:
            if len(self._terms) >= SHOWS_IN_MEMORY:
                self._terms.clear()
            self._terms[show_id] = terms
        return terms

    def reserve(self, order: Order) -> Booking:
        """Take the seats and write the booking, or take nothing.

        With a key that took effect before, returns that first booking as it was then, also if the
        limits are narrower by now: only a new booking is judged by them.

        Raises:
            BookingError: the named refusal; nothing was written.
            TermsMoved: price or rate are no longer those of the order; `terms` has new ones.
            sqlalchemy.exc.TimeoutError: too many others were before, or somebody holds the show or
                the account for too long; nothing was written.
        """
        try:
            return self._batcher.ask(order)
        except TooManyWaiting:
            raise PoolTimeout("too many sales are waiting") from None

    def _serve(self, orders: Sequence[Order]) -> list[Booking | Exception]:
        try:
            if len(orders) > 1:
                return self._sell_together(orders)
            return [self._sell_alone(each) for each in orders]
        except DBAPIError as error:
            if not error.connection_invalidated:
                raise
            return self._sell_again(orders, error)

    def _sell_together(self, orders: Sequence[Order]) -> list[Booking | Exception]:
        """Serve orders by one call, if nobody holds for too long what one of them needs.

        Else those are served that need nothing of it. The others wait once more, the orders of each
        show alone: while they do, they hold nothing that is another show's.
        """
        outcomes = self._sell_free(orders, patience=PATIENCE_TOGETHER)
        left = [n for n, outcome in enumerate(outcomes) if _is_hindered(outcome)]
        ends_at = monotonic() + PATIENCE_TOGETHER.total_seconds()
        for show_id in dict.fromkeys(orders[n].show_id for n in left):
            if monotonic() >= ends_at:
                break
            of_show = [n for n in left if orders[n].show_id == show_id]
            served = self._sell_those_left([orders[n] for n in of_show])
            for n, outcome in zip(of_show, served, strict=True):
                outcomes[n] = outcome
        return outcomes

    def _sell_those_left(self, orders: Sequence[Order]) -> Sequence[Booking | Exception]:
        """Serve orders of one show; what goes wrong with them is told to nobody else."""
        try:
            return self._sell_free(orders, patience=PATIENCE_OF_A_SHOW)
        except (DBAPIError, PoolTimeout) as error:
            if isinstance(error, DBAPIError) and error.connection_invalidated:
                raise
            return [error] * len(orders)

    def _sell_free(
        self, orders: Sequence[Order], *, patience: timedelta
    ) -> list[Booking | Exception]:
        """Serve all or, if that takes too much patience, those that need nothing that is held."""
        try:
            return self._reserve_all(orders, patience=patience)
        except DBAPIError as error:
            if _sqlstate(error) not in (LOCK_NOT_AVAILABLE, IN_FLIGHT_SQLSTATE):
                raise
        return self._outcomes(orders, self._reserve_free.rows(requests=self._written(orders)))

    def _sell_alone(self, order: Order) -> Booking | Exception:
        try:
            (outcome,) = self._reserve_all([order], patience=PATIENCE_ALONE)
        except DBAPIError as error:
            if _sqlstate(error) == IN_FLIGHT_SQLSTATE:
                return errors.RequestInFlight(IN_FLIGHT)
            if _names_a_booking_twice(error):
                return self._made_before(order) or error
            raise
        return outcome

    def _sell_again(self, orders: Sequence[Order], lost: DBAPIError) -> list[Booking | Exception]:
        """Serve orders one by one of which nobody knows whether they took effect.

        One that did is found by its key or its booking's id, also if a second one like it would be
        refused by now. After one that cannot be served, the others get `lost`: nobody knows.
        """
        outcomes: list[Booking | Exception] = []
        for order in orders:
            try:
                outcome = self._sell_alone(order)
                if isinstance(outcome, Exception):
                    outcome = self._made_before(order) or outcome
            except (DBAPIError, PoolTimeout) as error:
                outcomes.append(error)
                break
            outcomes.append(outcome)
        return [*outcomes, *[lost] * (len(orders) - len(outcomes))]

    def _reserve_all(
        self, orders: Sequence[Order], *, patience: timedelta
    ) -> list[Booking | Exception]:
        """Serve all, or none if a lock cannot be had within `patience`."""
        milliseconds = f"{patience // timedelta(milliseconds=1)}ms"
        rows = self._reserve.rows(requests=self._written(orders), patience=milliseconds)
        BATCH_SIZE.observe(len(orders))
        return self._outcomes(orders, rows)

    def _written(self, orders: Sequence[Order]) -> str:
        requests = [self._request(number, order) for number, order in enumerate(orders)]
        return msgspec.json.encode(requests).decode()

    def _outcomes(
        self, orders: Sequence[Order], rows: Iterable[tuple[Any, ...]]
    ) -> list[Booking | Exception]:
        outcomes = {number: (outcome, facts) for number, outcome, facts in rows}
        return [self._outcome(order, *outcomes[n]) for n, order in enumerate(orders)]

    def _made_before(self, order: Order) -> Booking | None:
        """Return the booking of an order that took effect although its answer was lost."""
        with self._read() as tx:
            return tx.bookings.one_of_buyer(order.buyer_id, order.booking_id)

    def _request(self, number: int, order: Order) -> dict[str, Any]:
        quote, rules, key = order.quote, order.rules, order.key
        return {
            "n": number,
            "booking_id": order.booking_id,
            "show_id": order.show_id,
            "user_id": order.buyer_id,
            "person_hash": self._people.of(order.buyer_id).hex(),
            "quantity": quote.quantity,
            "operation": OPERATION,
            "key": key and key.value,
            "fingerprint": key and key.fingerprint,
            "status": order.status,
            "hold_seconds": int(rules.hold.total_seconds()),
            "too_large": order.too_large,
            "person_limit": rules.limits.per_person_and_show,
            "hold_limit": rules.limits.held_per_person,
            "unit_price_paise": quote.unit_price_paise,
            "own_platform_fee_basis_points": order.own_platform_fee_basis_points,
            "expected_total_paise": order.expected_total_paise,
            "grand_total_paise": quote.grand_total_paise,
            "ticket_total_paise": quote.ticket_total_paise,
            "convenience_fee_basis_points": quote.slab.basis_points,
            "convenience_fee_paise": quote.convenience_fee_paise,
            "platform_fee_basis_points": quote.platform_fee_basis_points,
            "platform_fee_paise": quote.platform_fee_paise,
            "fee_schedule_version": quote.fee_schedule_version,
            "settings_version": rules.version,
            "refund_policy": rules.refund_policy,
        }

    def _outcome(self, order: Order, outcome: str, facts: str | None) -> Booking | Exception:
        if outcome == "RESERVED" and facts is not None:
            return from_facts(facts)
        if outcome in {"TERMS_MOVED", "UNKNOWN_SHOW"}:
            with self._lock:
                self._terms.pop(order.show_id, None)
        if outcome == "HELD":
            return _Held("somebody holds what this sale needs")
        return _refusal(outcome, order)


class _Held(PoolTimeout):
    """Somebody holds what a sale needs; nothing was written."""


def _is_hindered(outcome: Booking | Exception) -> bool:
    return isinstance(outcome, _Held | errors.RequestInFlight)


def _sqlstate(error: DBAPIError) -> str | None:
    return getattr(error.orig, "sqlstate", None)


def _names_a_booking_twice(error: DBAPIError) -> bool:
    diagnosis = getattr(error.orig, "diag", None)
    return getattr(diagnosis, "constraint_name", None) == "pk_booking"


def _refusal(outcome: str, order: Order) -> errors.BookingError:
    limits = order.rules.limits
    if outcome == "PRICE_CHANGED":
        return errors.PriceChanged(order.quote)
    if outcome == "TOO_LARGE":
        return errors.BookingTooLarge.than(limits.per_booking)
    if outcome == "TOO_MANY_HELD":
        return errors.TooManyHeld.than(limits.held_per_person)
    if outcome == "LIMIT_REACHED":
        return errors.TicketLimitReached(
            f"One person may have at most {limits.per_person_and_show} tickets for a show."
        )
    refusal, message = _REFUSALS[outcome]
    return refusal(message)
