"""The repositories of one open transaction."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TypeAlias

from sqlalchemy.orm import Session

from config_service.repositories.authors import AuthorRepository
from config_service.repositories.settings import SettingRepository


class Transaction:
    """This service's repositories, sharing one open transaction."""

    def __init__(self, session: Session) -> None:
        self.authors = AuthorRepository(session)
        self.settings = SettingRepository(session)


Begin: TypeAlias = Callable[[], AbstractContextManager[Transaction]]
