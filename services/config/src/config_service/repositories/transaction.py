"""The repositories of one open transaction."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TypeAlias

from sqlalchemy.orm import Session

from config_service.repositories.fee_schedules import FeeScheduleRepository


class Transaction:
    """This service's repositories, sharing one open transaction."""

    def __init__(self, session: Session) -> None:
        self.fee_schedules = FeeScheduleRepository(session)


Begin: TypeAlias = Callable[[], AbstractContextManager[Transaction]]
