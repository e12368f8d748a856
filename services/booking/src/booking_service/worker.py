"""Booking's worker process: durable work, and on timers what needs no durability."""

import os
from dataclasses import asdict
from datetime import timedelta

from prometheus_client import Gauge

from booking_service.domain.bookings import IDEMPOTENCY_KEY_HOURS, Payments
from booking_service.domain.errors import FeesUnavailable
from booking_service.domain.refunds import RefundStatus
from booking_service.settings import Settings, WorkerSettings
from booking_service.usecases.catch_up import catch_up
from booking_service.usecases.discard_old_bookings import discard_old_bookings
from booking_service.usecases.open_payment import open_cut_off
from booking_service.usecases.refresh_creator_terms import refresh_creator_terms
from booking_service.usecases.refresh_fee_schedule import refresh_fee_schedule
from booking_service.usecases.refresh_platform_settings import refresh_platform_settings
from booking_service.usecases.release_expired_holds import release_expired_holds
from booking_service.usecases.settle_order import settle_due
from booking_service.usecases.settle_refunds import settle_open_refunds
from booking_service.usecases.tell_buyers import find_missed_sales, gather_notices
from booking_service.wiring import SERVICE, Wiring, durable_worker, wire
from service_kit import logs, tracing
from service_kit.durable import DurableWorker
from service_kit.timers import Periodic, Timers
from service_kit.worker import run_until_stopped

FEES_EVERY_SECONDS = 5.0
SETTINGS_EVERY_SECONDS = 5.0
TERMS_EVERY_SECONDS = 5.0
HOLDS_EVERY_SECONDS = 5.0
PAYMENTS_EVERY_SECONDS = 5.0
SEATS_EVERY_SECONDS = 15.0
NOTICES_EVERY_SECONDS = 2.0
MISSED_SALES_EVERY_SECONDS = 300.0
RECONCILE_EVERY_SECONDS = 60.0  # at least
HOUSEKEEPING_EVERY_SECONDS = 300.0
RETENTION_EVERY_SECONDS = 86_400.0
KEYS_AT_ONCE = 5_000

FEE_SCHEDULE_AGE = Gauge(
    "fee_schedule_age_seconds", "Time since the config service last confirmed the fees in use."
)


PLATFORM_SETTINGS_AGE = Gauge(
    "platform_settings_age_seconds",
    "Time since the config service last confirmed the rules in use.",
)
PAYMENT_NEWS_LAG = Gauge(
    "payment_news_lag_seconds", "How long the oldest news about payments has not been handled."
)
REFUNDS_OPEN = Gauge("refunds_open", "Refunds that are not done, by how far they are.", ["status"])
REFUND_OLDEST = Gauge(
    "refund_oldest_unsent_seconds", "Age of the oldest refund the provider was not yet asked for."
)
SEATS = Gauge("seats", "Seats of shows that are on sale and have not begun, by state.", ["state"])

NOTICE_OLDEST = Gauge(
    "notice_oldest_unsent_seconds",
    "Since when the buyer who waits longest is to be told of something.",
)

CREATOR_TERMS_AGE = Gauge(
    "creator_terms_age_seconds",
    "Time since identity last confirmed the oldest of the terms agreed with creators.",
)


