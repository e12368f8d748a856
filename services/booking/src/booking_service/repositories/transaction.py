"""The repositories of one open transaction."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TypeAlias

from sqlalchemy.orm import Session

from booking_service.repositories.admissions import AdmissionRepository
from booking_service.repositories.bookings import BookingRepository
from booking_service.repositories.cancellations import CancellationRepository
from booking_service.repositories.creators import CreatorRepository
from booking_service.repositories.deletions import DeletionRepository
from booking_service.repositories.fee_schedules import FeeScheduleRepository
from booking_service.repositories.idempotency_keys import IdempotencyKeyRepository
from booking_service.repositories.inventory import InventoryRepository
from booking_service.repositories.ledger import LedgerRepository
from booking_service.repositories.money_views import MoneyViewRepository
from booking_service.repositories.notices import NoticeRepository
from booking_service.repositories.payments import PaymentNewsRepository, PaymentRepository
from booking_service.repositories.people import PersonRepository
from booking_service.repositories.platform_settings import PlatformSettingsRepository
from booking_service.repositories.refunds import RefundRepository
from booking_service.repositories.reservations import ReservationRepository
from booking_service.repositories.retention import RetentionRepository
from booking_service.repositories.support import SupportRepository
from booking_service.repositories.ticket_keys import TicketKeyRepository
from booking_service.repositories.work import Work
from service_kit.durable import WorkQueue
from service_kit.person_hashes import PersonHashes


class Transaction:
    """This service's repositories, sharing one open transaction."""

    def __init__(self, session: Session, queue: WorkQueue, hashes: PersonHashes) -> None:
        self.work = Work(session, queue)
        self.admissions = AdmissionRepository(session)
        self.bookings = BookingRepository(session)
        self.cancellations = CancellationRepository(session)
        self.creators = CreatorRepository(session, hashes)
        self.deletions = DeletionRepository(session, hashes)
        self.fee_schedules = FeeScheduleRepository(session)
        self.idempotency_keys = IdempotencyKeyRepository(session)
        self.inventory = InventoryRepository(session, hashes)
        self.notices = NoticeRepository(session)
        self.people = PersonRepository(session)
        self.payment_news = PaymentNewsRepository(session)
        self.payments = PaymentRepository(session)
        self.ledger = LedgerRepository(session)
        self.money_views = MoneyViewRepository(session)
        self.platform_settings = PlatformSettingsRepository(session)
        self.refunds = RefundRepository(session, self.work)
        self.support = SupportRepository(session)
        self.retention = RetentionRepository(session)
        self.reservations = ReservationRepository(session, self.inventory)
        self.ticket_keys = TicketKeyRepository(session)


Begin: TypeAlias = Callable[[], AbstractContextManager[Transaction]]