def run(use: Wiring, durable: DurableWorker, *, port: int) -> None:
    """Work until SIGTERM."""

    def refresh_fees() -> None:
        try:
            refresh_fee_schedule(use.begin, use.config)
        finally:
            with use.read() as tx:
                _measure(FEE_SCHEDULE_AGE, tx.fee_schedules.age())

    def refresh_settings() -> None:
        try:
            refresh_platform_settings(use.begin, use.config)
        finally:
            with use.read() as tx:
                _measure(PLATFORM_SETTINGS_AGE, tx.platform_settings.age())

    def refresh_terms() -> None:
        try:
            refresh_creator_terms(use.begin, use.identity)
        finally:
            with use.read() as tx:
                age = tx.creators.age_of_platform_fees()
            _measure(CREATOR_TERMS_AGE, timedelta(0) if age is None else age)

    def forget_keys() -> None:
        age, forgotten = timedelta(hours=IDEMPOTENCY_KEY_HOURS), KEYS_AT_ONCE
        while forgotten == KEYS_AT_ONCE:
            with use.begin() as tx:
                forgotten = tx.idempotency_keys.forget_older_than(age, limit=KEYS_AT_ONCE)

    def ready() -> None:
        durable.ready()
        with use.read() as tx:
            if tx.fee_schedules.newest() is None:
                raise FeesUnavailable("no fees received yet")

    timers = Timers(
        [
            Periodic("refresh-fees", FEES_EVERY_SECONDS, refresh_fees),
            Periodic("refresh-settings", SETTINGS_EVERY_SECONDS, refresh_settings),
            Periodic("refresh-terms", TERMS_EVERY_SECONDS, refresh_terms),
            Periodic(
                "release-holds", HOLDS_EVERY_SECONDS, lambda: release_expired_holds(use.begin)
            ),
            *_payment_timers(use),
            *_notice_timers(use),
            Periodic("measure-seats", SEATS_EVERY_SECONDS, lambda: _measure_seats(use)),
            Periodic("forget-idempotency-keys", HOUSEKEEPING_EVERY_SECONDS, forget_keys),
            Periodic(
                "discard-old-bookings",
                RETENTION_EVERY_SECONDS,
                lambda: discard_old_bookings(use.begin),
            ),
        ]
    )
    timers.start()
    try:
        with durable:
            run_until_stopped(port=port, ready=ready)
    finally:
        timers.stop()


def _payment_timers(use: Wiring) -> list[Periodic]:
    """Return what keeps an eye on payments and, if there is one, asks their provider."""
    measure = Periodic("measure-payments", PAYMENTS_EVERY_SECONDS, lambda: _measure_payments(use))
    if use.payments is Payments.AT_VENUE:
        return [measure]
    every = min(RECONCILE_EVERY_SECONDS, use.desk.patience.total_seconds())
    return [
        measure,
        Periodic("catch-up-payments", PAYMENTS_EVERY_SECONDS, lambda: catch_up(use.desk)),
        Periodic("open-cut-off-orders", PAYMENTS_EVERY_SECONDS, lambda: open_cut_off(use.desk)),
        Periodic("reconcile-orders", every, lambda: settle_due(use.desk)),
        Periodic("reconcile-refunds", every, lambda: settle_open_refunds(use.desk)),
    ]


def _notice_timers(use: Wiring) -> list[Periodic]:
    def gather() -> None:
        try:
            gather_notices(use.begin)
        finally:
            with use.read() as tx:
                NOTICE_OLDEST.set(tx.notices.age_of_oldest().total_seconds())

    return [
        Periodic("gather-notices", NOTICES_EVERY_SECONDS, gather),
        Periodic(
            "find-missed-sales", MISSED_SALES_EVERY_SECONDS, lambda: find_missed_sales(use.begin)
        ),
    ]


def _measure_payments(use: Wiring) -> None:
    with use.read() as tx:
        lag, refunds = tx.payment_news.lag(), tx.refunds.unfinished()
        unsent = tx.refunds.age_of_oldest_unsent()
    PAYMENT_NEWS_LAG.set(lag.total_seconds())
    REFUND_OLDEST.set(unsent.total_seconds())
    for status in (RefundStatus.DUE, RefundStatus.SENT, RefundStatus.FAILED):
        REFUNDS_OPEN.labels(status.value).set(refunds.get(status, 0))


def _measure_seats(use: Wiring) -> None:
    with use.read() as tx:
        seats = tx.inventory.seats()
    for state, count in asdict(seats).items():
        SEATS.labels(state).set(count)


def _measure(gauge: Gauge, age: timedelta | None) -> None:
    gauge.set(float("inf") if age is None else age.total_seconds())


def main() -> None:
    """Start from the environment."""
    settings = Settings.from_env(os.environ)
    worker = WorkerSettings.from_env(os.environ)
    logs.configure(service=f"{SERVICE}-worker", level=settings.log_level)
    tracing.configure(service=f"{SERVICE}-worker")
    wiring = wire(settings)
    run(wiring, durable_worker(wiring, settings, worker), port=worker.port)


if __name__ == "__main__":
    main()
